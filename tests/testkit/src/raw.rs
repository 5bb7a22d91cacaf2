//! A scripted peer: it shakes hands like any other, then speaks records that no engine would send.
//!
//! rustls performs its side of the handshake and hands its traffic keys over; from there a test
//! seals what it likes, in the wrong order, with the wrong type, too long or too often, and opens
//! what the engine answered.

mod cipher;
mod handshake;

use core::fmt;

use offwire::{Alert, Engine};

use crate::contexts::Contexts;
use crate::messages;
use crate::pair::Side;
use crate::records::{self, ContentType};

use self::cipher::Key;
use self::handshake::Kernel;

/// A record that was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Its content type; in TLS 1.3 the inner one.
    pub content_type: ContentType,
    /// Its content, without padding.
    pub plaintext: Vec<u8>,
}

impl Opened {
    /// The level and description, if this is an alert of two bytes.
    #[must_use]
    pub fn alert(&self) -> Option<(u8, Alert)> {
        match (self.content_type, self.plaintext.as_slice()) {
            (ContentType::ALERT, &[level, code]) => Some((level, Alert::from_code(code))),
            _ => None,
        }
    }
}

/// How a sealed record differs from an ordinary one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The outer content type; that of the protocol version if `None`.
    pub outer_type: Option<ContentType>,
    /// The version field of the header.
    pub version: u16,
    /// How many zeros pad the inner plaintext (TLS 1.3).
    pub padding: usize,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            outer_type: None,
            version: 0x0303,
            padding: 0,
        }
    }
}

/// A peer with the keys of a connection and no rules about their use.
pub struct RawPeer {
    sealing: Key,
    opening: Key,
    kernel: Kernel,
    incoming: Vec<u8>,
}

impl RawPeer {
    /// Completes a handshake with a fresh engine of the given role, and returns both.
    ///
    /// # Panics
    /// If the handshake fails.
    #[must_use]
    pub fn facing(role: Side, contexts: &Contexts) -> (Self, Engine) {
        let (client, server) = contexts.build();
        let mut engine = match role {
            Side::Client => client.connect(contexts.name()).unwrap(),
            Side::Server => server.accept(),
        };
        let peer = Self::meet(role, contexts, &mut engine);
        (peer, engine)
    }

    /// Completes a handshake with this engine, which has the given role.
    ///
    /// # Panics
    /// If the handshake fails.
    #[must_use]
    pub fn meet(role: Side, contexts: &Contexts, engine: &mut Engine) -> Self {
        let met = match role {
            Side::Client => handshake::as_server(contexts, engine),
            Side::Server => handshake::as_client(contexts, engine),
        };
        let (sealing, opening) = (Key::new(met.sealing), Key::new(met.opening));
        Self {
            sealing,
            opening,
            kernel: met.kernel,
            incoming: met.incoming,
        }
    }

    /// Seals a record of the given content type and feeds nobody.
    pub fn seal(&mut self, content_type: ContentType, plaintext: &[u8]) -> Vec<u8> {
        self.seal_shaped(content_type, plaintext, Shape::default())
    }

    /// Seals a record that differs from an ordinary one.
    ///
    /// # Panics
    /// If the body would be longer than the header can say.
    pub fn seal_shaped(
        &mut self,
        content_type: ContentType,
        plaintext: &[u8],
        shape: Shape,
    ) -> Vec<u8> {
        self.sealing.seal(content_type, plaintext, shape)
    }

    /// Seals application data.
    pub fn data(&mut self, plaintext: &[u8]) -> Vec<u8> {
        self.seal(ContentType::APPLICATION_DATA, plaintext)
    }

    /// Seals a handshake record of these messages.
    pub fn message(&mut self, messages: &[u8]) -> Vec<u8> {
        self.seal(ContentType::HANDSHAKE, messages)
    }

    /// Seals close_notify.
    pub fn close_notify(&mut self) -> Vec<u8> {
        self.seal(ContentType::ALERT, &messages::warning(Alert::CLOSE_NOTIFY))
    }

    /// Seals a KeyUpdate with the given request, and changes the sealing key behind it.
    ///
    /// # Panics
    /// In TLS 1.2.
    pub fn key_update(&mut self, request: u8) -> Vec<u8> {
        let record = self.message(&messages::key_update(request));
        self.change_sealing_key();
        record
    }

    /// Changes the sealing key, as behind a KeyUpdate of ours.
    ///
    /// # Panics
    /// In TLS 1.2.
    pub fn change_sealing_key(&mut self) {
        self.sealing = Key::new(self.kernel.next_sealing());
    }

    /// Takes all that the engine has to send and opens it, following its KeyUpdates.
    ///
    /// # Panics
    /// If a record cannot be opened, or is incomplete.
    pub fn drain(&mut self, engine: &mut Engine) -> Vec<Opened> {
        self.incoming.extend(engine.take_outgoing());
        let wire = core::mem::take(&mut self.incoming);
        self.open(&wire)
    }

    /// Opens records that the engine sealed, in order, following its KeyUpdates.
    ///
    /// # Panics
    /// If a record cannot be opened, or is incomplete.
    pub fn open(&mut self, wire: &[u8]) -> Vec<Opened> {
        let mut all = Vec::new();
        for record in records::split_whole(wire) {
            let opened = self.opening.open(&record);
            let is_handshake = opened.content_type == ContentType::HANDSHAKE;
            if is_handshake && opened.plaintext.first() == Some(&24) {
                self.opening = Key::new(self.kernel.next_opening());
            }
            all.push(opened);
        }
        all
    }
}

impl fmt::Debug for RawPeer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawPeer")
            .field("incoming", &self.incoming.len())
            .finish_non_exhaustive()
    }
}
