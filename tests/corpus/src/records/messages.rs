//! NewSessionTicket as RFC 8446 section 4.6.1 writes it, as far as the model must understand it.

/// What the body of a NewSessionTicket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ticket {
    /// A ticket without extensions.
    Whole,
    /// A ticket with something where its extensions stand: rustls reads those.
    WithExtensions,
    Malformed,
}

/// Reads lifetime and age_add (four bytes each), nonce, ticket (not empty) and extensions.
pub(super) fn ticket(body: &[u8]) -> Ticket {
    let fields = body
        .get(8..)
        .and_then(|rest| rest.split_first())
        .and_then(|(length, rest)| rest.get(usize::from(*length)..))
        .and_then(|rest| rest.split_first_chunk::<2>())
        .and_then(
            |(length, rest)| match usize::from(u16::from_be_bytes(*length)) {
                0 => None,
                length => rest.get(length..),
            },
        );
    match fields {
        Some([0, 0]) => Ticket::Whole,
        Some([_, _, ..]) => Ticket::WithExtensions,
        Some(_) | None => Ticket::Malformed,
    }
}
