//! Early data that a server rejects is skipped, whichever way its bytes are cut: a client may hold
//! a ticket of a server that took early data.

extern crate alloc;

use alloc::sync::Arc;
use std::io::{Read as _, Write as _};

use offwire::rustls::server::{ProducesTickets, ServerSessionMemoryCache};
use offwire::rustls::{ClientConnection, ServerConnection};
use offwire::{Engine, ProtocolVersion, Read};
use offwire_testkit::Contexts;

/// No tickets: sessions are kept by the server, which early data needs in rustls.
#[derive(Debug)]
struct Stateful;

impl ProducesTickets for Stateful {
    fn enabled(&self) -> bool {
        false
    }

    fn lifetime(&self) -> u32 {
        0
    }

    fn encrypt(&self, _: &[u8]) -> Option<Vec<u8>> {
        None
    }

    fn decrypt(&self, _: &[u8]) -> Option<Vec<u8>> {
        None
    }
}

/// What the client has to send.
fn flight(client: &mut ClientConnection) -> Vec<u8> {
    let mut bytes = Vec::new();
    while client.wants_write() {
        client.write_tls(&mut bytes).expect("memory takes all");
    }
    bytes
}

fn receive(client: &mut ClientConnection, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        client.read_tls(&mut bytes).expect("memory has bytes");
        client.process_new_packets().expect("the client goes on");
    }
}

/// A client with a ticket for early data, and its first flight with that data.
fn early_client(contexts: &Contexts, length: usize, record: usize) -> (ClientConnection, Vec<u8>) {
    let mut server = contexts.server_config();
    server.max_early_data_size = 1 << 16;
    server.session_storage = ServerSessionMemoryCache::new(9);
    server.ticketer = Arc::new(Stateful);
    let mut client = contexts.client_config();
    client.enable_early_data = true;
    client.max_fragment_size = Some(record);
    let client = Arc::new(client);

    let mut first = ClientConnection::new(Arc::clone(&client), contexts.name()).expect("a client");
    let mut server = ServerConnection::new(Arc::new(server)).expect("a server");
    for _ in 0..4 {
        let bytes = flight(&mut first);
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            server.read_tls(&mut rest).expect("memory has bytes");
            server.process_new_packets().expect("the server goes on");
        }
        let mut bytes = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut bytes).expect("memory takes all");
        }
        receive(&mut first, &bytes);
    }

    let mut second = ClientConnection::new(client, contexts.name()).expect("a client");
    let mut early = second.early_data().expect("the ticket permits early data");
    assert_eq!(
        early.write(&vec![7; length]).expect("within the limit"),
        length
    );
    let bytes = flight(&mut second);
    (second, bytes)
}

/// Feeds bytes in pieces and gives the client all that the server answers.
fn feed(server: &mut Engine, client: &mut ClientConnection, bytes: &[u8], piece: usize) {
    for piece in bytes.chunks(piece) {
        assert_eq!(server.feed(piece), piece.len());
        let _ = server.handshake().expect("early data is skipped");
        receive(client, &server.take_outgoing());
    }
}

#[test]
fn rejected_early_data_is_skipped_however_it_is_cut() {
    let contexts = Contexts::new().version(ProtocolVersion::Tls13);
    for (length, record) in [
        (50, 16_389),
        (8_000, 16_389),
        (10_000, 1_005),
        (10_000, 305),
    ] {
        for piece in [1, 100, 1_400, usize::MAX] {
            let (mut client, bytes) = early_client(&contexts, length, record);
            let mut server = contexts.build().1.accept();
            feed(&mut server, &mut client, &bytes, piece);
            let bytes = flight(&mut client);
            feed(&mut server, &mut client, &bytes, piece);
            assert!(server.negotiated().is_some(), "{length} {record} {piece}");
            assert!(!client.is_early_data_accepted());

            client
                .writer()
                .write_all(b"late")
                .expect("a little is buffered");
            let bytes = flight(&mut client);
            feed(&mut server, &mut client, &bytes, piece);
            let mut into = [0; 100];
            assert_eq!(
                server.read(&mut into),
                Ok(Read::Read(4)),
                "{length} {record} {piece}"
            );
            assert_eq!(&into[..4], b"late");
            assert_eq!(server.write(b"answer"), Ok(offwire::Write::Written(6)));
            receive(&mut client, &server.take_outgoing());
            let mut into = [0; 100];
            assert_eq!(client.reader().read(&mut into).expect("data came"), 6);
        }
    }
}

#[test]
fn more_than_the_limit_is_refused_and_not_skipped_for_ever() {
    let contexts = Contexts::new().version(ProtocolVersion::Tls13);
    let (mut client, bytes) = early_client(&contexts, 40_000, 16_389);
    let mut server = contexts.build().1.accept();
    server.feed(&bytes);
    while let Ok(offwire::Handshake::NeedWrite) = server.handshake() {
        drop(server.take_outgoing());
    }
    assert!(server.handshake().is_err());
    drop(flight(&mut client));
}
