//! What sealing and opening share: the record header, content types and length limits
//! (RFC 8446 section 5, RFC 5246 section 6.2). Knows no keys and no queues.

pub(crate) mod key;
pub(crate) mod open;
pub(crate) mod post_handshake;
pub(crate) mod seal;
pub(crate) mod sizing;

use alloc::vec::Vec;

use crate::error::Peer;
use crate::negotiated::ProtocolVersion;

/// Bytes of a record header: type, version, length.
pub(crate) const HEADER: usize = 5;

/// Bytes of a handshake message's header: type and length.
pub(crate) const MESSAGE_HEADER: usize = 4;

/// Bytes of plaintext a record may carry: "The length MUST NOT exceed 2^14 bytes."
/// (RFC 8446 section 5.1).
pub(crate) const MAX_PLAINTEXT: usize = 1 << 14;

/// Bytes of tag of every AEAD in use.
pub(crate) const TAG: usize = 16;

/// Bytes of explicit nonce before the ciphertext of AES-GCM in TLS 1.2 (RFC 5288 section 3).
pub(crate) const EXPLICIT_NONCE: usize = 8;

/// Wire bytes of the largest record that we emit: TLS 1.2 with AES-GCM.
pub(crate) const LARGEST_OUTGOING_RECORD: usize = HEADER + EXPLICIT_NONCE + MAX_PLAINTEXT + TAG;

/// Ciphertext bytes a TLS 1.3 record may have: 2^14 + 256 (RFC 8446 section 5.2).
const MAX_CIPHERTEXT_TLS13: usize = MAX_PLAINTEXT + 256;

/// Ciphertext bytes a TLS 1.2 record may have: 2^14 + 2048 (RFC 5246 section 6.2.3).
const MAX_CIPHERTEXT_TLS12: usize = MAX_PLAINTEXT + 2048;

/// Wire bytes of the largest record that a peer may send.
pub(crate) const LARGEST_INCOMING_RECORD: usize = HEADER + MAX_CIPHERTEXT_TLS12;

/// The version field of every protected record (RFC 8446 section 5.1: "MUST be set to 0x0303").
pub(crate) const VERSION_FIELD: [u8; 2] = [3, 3];

/// What a record carries (RFC 8446 section 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ContentType {
    Alert = 21,
    Handshake = 22,
    ApplicationData = 23,
}

impl ContentType {
    /// The type with the given number, unless no such record may come once keys are in use.
    /// change_cipher_spec is missing on purpose: none may follow the handshake.
    pub(crate) const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            21 => Some(Self::Alert),
            22 => Some(Self::Handshake),
            23 => Some(Self::ApplicationData),
            _ => None,
        }
    }
}

/// A record header that passed every check that can be made before the body is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// The header as received; in TLS 1.3 it is the additional data.
    pub(crate) bytes: [u8; HEADER],
    /// The outer content type.
    pub(crate) content_type: ContentType,
    /// Bytes that follow the header.
    pub(crate) length: usize,
}

impl Header {
    /// Checks a header of a record that is protected by traffic keys.
    pub(crate) fn parse(bytes: [u8; HEADER], version: ProtocolVersion) -> Result<Self, Peer> {
        let [content_type, major, minor, high, low] = bytes;
        let length = usize::from(u16::from_be_bytes([high, low]));
        let content_type = ContentType::from_byte(content_type).ok_or(Peer::UnexpectedRecord)?;
        let longest = match version {
            ProtocolVersion::Tls13 => {
                // "The outer opaque_type field of a TLSCiphertext record is always set to the
                // value 23" (RFC 8446 section 5.2); its version "MUST be ignored" (section 5.1).
                if content_type != ContentType::ApplicationData {
                    return Err(Peer::UnexpectedRecord);
                }
                MAX_CIPHERTEXT_TLS13
            }
            ProtocolVersion::Tls12 => {
                if [major, minor] != VERSION_FIELD {
                    return Err(Peer::RecordVersion);
                }
                MAX_CIPHERTEXT_TLS12
            }
        };
        if length > longest {
            return Err(Peer::RecordOverflow);
        }
        Ok(Self {
            bytes,
            content_type,
            length,
        })
    }
}

/// Puts more of a handshake message behind its beginning.
///
/// The storage doubles, but not beyond the message's own length: nobody sends more of it.
pub(crate) fn extend_message(message: &mut Vec<u8>, content: &[u8]) {
    let needed = message.len() + content.len();
    if needed > message.capacity() {
        let whole = match message[..] {
            [_, high, middle, low, ..] => {
                MESSAGE_HEADER + u32::from_be_bytes([0, high, middle, low]) as usize
            }
            _ => needed,
        };
        let size = (2 * message.capacity()).min(whole).max(needed);
        message.reserve_exact(size - message.len());
    }
    message.extend_from_slice(content);
}

#[cfg(test)]
mod tests {
    use super::{ContentType, Header, LARGEST_INCOMING_RECORD, LARGEST_OUTGOING_RECORD};
    use crate::error::Peer;
    use crate::negotiated::ProtocolVersion::{Tls12, Tls13};

    #[test]
    fn the_largest_records_are_those_of_tls12() {
        assert_eq!(LARGEST_OUTGOING_RECORD, 16_413);
        assert_eq!(LARGEST_INCOMING_RECORD, 18_437);
    }

    #[test]
    fn tls13_permits_application_data_outside_only() {
        for outer in [0, 20, 21, 22, 24, 255] {
            let header = Header::parse([outer, 3, 3, 0, 32], Tls13);
            assert_eq!(header, Err(Peer::UnexpectedRecord), "{outer}");
        }
        let header = Header::parse([23, 3, 3, 0, 32], Tls13).unwrap();
        assert_eq!(
            (header.content_type, header.length),
            (ContentType::ApplicationData, 32)
        );
    }

    #[test]
    fn tls13_ignores_the_version_field() {
        assert!(Header::parse([23, 9, 9, 0, 32], Tls13).is_ok());
    }

    #[test]
    fn tls12_requires_its_version_and_refuses_change_cipher_spec() {
        assert_eq!(
            Header::parse([23, 3, 1, 0, 32], Tls12),
            Err(Peer::RecordVersion)
        );
        assert_eq!(
            Header::parse([20, 3, 3, 0, 1], Tls12),
            Err(Peer::UnexpectedRecord)
        );
        for outer in [21, 22, 23] {
            assert!(Header::parse([outer, 3, 3, 0, 32], Tls12).is_ok());
        }
    }

    #[test]
    fn lengths_end_where_the_rfcs_say() {
        let header = |length: u16, version| {
            let [high, low] = length.to_be_bytes();
            Header::parse([23, 3, 3, high, low], version).map(|header| header.length)
        };
        assert_eq!(header(16_640, Tls13), Ok(16_640));
        assert_eq!(header(16_641, Tls13), Err(Peer::RecordOverflow));
        assert_eq!(header(18_432, Tls12), Ok(18_432));
        assert_eq!(header(18_433, Tls12), Err(Peer::RecordOverflow));
    }
}
