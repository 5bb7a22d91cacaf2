//! The `SSL_shutdown(3)` contract over the two halves: close_notify once, behind everything that
//! was sealed, and no data lost that still arrives.

use crate::alert::Alert;
use crate::engine::Engine;
use crate::error::{Error, Misuse};
use crate::half::{self, ReadHalf, WriteHalf};
use crate::outcome::Shutdown;
use crate::phase::Phase;
use crate::read::Record;

impl Engine {
    /// Closes the write half: queues close_notify behind what is already sealed.
    ///
    /// - [`Shutdown::NeedWrite`]: send [`Self::outgoing`], then call again. If it cannot leave, feed
    ///   and read on meanwhile: the peer may be waiting for that before it reads what we send.
    /// - [`Shutdown::Sent`]: close_notify has left. Read on until [`Read::Closed`], or drop the
    ///   transport. Data that still arrives is kept for [`Self::read`].
    /// - [`Shutdown::Complete`], [`Shutdown::Truncated`]: the peer has closed as well, or its
    ///   transport ended without close_notify.
    ///
    /// The committed part of a blocked write leaves first and the rest of it is abandoned;
    /// [`Self::committed`] had said how much was sealed. A KeyUpdate that is owed is not sent any
    /// more.
    ///
    /// [`Read::Closed`]: crate::Read::Closed
    ///
    /// # Errors
    /// [`Misuse::ShutdownInHandshake`] before the handshake is complete; nothing changes. Any
    /// other error is fatal, and may be caused by a record that stands before the peer's
    /// close_notify.
    pub fn shutdown(&mut self) -> Result<Shutdown, Error> {
        match &self.phase {
            Phase::Handshaking(_) => return Err(Misuse::ShutdownInHandshake.into()),
            Phase::Open(_) => {}
            Phase::Dead(error) => return Err(error.clone()),
        }
        match &self.write_half {
            WriteHalf::Ready
            | WriteHalf::Committed(_)
            | WriteHalf::EarlyCommitted(_)
            | WriteHalf::EarlyRejected(_) => self.close_write_half()?,
            WriteHalf::Closing(_) => {}
            WriteHalf::Closed => self.look_for_close_notify()?,
        }
        let outcome = half::shutdown(&self.write_half, self.read_half);
        if outcome == Shutdown::NeedWrite {
            self.stats.need_writes += 1;
        }
        Ok(outcome)
    }

    fn close_write_half(&mut self) -> Result<(), Error> {
        if let Err(internal) = self.seal_alert(Alert::CLOSE_NOTIFY) {
            return Err(self.fail(internal.into()));
        }
        self.write_half = WriteHalf::Closing(self.outgoing.end());
        Ok(())
    }

    /// Consumes records without data, up to plaintext that only a read may take.
    fn look_for_close_notify(&mut self) -> Result<(), Error> {
        while self.incoming.pending() == 0 {
            match self.next_record::<[u8]>(&mut [])? {
                Record::Consumed => {}
                Record::Opened(_) | Record::Pending | Record::CloseNotify => break,
                Record::Incomplete => {
                    self.read_half.input_exhausted();
                    if self.read_half == ReadHalf::Truncated {
                        self.incoming.clear_ciphertext();
                    }
                    break;
                }
            }
        }
        Ok(())
    }
}
