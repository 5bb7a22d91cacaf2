//! Every error in words: lower case, no full stop, no secrets, nothing of the peer's unescaped.

use core::fmt;

use crate::error::{Certificate, Error, Flood, Internal, Misuse, Peer};

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Misuse(misuse) => fmt::Display::fmt(misuse, f),
            Self::Peer(peer) => fmt::Display::fmt(peer, f),
            Self::Alert(alert) => write!(f, "the peer sent the fatal alert {alert}"),
            Self::Certificate(certificate) => fmt::Display::fmt(certificate, f),
            Self::Internal(internal) => fmt::Display::fmt(internal, f),
        }
    }
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadWriteRetry => {
                "bad write retry: repeat the blocked write with at least the same bytes"
            }
            Self::WriteAfterShutdown => "write after shutdown: the write half is closed",
            Self::ShutdownInHandshake => {
                "shutdown in the handshake: complete it first, or drop the transport"
            }
            Self::SentTooMuch => "more bytes reported as sent than were waiting",
            Self::FedTooMuch => "more bytes reported as fed than feed_space offered",
            Self::KeyUpdateInHandshake => "key update before the handshake is complete",
            Self::KeyUpdateAfterShutdown => "key update after shutdown",
            Self::KeyUpdateInTls12 => "key update needs TLS 1.3",
            Self::HandOverInHandshake => "hand-over before the handshake is complete",
            Self::HandOverUnsettled => {
                "hand-over of a connection that is not at rest: let the blocked write finish, write \
                 nothing, read on; it cannot be done after shutdown or the end"
            }
            Self::HandedOver => "the connection was handed over: this engine no longer has it",
            Self::ExportInHandshake => "export before the handshake is complete",
            Self::ExporterDropped => {
                "keying material was not kept: ask for it with Settings::exporter"
            }
            Self::ExportUnbound => {
                "keying material needs TLS 1.3 or the extended master secret of RFC 7627"
            }
            Self::ExportLabel => "an export's label has at most 249 bytes and is not one of TLS's own",
            Self::ExportContext => "an export's context has at most 65,535 bytes",
            Self::ExportLength => "an export has 1 to 8,160 bytes",
            Self::EarlyDataUnread => {
                "early data is unread: call read_early_data until it has ended"
            }
            Self::EarlyDataRejected => {
                "early data was rejected: call rejected_early_data and write it again first"
            }
            Self::EarlyDataReadByClient => "only a server reads early data: a client calls read",
            Self::AcceptorFinished => "the acceptor is finished: make a new one",
            Self::ClientHelloIncomplete => "the ClientHello is incomplete: feed the acceptor first",
        })
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HandshakeTruncated => f.write_str("the transport ended during the handshake"),
            Self::HandshakeTooLarge => {
                f.write_str("the peer's handshake exceeds the queue's bound")
            }
            Self::Incompatible(fault) => write!(f, "the peer is incompatible: {}", fault.detail),
            Self::HandshakeMisbehaved(fault) => {
                write!(f, "the peer misbehaved in the handshake: {}", fault.detail)
            }
            Self::HandshakeMalformed(fault) => {
                write!(f, "the peer sent what is not TLS: {}", fault.detail)
            }
            Self::HandshakeUnverified(fault) => {
                write!(
                    f,
                    "the peer's handshake could not be verified: {}",
                    fault.detail
                )
            }
            Self::BadRecordMac => f.write_str("a record could not be authenticated"),
            Self::RecordOverflow => f.write_str("a record is too long"),
            Self::RecordVersion => f.write_str("a record has the wrong version"),
            Self::UnexpectedRecord => f.write_str("a record of an unexpected type"),
            Self::UnexpectedHandshake => f.write_str("an unexpected handshake message"),
            Self::EmptyRecord => f.write_str("a record without content"),
            Self::Interleaved => f.write_str("a handshake message was interleaved"),
            Self::Malformed => f.write_str("a message cannot be decoded"),
            Self::IllegalParameter => f.write_str("a value is out of range"),
            Self::Flood(flood) => write!(f, "too many {flood} in a row"),
        }
    }
}

impl fmt::Display for Flood {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EmptyRecords => "empty records",
            Self::Warnings => "warning alerts",
            Self::KeyUpdates => "key updates",
            Self::Tickets => "session tickets",
            Self::Renegotiations => "renegotiation requests",
        })
    }
}

impl fmt::Display for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "the peer presented no certificate, and one is required",
            Self::BadEncoding => "the peer's certificate is not encoded correctly",
            Self::Expired => "the peer's certificate has expired",
            Self::NotValidYet => "the peer's certificate is not valid yet",
            Self::Revoked => "the peer's certificate is revoked",
            Self::RevocationUnknown => "the peer's certificate has an unknown revocation status",
            Self::UnknownIssuer => "the peer's certificate was issued by nobody trusted here",
            Self::NotValidForName => "the peer's certificate is not valid for the server's name",
            Self::InvalidPurpose => "the peer's certificate may not be used for this purpose",
            Self::BadSignature => "a signature of the peer's certificate is wrong or unsupported",
            Self::UnhandledExtension => "the peer's certificate has an unknown critical extension",
            Self::InvalidOcspResponse => "the peer's stapled OCSP response is invalid",
            Self::Refused => "the verifier denied access to the peer's certificate",
            Self::Other(fault) => {
                return write!(f, "the peer's certificate was refused: {}", fault.detail);
            }
        })
    }
}

impl fmt::Display for Internal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Configuration(fault) => {
                write!(f, "the configuration cannot work: {}", fault.detail)
            }
            Self::Handshake(fault) => write!(f, "the handshake failed here: {}", fault.detail),
            Self::UnsupportedSuite => f.write_str("the record layer does not know this suite"),
            Self::Handover => f.write_str("the handshake ended in an unexpected state"),
            Self::KeysExhausted => f.write_str("the keys may seal no further record"),
            Self::Seal => f.write_str("the cipher could not seal a record"),
            Self::KeyUpdate => f.write_str("the next traffic secret could not be derived"),
        }
    }
}
