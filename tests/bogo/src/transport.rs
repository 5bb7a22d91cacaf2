//! The connection to the runner: ciphertext between the socket and the engine, as much at a time as
//! the test's pace permits.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};

use offwire::Engine;

use crate::failure::Failure;
use crate::flags::{Flags, Setting, Switch};

/// How many bytes pass for each time that the engine waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// As many as the socket gives or takes.
    Free,
    /// One (`-async`).
    OneByte,
}

/// The socket to the runner.
#[derive(Debug)]
pub(crate) struct Transport {
    stream: TcpStream,
    pace: Pace,
}

impl Transport {
    /// Dials the runner and announces the shim by its number.
    pub(crate) fn dial(flags: &Flags) -> Result<Self, Failure> {
        let missing = || Failure::Unimplemented("no port or shim id".to_owned());
        let port: u16 = flags.number(Setting::Port)?.ok_or_else(missing)?;
        let shim_id: u64 = flags.number(Setting::ShimId)?.ok_or_else(missing)?;
        let host = if flags.has(Switch::Ipv6) {
            IpAddr::V6(Ipv6Addr::LOCALHOST)
        } else {
            IpAddr::V4(Ipv4Addr::LOCALHOST)
        };
        let pace = if flags.has(Switch::Async) {
            Pace::OneByte
        } else {
            Pace::Free
        };
        let mut stream = TcpStream::connect((host, port))?;
        stream.set_nodelay(true)?;
        stream.write_all(&shim_id.to_le_bytes())?;
        Ok(Self { stream, pace })
    }

    /// Sends what the pace permits of the engine's output.
    pub(crate) fn send(&mut self, engine: &mut Engine) -> Result<(), Failure> {
        let waiting = engine.outgoing();
        let permitted = match self.pace {
            Pace::Free => waiting,
            Pace::OneByte => waiting.get(..1).unwrap_or_default(),
        };
        if permitted.is_empty() {
            return Err(Failure::Broken(
                "NeedWrite without anything to send".to_owned(),
            ));
        }
        let count = self.stream.write(permitted)?;
        Ok(engine.sent(count)?)
    }

    /// Feeds the engine what the pace permits of its input, or its end.
    pub(crate) fn receive(&mut self, engine: &mut Engine) -> Result<(), Failure> {
        let count = match self.pace {
            Pace::Free => {
                let space = engine.feed_space();
                if space.is_empty() {
                    return Err(full());
                }
                let count = read(&mut self.stream, space)?;
                engine.fed(count)?;
                count
            }
            Pace::OneByte => {
                let mut byte = [0];
                let count = read(&mut self.stream, &mut byte)?;
                if count == 1 && engine.feed(&byte) == 0 {
                    return Err(full());
                }
                count
            }
        };
        if count == 0 {
            engine.feed_eof();
        }
        Ok(())
    }

    /// Receives what the pace permits for somebody other than an engine; empty is the end.
    pub(crate) fn receive_bytes(&mut self) -> Result<Vec<u8>, Failure> {
        let mut bytes = match self.pace {
            Pace::Free => vec![0; 4096],
            Pace::OneByte => vec![0; 1],
        };
        let count = read(&mut self.stream, &mut bytes)?;
        bytes.truncate(count);
        Ok(bytes)
    }

    /// Sends all of it.
    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        Ok(self.stream.write_all(bytes)?)
    }

    /// Half-closes and drains the socket. Closed with input unread, it would be reset, and what was
    /// sent last might never be read: an alert, for instance.
    pub(crate) fn finish(mut self) {
        if self.stream.shutdown(Shutdown::Write).is_ok() {
            let mut unread = [0; 4096];
            while matches!(self.stream.read(&mut unread), Ok(1..)) {}
        }
    }
}

/// Reads; a reset is an end without a farewell, which the engine judges.
fn read(stream: &mut TcpStream, into: &mut [u8]) -> io::Result<usize> {
    match stream.read(into) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(0),
        result => result,
    }
}

fn full() -> Failure {
    Failure::Broken("NeedRead from an engine without room for input".to_owned())
}
