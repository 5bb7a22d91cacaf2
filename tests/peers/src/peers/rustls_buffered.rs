//! rustls 0.23 with its own buffers: `read_tls`, `process_new_packets`, `reader`, `writer`.

use alloc::sync::Arc;
use std::io::{ErrorKind, Read, Write};

use rustls::{ClientConfig, ClientConnection, HandshakeKind, ServerConfig, ServerConnection};

use super::configurations;
use crate::peer::{Connection, Library, Progress, Setting};
use crate::{Problem, Wire};

/// Its two configurations.
#[derive(Debug)]
pub struct Buffered {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
}

impl Library for Buffered {
    type Connection = rustls::Connection;

    fn new(setting: Setting) -> Result<Option<Self>, Problem> {
        let (client, server) = configurations(setting);
        let (client, server) = (Arc::new(client), Arc::new(server));
        Ok(Some(Self { client, server }))
    }

    fn client(&self) -> Result<rustls::Connection, Problem> {
        let name = "localhost".try_into()?;
        Ok(ClientConnection::new(Arc::clone(&self.client), name)?.into())
    }

    fn server(&self) -> Result<rustls::Connection, Problem> {
        Ok(ServerConnection::new(Arc::clone(&self.server))?.into())
    }
}

impl Connection for rustls::Connection {
    fn handshake(&mut self, from: &mut Wire, to: &mut Wire) -> Result<Progress, Problem> {
        loop {
            while self.wants_write() {
                self.write_tls(to)?;
            }
            if !self.is_handshaking() {
                return Ok(Progress::Complete);
            }
            if from.waiting() == 0 {
                return Ok(Progress::Going);
            }
            receive(self, from)?;
        }
    }

    fn write(&mut self, mut plaintext: &[u8], to: &mut Wire) -> Result<(), Problem> {
        while !plaintext.is_empty() {
            let taken = self.writer().write(plaintext)?;
            plaintext = plaintext.get(taken..).unwrap_or_default();
            while self.wants_write() {
                self.write_tls(to)?;
            }
        }
        Ok(())
    }

    fn read(&mut self, into: &mut [u8], from: &mut Wire) -> Result<usize, Problem> {
        loop {
            match self.reader().read(into) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                outcome => return Ok(outcome?),
            }
            if from.waiting() == 0 {
                return Ok(0);
            }
            receive(self, from)?;
        }
    }

    fn is_resumed(&self) -> bool {
        self.handshake_kind() == Some(HandshakeKind::Resumed)
    }
}

fn receive(connection: &mut rustls::Connection, from: &mut Wire) -> Result<(), Problem> {
    connection.read_tls(from)?;
    connection.process_new_packets()?;
    Ok(())
}
