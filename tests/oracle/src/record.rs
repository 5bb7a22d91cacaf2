//! What is known of records without opening them (RFC 8446 section 5, RFC 5246 section 6.2).

/// A record's header: content type, version, length.
pub(crate) type Header = [u8; 5];

/// The length of a header, in bytes.
pub(crate) const HEADER: usize = 5;

/// The largest plaintext of a record, in bytes.
pub(crate) const FULL: usize = 16_384;

/// The bytes of an alert's record, the largest of both versions.
pub(crate) const ALERT: usize = 31;

/// A buffer for the plaintext of any record, in bytes.
pub(crate) const BUFFER: usize = 20_000;

/// The content type of application data, and of all that TLS 1.3 seals.
pub(crate) const APPLICATION_DATA: u8 = 23;

/// The content type of a handshake message that is not sealed as TLS 1.3 does.
pub(crate) const HANDSHAKE: u8 = 22;

/// The header of a KeyUpdate's record: 5 bytes of plaintext, their content type, the tag. (One of
/// application data has it as well, if it carries 5 bytes.)
pub(crate) const KEY_UPDATE: Header = [APPLICATION_DATA, 3, 3, 0, 22];

/// How long a record is behind its header, in bytes.
pub(crate) fn length([.., high, low]: &Header) -> usize {
    usize::from(u16::from_be_bytes([*high, *low]))
}
