//! A connection taken apart and carried on by hand, with an AEAD of its own and nothing of the engine.

#![expect(clippy::indexing_slicing, reason = "a wrong index fails the test")]

use aws_lc_rs::aead::{
    AES_128_GCM, AES_256_GCM, Aad, Algorithm, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey,
};
use offwire::{
    DangerousKey, DangerousParts, Engine, Error, KeyUpdate, Misuse, ProtocolVersion, Read,
    Settings, Shutdown, Write,
};
use offwire_testkit::{Contexts, Pair, RawPeer, Side, Suite};

const VERSIONS: [ProtocolVersion; 2] = [ProtocolVersion::Tls12, ProtocolVersion::Tls13];

const DATA: u8 = 23;
const HANDSHAKE: u8 = 22;

/// One direction, as a kernel would have it.
struct Direction {
    key: LessSafeKey,
    iv: [u8; 12],
    sequence: u64,
    version: ProtocolVersion,
    /// Bytes of nonce in a record.
    explicit: usize,
}

impl Direction {
    fn new(given: &DangerousKey, suite: Suite, version: ProtocolVersion) -> Self {
        let algorithm: &Algorithm = match suite {
            Suite::Aes128Gcm => &AES_128_GCM,
            Suite::Aes256Gcm => &AES_256_GCM,
            Suite::ChaCha20Poly1305 => &CHACHA20_POLY1305,
        };
        let key = UnboundKey::new(algorithm, given.key()).expect("the suite's length");
        Self {
            key: LessSafeKey::new(key),
            iv: *given.iv(),
            sequence: given.sequence(),
            version,
            explicit: match (version, suite) {
                (ProtocolVersion::Tls12, Suite::Aes128Gcm | Suite::Aes256Gcm) => 8,
                _ => 0,
            },
        }
    }

    fn nonce(&self) -> [u8; 12] {
        let mut nonce = self.iv;
        let (_, varying) = nonce.split_at_mut(4);
        let sequence = self.sequence.to_be_bytes();
        varying
            .iter_mut()
            .zip(sequence)
            .for_each(|(byte, other)| *byte ^= other);
        nonce
    }

    /// Seals a record of this type.
    fn seal(&mut self, content_type: u8, content: &[u8]) -> Vec<u8> {
        let nonce = self.nonce();
        let mut sealed = content.to_vec();
        let explicit = &nonce[12 - self.explicit..];
        let outer = match self.version {
            ProtocolVersion::Tls12 => content_type,
            ProtocolVersion::Tls13 => {
                sealed.push(content_type);
                DATA
            }
        };
        let length = u16::try_from(explicit.len() + sealed.len() + 16).expect("short");
        let header = [&[outer, 3, 3][..], &length.to_be_bytes()].concat();
        let aad = self.additional_data(&header, content_type, sealed.len());
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.key
            .seal_in_place_append_tag(nonce, Aad::from(aad), &mut sealed)
            .expect("a key of this length");
        self.sequence += 1;
        [&header, explicit, &sealed].concat()
    }

    /// Opens the first record of `wire`; returns its content without its type, and the rest.
    fn open<'a>(&mut self, wire: &'a [u8]) -> (Vec<u8>, &'a [u8]) {
        let (header, rest) = wire.split_at(5);
        let length = usize::from(u16::from_be_bytes([header[3], header[4]]));
        let (body, rest) = rest.split_at(length);
        let mut nonce = self.nonce();
        let mut sealed = body.to_vec();
        nonce[12 - self.explicit..].copy_from_slice(&body[..self.explicit]);
        sealed.drain(..self.explicit);
        let aad = self.additional_data(header, header[0], sealed.len() - 16);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let opened = self.key.open_in_place(nonce, Aad::from(aad), &mut sealed);
        let mut content = opened.expect("the peer's record").to_vec();
        if self.version == ProtocolVersion::Tls13 {
            content.pop();
        }
        self.sequence += 1;
        (content, rest)
    }

    fn additional_data(&self, header: &[u8], content_type: u8, length: usize) -> Vec<u8> {
        match self.version {
            ProtocolVersion::Tls13 => header.to_vec(),
            ProtocolVersion::Tls12 => {
                let length = u16::try_from(length).expect("short").to_be_bytes();
                let sequence = self.sequence.to_be_bytes();
                [&sequence[..], &[content_type, 3, 3], &length].concat()
            }
        }
    }
}

/// The connection goes on with plaintext unread, records unopened and records unsent, in both roles.
#[test]
fn what_takes_over_goes_on_without_a_gap() {
    for (suite, version) in Suite::ALL
        .into_iter()
        .flat_map(|s| VERSIONS.map(|v| (s, v)))
    {
        for side in [Side::Client, Side::Server] {
            let mut pair = Pair::of(&Contexts::new().suite(suite).version(version));
            pair.handshake();
            pair.settle();
            let peer = side.peer();
            for text in [&b"read in part"[..], b"not opened", b"not whole"] {
                let written = pair.engine(peer).write(text);
                assert_eq!(written, Ok(Write::Written(text.len())));
            }
            let wire = pair.engine(peer).take_outgoing();
            let (before, behind) = wire.split_at(wire.len() - 3);
            let engine = pair.engine(side);
            assert_eq!(engine.feed(before), before.len());
            let mut four = [0; 4];
            while !matches!(engine.read(&mut four), Ok(Read::Read(4))) {}
            assert_eq!(engine.write(b"sealed, unsent"), Ok(Write::Written(14)));

            let parts = engine.dangerous_hand_over().expect("it is at rest");
            assert_eq!(parts.plaintext, &b" in part"[..]);
            let mut opening = Direction::new(&parts.opening, suite, version);
            let mut sealing = Direction::new(&parts.sealing, suite, version);
            let rest = [&parts.ciphertext[..], behind].concat();
            let (content, rest) = opening.open(&rest);
            assert_eq!(content, b"not opened");
            let (content, rest) = opening.open(rest);
            assert_eq!((&content[..], rest), (&b"not whole"[..], &[][..]));

            let ours = [&parts.outgoing[..], &sealing.seal(DATA, b"by hand")].concat();
            let engine = pair.engine(peer);
            assert_eq!(engine.feed(&ours), ours.len());
            for expected in [&b"sealed, unsent"[..], b"by hand"] {
                let mut into = [0; 100];
                assert_eq!(engine.read(&mut into), Ok(Read::Read(expected.len())));
                assert_eq!(&into[..expected.len()], expected);
            }
            assert_eq!(engine.write(b"still there"), Ok(Write::Written(11)));
            assert_eq!(opening.open(&engine.take_outgoing()).0, b"still there");
        }
    }
}

#[test]
fn the_taker_can_go_on_to_the_next_keys() {
    let version = ProtocolVersion::Tls13;
    for side in [Side::Client, Side::Server] {
        let suite = Suite::Aes256Gcm;
        let mut pair = Pair::of(&Contexts::new().suite(suite).version(version));
        pair.handshake();
        pair.settle();
        let _ = pair.client.read(&mut [0; 9]).expect("only tickets");
        let given = pair.engine(side).dangerous_hand_over();
        let DangerousParts {
            sealing,
            opening,
            mut secrets,
            ..
        } = given.expect("it is at rest");
        let mut sealing = Direction::new(&sealing, suite, version);
        let mut opening = Direction::new(&opening, suite, version);

        // We change our key and ask the peer for its own.
        let mut wire = sealing.seal(HANDSHAKE, &[24, 0, 0, 1, 1]);
        sealing = Direction::new(&secrets.next_sealing().expect("TLS 1.3"), suite, version);
        wire.extend(sealing.seal(DATA, b"new key"));
        let engine = pair.engine(side.peer());
        assert_eq!(engine.feed(&wire), wire.len());
        let mut into = [0; 100];
        assert_eq!(engine.read(&mut into), Ok(Read::Read(7)));
        assert_eq!(engine.write(b"as well"), Ok(Write::Written(7)));
        let wire = engine.take_outgoing();
        let (answer, rest) = opening.open(&wire);
        assert_eq!(answer, [24, 0, 0, 1, 0]);
        opening = Direction::new(&secrets.next_opening().expect("TLS 1.3"), suite, version);
        assert_eq!(opening.open(rest).0, b"as well");
    }
}

#[test]
fn the_spent_engine_says_so() {
    let mut pair = Pair::of(&Contexts::new());
    pair.handshake();
    pair.settle();
    assert_eq!(pair.server.write(b"unread"), Ok(Write::Written(6)));
    pair.settle();
    let stats = pair.client.stats();
    assert!(pair.client.dangerous_hand_over().is_ok());
    let spent: Error = Misuse::HandedOver.into();
    let engine = &mut pair.client;
    assert_eq!(engine.read(&mut [0; 9]), Err(spent.clone()));
    assert_eq!(engine.write(b"more"), Err(spent.clone()));
    assert_eq!(engine.write(b""), Err(spent.clone()));
    assert_eq!(engine.handshake(), Err(spent.clone()));
    assert_eq!(engine.shutdown(), Err(spent.clone()));
    assert_eq!(engine.key_update(KeyUpdate::Ours), Err(spent.clone()));
    assert_eq!(engine.dangerous_hand_over().err(), Some(spent));
    assert_eq!((engine.pending(), engine.outgoing()), (0, &[][..]));
    assert_eq!(engine.feed(&[0; 50]), 50, "discarded");
    assert!(engine.negotiated().is_some());
    assert_eq!(engine.stats().records_sealed, stats.records_sealed);
}

/// Refuses with this misuse and leaves the connection as it was.
fn refuses(engine: &mut Engine, misuse: Misuse) {
    assert_eq!(engine.dangerous_hand_over().err(), Some(misuse.into()));
}

#[test]
fn a_connection_that_is_not_at_rest_stays() {
    let mut pair = Pair::of(&Contexts::new().settings(Settings::default().outgoing_limit(1)));
    refuses(&mut pair.client, Misuse::HandOverInHandshake);
    pair.handshake();
    pair.settle();
    assert_eq!(pair.client.write(&[7; 20_000]), Ok(Write::NeedWrite));
    refuses(&mut pair.client, Misuse::HandOverUnsettled);
    let record = pair.client.take_outgoing();
    assert_eq!(pair.server.feed(&record), record.len());
    assert_eq!(pair.client.write(&[7; 20_000]), Ok(Write::Written(20_000)));
    pair.client.key_update(KeyUpdate::Ours).expect("it is open");
    refuses(&mut pair.client, Misuse::HandOverUnsettled);
    pair.settle();
    assert_eq!(pair.client.write(b""), Ok(Write::Written(0)));
    pair.settle();
    assert_eq!(pair.server.shutdown(), Ok(Shutdown::NeedWrite));
    refuses(&mut pair.server, Misuse::HandOverUnsettled);
    assert!(pair.client.dangerous_hand_over().is_ok());

    // Half of a handshake message has arrived, then the peer's end.
    let (mut peer, mut engine) = RawPeer::facing(Side::Server, &Contexts::new());
    let half = peer.message(&[24, 0]);
    assert_eq!(engine.feed(&half), half.len());
    assert_eq!(engine.read(&mut [0; 9]), Ok(Read::NeedRead));
    refuses(&mut engine, Misuse::HandOverUnsettled);
    let (mut peer, mut engine) = RawPeer::facing(Side::Server, &Contexts::new());
    let close = peer.close_notify();
    assert_eq!(engine.feed(&close), close.len());
    assert_eq!(engine.read(&mut [0; 9]), Ok(Read::Closed));
    refuses(&mut engine, Misuse::HandOverUnsettled);
    let error = engine.read(&mut [0; 9]);
    assert_eq!(error, Ok(Read::Closed), "nothing changed");
}

#[test]
fn keys_are_never_printed() {
    let mut pair = Pair::of(&Contexts::new());
    pair.handshake();
    pair.settle();
    let parts = pair.client.dangerous_hand_over().expect("it is at rest");
    let shown = format!("{:?} {:?}", parts.sealing, parts.secrets);
    assert!(
        shown.starts_with("DangerousKey(TrafficKey { aead: "),
        "{shown}"
    );
    for byte in parts.sealing.key().windows(4) {
        assert!(!shown.contains(&format!("{byte:?}")), "{shown}");
    }
}

#[test]
fn tls12_has_no_next_keys() {
    let mut pair = Pair::of(&Contexts::new().version(ProtocolVersion::Tls12));
    pair.handshake();
    pair.settle();
    let parts = pair.server.dangerous_hand_over().expect("it is at rest");
    let DangerousParts { mut secrets, .. } = parts;
    let refused: Error = Misuse::KeyUpdateInTls12.into();
    assert_eq!(secrets.next_sealing().err(), Some(refused.clone()));
    assert_eq!(secrets.next_opening().err(), Some(refused));
    assert!(secrets.store_ticket(&[]).is_err());
}
