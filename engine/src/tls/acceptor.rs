//! The ClientHello, read by rustls from a copy of the first bytes, before a configuration is chosen.
//!
//! It is the one use of `std`: rustls's `Acceptor` reads through `std::io::Read`.

extern crate std;

use alloc::boxed::Box;
use alloc::vec::Vec;

use rustls::server::Acceptor;

use crate::acceptor::ClientHello;
use crate::alert::Alert;
use crate::error::{Error, Peer};
use crate::negotiated::{CipherSuite, NamedGroup, SignatureScheme};
use crate::record::MAX_PLAINTEXT;
use crate::tls::fault::{self, AlertSent};
use crate::tls::hello::{Assembled, Assembly, offered_versions};

/// Reads a ClientHello from bytes that arrive in any pieces, in records of any length.
///
/// rustls bounds the records that it joins by their bytes on the wire, so a long hello in short
/// records would not fit: the message is put together first and shown to rustls in full ones.
#[derive(Default)]
pub(crate) struct HelloReader {
    acceptor: Acceptor,
    state: State,
}

enum State {
    /// The message is put together.
    Assembling(Assembly),
    /// Something else comes: rustls is shown it as it comes, and says what is wrong with it.
    Junk,
}

impl Default for State {
    fn default() -> Self {
        Self::Assembling(Assembly::default())
    }
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
        let assembled = match &mut self.state {
            State::Assembling(assembly) => assembly.read(bytes),
            State::Junk if bytes.is_empty() => return Ok(None),
            State::Junk => return self.show(bytes),
        };
        match assembled {
            Assembled::Incomplete => Ok(None),
            Assembled::Whole(message) => self.show_message(&message),
            Assembled::Junk {
                message,
                seen,
                rest,
            } => {
                self.state = State::Junk;
                if let Some(hello) = self.show_message(&message)? {
                    return Ok(Some(hello));
                }
                match self.show(&seen)? {
                    None if !rest.is_empty() => self.show(rest),
                    shown => Ok(shown),
                }
            }
        }
    }

    /// Shows rustls the message in full records, one after the other: the copy here and rustls's own
    /// are enough.
    fn show_message(&mut self, message: &[u8]) -> Result<Option<ClientHello>, Box<Refused>> {
        let versions = offered_versions(message).unwrap_or_default();
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
