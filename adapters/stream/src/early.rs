//! Early data over a transport: the engine's two verbs, with the engine's own outcomes.

use std::io;

use offwire::{ReadEarlyData, WriteEarlyData};

use crate::carry::{Receiving, Sending};
use crate::error::Error;
use crate::stream::Stream;

impl<T: io::Read + io::Write> Stream<T> {
    /// Writes early data as a client, or half-RTT data as a server
    /// (`SSL_write_early_data(3)`); see [`offwire::Engine::write_early_data`]. **Early data can be
    /// replayed.**
    ///
    /// Returns [`WriteEarlyData::Written`] or [`WriteEarlyData::Ended`] once the records have left
    /// and the transport is flushed; [`WriteEarlyData::NeedWrite`] when the transport would block:
    /// call again with the same bytes. [`WriteEarlyData::NeedRead`], a server's only, when the
    /// ClientHello has not come and the transport would block.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn write_early_data(&mut self, plaintext: &[u8]) -> Result<WriteEarlyData, Error> {
        loop {
            if self.flush()? == Sending::WouldBlock {
                return Ok(WriteEarlyData::NeedWrite);
            }
            match self.engine.write_early_data(plaintext) {
                Ok(WriteEarlyData::Written(0) | WriteEarlyData::NeedRead)
                    if self.link.owes_flush() => {}
                Ok(done @ (WriteEarlyData::Written(_) | WriteEarlyData::Ended(_))) => {
                    return Ok(done);
                }
                Ok(WriteEarlyData::NeedRead) => match self.receive()? {
                    Receiving::News => {}
                    Receiving::WouldBlock | Receiving::NoRoom => {
                        return Ok(WriteEarlyData::NeedRead);
                    }
                },
                Ok(WriteEarlyData::NeedWrite) => match self.push()? {
                    Sending::Done => {}
                    Sending::WouldBlock => return Ok(WriteEarlyData::NeedWrite),
                },
                Err(error) => return Err(self.fail(error)),
            }
        }
    }

    /// Reads early data as a server (`SSL_read_early_data(3)`); see
    /// [`offwire::Engine::read_early_data`]. **It may be a replay.**
    ///
    /// Returns [`ReadEarlyData::Read`] or [`ReadEarlyData::Ended`] as the engine does;
    /// [`ReadEarlyData::NeedRead`] or [`ReadEarlyData::NeedWrite`] when the transport would block.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_early_data(&mut self, into: &mut [u8]) -> Result<ReadEarlyData, Error> {
        loop {
            match self.engine.read_early_data(into) {
                // The peer waits for what is not flushed.
                Ok(ReadEarlyData::NeedRead) if self.link.owes_flush() => {
                    if self.flush()? == Sending::WouldBlock {
                        return Ok(ReadEarlyData::NeedWrite);
                    }
                }
                Ok(done @ (ReadEarlyData::Read(_) | ReadEarlyData::Ended)) => return Ok(done),
                Ok(ReadEarlyData::NeedRead) => match self.receive()? {
                    Receiving::News => {}
                    Receiving::WouldBlock | Receiving::NoRoom => {
                        return Ok(ReadEarlyData::NeedRead);
                    }
                },
                Ok(ReadEarlyData::NeedWrite) => match self.push()? {
                    Sending::Done => {}
                    Sending::WouldBlock => return Ok(ReadEarlyData::NeedWrite),
                },
                Err(error) => return Err(self.fail(error)),
            }
        }
    }

    /// Bytes of early data that the server has rejected, to be written again; tells them once. See
    /// [`offwire::Engine::rejected_early_data`].
    #[must_use = "these bytes have not arrived"]
    pub fn rejected_early_data(&mut self) -> usize {
        self.engine.rejected_early_data()
    }
}
