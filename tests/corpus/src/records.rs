//! Records of any structure into a connected engine: content types, padding, fragments, alerts,
//! KeyUpdates, tickets, all sealed with the right keys by a peer without rules. A model says which
//! data the engine must deliver, and by which error, if any, it must end.
//!
//! The input: a byte of settings, then one record after the other, and calls between them.

mod messages;
mod model;

use offwire::{Alert, Error, KeyUpdate, ProtocolVersion, Read};
use offwire_testkit::messages as plain;
use offwire_testkit::{ClientAuth, ContentType, RawPeer, Shape, Side};

use self::model::{End, Model, Position, Sealed};
use crate::feed::{contexts, engine, finish};
use crate::script::Script;
use crate::watched::Watched;

/// The most content of one record: more than any version permits.
const MOST: usize = 20_000;

/// What the engine writes.
const WRITTEN: u8 = 7;

/// A peer without rules facing a watched engine, and what the engine must deliver.
struct Session {
    version: ProtocolVersion,
    peer: RawPeer,
    /// Where the peer seals next.
    position: Position,
    engine: Watched,
    /// Bytes for the engine.
    wire: Vec<u8>,
    model: Model,
    /// How many records the engine had opened when the peer met it.
    opened_before: u64,
    /// How much of the model's data was read.
    read: usize,
    /// The last alert that the engine sent.
    said: Option<(u8, Alert)>,
    /// How much application data of the engine's was opened.
    answered: u64,
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
        position: Position::default(),
        opened_before: engine.stats().records_opened,
        engine: Watched::new(engine, &contexts),
        wire: Vec::new(),
        model: Model::new(version, role),
        read: 0,
        said: None,
        answered: 0,
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
                let request = script.byte() & 1;
                self.message(&plain::key_update(request));
                self.change_key();
            }
            128..=159 => self.message(&plain::client_hello()),
            160..=167 => {
                let len = script.length(600);
                self.message(&plain::new_session_ticket(len));
            }
            168..=175 => {
                let close_notify = plain::warning(Alert::CLOSE_NOTIFY);
                self.append(ContentType::ALERT, &close_notify, Shape::default());
            }
            176..=179 => {
                let len = script.length(64);
                let junk = script.take(len);
                self.model.take(junk);
                self.wire.extend(junk);
            }
            180..=183 if tls13 => self.change_key(),
            180..=199 => {
                let len = script.length(20_000);
                self.deliver(len, into);
            }
            200..=215 => {
                let len = script.length(into.len());
                _ = self.read(&mut into[..len]);
            }
            216..=223 => {
                let committed = self.engine.engine().committed();
                let offer = vec![WRITTEN; committed + script.length(20_000)];
                _ = self.engine.write(&offer);
                self.engine.retry_wrongly(&offer);
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
        self.append(content_type, &content, shape);
    }

    fn message(&mut self, message: &[u8]) {
        self.append(ContentType::HANDSHAKE, message, Shape::default());
    }

    /// Seals a record for the engine, and tells the model.
    fn append(&mut self, content_type: ContentType, content: &[u8], shape: Shape) {
        let record = self.peer.seal_shaped(content_type, content, shape);
        let mut inner = content.to_vec();
        if self.version == ProtocolVersion::Tls13 {
            inner.push(content_type.0);
            inner.resize(inner.len() + shape.padding, 0);
        }
        let position = self.position;
        self.position.number += 1;
        self.model.sealed(&record, Sealed { position, inner });
        self.wire.extend(record);
    }

    /// What is sealed from here on is sealed with the next key.
    fn change_key(&mut self) {
        self.peer.change_sealing_key();
        self.position = Position {
            generation: self.position.generation + 1,
            number: 0,
        };
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
                _ = self.read(into);
            }
        }
    }

    /// Reads once; what comes is the data that was sealed, in order.
    fn read(&mut self, into: &mut [u8]) -> Result<Read, Error> {
        let mut bytes = Vec::new();
        let outcome = match into.len() % 4 {
            0 | 2 => self.engine.peek_and_read(into),
            3 => self.engine.read_bytes(&mut bytes),
            _ => self.engine.read(into),
        };
        if let Ok(Read::Read(n)) = outcome {
            let read = if bytes.is_empty() {
                &into[..n]
            } else {
                &bytes[..]
            };
            let expected = self.model.data.get(self.read..self.read + n);
            assert_eq!(Some(read), expected, "the data in order");
            self.read += n;
        }
        outcome
    }

    /// The peer opens what the engine has to say; what it cannot open, the engine sealed wrongly.
    fn answer(&mut self) {
        let wire = self.engine.send(usize::MAX);
        for opened in self.peer.open(&wire) {
            if opened.content_type == ContentType::APPLICATION_DATA {
                let all = opened.plaintext.iter().all(|byte| *byte == WRITTEN);
                assert!(all, "what was written, and nothing else");
                self.answered += opened.plaintext.len() as u64;
            }
            self.said = opened.alert().or(self.said);
        }
    }

    /// The transport ends: all data before the end is read, then what the model foretells, and the
    /// alert of an error has left.
    fn end(mut self, into: &mut [u8]) {
        let shut = self.engine.is_shut();
        while let Ok(Read::Read(_)) = self.read(into) {}
        self.engine.feed_eof();
        let end = loop {
            match self.read(into) {
                Ok(Read::Read(_)) => {}
                end => break end,
            }
        };
        let opened = self.engine.engine().stats().records_opened - self.opened_before;
        match (&end, &self.model.end) {
            (Ok(Read::Truncated), End::Open) | (Ok(Read::Closed), End::Closed) => {
                let foretold = (self.model.data.len(), self.model.opened);
                assert_eq!((self.read, opened), foretold, "all that was sealed is read");
            }
            (Err(error), _) if self.model.may_fail((self.read, opened), error) => {}
            (_, foretold) => panic!(
                "{end:?} behind {} bytes, not {foretold:?} behind {}",
                self.read,
                self.model.data.len()
            ),
        }
        self.answer();
        let sealed = self.engine.engine().stats().plaintext_sealed;
        assert_eq!(self.answered, sealed, "all that was written is opened");
        if let (Err(error), false) = (&end, shut)
            && let Some(alert) = error.alert()
        {
            assert_eq!(self.said, Some((2, alert)), "the alert of {error:?}");
        }
        finish(&mut self.engine, into);
    }
}
