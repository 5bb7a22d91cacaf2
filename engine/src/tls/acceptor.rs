//! The ClientHello, read by rustls from a copy of the first bytes.
//!
//! rustls's unbuffered server tells nobody what the client asked for, so its `Acceptor` reads
//! along. It is the one use of `std`: rustls reads through `std::io::Read`.

extern crate std;

use alloc::boxed::Box;
use alloc::vec::Vec;

use rustls::server::Acceptor;

use crate::acceptor::ClientHello;
use crate::alert::Alert;
use crate::error::Error;
use crate::negotiated::{CipherSuite, NamedGroup};
use crate::tls::fault::{self, AlertSent};

/// Reads a ClientHello from bytes that arrive in any pieces.
#[derive(Default)]
pub(crate) struct HelloReader(Acceptor);

/// Why a ClientHello was refused, and the alert record that says so to the client.
pub(crate) struct Refused {
    pub(crate) error: Error,
    pub(crate) record: Vec<u8>,
}

impl HelloReader {
    /// Reads on. `None` means that the ClientHello is not whole yet; after anything else the
    /// reader is spent.
    pub(crate) fn read(&mut self, mut bytes: &[u8]) -> Result<Option<ClientHello>, Box<Refused>> {
        loop {
            match self.0.accept() {
                Ok(Some(accepted)) => return Ok(Some(owned(&accepted.client_hello()))),
                Ok(None) if bytes.is_empty() => return Ok(None),
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
            // The reader's own buffer is larger than any ClientHello it accepts, so that it is
            // full only when the next call refuses what it holds.
            if self.0.read_tls(&mut bytes).is_err() {
                return Ok(None);
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
    ClientHello {
        server_name: hello.server_name().map(Box::from),
        alpn: hello
            .alpn()
            .map_or_else(Vec::new, |names| names.map(Box::from).collect()),
        cipher_suites: suites.collect(),
        named_groups: groups
            .map(|group| NamedGroup::from_code((*group).into()))
            .collect(),
    }
}
