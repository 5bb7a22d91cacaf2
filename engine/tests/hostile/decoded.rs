//! Messages that are small on the wire and large once rustls has decoded them, and the work on a
//! message in many records: over the null provider, which lets a test write any flight and counts
//! what it opens.

use offwire::{ProtocolVersion, Read};
use offwire_testkit::insecure::{NullWork, TAG};
use offwire_testkit::{ContentType, Contexts, Pair, Side, messages, records};

use crate::cost::{HANDSHAKE, PER_DECODED_BYTE, each, endure};
use crate::handshake::fresh;

/// A vector with its length in front of it, in two bytes.
fn vector(body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    [&length, body].concat()
}

fn extension(number: u16, body: &[u8]) -> Vec<u8> {
    [&number.to_be_bytes()[..], &vector(body)].concat()
}

/// A ClientHello whose extensions end in this one.
fn client_hello(version: ProtocolVersion, last: &[u8]) -> Vec<u8> {
    let (suite, versions) = match version {
        ProtocolVersion::Tls12 => ([0xc0, 0x2b], vec![]),
        ProtocolVersion::Tls13 => ([0x13, 1], extension(43, &[2, 3, 4])),
    };
    let share = [&[0, 29], &vector(&[9; 32])[..]].concat();
    let extensions = [
        versions,
        extension(51, &vector(&share)),
        extension(10, &[0, 2, 0, 29]),
        extension(13, &[0, 2, 8, 7]),
        last.to_vec(),
    ];
    let head = [&[3, 3], &[9; 32][..], &[0]].concat();
    let body = [
        head,
        vector(&suite),
        vec![1, 0],
        vector(&extensions.concat()),
    ];
    messages::handshake(1, &body.concat())
}

/// A handshake message in the clear.
fn in_the_clear(message: &[u8], fragment: usize) -> Vec<u8> {
    let record = |content: &[u8]| [&[22, 3, 3], &vector(content)[..]].concat();
    message.chunks(fragment).flat_map(record).collect()
}

/// A handshake message as the null cipher of TLS 1.3 protects it.
fn protected(message: &[u8], fragment: usize) -> Vec<u8> {
    let record = |content: &[u8]| {
        let body = [content, &[22], &TAG].concat();
        [&[23, 3, 3], &vector(&body)[..]].concat()
    };
    message.chunks(fragment).flat_map(record).collect()
}

#[test]
fn a_client_hello_of_the_shortest_names_stays_within_the_bound() {
    each(|what, version, role, contexts| {
        if role == Side::Client {
            return;
        }
        let contexts = contexts.clone().danger_null_crypto_for_tests();
        let lists = [
            (
                "protocols",
                extension(16, &vector(&[1, b'x'].repeat(32_600))),
            ),
            (
                "authorities",
                extension(47, &vector(&[0, 1, b'x'].repeat(21_700))),
            ),
        ];
        for (list, extension) in lists {
            for fragment in [6, 16_384] {
                let wire = in_the_clear(&client_hello(version, &extension), fragment);
                let (engine, cost) = endure(fresh(role, &contexts), &wire, wire.len());
                let what = format!("{what}: {list} in records of {fragment}");
                assert_eq!(cost.end, Ok(Read::NeedRead), "{what}");
                cost.assert_within(engine.settings(), HANDSHAKE, PER_DECODED_BYTE, &what);
            }
        }
    });
}

/// What a peer sends to an engine of this role until the handshake is complete: its messages in the
/// clear, those that are protected, and for TLS 1.2 the records with which it ends.
struct Flight {
    clear: Vec<u8>,
    hidden: Vec<u8>,
    end: Vec<u8>,
}

impl Flight {
    fn towards(role: Side, contexts: &Contexts) -> Self {
        let mut pair = Pair::of(&contexts.clone().tickets(0));
        pair.handshake();
        let link = pair.link_to(role);
        let (mut clear, mut hidden, mut end) = (Vec::new(), Vec::new(), Vec::new());
        for record in records::split(link.sent()).0 {
            let hides = record.body.ends_with(&TAG);
            match (record.content_type, hides) {
                (ContentType::HANDSHAKE, false) => clear.extend_from_slice(record.body),
                (ContentType::APPLICATION_DATA, true) => {
                    hidden.extend_from_slice(&record.body[..record.body.len() - TAG.len() - 1]);
                }
                (ContentType::HANDSHAKE, true) => {
                    end.extend([20, 3, 3, 0, 1, 1]);
                    end.extend([&[22, 3, 3], &vector(record.body)[..]].concat());
                }
                _ => {} // change_cipher_spec
            }
        }
        Self { clear, hidden, end }
    }

    /// The wire, with these certificates, in records of so many bytes.
    fn with(&self, version: ProtocolVersion, certificates: &[u8], fragment: usize) -> Vec<u8> {
        match version {
            ProtocolVersion::Tls12 => {
                // Keys are chosen behind the first message: its record must end with it.
                let (first, rest) = self.clear.split_at(first_message(&self.clear));
                let rest = with_certificates(rest, certificates);
                let records = [first, &rest].map(|part| in_the_clear(part, fragment));
                [records.concat(), self.end.clone()].concat()
            }
            ProtocolVersion::Tls13 => {
                let hidden = with_certificates(&self.hidden, certificates);
                [
                    in_the_clear(&self.clear, 16_000),
                    protected(&hidden, fragment),
                ]
                .concat()
            }
        }
    }
}

/// Bytes of the first of these messages.
fn first_message(messages: &[u8]) -> usize {
    let length = u32::from_be_bytes([0, messages[1], messages[2], messages[3]]);
    4 + length as usize
}

/// The flight with its Certificate message replaced.
fn with_certificates(messages: &[u8], certificate: &[u8]) -> Vec<u8> {
    let (mut rest, mut flight) = (messages, Vec::new());
    while let [kind, ..] = *rest {
        let (message, behind) = rest.split_at(first_message(rest));
        flight.extend_from_slice(if kind == 11 { certificate } else { message });
        rest = behind;
    }
    flight
}

/// A Certificate message of so many certificates of so many bytes.
fn certificates(version: ProtocolVersion, count: usize, length: u8) -> Vec<u8> {
    let mut entry = vec![0, 0, length];
    entry.resize(3 + usize::from(length), 5);
    if version == ProtocolVersion::Tls13 {
        entry.extend([0, 0]);
    }
    let list = entry.repeat(count);
    let [_, high, middle, low] = u32::try_from(list.len()).unwrap().to_be_bytes();
    let context = match version {
        ProtocolVersion::Tls12 => &[][..],
        ProtocolVersion::Tls13 => &[0],
    };
    messages::handshake(11, &[context, &[high, middle, low], &list].concat())
}

#[test]
fn a_chain_of_the_shortest_certificates_stays_within_the_bound() {
    each(|what, version, role, contexts| {
        let mut contexts = contexts.clone().danger_null_crypto_for_tests();
        if role == Side::Server {
            contexts = contexts.client_auth();
        }
        let flight = Flight::towards(role, &contexts);
        let count = match version {
            ProtocolVersion::Tls12 => 16_380,
            ProtocolVersion::Tls13 => 10_900,
        };
        let chain = certificates(version, count, 1);
        for fragment in [30, 16_000] {
            let wire = flight.with(version, &chain, fragment);
            let (engine, cost) = endure(fresh(role, &contexts), &wire, wire.len());
            let what = format!("{what}: records of {fragment}");
            assert_eq!(cost.end, Ok(Read::NeedRead), "{what}");
            let agreed = engine.negotiated();
            let accepted = agreed.map(|agreed| agreed.peer_certificates().len());
            assert_eq!(accepted, Some(count), "{what}: all of them");
            cost.assert_within(engine.settings(), HANDSHAKE, PER_DECODED_BYTE, &what);
        }
    });
}

#[test]
fn a_flight_in_many_records_is_opened_once_and_hashed_once() {
    each(|what, version, role, contexts| {
        if (version, role) != (ProtocolVersion::Tls13, Side::Client) {
            return;
        }
        let contexts = contexts.clone().danger_null_crypto_for_tests();
        let Flight { clear, hidden, .. } = Flight::towards(role, &contexts);
        let hidden = with_certificates(&hidden, &certificates(version, 250, 200));
        for fragment in [25, 400, 16_000] {
            let sealed = protected(&hidden, fragment);
            let wire = [in_the_clear(&clear, 50), sealed.clone()].concat();
            for piece in [1, 7, wire.len()] {
                let before = NullWork::of_this_thread();
                let (engine, _) = endure(fresh(role, &contexts), &wire, piece);
                let work = NullWork::of_this_thread() - before;
                let what = format!("{what}: records of {fragment} in pieces of {piece}");
                assert!(engine.negotiated().is_some(), "{what}");
                let sealed = records::split(&sealed).0;
                let bodies: usize = sealed.iter().map(|record| record.body.len()).sum();
                assert_eq!(work.records_opened, sealed.len() as u64, "{what}");
                assert_eq!(work.bytes_opened, bodies as u64, "{what}");
                // Every message goes into one transcript; our own and some labels come on top.
                let messages = (clear.len() + hidden.len()) as u64;
                assert!(work.bytes_hashed >= messages, "{what}: {work:?}");
                assert!(work.bytes_hashed <= messages + 2_000, "{what}: {work:?}");
            }
        }
    });
}
