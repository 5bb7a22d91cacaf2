//! The bulk of `demo`: bytes that are different everywhere, hashed where they leave and where they
//! arrive.

use core::time::Duration;
use std::net::TcpStream;
use std::time::Instant;

use aws_lc_rs::digest::{Context, SHA256};
use aws_lc_rs::rand;
use indicatif::{ProgressBar, ProgressStyle};
use offwire::{Read, Shutdown, Write};
use offwire_stream::Stream;

use crate::exit::Failure;
use crate::facts::hex;
use crate::session::PLAINTEXT;

/// The bytes of one MiB, and of one write.
const MEBIBYTE: usize = 1 << 20;

/// A stream over the socket of one end.
pub(crate) type Connection<'a> = Stream<&'a TcpStream>;

/// What one end got.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) sha256: String,
    pub(crate) bytes: u64,
    pub(crate) took: Duration,
}

impl Received {
    pub(crate) fn mebibytes_per_second(&self) -> f64 {
        let bytes = f64::from(u32::try_from(self.bytes / 1_024).unwrap_or(u32::MAX)) / 1_024.0;
        bytes / self.took.as_secs_f64().max(f64::EPSILON)
    }
}

/// Shows how far both directions have come, if stderr is a terminal.
pub(crate) fn progress(bytes: u64) -> ProgressBar {
    let bar = ProgressBar::new(bytes);
    match ProgressStyle::with_template("  {bar:50} {bytes}/{total_bytes} {binary_bytes_per_sec}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Sends so many MiB; returns their SHA-256.
pub(crate) fn send(connection: &mut Connection<'_>, mebibytes: u64) -> Result<String, Failure> {
    let mut block = vec![0; MEBIBYTE];
    rand::fill(&mut block).map_err(|_| Failure::Local("no random bytes can be had".into()))?;
    let mut hash = Context::new(&SHA256);
    for number in 0..mebibytes {
        // No two blocks are alike, so that none can take another's place unnoticed.
        for (byte, stamp) in block.iter_mut().zip(number.to_be_bytes()) {
            *byte = stamp;
        }
        hash.update(&block);
        write(connection, &block)?;
    }
    Ok(hex(hash.finish().as_ref()))
}

/// Reads so many MiB and hashes them.
pub(crate) fn receive(
    connection: &mut Connection<'_>,
    mebibytes: u64,
    progress: &ProgressBar,
) -> Result<Received, Failure> {
    let mut plaintext = vec![0; PLAINTEXT];
    let mut hash = Context::new(&SHA256);
    let (start, mut bytes) = (Instant::now(), 0);
    while bytes < mebibytes << 20 {
        match connection.read(&mut plaintext)? {
            Read::Read(n) => {
                hash.update(plaintext.get(..n).unwrap_or_default());
                bytes += n as u64;
                progress.inc(n as u64);
            }
            Read::NeedRead | Read::NeedWrite => {}
            Read::Closed => return Err(Failure::Corrupt(format!("the end after {bytes} bytes"))),
            Read::Truncated => return Err(Failure::truncated()),
        }
    }
    Ok(Received {
        sha256: hex(hash.finish().as_ref()),
        bytes,
        took: start.elapsed(),
    })
}

/// Waits for the peer's close_notify, behind which and before which there must be nothing.
pub(crate) fn expect_closed(connection: &mut Connection<'_>) -> Result<(), Failure> {
    let mut plaintext = vec![0; PLAINTEXT];
    loop {
        match connection.read(&mut plaintext)? {
            Read::Closed => return Ok(()),
            Read::NeedRead | Read::NeedWrite => {}
            Read::Read(n) => return Err(Failure::Corrupt(format!("{n} bytes too many"))),
            Read::Truncated => return Err(Failure::truncated()),
        }
    }
}

/// Closes our half.
pub(crate) fn close(connection: &mut Connection<'_>) -> Result<(), Failure> {
    loop {
        match connection.shutdown()? {
            Shutdown::Sent | Shutdown::Complete => return Ok(()),
            Shutdown::NeedWrite => {}
            Shutdown::Truncated => return Err(Failure::truncated()),
        }
    }
}

fn write(connection: &mut Connection<'_>, plaintext: &[u8]) -> Result<(), Failure> {
    loop {
        match connection.write(plaintext)? {
            Write::Written(_) => return Ok(()),
            Write::NeedRead | Write::NeedWrite => {}
        }
    }
}
