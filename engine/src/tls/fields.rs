//! Fields of a handshake message, one after the other (RFC 8446 section 3).

use crate::record::MESSAGE_HEADER;

/// What is left of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    /// The next `count` bytes; `None` if there are fewer.
    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// The next `N` bytes.
    pub(super) fn array<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(taken)
    }

    /// A vector whose length stands before it in `N` bytes, at most three.
    pub(super) fn vector<const N: usize>(&mut self) -> Option<&'a [u8]> {
        let length = self.array::<N>()?;
        let length = length
            .iter()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        self.take(length)
    }

    /// The extensions of a ClientHello, which rustls reads but does not all show (RFC 8446 section
    /// 4.1.2), from the message with its header.
    pub(super) fn client_hello_extensions(message: &'a [u8]) -> Option<Self> {
        let mut fields = Self(message);
        let _header_version_random = fields.take(MESSAGE_HEADER + 2 + 32)?;
        let _session_id = fields.vector::<1>()?;
        let _cipher_suites = fields.vector::<2>()?;
        let _compression_methods = fields.vector::<1>()?;
        fields.extensions()
    }

    /// The extensions that end a hello; none if nothing is left: "The presence of extensions can be
    /// detected by determining whether there are bytes" left (RFC 5246 section 7.4.1.2).
    pub(super) fn extensions(mut self) -> Option<Self> {
        match self.0 {
            [] => Some(Self(&[])),
            _ => self.vector::<2>().map(Self),
        }
    }

    /// The next extension's number and content.
    pub(super) fn extension(&mut self) -> Option<(u16, &'a [u8])> {
        let number = u16::from_be_bytes(*self.array()?);
        Some((number, self.vector::<2>()?))
    }
}
