//! Plaintext of alerts and handshake messages, for a [`RawPeer`](crate::RawPeer) to seal.

use offwire::Alert;

/// A handshake message: its type, the length of its body in three bytes, its body.
#[must_use]
pub fn handshake(message_type: u8, body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes();
    let mut message = vec![message_type, len[1], len[2], len[3]];
    message.extend_from_slice(body);
    message
}

/// A KeyUpdate (RFC 8446 section 4.6.3): request 0 is `update_not_requested`, 1
/// `update_requested`, anything else an error.
#[must_use]
pub fn key_update(request: u8) -> Vec<u8> {
    handshake(24, &[request])
}

/// A NewSessionTicket of TLS 1.3 (RFC 8446 section 4.6.1) with a ticket of so many bytes.
#[must_use]
pub fn new_session_ticket(ticket: usize) -> Vec<u8> {
    let mut body = vec![0, 0, 0x1c, 0x20]; // lifetime: two hours
    body.extend([1, 2, 3, 4]); // age_add
    body.extend([1, 7]); // a nonce of one byte
    body.extend(u16::try_from(ticket).unwrap_or(u16::MAX).to_be_bytes());
    body.extend(core::iter::repeat_n(0x5a, ticket));
    body.extend([0, 0]); // no extensions
    handshake(4, &body)
}

/// A HelloRequest (RFC 5246 section 7.4.1.1).
#[must_use]
pub fn hello_request() -> Vec<u8> {
    handshake(0, &[])
}

/// A TLS 1.2 ClientHello (RFC 5246 section 7.4.1.2), as a client that renegotiates sends it.
#[must_use]
pub fn client_hello() -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend([9; 32]); // random
    body.push(0); // no session
    body.extend([0, 2, 0xc0, 0x2b]); // one cipher suite
    body.extend([1, 0]); // no compression
    handshake(1, &body)
}

/// The two bytes of an alert of level *fatal*.
#[must_use]
pub fn fatal(alert: Alert) -> Vec<u8> {
    vec![2, alert.code()]
}

/// The two bytes of an alert of level *warning*.
#[must_use]
pub fn warning(alert: Alert) -> Vec<u8> {
    vec![1, alert.code()]
}
