//! What comes in records without application data once the handshake is complete: KeyUpdate,
//! NewSessionTicket, requests to renegotiate, alerts; and the limits against floods of them
//! (RFC 8446 sections 4.6 and 6, RFC 5246 sections 7.2 and 7.4.1).
//!
//! Decides what a record means; the caller acts on it.

use alloc::vec::Vec;
use core::ops::RangeInclusive;
use core::{fmt, mem};

use crate::alert::{Alert, AlertLevel};
use crate::error::{Error, Flood, Peer};
use crate::negotiated::ProtocolVersion;
use crate::outcome::KeyUpdate;
use crate::record::{MESSAGE_HEADER, extend_message};
use crate::tls::secrets::Role;

/// The longest handshake message that is put together. OpenSSL permits a ticket of 65,535 bytes.
const MAX_MESSAGE: usize = 65_535;

/// The messages that may come after the handshake, with their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    HelloRequest = 0,
    ClientHello = 1,
    NewSessionTicket = 4,
    KeyUpdate = 24,
}

impl Kind {
    /// The message with this number, if it may come to this side: what may not is refused by its
    /// header, before its body is kept.
    const fn expected(number: u8, version: ProtocolVersion, role: Role) -> Option<Self> {
        match (version, role, number) {
            (ProtocolVersion::Tls12, Role::Client, 0) => Some(Self::HelloRequest),
            (ProtocolVersion::Tls12, Role::Server, 1) => Some(Self::ClientHello),
            (ProtocolVersion::Tls13, Role::Client, 4) => Some(Self::NewSessionTicket),
            (ProtocolVersion::Tls13, _, 24) => Some(Self::KeyUpdate),
            (ProtocolVersion::Tls12 | ProtocolVersion::Tls13, _, _) => None,
        }
    }

    /// Bytes that its body may have.
    const fn lengths(self) -> RangeInclusive<usize> {
        match self {
            Self::HelloRequest => 0..=0,
            Self::KeyUpdate => 1..=1,
            Self::ClientHello | Self::NewSessionTicket => 0..=MAX_MESSAGE,
        }
    }
}

/// A KeyUpdate message (RFC 8446 section 4.6.3).
pub(crate) const fn key_update_message(update: KeyUpdate) -> [u8; 5] {
    let request = match update {
        KeyUpdate::Ours => 0,
        KeyUpdate::Both => 1,
    };
    [Kind::KeyUpdate as u8, 0, 0, 1, request]
}

/// What the peer asks of the engine.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Request<'a> {
    /// Open with the next key; answer if the peer asked for [`KeyUpdate::Both`].
    KeyUpdate(KeyUpdate),
    /// Store the session that this NewSessionTicket body describes.
    Ticket(&'a [u8]),
    /// Warn that renegotiation is refused.
    Renegotiate,
}

/// What an alert means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// The peer will send no more.
    CloseNotify,
    /// Nothing needs to be done.
    Warning,
}

/// The state between records: a message that is not whole, and how often things came in a row.
#[derive(Default)]
pub(crate) struct PostHandshake {
    /// The beginning of a handshake message, or nothing.
    partial: Vec<u8>,
    empty_records: u8,
    warnings: u8,
    key_updates: u8,
    tickets: u8,
    renegotiations: u8,
}

impl PostHandshake {
    /// A record of application data came.
    pub(crate) fn application_data(&mut self, length: usize) -> Result<(), Peer> {
        self.check_interleaving()?;
        if length == 0 {
            // BoringSSL: kMaxEmptyRecords.
            return count(&mut self.empty_records, 32, Flood::EmptyRecords);
        }
        self.empty_records = 0;
        self.warnings = 0;
        self.key_updates = 0;
        self.tickets = 0;
        self.renegotiations = 0;
        Ok(())
    }

    /// An alert record came.
    pub(crate) fn alert(
        &mut self,
        content: &[u8],
        version: ProtocolVersion,
    ) -> Result<Notice, Error> {
        self.check_interleaving()?;
        let [level, code] = *content else {
            // "Implementations MUST NOT send Handshake and Alert records that have a zero-length
            // TLSInnerPlaintext.content" (RFC 8446 section 5.4).
            return Err(if content.is_empty() {
                Peer::EmptyRecord
            } else {
                Peer::Malformed
            }
            .into());
        };
        let level = match level {
            1 => AlertLevel::Warning,
            2 => AlertLevel::Fatal,
            _ => return Err(Peer::IllegalParameter.into()),
        };
        match (version, level, Alert::from_code(code)) {
            // "close_notify ... with AlertLevel=warning"; in TLS 1.3 "the severity is implicit in
            // the type of alert being sent, and the "level" field can safely be ignored".
            (ProtocolVersion::Tls13, _, Alert::CLOSE_NOTIFY)
            | (ProtocolVersion::Tls12, AlertLevel::Warning, Alert::CLOSE_NOTIFY) => {
                Ok(Notice::CloseNotify)
            }
            (ProtocolVersion::Tls13, _, Alert::USER_CANCELED)
            | (ProtocolVersion::Tls12, AlertLevel::Warning, _) => {
                // OpenSSL: MAX_WARN_ALERT_COUNT; the fifth in a row is fatal.
                count(&mut self.warnings, 4, Flood::Warnings)?;
                Ok(Notice::Warning)
            }
            (_, _, alert) => Err(Error::Alert(alert)),
        }
    }

    /// A handshake record came: hands each message that is whole to `act`, in order.
    pub(crate) fn handshake(
        &mut self,
        content: &[u8],
        (version, role): (ProtocolVersion, Role),
        mut act: impl FnMut(Request<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if content.is_empty() {
            return Err(Peer::EmptyRecord.into());
        }
        let mut joined = mem::take(&mut self.partial);
        let mut rest = if joined.is_empty() {
            content
        } else {
            extend_message(&mut joined, content);
            &joined
        };
        while let Some(message) = split_message(rest, version, role)? {
            if let Some(request) = self.request(&message)? {
                act(request)?;
            }
            rest = message.behind;
        }
        // A message in many small records is extended where it is, not copied for each of them.
        let behind = rest.len();
        if joined.is_empty() {
            joined = rest.to_vec();
        } else if behind == 0 {
            joined = Vec::new();
        } else {
            joined.drain(..joined.len() - behind);
        }
        self.partial = joined;
        Ok(())
    }

    /// Whether the beginning of a handshake message waits for its rest.
    pub(crate) fn is_partial(&self) -> bool {
        !self.partial.is_empty()
    }

    /// Gives back what a message that is not whole does not need.
    pub(crate) fn release(&mut self) {
        self.partial.shrink_to_fit();
    }

    /// What one whole message asks for.
    fn request<'a>(&mut self, message: &Message<'a>) -> Result<Option<Request<'a>>, Peer> {
        match message.kind {
            Kind::KeyUpdate => {
                // "Handshake messages MUST NOT span key changes" (RFC 8446 section 5.1).
                if !message.behind.is_empty() {
                    return Err(Peer::Interleaved);
                }
                let update = match message.body {
                    [0] => KeyUpdate::Ours,
                    [1] => KeyUpdate::Both,
                    _ => return Err(Peer::IllegalParameter),
                };
                count(&mut self.key_updates, 32, Flood::KeyUpdates)?;
                Ok(Some(Request::KeyUpdate(update)))
            }
            Kind::NewSessionTicket => {
                count(&mut self.tickets, 32, Flood::Tickets)?;
                Ok(Some(Request::Ticket(message.body)))
            }
            // "This message MAY be ignored by the client" (RFC 5246 section 7.4.1.1).
            Kind::HelloRequest => {
                count(&mut self.renegotiations, 32, Flood::Renegotiations)?;
                Ok(None)
            }
            Kind::ClientHello => {
                count(&mut self.renegotiations, 32, Flood::Renegotiations)?;
                Ok(Some(Request::Renegotiate))
            }
        }
    }

    /// "If a handshake message is split over two or more records, there MUST NOT be any other
    /// records between them." (RFC 8446 section 5.1).
    fn check_interleaving(&self) -> Result<(), Peer> {
        if self.partial.is_empty() {
            Ok(())
        } else {
            Err(Peer::Interleaved)
        }
    }
}

/// Counts one more in a row.
fn count(seen: &mut u8, limit: u8, flood: Flood) -> Result<(), Peer> {
    if *seen >= limit {
        return Err(Peer::Flood(flood));
    }
    *seen += 1;
    Ok(())
}

/// A whole handshake message, and what follows it.
struct Message<'a> {
    kind: Kind,
    body: &'a [u8],
    behind: &'a [u8],
}

/// The first message; `None` if it is not whole.
fn split_message(
    bytes: &[u8],
    version: ProtocolVersion,
    role: Role,
) -> Result<Option<Message<'_>>, Peer> {
    let Some(([number, length @ ..], rest)) = bytes.split_first_chunk::<MESSAGE_HEADER>() else {
        return Ok(None);
    };
    let kind = Kind::expected(*number, version, role).ok_or(Peer::UnexpectedHandshake)?;
    let [high, middle, low] = *length;
    let length = u32::from_be_bytes([0, high, middle, low]) as usize;
    if !kind.lengths().contains(&length) {
        return Err(Peer::Malformed);
    }
    Ok(rest
        .split_at_checked(length)
        .map(|(body, behind)| Message { kind, body, behind }))
}

impl fmt::Debug for PostHandshake {
    /// Without what was decrypted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostHandshake")
            .field("partial", &self.partial.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
