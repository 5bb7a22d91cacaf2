//! Errors, sorted by who is to blame: our caller, the peer, a certificate, or this library.
//!
//! Waiting and closing are no errors (see `outcome.rs`). [`Error::Misuse`] changes nothing and the
//! connection goes on; every other error is fatal and sticky: each later call returns the same one.

mod display;

use alloc::sync::Arc;
use core::fmt;

use crate::alert::Alert;

/// Why a call failed.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// Our caller broke the contract. Never sticky: nothing changed, the connection is usable.
    Misuse(Misuse),
    /// The peer broke the protocol, or cannot be agreed with. Our alert, if there is one, waits in
    /// `outgoing()`.
    Peer(Peer),
    /// The peer sent this fatal alert.
    Alert(Alert),
    /// The peer's certificate was refused. Our alert waits in `outgoing()`.
    Certificate(Certificate),
    /// Neither caller nor peer is to blame: the configuration cannot work, or an invariant broke.
    Internal(Internal),
}

impl Error {
    /// The alert that this error sends to the peer, where it is known.
    ///
    /// `None` for [`Error::Misuse`] and [`Error::Alert`], for an error without an alert, and for a
    /// handshake alert that was encrypted and not the only one that fits. If our close_notify had
    /// been queued before, nothing follows it: the alert is what would have been sent.
    #[must_use]
    pub fn alert(&self) -> Option<Alert> {
        match self {
            Self::Misuse(_) | Self::Alert(_) => None,
            Self::Peer(peer) => peer.alert(),
            Self::Certificate(certificate) => Some(certificate.alert()),
            Self::Internal(internal) => internal.alert(),
        }
    }
}

/// How our caller broke the contract. Nothing changed.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misuse {
    /// The retry of a blocked write is shorter than what is committed, or its committed bytes
    /// differ. The right retry still works (`SSL_write(3)`: "the same arguments").
    BadWriteRetry,
    /// `shutdown` was called before this write.
    WriteAfterShutdown,
    /// `shutdown` was called before the handshake was complete.
    ShutdownInHandshake,
    /// More bytes were reported as sent than `outgoing()` held.
    SentTooMuch,
    /// More bytes were reported as fed than `feed_space()` offered.
    FedTooMuch,
    /// `key_update` was called before the handshake was complete.
    KeyUpdateInHandshake,
    /// `key_update` was called after `shutdown`.
    KeyUpdateAfterShutdown,
    /// `key_update` was called on a TLS 1.2 connection, which has no such message.
    KeyUpdateInTls12,
    /// The connection was to be handed over before its handshake was complete.
    HandOverInHandshake,
    /// The connection was to be handed over while a write was blocked, a KeyUpdate owed or a handshake
    /// message half received, or after it had been shut down or the peer had ended.
    HandOverUnsettled,
    /// The connection was handed over: this engine no longer has it.
    HandedOver,
    /// Keying material was to be exported before the handshake was complete.
    ExportInHandshake,
    /// Keying material was to be exported, but the settings did not ask for it to be kept.
    ExporterDropped,
    /// The TLS 1.2 connection has no extended master secret: what is exported could belong to
    /// another connection as well (RFC 7627 section 5.4).
    ExportUnbound,
    /// The label of an export is longer than 249 bytes, or one that TLS itself uses.
    ExportLabel,
    /// The context of an export is longer than 65,535 bytes.
    ExportContext,
    /// No keying material, or more than 8,160 bytes, was asked for.
    ExportLength,
    /// A server's `read`, `write` or `handshake` came before the early data that has arrived was
    /// read: call `read_early_data` until it says that early data has ended.
    EarlyDataUnread,
    /// The server has rejected early data that was written, and a `write` would send bytes before
    /// it: call `rejected_early_data`, and write again from there.
    EarlyDataRejected,
    /// A client called `read_early_data`; what a server sends early, `read` returns.
    EarlyDataReadByClient,
    /// The acceptor has already given its ClientHello away, or refused it.
    AcceptorFinished,
    /// `accept` was called before the whole ClientHello had arrived.
    ClientHelloIncomplete,
}

/// How the peer broke the protocol, or why it cannot be agreed with.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peer {
    /// The transport ended in the middle of the handshake.
    HandshakeTruncated,
    /// The handshake does not fit into the incoming queue's bound.
    HandshakeTooLarge,
    /// Nothing in common: version, cipher suite, group, application protocol.
    Incompatible(Fault),
    /// A handshake message that may not come, or not like this.
    HandshakeMisbehaved(Fault),
    /// Bytes that are no TLS record or no TLS message.
    HandshakeMalformed(Fault),
    /// A record of the handshake could not be opened, or its Finished is wrong.
    HandshakeUnverified(Fault),
    /// A record could not be authenticated: `bad_record_mac`.
    BadRecordMac,
    /// A record is longer than permitted: `record_overflow`.
    RecordOverflow,
    /// A record's version is wrong (TLS 1.2): `protocol_version`.
    RecordVersion,
    /// A record of a type that may not come: `unexpected_message`.
    UnexpectedRecord,
    /// A handshake message that may not come after the handshake: `unexpected_message`.
    UnexpectedHandshake,
    /// A record without content, or a plaintext that is all zeros: `unexpected_message`.
    EmptyRecord,
    /// A handshake message was interrupted by another record, or a KeyUpdate was not the last
    /// message of its record: `unexpected_message`.
    Interleaved,
    /// A message or alert that cannot be decoded: `decode_error`.
    Malformed,
    /// A value out of range: `illegal_parameter`.
    IllegalParameter,
    /// Too many records of this kind without application data between them:
    /// `unexpected_message`.
    Flood(Flood),
}

impl Peer {
    pub(crate) fn alert(&self) -> Option<Alert> {
        match self {
            Self::HandshakeTruncated | Self::HandshakeTooLarge => None,
            Self::Incompatible(fault)
            | Self::HandshakeMisbehaved(fault)
            | Self::HandshakeMalformed(fault)
            | Self::HandshakeUnverified(fault) => fault.alert,
            Self::BadRecordMac => Some(Alert::BAD_RECORD_MAC),
            Self::RecordOverflow => Some(Alert::RECORD_OVERFLOW),
            Self::RecordVersion => Some(Alert::PROTOCOL_VERSION),
            Self::UnexpectedRecord
            | Self::UnexpectedHandshake
            | Self::EmptyRecord
            | Self::Interleaved
            | Self::Flood(_) => Some(Alert::UNEXPECTED_MESSAGE),
            Self::Malformed => Some(Alert::DECODE_ERROR),
            Self::IllegalParameter => Some(Alert::ILLEGAL_PARAMETER),
        }
    }
}

/// What came too often without application data between.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flood {
    /// Records without data.
    EmptyRecords,
    /// Warning alerts.
    Warnings,
    /// KeyUpdates.
    KeyUpdates,
    /// Session tickets.
    Tickets,
    /// Requests to renegotiate.
    Renegotiations,
}

/// A fault of the handshake in words, and the alert it was answered with.
#[derive(Clone, PartialEq, Eq)]
pub struct Fault {
    detail: Arc<str>,
    alert: Option<Alert>,
}

impl Fault {
    pub(crate) fn new(detail: &str, alert: Option<Alert>) -> Self {
        Self {
            detail: detail.into(),
            alert,
        }
    }

    /// What was wrong, in words for a log. Not stable between releases.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.detail, f)
    }
}

/// Why the peer's certificate was refused.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// The peer sent none, and one is required.
    Missing,
    /// It is not encoded correctly.
    BadEncoding,
    /// Its validity period is over.
    Expired,
    /// Its validity period has not begun.
    NotValidYet,
    /// It was revoked.
    Revoked,
    /// Its revocation status cannot be told.
    RevocationUnknown,
    /// No trusted root has issued it.
    UnknownIssuer,
    /// It is not valid for the name of the server.
    NotValidForName,
    /// It may not be used for this purpose.
    InvalidPurpose,
    /// A signature is wrong or of an unsupported kind.
    BadSignature,
    /// It has a critical extension that is not understood.
    UnhandledExtension,
    /// The stapled OCSP response is invalid.
    InvalidOcspResponse,
    /// The configured verifier denied access.
    Refused,
    /// The configured verifier refused it for another reason, told by the fault; for instance an
    /// authority's certificate in a server's place.
    Other(Fault),
}

impl Certificate {
    /// The alert that goes with the refusal, as RFC 8446 section 6.2 assigns them.
    pub(crate) const fn alert(&self) -> Alert {
        match self {
            Self::Missing => Alert::CERTIFICATE_REQUIRED,
            Self::BadEncoding | Self::NotValidForName | Self::UnhandledExtension => {
                Alert::BAD_CERTIFICATE
            }
            Self::Expired | Self::NotValidYet => Alert::CERTIFICATE_EXPIRED,
            Self::Revoked => Alert::CERTIFICATE_REVOKED,
            Self::UnknownIssuer | Self::RevocationUnknown => Alert::UNKNOWN_CA,
            Self::InvalidPurpose => Alert::UNSUPPORTED_CERTIFICATE,
            Self::BadSignature => Alert::DECRYPT_ERROR,
            Self::InvalidOcspResponse => Alert::BAD_CERTIFICATE_STATUS_RESPONSE,
            Self::Refused => Alert::ACCESS_DENIED,
            Self::Other(_) => Alert::CERTIFICATE_UNKNOWN,
        }
    }
}

/// What went wrong with neither caller nor peer to blame.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Internal {
    /// The configuration cannot work; the fault says why.
    Configuration(Fault),
    /// No random bytes, no time, or no signature could be had.
    Handshake(Fault),
    /// A cipher suite or key that the record layer does not know.
    UnsupportedSuite,
    /// The handshake ended in a state that cannot be taken over.
    Handover,
    /// The keys may seal no further record and TLS 1.2 cannot change them. close_notify waits in
    /// `outgoing()`.
    KeysExhausted,
    /// The cipher refused to seal a record.
    Seal,
    /// The next traffic secret could not be derived.
    KeyUpdate,
}

impl Internal {
    const fn alert(&self) -> Option<Alert> {
        match self {
            Self::KeysExhausted => Some(Alert::CLOSE_NOTIFY),
            Self::KeyUpdate => Some(Alert::INTERNAL_ERROR),
            Self::Configuration(_)
            | Self::Handshake(_)
            | Self::UnsupportedSuite
            | Self::Handover
            | Self::Seal => None,
        }
    }
}

impl From<Misuse> for Error {
    fn from(misuse: Misuse) -> Self {
        Self::Misuse(misuse)
    }
}

impl From<Peer> for Error {
    fn from(peer: Peer) -> Self {
        Self::Peer(peer)
    }
}

impl From<Internal> for Error {
    fn from(internal: Internal) -> Self {
        Self::Internal(internal)
    }
}

impl core::error::Error for Error {}
