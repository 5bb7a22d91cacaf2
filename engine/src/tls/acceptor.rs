//! The ClientHello, read by rustls from a copy of the first bytes.
//!
//! rustls's unbuffered server tells nobody what the client asked for, so its `Acceptor` reads
//! along. It is the one use of `std`: rustls reads through `std::io::Read`.

extern crate std;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;

use rustls::server::Acceptor;

use crate::acceptor::ClientHello;
use crate::alert::Alert;
use crate::error::{Error, Peer};
use crate::negotiated::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};
use crate::record::{HEADER, LARGEST_INCOMING_RECORD, MAX_PLAINTEXT, extend_message};
use crate::tls::early::{self, Offer};
use crate::tls::fault::{self, AlertSent};
use crate::tls::fields::Fields;

/// Reads a ClientHello from bytes that arrive in any pieces, in records of any length.
///
/// rustls bounds the records that it joins by their bytes on the wire, so a long hello in short
/// records would not fit: the message is put together here and shown to rustls in full ones.
pub(crate) struct HelloReader {
    acceptor: Acceptor,
    awaited: Awaited,
    /// What has come of the handshake message.
    message: Vec<u8>,
    offer: Offer,
}

/// What the next byte belongs to.
enum Awaited {
    /// A record's header, of which so many bytes are there.
    Header([u8; HEADER], usize),
    /// A handshake record's content, of which so many bytes are missing.
    Content(usize),
    /// Something else: rustls is shown it as it comes, and says what is wrong with it.
    Junk,
}

/// Why a ClientHello was refused, and the alert record that says so to the client.
pub(crate) struct Refused {
    pub(crate) error: Error,
    pub(crate) record: Vec<u8>,
}

impl HelloReader {
    /// Reads on. `None` means that the ClientHello is not whole yet; after anything else the
    /// reader is spent.
    pub(crate) fn read(&mut self, bytes: &[u8]) -> Result<Option<ClientHello>, Box<Refused>> {
        let mut rest = bytes;
        while let Some((first, behind)) = rest.split_first() {
            match &mut self.awaited {
                Awaited::Header(header, length) => {
                    if let Some(byte) = header.get_mut(*length) {
                        *byte = *first;
                    }
                    *length += 1;
                    rest = behind;
                    if let Some(hello) = self.read_header()? {
                        return Ok(Some(hello));
                    }
                }
                Awaited::Content(missing) => {
                    let (content, behind) = rest.split_at(rest.len().min(*missing));
                    *missing -= content.len();
                    if *missing == 0 {
                        self.awaited = FRESH_HEADER;
                    }
                    extend_message(&mut self.message, content);
                    rest = behind;
                    if self.is_whole() {
                        return self.show_message();
                    }
                }
                Awaited::Junk => return self.show(rest),
            }
        }
        Ok(None)
    }

    /// What the ClientHello that was read offers beside the handshake.
    pub(super) const fn offer(&self) -> Offer {
        self.offer
    }

    /// Looks at as much of a header as there is.
    fn read_header(&mut self) -> Result<Option<ClientHello>, Box<Refused>> {
        let Awaited::Header(header, length) = self.awaited else {
            return Ok(None);
        };
        let seen = header.get(..length).unwrap_or_default();
        match *seen {
            [22, 3, _, high, low] if is_permitted([high, low]) => {
                self.awaited = Awaited::Content(usize::from(u16::from_be_bytes([high, low])));
                Ok(None)
            }
            [22] | [22, 3] | [22, 3, _] | [22, 3, _, _] => Ok(None),
            _ => {
                self.awaited = Awaited::Junk;
                match self.show_message()? {
                    Some(hello) => Ok(Some(hello)),
                    None => self.show(seen),
                }
            }
        }
    }

    /// Whether the message is there to its last byte, or is too long to be waited for.
    fn is_whole(&self) -> bool {
        match self.message[..] {
            [_, high, middle, low, ref body @ ..] => {
                let length = u32::from_be_bytes([0, high, middle, low]) as usize;
                length > MAX_MESSAGE || body.len() >= length
            }
            _ => false,
        }
    }

    /// Shows rustls the message in full records, one after the other: the copy here and rustls's own
    /// are enough.
    fn show_message(&mut self) -> Result<Option<ClientHello>, Box<Refused>> {
        let message = mem::take(&mut self.message);
        let versions = offered_versions(&message).unwrap_or_default();
        self.offer = early::offered(&message);
        for content in message.chunks(MAX_PLAINTEXT) {
            let [high, low] = u16::try_from(content.len())
                .unwrap_or_default()
                .to_be_bytes();
            let header = [22, 3, 1, high, low];
            if let Some(hello) = self.show(&[&header, content].concat())? {
                return Ok(Some(ClientHello { versions, ..hello }));
            }
        }
        Ok(None)
    }

    fn show(&mut self, mut records: &[u8]) -> Result<Option<ClientHello>, Box<Refused>> {
        loop {
            match self.acceptor.accept() {
                Ok(Some(accepted)) => return Ok(Some(owned(&accepted.client_hello()))),
                Ok(None) if records.is_empty() => return Ok(None),
                Ok(None) => {}
                Err((error, mut alert)) => {
                    let mut record = Vec::new();
                    // Writing to memory cannot fail.
                    let _ = alert.write_all(&mut record);
                    let sent = match record[..] {
                        [21, _, _, 0, 2, _, code] => AlertSent::Plain(Alert::from_code(code)),
                        _ => AlertSent::Nothing,
                    };
                    let error = fault::from_handshake(error, sent);
                    return Err(Box::new(Refused { error, record }));
                }
            }
            if self.acceptor.read_tls(&mut records).is_err() {
                let error = Peer::HandshakeTooLarge.into();
                let record = Vec::new();
                return Err(Box::new(Refused { error, record }));
            }
        }
    }
}

/// Whether a handshake record may have this length.
fn is_permitted(length: [u8; 2]) -> bool {
    (1..=LARGEST_INCOMING_RECORD - HEADER).contains(&usize::from(u16::from_be_bytes(length)))
}

const FRESH_HEADER: Awaited = Awaited::Header([0; HEADER], 0);

/// The longest message that rustls puts together.
const MAX_MESSAGE: usize = 65_535;

impl Default for HelloReader {
    fn default() -> Self {
        Self {
            acceptor: Acceptor::default(),
            awaited: FRESH_HEADER,
            message: Vec::new(),
            offer: Offer::Nothing,
        }
    }
}

fn owned(hello: &rustls::server::ClientHello<'_>) -> ClientHello {
    let suites = hello
        .cipher_suites()
        .iter()
        .map(|suite| CipherSuite::from_code((*suite).into()));
    let groups = hello.named_groups().unwrap_or_default().iter();
    let schemes = hello.signature_schemes().iter();
    ClientHello {
        server_name: hello.server_name().map(Box::from),
        alpn: hello
            .alpn()
            .map_or_else(Vec::new, |names| names.map(Box::from).collect()),
        cipher_suites: suites.collect(),
        named_groups: groups
            .map(|group| NamedGroup::from_code((*group).into()))
            .collect(),
        signature_schemes: schemes
            .map(|scheme| SignatureScheme::from_code((*scheme).into()))
            .collect(),
        versions: Vec::new(),
    }
}

/// The versions that a ClientHello offers and the engine speaks, which rustls tells nobody: those of
/// its extension `supported_versions` (RFC 8446 section 4.2.1), or TLS 1.2 if it has none. `None` if
/// the message cannot be decoded.
fn offered_versions(message: &[u8]) -> Option<Vec<ProtocolVersion>> {
    const SUPPORTED_VERSIONS: u16 = 43;
    let mut extensions = Fields::client_hello_extensions(message)?;
    while !extensions.0.is_empty() {
        let (extension, content) = extensions.extension()?;
        if extension == SUPPORTED_VERSIONS {
            let versions = Fields(content).vector::<1>()?.as_chunks::<2>().0;
            let spoken = versions.iter().filter_map(|version| match version {
                [3, 3] => Some(ProtocolVersion::Tls12),
                [3, 4] => Some(ProtocolVersion::Tls13),
                _ => None,
            });
            return Some(spoken.collect());
        }
    }
    Some(Vec::from([ProtocolVersion::Tls12]))
}
