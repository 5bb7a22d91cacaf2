//! Questions and answers: bytes that come back as they are, or requests and pages.

use core::time::Duration;
use std::time::Instant;

use mio::net::TcpStream;
use offwire::{Read, Write};
use offwire_mio::TlsSource;

use crate::support::{ECHO, HTTP};

/// The longest message: what fits into a record.
pub(crate) const LARGEST_MESSAGE: u64 = 1 << 14;

/// No two messages of so many neighbouring connections are alike.
const PERIOD: usize = 251;

/// Why a connection is a failure.
pub(crate) type Trouble = String;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Echo,
    Http,
}

impl Protocol {
    /// The one that was agreed on.
    pub(crate) fn of(alpn: Option<&[u8]>, otherwise: Self) -> Self {
        match alpn {
            Some(name) if name == ECHO => Self::Echo,
            Some(name) if name == HTTP => Self::Http,
            _ => otherwise,
        }
    }
}

/// What all connections send.
#[derive(Debug)]
pub(crate) struct Material {
    pattern: Vec<u8>,
    request: Vec<u8>,
}

impl Material {
    pub(crate) fn new(name: &str) -> Self {
        let request = format!("GET / HTTP/1.1\r\nHost: {name}\r\nUser-Agent: load\r\n\r\n");
        Self {
            pattern: (0..=250).cycle().take((1 << 14) + PERIOD).collect(),
            request: request.into_bytes(),
        }
    }
}

/// What became of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    Done,
    /// The transport would block.
    Blocked,
    /// The peer has closed, cleanly.
    Closed,
}

/// One side of a conversation.
#[derive(Debug)]
pub(crate) struct Talk {
    protocol: Protocol,
    /// Where its message begins in the pattern, and how long it is.
    start: usize,
    len: usize,
    pub(crate) asked: usize,
    pub(crate) answered: usize,
    since: Instant,
    pub(crate) longest_wait: Duration,
    expected: Expected,
}

/// What has to come next.
#[derive(Debug)]
enum Expected {
    /// The message from this byte on.
    Echo(usize),
    /// The rest of a head, of which this has come.
    Head(Vec<u8>),
    /// So many bytes of a page.
    Body(usize),
}

impl Talk {
    pub(crate) fn new(protocol: Protocol, number: usize, len: usize) -> Self {
        Self {
            protocol,
            start: number % PERIOD,
            len,
            asked: 0,
            answered: 0,
            since: Instant::now(),
            longest_wait: Duration::ZERO,
            expected: Expected::first(protocol),
        }
    }

    pub(crate) fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Asks once more, or repeats the question that was blocked.
    pub(crate) fn ask(
        &mut self,
        source: &mut TlsSource<TcpStream>,
        material: &Material,
    ) -> Result<Progress, Trouble> {
        let question = match self.protocol {
            Protocol::Echo => self.message(material),
            Protocol::Http => &material.request,
        };
        match source.write(question).map_err(trouble("write"))? {
            Write::Written(_) => {
                self.asked += 1;
                self.since = Instant::now();
                Ok(Progress::Done)
            }
            Write::NeedRead | Write::NeedWrite => Ok(Progress::Blocked),
        }
    }

    /// Reads until the transport would block.
    pub(crate) fn hear(
        &mut self,
        source: &mut TlsSource<TcpStream>,
        material: &Material,
        scratch: &mut [u8],
    ) -> Result<Progress, Trouble> {
        loop {
            match source.read(scratch).map_err(trouble("read"))? {
                Read::Read(n) => self.take(scratch.get(..n).unwrap_or_default(), material)?,
                Read::NeedRead | Read::NeedWrite => return Ok(Progress::Blocked),
                Read::Closed => return Ok(Progress::Closed),
                Read::Truncated => return Err("the server cut the connection off".into()),
            }
        }
    }

    fn message<'a>(&self, material: &'a Material) -> &'a [u8] {
        let rest = material.pattern.get(self.start..).unwrap_or_default();
        rest.get(..self.len).unwrap_or_default()
    }

    fn take(&mut self, mut bytes: &[u8], material: &Material) -> Result<(), Trouble> {
        while !bytes.is_empty() {
            if self.answered == self.asked {
                return Err("the server said something unasked".into());
            }
            let taken = match &mut self.expected {
                Expected::Echo(from) => {
                    let from = *from;
                    let rest = self.message(material).get(from..).unwrap_or_default();
                    let here = rest.len().min(bytes.len());
                    if rest.get(..here) != bytes.get(..here) {
                        return Err("the echo is not what was sent".into());
                    }
                    self.expected = Expected::Echo(from + here);
                    if here == rest.len() {
                        self.hear_end();
                    }
                    here
                }
                Expected::Head(head) => {
                    let (taken, body) = take_head(head, bytes)?;
                    match body {
                        Some(0) => self.hear_end(),
                        Some(len) => self.expected = Expected::Body(len),
                        None => {}
                    }
                    taken
                }
                Expected::Body(left) => {
                    let here = bytes.len().min(*left);
                    *left -= here;
                    if *left == 0 {
                        self.hear_end();
                    }
                    here
                }
            };
            bytes = bytes.get(taken..).unwrap_or_default();
        }
        Ok(())
    }

    fn hear_end(&mut self) {
        self.answered += 1;
        self.longest_wait = self.longest_wait.max(self.since.elapsed());
        self.expected = Expected::first(self.protocol);
    }
}

impl Expected {
    fn first(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Echo => Self::Echo(0),
            Protocol::Http => Self::Head(Vec::new()),
        }
    }
}

/// Takes bytes up to the end of a head; returns how many, and the length of the page if it is whole.
fn take_head(head: &mut Vec<u8>, bytes: &[u8]) -> Result<(usize, Option<usize>), Trouble> {
    for (index, byte) in bytes.iter().enumerate() {
        head.push(*byte);
        if head.ends_with(b"\r\n\r\n") {
            let head = String::from_utf8_lossy(head).to_ascii_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length:"));
            let length = length.and_then(|length| length.trim().parse().ok());
            return match (head.starts_with("http/1.1 200 "), length) {
                (true, Some(length)) => Ok((index + 1, Some(length))),
                _ => Err(format!("an unexpected answer: {}", head.escape_debug())),
            };
        }
    }
    Ok((bytes.len(), None))
}

/// Tells what failed, with all its causes.
pub(crate) fn trouble<E: core::error::Error>(attempt: &str) -> impl FnOnce(E) -> Trouble {
    move |error| {
        let mut text = format!("{attempt}: {error}");
        let mut cause = error.source();
        while let Some(error) = cause {
            text.push_str(&format!(": {error}"));
            cause = error.source();
        }
        text
    }
}
