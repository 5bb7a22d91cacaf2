//! One vocabulary for both: what OpenSSL's return values and error codes mean, and what the
//! stream's outcomes are.
//!
//! What OpenSSL says in a way that Offwire deliberately does not (0 with `SYSCALL` for a write of no
//! bytes) is translated here, and the difference is named.

use offwire::{Error, Misuse, Peer};
use offwire_stream::Error as StreamError;
use offwire_testkit::Side;
use offwire_testkit::schedule::Slices;

use crate::difference::Difference;
use crate::judge::{Answer, Operation};

/// `SSL_get_error(3)`'s codes, of `<openssl/ssl.h>`; `judge.c` asserts that they are these.
mod code {
    pub(super) const NONE: i32 = 0;
    pub(super) const SSL: i32 = 1;
    pub(super) const WANT_READ: i32 = 2;
    pub(super) const WANT_WRITE: i32 = 3;
    pub(super) const SYSCALL: i32 = 5;
    pub(super) const ZERO_RETURN: i32 = 6;
}

/// Reason codes of `<openssl/sslerr.h>`; `judge.c` asserts that they are these.
pub(crate) mod reason {
    pub(crate) const BAD_LENGTH: i32 = 271;
    pub(crate) const BAD_WRITE_RETRY: i32 = 127;
    pub(crate) const PROTOCOL_IS_SHUTDOWN: i32 = 207;
    pub(crate) const SHUTDOWN_WHILE_IN_INIT: i32 = 407;
    pub(crate) const APPLICATION_DATA_AFTER_CLOSE_NOTIFY: i32 = 291;
    pub(crate) const UNEXPECTED_EOF: i32 = 294;
    pub(crate) const BAD_RECORD_MAC: i32 = 281;
    /// The peer's alert is this plus its number.
    pub(crate) const ALERT: i32 = 1_000;
}

/// What a call achieved or waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// So many bytes were written or read; 0 for a handshake that is complete.
    Done(usize),
    /// The peer must send first.
    NeedRead,
    /// Output must leave first.
    NeedWrite,
    /// The peer sent close_notify.
    Closed,
    /// The transport ended without one.
    Truncated,
    /// Our close_notify has left, the peer's is missing.
    Sent,
    /// Both close_notify alerts have passed.
    Complete,
    /// Our caller's mistake; the connection goes on.
    Refused(Refusal),
    /// The connection is over.
    Dead(Cause),
}

impl Outcome {
    /// Whether the connection is over.
    pub(crate) const fn is_dead(self) -> bool {
        matches!(self, Self::Dead(_))
    }
}

/// What a connection died of, as later calls repeat it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// A record that was not what the peer had sealed.
    BadRecord,
    /// The peer's fatal alert, by its number.
    Alert(i32),
    /// The end of the transport, ours in the handshake only.
    End,
    /// OpenSSL only: a wrong retry, or what it takes for one.
    Retry,
    /// Ours only: a defect of ours, or a transport that failed. Never right here.
    Ours,
    /// Anything else.
    Other,
}

/// Why a call was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A retry that is not the blocked write.
    BadRetry,
    /// Our close_notify was sent before.
    AfterShutdown,
    /// The handshake is not complete.
    InHandshake,
    /// Anything else.
    Other,
}

/// A call on one end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Handshake,
    Write {
        copy: crate::pattern::Copy,
        at: usize,
        len: usize,
        /// How ours is given the bytes; OpenSSL is given them joined.
        slices: Slices,
    },
    Read(usize),
    Peek(usize),
    Shutdown,
    KeyUpdate(offwire::KeyUpdate),
    /// OpenSSL only: a client's ClientHello, a server's HelloRequest.
    Renegotiate,
}

/// The outcome of a call and what stood around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) outcome: Outcome,
    /// A difference in how OpenSSL says it.
    pub(crate) said: Option<Difference>,
    /// Plaintext that was read.
    pub(crate) data: Vec<u8>,
    /// Bytes that were emitted and not taken.
    pub(crate) out: usize,
    /// Plaintext that is ready to be read.
    pub(crate) pending: usize,
    /// OpenSSL's reason code, or 0.
    pub(crate) reason: i32,
    /// For a person.
    pub(crate) text: String,
}

/// Whether an OpenSSL end has died before, and of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    Alive,
    Dead(Cause),
}

/// What OpenSSL's answer means.
pub(crate) fn translate(verb: Verb, answer: &Answer, life: Life) -> (Outcome, Option<Difference>) {
    let (result, error) = (answer.result, answer.error);
    let empty = matches!(
        verb,
        Verb::Write { len: 0, .. } | Verb::Read(0) | Verb::Peek(0)
    );
    match verb {
        Verb::KeyUpdate(_) | Verb::Renegotiate if result == 1 => return (Outcome::Done(0), None),
        Verb::KeyUpdate(_) | Verb::Renegotiate => {
            return (Outcome::Refused(Refusal::Other), None);
        }
        Verb::Shutdown if result == 0 => return (Outcome::Sent, Some(Difference::X11)),
        Verb::Shutdown if result == 1 => return (Outcome::Complete, None),
        Verb::Shutdown if error == code::WANT_READ => return (Outcome::Sent, None),
        Verb::Handshake if result == 1 => return (Outcome::Done(0), None),
        Verb::Write { .. } | Verb::Read(_) | Verb::Peek(_) if result > 0 => {
            let bytes = usize::try_from(result).unwrap_or_default();
            return (Outcome::Done(bytes), None);
        }
        Verb::Write { .. } if result == 0 && empty => {
            return (Outcome::Done(0), Some(Difference::X10));
        }
        Verb::Read(_) | Verb::Peek(_) if result == 0 && empty && error == code::SYSCALL => {
            return (Outcome::Done(0), None);
        }
        // SSL_peek does not reset what SSL_get_error looks at, SSL_read does.
        Verb::Peek(_) if result == 0 && error == code::WANT_WRITE => {
            return (Outcome::Closed, Some(Difference::S2));
        }
        Verb::Handshake | Verb::Shutdown | Verb::Write { .. } | Verb::Read(_) | Verb::Peek(_) => {}
    }
    (failure(answer, life), None)
}

/// What a call means that neither moved bytes nor finished.
fn failure(answer: &Answer, life: Life) -> Outcome {
    match (answer.error, answer.reason, life) {
        (code::WANT_READ, ..) => Outcome::NeedRead,
        (code::WANT_WRITE, ..) => Outcome::NeedWrite,
        (code::ZERO_RETURN, ..) => Outcome::Closed,
        (_, _, Life::Dead(cause)) => Outcome::Dead(cause),
        (_, reason::PROTOCOL_IS_SHUTDOWN, Life::Alive) => Outcome::Refused(Refusal::AfterShutdown),
        (_, reason::SHUTDOWN_WHILE_IN_INIT, Life::Alive) => Outcome::Refused(Refusal::InHandshake),
        (_, reason::UNEXPECTED_EOF, Life::Alive) => Outcome::Truncated,
        (_, reason, Life::Alive) => Outcome::Dead(cause(reason)),
    }
}

/// What OpenSSL's reason code of a fatal error means.
fn cause(code: i32) -> Cause {
    match code {
        reason::BAD_RECORD_MAC => Cause::BadRecord,
        reason::BAD_LENGTH | reason::BAD_WRITE_RETRY => Cause::Retry,
        _ if (reason::ALERT..reason::ALERT + 256).contains(&code) => {
            Cause::Alert(code - reason::ALERT)
        }
        _ => Cause::Other,
    }
}

/// What the stream's error means.
pub(crate) fn refused(error: &StreamError) -> Outcome {
    match error {
        StreamError::Tls(Error::Misuse(Misuse::BadWriteRetry)) => {
            Outcome::Refused(Refusal::BadRetry)
        }
        StreamError::Tls(Error::Misuse(Misuse::WriteAfterShutdown)) => {
            Outcome::Refused(Refusal::AfterShutdown)
        }
        StreamError::Tls(Error::Misuse(Misuse::ShutdownInHandshake)) => {
            Outcome::Refused(Refusal::InHandshake)
        }
        StreamError::Tls(Error::Misuse(_)) => Outcome::Refused(Refusal::Other),
        StreamError::Tls(Error::Peer(Peer::BadRecordMac)) => Outcome::Dead(Cause::BadRecord),
        StreamError::Tls(Error::Peer(Peer::HandshakeTruncated)) => Outcome::Dead(Cause::End),
        StreamError::Tls(Error::Alert(alert)) => {
            Outcome::Dead(Cause::Alert(i32::from(alert.code())))
        }
        StreamError::Tls(Error::Internal(_)) | StreamError::Transport(_) => {
            Outcome::Dead(Cause::Ours)
        }
        StreamError::Tls(_) => Outcome::Dead(Cause::Other),
    }
}

/// OpenSSL's answer as a person reads it.
pub(crate) fn spell(answer: &Answer) -> String {
    let error = match answer.error {
        code::NONE => return format!("{}", answer.result),
        code::SSL => "SSL",
        code::WANT_READ => "WANT_READ",
        code::WANT_WRITE => "WANT_WRITE",
        code::SYSCALL => "SYSCALL",
        code::ZERO_RETURN => "ZERO_RETURN",
        _ => "?",
    };
    let reason = match answer.reason {
        0 => String::new(),
        reason::BAD_LENGTH => " bad length".into(),
        reason::BAD_WRITE_RETRY => " bad write retry".into(),
        reason::PROTOCOL_IS_SHUTDOWN => " protocol is shutdown".into(),
        reason::SHUTDOWN_WHILE_IN_INIT => " shutdown while in init".into(),
        reason::APPLICATION_DATA_AFTER_CLOSE_NOTIFY => " data after close notify".into(),
        reason::UNEXPECTED_EOF => " unexpected eof".into(),
        other => format!(" reason {other}"),
    };
    format!("{}/{error}{reason}", answer.result)
}

/// The judge's operation for a verb, with its two numbers and its flags.
pub(crate) fn order(verb: Verb) -> (Operation, usize, usize, u8) {
    match verb {
        Verb::Handshake => (Operation::Handshake, 0, 0, 0),
        Verb::Write { copy, at, len, .. } => (Operation::Write, len, at, copy as u8),
        Verb::Read(len) => (Operation::Read, len, 0, 0),
        Verb::Peek(len) => (Operation::Peek, len, 0, 0),
        Verb::Shutdown => (Operation::Shutdown, 0, 0, 0),
        Verb::KeyUpdate(offwire::KeyUpdate::Ours) => (Operation::KeyUpdate, 0, 0, 0),
        Verb::KeyUpdate(offwire::KeyUpdate::Both) => (Operation::KeyUpdate, 1, 0, 0),
        Verb::Renegotiate => (Operation::Renegotiate, 0, 0, 0),
    }
}

/// The number of a side, in arrays and in the judge.
pub(crate) const fn index(side: Side) -> usize {
    match side {
        Side::Client => 0,
        Side::Server => 1,
    }
}
