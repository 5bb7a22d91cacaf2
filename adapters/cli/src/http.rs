//! Just enough HTTP/1.1 (RFC 9112) to show a page: any request is answered, connections are kept.

use core::net::SocketAddr;
use core::time::Duration;
use std::io::ErrorKind;

use offwire::Read;
use offwire_stream::{Error, Stream};

use crate::exit::{Failure, broken};
use crate::page;
use crate::serve::{close, write};
use crate::socket::{Limit, Socket};
use crate::stop::{Admission, Phase};
use crate::terminal::counted;

/// How long a client may take for a request, the time before it included.
const REQUEST: Duration = Duration::from_secs(30);

/// How long it may take to close the connection of a client that was too slow.
const GOODBYE: Duration = Duration::from_secs(2);

/// The most bytes of a request's head.
const LARGEST_HEAD: usize = 16_384;

/// The most bytes of a request's body that are read and ignored to keep the connection.
const LARGEST_BODY: u64 = 1 << 20;

/// The end of a head.
const BLANK_LINE: &[u8] = b"\r\n\r\n";

/// What is to be done with a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// The request line, for the page.
    pub(crate) line: String,
    content: Content,
    after: After,
    body: u64,
}

/// Whether the answer has content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    Page,
    /// RFC 9110 section 9.3.2: "The HEAD method is identical to GET except that the server MUST NOT
    /// send content in the response."
    HeadOnly,
}

/// What becomes of the connection after the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    KeepAlive,
    Close,
}

/// Why a request gets no page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    BadRequest,
    HeadTooLarge,
    VersionNotSupported,
}

impl Refusal {
    fn status(self) -> &'static str {
        match self {
            Self::BadRequest => "400 Bad Request",
            Self::HeadTooLarge => "431 Request Header Fields Too Large",
            Self::VersionNotSupported => "505 HTTP Version Not Supported",
        }
    }
}

/// What stands at the front of the received bytes.
enum Arrival {
    /// A head of so many bytes.
    Head(usize),
    Refused(Refusal),
    /// The client, or the server, wants no more.
    End,
}

/// Answers requests until one side closes, those of `early` data first; returns what was done. A
/// page has no effect, so it does not matter if one was replayed.
pub(crate) fn serve(
    stream: &mut Stream<Socket>,
    peer: SocketAddr,
    early: Vec<u8>,
    admission: &Admission,
) -> Result<String, Failure> {
    let mut received = early;
    let mut answered = 0;
    loop {
        stream
            .transport_mut()
            .set_limit(Limit::within(REQUEST))
            .map_err(broken)?;
        let parsed = match await_head(stream, &mut received, admission)? {
            Arrival::End => break,
            Arrival::Refused(refusal) => Err(refusal),
            Arrival::Head(len) => parse(received.drain(..len).as_slice()),
        };
        answered += 1;
        let after = match parsed {
            Ok(request) => answer(stream, &mut received, &request, peer, answered)?,
            Err(refusal) => refuse(stream, refusal)?,
        };
        if after == After::Close {
            break;
        }
    }
    close(stream)?;
    Ok(format!("{} answered", counted(answered, "request")))
}

fn await_head(
    stream: &mut Stream<Socket>,
    received: &mut Vec<u8>,
    admission: &Admission,
) -> Result<Arrival, Failure> {
    loop {
        let end = received
            .windows(BLANK_LINE.len())
            .position(|window| window == BLANK_LINE);
        if end.unwrap_or(received.len()) > LARGEST_HEAD {
            return Ok(Arrival::Refused(Refusal::HeadTooLarge));
        }
        if let Some(end) = end {
            return Ok(Arrival::Head(end + BLANK_LINE.len()));
        }
        if let Some(end) = receive(stream, received, admission)? {
            return Ok(end);
        }
    }
}

/// Appends what one read brings; returns the end, if it brings that.
fn receive(
    stream: &mut Stream<Socket>,
    received: &mut Vec<u8>,
    admission: &Admission,
) -> Result<Option<Arrival>, Failure> {
    let mut plaintext = [0; 4_096];
    match stream.read(&mut plaintext) {
        Ok(Read::Read(n)) => {
            received.extend(plaintext.iter().take(n));
            Ok(None)
        }
        Ok(Read::NeedRead | Read::NeedWrite) => Ok(None),
        Ok(Read::Closed) => Ok(Some(Arrival::End)),
        Ok(Read::Truncated) if admission.phase() == Phase::Stopping => Ok(Some(Arrival::End)),
        Ok(Read::Truncated) => Err(Failure::truncated()),
        // An idle client; there is still time for close_notify.
        Err(Error::Transport(error)) if error.kind() == ErrorKind::TimedOut => {
            stream
                .transport_mut()
                .set_limit(Limit::within(GOODBYE))
                .map_err(broken)?;
            Ok(Some(Arrival::End))
        }
        Err(error) => Err(error.into()),
    }
}

/// Reads a head: its request line, and the few fields that matter here.
fn parse(head: &[u8]) -> Result<Request, Refusal> {
    let head = core::str::from_utf8(head).map_err(|_| Refusal::BadRequest)?;
    let mut lines = head.trim_end_matches("\r\n").split("\r\n");
    let line = lines.next().unwrap_or_default();
    let (method, version) = match line.split(' ').collect::<Vec<_>>().as_slice() {
        &[method, target, version] if !method.is_empty() && !target.is_empty() => (method, version),
        _ => return Err(Refusal::BadRequest),
    };
    let after = match version {
        "HTTP/1.1" => After::KeepAlive,
        "HTTP/1.0" => After::Close,
        _ if version.starts_with("HTTP/") => return Err(Refusal::VersionNotSupported),
        _ => return Err(Refusal::BadRequest),
    };
    let content = if method == "HEAD" {
        Content::HeadOnly
    } else {
        Content::Page
    };
    let mut request = Request {
        line: line.into(),
        content,
        after,
        body: 0,
    };
    let mut hosts = 0;
    for field in lines {
        let (name, value) = field.split_once(':').ok_or(Refusal::BadRequest)?;
        let value = value.trim_matches([' ', '\t']);
        match name.to_ascii_lowercase().as_str() {
            "host" => hosts += 1,
            "content-length" => request.body = content_length(value)?,
            // The end of the body cannot be told without decoding it, or the client may leave the
            // body out once it has its answer.
            "transfer-encoding" | "expect" => request.after = After::Close,
            "connection" if value.to_ascii_lowercase().contains("close") => {
                request.after = After::Close;
            }
            _ => {}
        }
    }
    // RFC 9112 section 3.2: a server answers 400 to an HTTP/1.1 request without Host, or with two.
    if version == "HTTP/1.1" && hosts != 1 {
        return Err(Refusal::BadRequest);
    }
    if request.body > LARGEST_BODY {
        request.after = After::Close;
    }
    Ok(request)
}

/// RFC 9110 section 8.6: `Content-Length = 1*DIGIT`.
fn content_length(value: &str) -> Result<u64, Refusal> {
    match value.bytes().all(|byte| byte.is_ascii_digit()) {
        true => value.parse().map_err(|_| Refusal::BadRequest),
        false => Err(Refusal::BadRequest),
    }
}

/// Sends the page, then gets the request's body out of the way.
fn answer(
    stream: &mut Stream<Socket>,
    received: &mut Vec<u8>,
    request: &Request,
    peer: SocketAddr,
    number: u64,
) -> Result<After, Failure> {
    let page = page::render(stream.engine(), request, peer, number);
    respond(stream, "200 OK", &page, request.content, request.after)?;
    if request.after == After::Close {
        return Ok(After::Close);
    }
    let mut left = request.body;
    loop {
        let here = received
            .len()
            .min(usize::try_from(left).unwrap_or(usize::MAX));
        received.drain(..here);
        left -= here as u64;
        if left == 0 {
            return Ok(After::KeepAlive);
        }
        let mut plaintext = [0; 4_096];
        match stream.read(&mut plaintext)? {
            Read::Read(n) => received.extend(plaintext.iter().take(n)),
            Read::NeedRead | Read::NeedWrite => {}
            Read::Closed | Read::Truncated => return Ok(After::Close),
        }
    }
}

fn refuse(stream: &mut Stream<Socket>, refusal: Refusal) -> Result<After, Failure> {
    let page = page::refusal(refusal.status());
    respond(stream, refusal.status(), &page, Content::Page, After::Close)?;
    Ok(After::Close)
}

/// One record, or few: head and content are written together.
fn respond(
    stream: &mut Stream<Socket>,
    status: &str,
    page: &str,
    content: Content,
    after: After,
) -> Result<(), Failure> {
    let connection = match after {
        After::KeepAlive => "keep-alive",
        After::Close => "close",
    };
    let mut response = format!(
        "HTTP/1.1 {status}\r\n\
         Content-Type: text/html; charset=utf-8\r\n\
         Content-Length: {}\r\n\
         Cache-Control: no-store\r\n\
         Connection: {connection}\r\n\r\n",
        page.len(),
    );
    match content {
        Content::Page => response.push_str(page),
        Content::HeadOnly => {}
    }
    write(stream, response.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::{After, Content, Refusal, parse};

    #[test]
    fn requests_are_read() {
        let request = parse(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        assert_eq!(request.line, "GET / HTTP/1.1");
        assert_eq!(
            (request.content, request.after),
            (Content::Page, After::KeepAlive)
        );
        let request = parse(b"HEAD / HTTP/1.1\r\nhost:a\r\nConnection: Close\r\n\r\n").unwrap();
        assert_eq!(
            (request.content, request.after),
            (Content::HeadOnly, After::Close)
        );
        let request = parse(b"PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\n").unwrap();
        assert_eq!((request.body, request.after), (12, After::KeepAlive));
        assert_eq!(
            parse(b"GET / HTTP/1.0\r\n\r\n").unwrap().after,
            After::Close
        );
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for (head, refusal) in [
            (&b"GET /\r\n\r\n"[..], Refusal::BadRequest),
            (b"GET / HTTP/1.1\r\n\r\n", Refusal::BadRequest),
            (
                b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
                Refusal::BadRequest,
            ),
            (
                b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
                Refusal::BadRequest,
            ),
            (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", Refusal::BadRequest),
            (b"GET / HTTP/1.1\r\nHost: \xff\r\n\r\n", Refusal::BadRequest),
            (b"PRI * HTTP/2.0\r\n\r\n", Refusal::VersionNotSupported),
        ] {
            assert_eq!(parse(head), Err(refusal), "{}", head.escape_ascii());
        }
    }
}
