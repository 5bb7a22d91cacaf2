//! One call of rustls: what its answer demands is done here, and what is left for the handshake is
//! one value.

use alloc::vec::Vec;

use rustls::unbuffered::{ConnectionState, EncodeError, UnbufferedStatus};

use crate::error::Internal;
use crate::outgoing::{CONTROL_RESERVE, Outgoing};
use crate::tls::early::Early;
use crate::tls::early::records::Side;

/// What one call of rustls came to.
pub(super) enum Step {
    /// It has not said yet what it needs.
    Again,
    /// It can do nothing more with what it was shown.
    Blocked,
    /// It may send application data.
    Traffic,
    /// It has opened a record of early data with this plaintext.
    EarlyData(Vec<u8>),
}

/// Why a step failed.
pub(super) enum Stopped {
    Rustls(rustls::Error),
    Internal(Internal),
}

/// Acts on what rustls said, showing each record that it sends; returns what it discards.
pub(super) fn step<Data: Side>(
    status: UnbufferedStatus<'_, '_, Data>,
    outgoing: &mut Outgoing,
    early: &mut Early,
    mut encoded: impl FnMut(&[u8]),
) -> (usize, Result<Step, Stopped>) {
    let step = match status.state {
        Ok(ConnectionState::EncodeTlsData(mut chunk)) => {
            let required = match chunk.encode(&mut []) {
                Err(EncodeError::InsufficientSize(insufficient)) => insufficient.required_size,
                Ok(_) | Err(EncodeError::AlreadyEncoded) => 0,
            };
            if required > outgoing.room() + CONTROL_RESERVE {
                Err(Stopped::Internal(Internal::Handover))
            } else {
                let encode = |space: &mut [u8]| {
                    chunk.encode(space)?;
                    encoded(space);
                    *early = early.encoded(space);
                    Ok::<(), EncodeError>(())
                };
                outgoing
                    .append(required, encode)
                    .map(|()| Step::Again)
                    .map_err(|_| Stopped::Internal(Internal::Handover))
            }
        }
        Ok(ConnectionState::TransmitTlsData(transmit)) => Ok(Data::behind_flight(transmit, early)),
        Ok(ConnectionState::ReadEarlyData(early_data)) => match Data::open_early(early_data) {
            Some(plaintext) => {
                *early = Early::Accepted;
                Ok(Step::EarlyData(plaintext))
            }
            None => Err(Stopped::Internal(Internal::Handover)),
        },
        Ok(ConnectionState::BlockedHandshake) => Ok(Step::Blocked),
        Ok(ConnectionState::WriteTraffic(_)) => Ok(Step::Traffic),
        // Neither data nor an end can come before the last record of the handshake, and none
        // behind it is shown.
        Ok(_) => Err(Stopped::Internal(Internal::Handover)),
        Err(error) => Err(Stopped::Rustls(error)),
    };
    (status.discard, step)
}
