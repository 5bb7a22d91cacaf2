//! The two facts of a ServerHello that keying material of TLS 1.2 depends on and rustls's
//! unbuffered connections keep to themselves.
//!
//! Both roles read along: the client what it receives, the server what it is about to send. Records
//! come whole, one by one.

use alloc::vec::Vec;

use crate::record::{ContentType, HEADER};
use crate::tls::fields::Fields;

const HANDSHAKE: u8 = ContentType::Handshake as u8;

/// The message's type (RFC 5246 section 7.4).
const SERVER_HELLO: u8 = 2;

/// A ServerHello that is longer is not waited for: rustls's are some hundred bytes.
const MAX_MESSAGE: usize = 1 << 14;

/// The extension's number (RFC 7627 section 5.1).
const EXTENDED_MASTER_SECRET: u16 = 0x0017;

/// Whether the master secret is bound to the whole handshake (RFC 7627).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MasterSecret {
    /// It is.
    Extended,
    /// It is not: two connections may have the same.
    Unbound,
}

/// What was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ServerHello {
    pub(super) random: [u8; 32],
    pub(super) master_secret: MasterSecret,
}

/// Reads the first message of a server.
#[derive(Debug, Default)]
pub(super) struct ServerHelloReader {
    message: Vec<u8>,
    hello: Option<ServerHello>,
}

impl ServerHelloReader {
    /// Takes the server's next record, all of it.
    pub(super) fn record(&mut self, record: &[u8]) {
        if self.hello.is_some() || self.message.len() > MAX_MESSAGE {
            return;
        }
        if let (Some(&[HANDSHAKE, ..]), Some(content)) =
            (record.first_chunk::<HEADER>(), record.get(HEADER..))
        {
            self.message.extend_from_slice(content);
            self.hello = parse(&self.message);
        }
        if self.hello.is_some() {
            self.message = Vec::new();
        }
    }

    pub(super) const fn hello(&self) -> Option<ServerHello> {
        self.hello
    }
}

/// Reads a ServerHello (RFC 5246 section 7.4.1.3), once it is whole.
fn parse(message: &[u8]) -> Option<ServerHello> {
    let mut message = Fields(message);
    let [SERVER_HELLO] = *message.array::<1>()? else {
        return None;
    };
    let mut fields = Fields(message.vector::<3>()?);
    let _version = fields.array::<2>()?;
    let random = *fields.array::<32>()?;
    let _session_id = fields.vector::<1>()?;
    let _suite_and_compression = fields.array::<3>()?;
    let mut extensions = fields.extensions()?;
    let mut master_secret = MasterSecret::Unbound;
    while !extensions.0.is_empty() {
        let (extension, _) = extensions.extension()?;
        if extension == EXTENDED_MASTER_SECRET {
            master_secret = MasterSecret::Extended;
        }
    }
    Some(ServerHello {
        random,
        master_secret,
    })
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::{MAX_MESSAGE, MasterSecret, ServerHello, ServerHelloReader};

    /// A ServerHello with a session id, another extension, and perhaps the one in question.
    fn message(extensions: &[&[u8]]) -> Vec<u8> {
        let mut body = [&[3, 3][..], &[7; 32], &[2, 9, 9], &[0xc0, 0x2b, 0]].concat();
        if !extensions.is_empty() {
            let extensions = extensions.concat();
            body.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
            body.extend(extensions);
        }
        [&[2, 0, 0, u8::try_from(body.len()).unwrap()][..], &body].concat()
    }

    fn record(content_type: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[content_type, 3, 3][..], &length, content].concat()
    }

    const OTHER: &[u8] = &[0xff, 1, 0, 1, 0];
    const EXTENDED: &[u8] = &[0, 0x17, 0, 0];

    #[test]
    fn it_finds_both_facts_in_records_of_any_length() {
        for (extensions, master_secret) in [
            (&[][..], MasterSecret::Unbound),
            (&[OTHER], MasterSecret::Unbound),
            (&[OTHER, EXTENDED], MasterSecret::Extended),
            (&[EXTENDED, OTHER], MasterSecret::Extended),
        ] {
            let message = message(extensions);
            for length in 1..=message.len() {
                let mut reader = ServerHelloReader::default();
                reader.record(&record(21, &[1, 90]));
                for piece in message.chunks(length) {
                    assert_eq!(reader.hello(), None);
                    reader.record(&record(22, piece));
                }
                let hello = ServerHello {
                    random: [7; 32],
                    master_secret,
                };
                assert_eq!(reader.hello(), Some(hello));
                reader.record(&record(22, &[9; 100]));
                assert_eq!(
                    reader.hello(),
                    Some(hello),
                    "what follows is no ServerHello"
                );
            }
        }
    }

    #[test]
    fn another_message_is_not_read_and_not_hoarded() {
        let mut reader = ServerHelloReader::default();
        for _ in 0..10 {
            reader.record(&record(22, &[1; MAX_MESSAGE / 2]));
        }
        assert_eq!(reader.hello(), None);
        assert!(reader.message.len() <= 2 * MAX_MESSAGE);
    }
}
