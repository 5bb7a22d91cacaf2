//! Records of any structure into a connected engine: content types, padding, fragments, alerts,
//! KeyUpdates, tickets, all sealed with the right keys by a peer without rules.
//!
//! The input: a byte of settings, then one record after the other, and calls between them.

use offwire::{Alert, KeyUpdate, ProtocolVersion, Read};
use offwire_testkit::{ClientAuth, ContentType, Opened, RawPeer, Shape, Side, messages};

use crate::feed::{contexts, engine, finish};
use crate::script::Script;
use crate::watched::Watched;

/// The most content of one record: more than any version permits.
const MOST: usize = 20_000;

/// A peer without rules facing a watched engine, and what the engine must deliver.
struct Session {
    version: ProtocolVersion,
    peer: RawPeer,
    engine: Watched,
    /// Bytes for the engine.
    wire: Vec<u8>,
    /// The application data of every record that was sealed in order.
    data: Vec<u8>,
    /// What of it was read.
    read: usize,
    /// Bytes that nobody sealed.
    junk: usize,
    /// The last alert that the engine sent.
    said: Option<(u8, Alert)>,
}

pub(crate) fn run(input: &[u8]) {
    let mut script = Script::new(input);
    let (settings, connection) = (script.byte(), script.byte());
    let version = match connection & 1 {
        0 => ProtocolVersion::Tls13,
        _ => ProtocolVersion::Tls12,
    };
    let contexts = contexts(settings)
        .version(version)
        .client_auth_as(ClientAuth::None);
    let role = match connection & 2 {
        0 => Side::Client,
        _ => Side::Server,
    };
    let mut engine = engine(role, &contexts);
    let mut peer = RawPeer::meet(role, &contexts, &mut engine);
    peer.drain(&mut engine);
    let mut session = Session {
        version,
        peer,
        engine: Watched::new(engine),
        wire: Vec::new(),
        data: Vec::new(),
        read: 0,
        junk: 0,
        said: None,
    };
    let mut into = vec![0; 16_385];
    while !script.is_empty() {
        session.step(&mut script, &mut into);
    }
    session.deliver(usize::MAX, &mut into);
    session.end(&mut into);
}

impl Session {
    fn step(&mut self, script: &mut Script<'_>, into: &mut [u8]) {
        let tls13 = self.version == ProtocolVersion::Tls13;
        match script.byte() {
            0..=127 => self.seal(script),
            128..=159 if tls13 => {
                let record = self.peer.key_update(script.byte() & 1);
                self.wire.extend(record);
            }
            128..=159 => {
                let hello = messages::client_hello();
                let record = self.peer.message(&hello);
                self.wire.extend(record);
            }
            160..=167 => {
                let len = script.length(600);
                let record = self.peer.message(&messages::new_session_ticket(len));
                self.wire.extend(record);
            }
            168..=175 => {
                let record = self.peer.close_notify();
                self.wire.extend(record);
            }
            176..=179 => {
                let len = script.length(64);
                let junk = script.take(len);
                self.junk += junk.len();
                self.wire.extend(junk);
            }
            180..=183 if tls13 => self.peer.change_sealing_key(),
            180..=199 => {
                let len = script.length(20_000);
                self.deliver(len, into);
            }
            200..=215 => {
                let len = script.length(into.len());
                self.read(&mut into[..len]);
            }
            216..=223 => {
                let committed = self.engine.engine().committed();
                let len = committed + script.length(20_000);
                _ = self.engine.write(&vec![7; len]);
            }
            224..=231 => _ = self.engine.shutdown(),
            232..=239 => self.engine.key_update(match script.byte() & 1 {
                0 => KeyUpdate::Ours,
                _ => KeyUpdate::Both,
            }),
            240..=247 => self.engine.release(),
            248..=255 => self.answer(),
        }
    }

    /// Seals a record of the script's making.
    fn seal(&mut self, script: &mut Script<'_>) {
        let content_type = match script.below(8) {
            0..3 => ContentType::APPLICATION_DATA,
            3..5 => ContentType::HANDSHAKE,
            5 => ContentType::ALERT,
            6 => ContentType::CHANGE_CIPHER_SPEC,
            _ => ContentType(script.byte()),
        };
        let len = script.length(MOST);
        let literal = script.take(len.min(64));
        let mut content = literal.to_vec();
        content.resize(len, 0x2e);
        let mut shape = Shape::default();
        match script.byte() {
            0xf0..=0xf7 => shape.padding = script.length(MOST),
            0xf8..=0xfb => shape.version = u16::from_be_bytes([script.byte(), script.byte()]),
            0xfc..=0xff => shape.outer_type = Some(ContentType(script.byte())),
            _ => {}
        }
        self.data
            .extend_from_slice(&self.application_data(content_type, &content, shape));
        let record = self.peer.seal_shaped(content_type, &content, shape);
        self.wire.extend(record);
    }

    /// What of a record is application data.
    fn application_data(&self, content_type: ContentType, content: &[u8], shape: Shape) -> Vec<u8> {
        let mut inner = content.to_vec();
        let content_type = match self.version {
            ProtocolVersion::Tls12 => shape.outer_type.unwrap_or(content_type),
            // The type is the last byte that is not zero, whoever put it there.
            ProtocolVersion::Tls13 => {
                inner.push(content_type.0);
                let end = inner.iter().rposition(|byte| *byte != 0).unwrap_or(0);
                let last = inner[end];
                inner.truncate(end);
                ContentType(last)
            }
        };
        if content_type != ContentType::APPLICATION_DATA {
            inner.clear();
        }
        inner
    }

    /// Feeds up to `len` bytes, reading where the engine has no room.
    fn deliver(&mut self, len: usize, into: &mut [u8]) {
        let mut left = len.min(self.wire.len());
        while left > 0 {
            let taken = match left % 2 {
                0 => self.engine.feed(&self.wire[..left]),
                _ => self.engine.feed_in_place(&self.wire[..left]),
            };
            self.wire.drain(..taken);
            left -= taken;
            if taken == 0 {
                // Data, an end, or records without data: each makes room, as is checked.
                self.read(into);
            }
        }
    }

    /// Reads once; what comes is the data that was sealed, in order.
    fn read(&mut self, into: &mut [u8]) -> Option<Read> {
        let outcome = match into.len() % 2 {
            0 => self.engine.peek_and_read(into),
            _ => self.engine.read(into),
        };
        if let Ok(Read::Read(n)) = outcome {
            let expected = self.data.get(self.read..self.read + n);
            assert_eq!(Some(&into[..n]), expected, "the data in order");
            self.read += n;
        }
        outcome.ok()
    }

    /// The peer opens what the engine has to say; what it cannot open, the engine sealed wrongly.
    fn answer(&mut self) {
        let wire = self.engine.send(usize::MAX);
        let alerts = self.peer.open(&wire);
        self.said = alerts
            .iter()
            .filter_map(Opened::alert)
            .next_back()
            .or(self.said);
    }

    /// Reads to the end, which is that of the transport, and looks for the alert of an error.
    fn end(mut self, into: &mut [u8]) {
        let shut = self.engine.is_shut();
        while let Some(Read::Read(_)) = self.read(into) {}
        self.answer();
        match self.engine.error() {
            None if self.engine.read_end().is_none() && self.junk == 0 => {
                assert_eq!(self.read, self.data.len(), "all that was sealed is read");
            }
            Some(error) if !shut => {
                if let Some(alert) = error.alert() {
                    let level = if alert == Alert::CLOSE_NOTIFY { 1 } else { 2 };
                    assert_eq!(self.said, Some((level, alert)), "the alert of {error:?}");
                }
            }
            Some(_) | None => {}
        }
        finish(&mut self.engine, into);
    }
}
