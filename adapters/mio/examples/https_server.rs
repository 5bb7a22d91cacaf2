//! Answers every request with the same page (RFC 9112), to thousands of connections on one thread.
//!
//! ```sh
//! cargo run --release -p offwire-mio --example https_server -- --cert-out ca.pem
//! curl --cacert ca.pem https://localhost:4433/
//! cargo run --release -p offwire-mio --example load -- --connections 9000
//! ```

extern crate alloc;

mod support;

use core::mem;
use std::process::ExitCode;

use clap::Parser;
use mio::net::TcpStream;
use offwire::{Read, Write};
use offwire_mio::{Error, TlsSource};

use support::connection::{Service, TURN, Turn};
use support::server::{self, Options};

/// Answers HTTP/1.1 requests over TLS, to thousands of connections on one thread
#[derive(Debug, Parser)]
struct Arguments {
    #[command(flatten)]
    options: Options,
    /// The length of the page in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 1_024)]
    body: usize,
}

/// The most bytes of a request's head.
const LARGEST_HEAD: usize = 8_192;

/// The most plaintext of one write: a record.
const LARGEST_WRITE: usize = 1 << 14;

const BLANK_LINE: &[u8] = b"\r\n\r\n";

/// Every answer there is, made once: a connection remembers which, and how far it is.
struct Pages {
    keep_alive: Vec<u8>,
    close: Vec<u8>,
    refusal: Vec<u8>,
    /// Where the content begins in the first two.
    heads: [usize; 2],
}

/// What a connection is about.
#[derive(Debug, Default)]
struct Session {
    state: State,
    /// What has been read of the next request.
    received: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    AwaitingRequest,
    /// So many bytes of a request's body are still to come; they do not matter.
    SkippingBody(u64),
    /// An answer has been sent up to this byte.
    Answering {
        answer: Answer,
        sent: usize,
        body: u64,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Answer {
    content: Content,
    after: After,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    Page,
    /// "The HEAD method is identical to GET except that the server MUST NOT send content" (RFC 9110
    /// section 9.3.2).
    HeadOnly,
    /// It was no request.
    Refusal,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    KeepAlive,
    Close,
}

impl Pages {
    fn new(body: usize) -> Self {
        let page = |connection: &str| {
            let mut page = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {body}\r\n\
                 Connection: {connection}\r\n\r\n"
            );
            let head = page.len();
            page.extend("Hello from Offwire\n".chars().cycle().take(body));
            (page.into_bytes(), head)
        };
        let (keep_alive, close) = (page("keep-alive"), page("close"));
        Self {
            heads: [keep_alive.1, close.1],
            keep_alive: keep_alive.0,
            close: close.0,
            refusal: b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                .to_vec(),
        }
    }

    fn bytes(&self, answer: Answer) -> &[u8] {
        let [keep_alive, close] = self.heads;
        let (page, head) = match answer.after {
            After::KeepAlive => (&self.keep_alive, keep_alive),
            After::Close => (&self.close, close),
        };
        match answer.content {
            Content::Page => page,
            Content::HeadOnly => page.get(..head).unwrap_or_default(),
            Content::Refusal => &self.refusal,
        }
    }
}

impl Service for Pages {
    type Session = Session;

    fn serve(
        &self,
        source: &mut TlsSource<TcpStream>,
        session: &mut Session,
        scratch: &mut [u8],
    ) -> Result<Turn, Error> {
        for _ in 0..TURN {
            match session.state {
                State::Answering { answer, sent, body } => {
                    let left = self.bytes(answer).get(sent..).unwrap_or_default();
                    // The same bytes each time, which is what a blocked write asks for.
                    let bytes = left.get(..LARGEST_WRITE).unwrap_or(left);
                    let Write::Written(n) = source.write(bytes)? else {
                        return Ok(Turn::Blocked);
                    };
                    session.state = match (n == left.len(), answer.after) {
                        (false, _) => State::Answering {
                            answer,
                            sent: sent + n,
                            body,
                        },
                        (true, After::Close) => return Ok(Turn::Finished),
                        (true, After::KeepAlive) => State::SkippingBody(body),
                    };
                }
                State::SkippingBody(0) => session.state = State::AwaitingRequest,
                State::SkippingBody(_) | State::AwaitingRequest => {
                    if session.look() {
                        continue;
                    }
                    match source.read(scratch)? {
                        Read::Read(n) => {
                            let bytes = scratch.get(..n).unwrap_or_default();
                            session.received.extend_from_slice(bytes);
                        }
                        Read::NeedRead | Read::NeedWrite => {
                            session.received.shrink_to_fit();
                            return Ok(Turn::Idle);
                        }
                        Read::Closed | Read::Truncated => return Ok(Turn::Finished),
                    }
                }
            }
        }
        Ok(Turn::Again)
    }
}

impl Session {
    /// Takes what it can of the received bytes; whether that was something.
    fn look(&mut self) -> bool {
        match self.state {
            State::Answering { .. } => false,
            State::SkippingBody(left) => {
                let here = self
                    .received
                    .len()
                    .min(left.try_into().unwrap_or(usize::MAX));
                self.received.drain(..here);
                self.state = State::SkippingBody(left - here as u64);
                here > 0
            }
            State::AwaitingRequest => {
                let mut windows = self.received.windows(BLANK_LINE.len());
                let request = match windows.position(|window| window == BLANK_LINE) {
                    Some(end) => {
                        let rest = self.received.split_off(end + BLANK_LINE.len());
                        parse(&mem::replace(&mut self.received, rest))
                    }
                    None if self.received.len() > LARGEST_HEAD => None,
                    None => return false,
                };
                let refusal = Answer {
                    content: Content::Refusal,
                    after: After::Close,
                };
                let (answer, body) = request.unwrap_or((refusal, 0));
                self.state = State::Answering {
                    answer,
                    sent: 0,
                    body,
                };
                true
            }
        }
    }
}

/// Reads a head: how to answer it, and the length of the body that follows.
fn parse(head: &[u8]) -> Option<(Answer, u64)> {
    let mut lines = core::str::from_utf8(head).ok()?.trim_end().split("\r\n");
    let mut line = lines.next()?.split(' ');
    let (method, _target, version) = (line.next()?, line.next()?, line.next()?);
    let mut after = match version {
        "HTTP/1.1" => After::KeepAlive,
        "HTTP/1.0" => After::Close,
        _ => return None,
    };
    let content = match method {
        "HEAD" => Content::HeadOnly,
        _ => Content::Page,
    };
    let mut body = 0;
    for field in lines {
        let (name, value) = field.split_once(':')?;
        match name.to_ascii_lowercase().as_str() {
            "content-length" => body = value.trim().parse().ok()?,
            // Without decoding it the end of such a body cannot be told.
            "transfer-encoding" | "expect" => after = After::Close,
            "connection" if value.to_ascii_lowercase().contains("close") => after = After::Close,
            _ => {}
        }
    }
    Some((Answer { content, after }, body))
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let pages = Pages::new(arguments.body);
    support::exit(server::run(&arguments.options, support::HTTP, pages))
}
