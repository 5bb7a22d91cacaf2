//! Early data (RFC 8446 sections 2.3 and 4.2.10): whether some may be written or may still come,
//! and what became of it.
//!
//! rustls's unbuffered interface tells neither side whether early data was accepted. A client sees
//! it by what begins its second flight, a server by what the client's records turn out to be.

pub(super) mod records;

use rustls::HandshakeKind;

use self::records::OVERHEAD;
use crate::outcome::EarlyDataStatus;
use crate::record::{ContentType, MESSAGE_HEADER};
use crate::tls::hello::EarlyDataOffer;

/// Wire bytes of the record of an EndOfEarlyData, which is a message without a body.
const END_OF_EARLY_DATA: usize = OVERHEAD + MESSAGE_HEADER;

/// Early data as this side sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Early {
    /// A client's that has not sent its first flight.
    Unsent,
    /// The same, and none is to be written.
    Waived,
    /// A client's: records may be sealed. rustls permits it only as long as it believes its first
    /// flight untransmitted, so it is kept there.
    Open,
    /// A client's: offered, no more is to be written, and the server's answer is not known.
    Closed,
    /// A server's whose client has not sent its ClientHello.
    Unasked,
    /// A server's: the client offers some, and none has come.
    Offered,
    /// Not offered.
    NotOffered,
    /// The server takes it.
    Accepted,
    /// The server skips it.
    Rejected,
}

/// Whether records may be sealed before the handshake is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Window {
    /// Not before the peer's next flight.
    Shut,
    /// They may.
    Open,
    /// They may not, or not any more.
    Ended,
}

impl Early {
    pub(crate) const fn status(self) -> EarlyDataStatus {
        match self {
            Self::Unsent | Self::Waived | Self::Unasked | Self::NotOffered => {
                EarlyDataStatus::NotOffered
            }
            Self::Open | Self::Closed | Self::Offered => EarlyDataStatus::Offered,
            Self::Accepted => EarlyDataStatus::Accepted,
            Self::Rejected => EarlyDataStatus::Rejected,
        }
    }

    /// Whether a server will receive none, or no more of it.
    pub(crate) const fn is_over(self) -> bool {
        match self {
            Self::NotOffered | Self::Rejected => true,
            Self::Unsent
            | Self::Waived
            | Self::Open
            | Self::Closed
            | Self::Unasked
            | Self::Offered
            | Self::Accepted => false,
        }
    }

    /// A server has dropped a record that rustls could not decrypt, or its handshake is complete
    /// without any sign of early data.
    pub(super) const fn refused(self) -> Self {
        if let Self::Offered = self {
            Self::Rejected
        } else {
            self
        }
    }

    /// A client is not to write any more.
    const fn closed(self) -> Self {
        match self {
            Self::Unsent | Self::Waived => Self::Waived,
            Self::Open | Self::Closed => Self::Closed,
            Self::Unasked | Self::Offered | Self::NotOffered | Self::Accepted | Self::Rejected => {
                self
            }
        }
    }

    /// A client's rustls has encoded a flight; `permit` is its permission to seal early data.
    fn behind_flight<T>(self, permit: Option<T>) -> Self {
        match (self, permit) {
            (Self::Unsent | Self::Open, Some(_)) => Self::Open,
            (Self::Waived | Self::Closed, Some(_)) => Self::Closed,
            (Self::Unsent | Self::Waived, None) => Self::NotOffered,
            // A HelloRetryRequest, or EncryptedExtensions without early_data.
            (Self::Open | Self::Closed, None) => Self::Rejected,
            (other, _) => other,
        }
    }

    /// rustls has encoded this record. "If the server supplied an "early_data" extension in
    /// EncryptedExtensions, the client MUST send an EndOfEarlyData message after receiving the
    /// server Finished" (RFC 8446 section 4.5); no other record that begins a second flight is as
    /// short.
    pub(super) fn encoded(self, record: &[u8]) -> Self {
        const PROTECTED: u8 = ContentType::ApplicationData as u8;
        match (self, record) {
            (Self::Open | Self::Closed, [PROTECTED, ..]) if record.len() == END_OF_EARLY_DATA => {
                Self::Accepted
            }
            (Self::Open | Self::Closed, [PROTECTED, ..]) => Self::Rejected,
            (other, _) => other,
        }
    }

    /// A server has read the ClientHello.
    pub(super) const fn asked(self, offer: EarlyDataOffer) -> Self {
        match (self, offer) {
            (Self::Unasked, EarlyDataOffer::EarlyData) => Self::Offered,
            (Self::Unasked, EarlyDataOffer::Nothing) => Self::NotOffered,
            (other, _) => other,
        }
    }

    /// A server's rustls has answered with a handshake of this kind.
    pub(super) const fn answered(self, kind: Option<HandshakeKind>) -> Self {
        match (self, kind) {
            // "the server MUST have accepted a PSK" (RFC 8446 section 4.2.10), and not retried.
            (
                Self::Offered,
                Some(HandshakeKind::Full | HandshakeKind::FullWithHelloRetryRequest),
            ) => Self::Rejected,
            (other, _) => other,
        }
    }

    /// A server's rustls has decrypted and consumed a record of this length in wire bytes that is
    /// not application data. Of the handshake's nothing else is as short as an EndOfEarlyData, which
    /// only a client sends whose early data was accepted.
    pub(super) const fn consumed(self, length: usize) -> Self {
        match (self, length) {
            (Self::Offered, END_OF_EARLY_DATA) => Self::Accepted,
            (other, _) => other,
        }
    }
}
