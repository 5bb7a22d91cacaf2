//! `offwire connect` while a connection is being opened: more arrives than the engine's queue holds,
//! and the connection fails while the peer reads, or does not.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod support;

use core::mem;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

use offwire::{
    Alert, Completion, Engine, Error, Handshake, ProtocolVersion, ReadEarlyData, Settings,
};
use offwire_stream::Stream;
use offwire_testkit::messages::handshake;
use offwire_testkit::records::{ContentType, HEADER, split_whole};
use offwire_testkit::{Authority, Contexts, Kind, Usage};

use support::early::{BULK, connect, contexts, noise, peer, read_to_end};
use support::{File, Ran, offwire, run};

/// What the engine's queue holds during a handshake, in bytes: eight times what the program reads at
/// once.
const BOUND: usize = 128 << 10;

/// The length of a server's certificate chain, in bytes: nearly as long as any may be.
const CHAIN: usize = 60_000;

/// How far from the bound a chain ends here, in bytes. What stands behind it in the flight takes more, but not
/// twice as much; what stands before it, twice as much at least.
const MARGIN: usize = 100;

/// What the program says of a flight for which the queue is too small.
const TOO_LARGE: &str = "the peer's handshake exceeds the queue's bound";

/// The queue is full before the flight is whole; once the certificate chain is, it has room for the rest.
#[test]
fn what_finds_no_room_is_taken_in_once_there_is_some() {
    let (address, peer) = listen(|socket| {
        let (mut engine, flight) = first_flight(&socket);
        (&socket).write_all(&cut(&flight, BOUND - MARGIN)).unwrap();
        assert_eq!(engine.handshake().unwrap(), Handshake::NeedRead);
        read_to_end(&mut Stream::from_parts(engine, socket).unwrap())
    });
    run_connect(&address, b"hello").expect(0, "TLS 1.2");
    assert_eq!(peer.join().unwrap(), b"hello");
}

/// The flight is whole, and a part of a record behind it finds no room until it was read.
#[test]
fn a_flight_is_answered_though_what_follows_it_filled_the_queue() {
    let (address, peer) = listen(|mut socket| {
        let (_, flight) = first_flight(&socket);
        let part = [
            &[ContentType::APPLICATION_DATA.0, 3, 3, 0x40, 0][..],
            &[0; 10_000],
        ];
        let wire = [cut(&flight, BOUND - 2 * MARGIN), part.concat()].concat();
        socket.write_all(&wire).unwrap();
        let mut header = [0; HEADER];
        socket.read_exact(&mut header).unwrap();
        socket.shutdown(Shutdown::Write).unwrap();
        socket.read_to_end(&mut Vec::new()).unwrap();
        ContentType(header[0])
    });
    run_connect(&address, b"").expect(6, "during the handshake");
    assert_eq!(peer.join().unwrap(), ContentType::HANDSHAKE);
}

#[test]
fn a_flight_without_end_is_refused() {
    let (address, peer) = listen(flood);
    run_connect(&address, b"").expect(5, TOO_LARGE);
    peer.join().unwrap();
}

/// Both directions are full, and stay it.
#[test]
fn a_peer_that_floods_and_reads_nothing_does_not_hold_the_program() {
    let (_, server) = contexts().build();
    let (address, peer) = peer(server, flood);
    let file = File::new("early.bin", noise(1, BULK));
    connect(&address, &file, b"").expect(5, TOO_LARGE);
    peer.join().unwrap();
}

/// It stands behind early data for which the sockets have no room at first. The program does not end with
/// bytes unread: that would reset the connection, and the alert could be lost with it.
#[test]
fn the_alert_of_a_failed_connection_reaches_a_peer_that_reads() {
    let (_, server) = contexts().build();
    let (address, peer) = peer(server.clone(), move |mut socket| {
        let empty = record(&handshake(2, b""));
        socket.write_all(&empty.repeat(20_000)).unwrap();
        let error = error_behind_early_data(&mut server.accept(), &mut socket);
        assert_eq!(socket.read_to_end(&mut Vec::new()).unwrap(), 0, "not reset");
        error
    });
    let file = File::new("early.bin", noise(1, BULK));
    connect(&address, &file, b"").expect(5, "TLS failed");
    assert_eq!(peer.join().unwrap(), Error::Alert(Alert::DECODE_ERROR));
}

/// A peer to which the program comes once.
fn listen<T: Send + 'static>(
    serve: impl FnOnce(TcpStream) -> T + Send + 'static,
) -> (String, JoinHandle<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("localhost:{}", listener.local_addr().unwrap().port());
    let peer = thread::spawn(move || serve(listener.accept().unwrap().0));
    (address, peer)
}

fn run_connect(address: &str, input: &[u8]) -> Ran {
    let ca = File::new("ca.pem", Authority::shared().pem());
    let args = ["connect", address, "--ca", &ca.text(), "--tls", "1.2"];
    run(&mut offwire(&args), input)
}

/// Reads the ClientHello; returns a server with a long certificate chain, and its first flight.
fn first_flight(mut socket: &TcpStream) -> (Engine, Vec<u8>) {
    let identity = Authority::shared().issue_huge(Kind::EcdsaP256, Usage::Server, CHAIN);
    let contexts = Contexts::new()
        .version(ProtocolVersion::Tls12)
        .server_identity(identity)
        .server_settings(Settings::default().completion(Completion::Sent));
    let mut engine = contexts.build().1.accept();
    let (mut flight, mut hello) = (Vec::new(), [0; 4_096]);
    loop {
        match engine.handshake().unwrap() {
            Handshake::NeedWrite => flight.extend_from_slice(&engine.take_outgoing()),
            Handshake::NeedRead if flight.is_empty() => {
                let arrived = socket.read(&mut hello).unwrap();
                assert_eq!(engine.feed(&hello[..arrived]), arrived);
            }
            Handshake::NeedRead => return (engine, flight),
            Handshake::Complete => panic!("without an answer"),
        }
    }
}

/// Cuts a server's flight: its hello into records of one byte, which leave the queue when it is whole,
/// so that the program's reads do not fill the queue to a byte; the certificate chain into records that
/// take `length` bytes together, within a few; the rest into a record each.
fn cut(flight: &[u8], length: usize) -> Vec<u8> {
    let records = split_whole(flight);
    let mut messages: Vec<_> = records
        .iter()
        .flat_map(|record| record.body)
        .copied()
        .collect();
    let mut next = || {
        let length = u32::from_be_bytes([0, messages[1], messages[2], messages[3]]);
        let rest = messages.split_off(4 + usize::try_from(length).unwrap());
        mem::replace(&mut messages, rest)
    };
    let [hello, chain, key_exchange, done] = [next(), next(), next(), next()];
    assert_eq!(messages, [], "no more is expected");
    let records = (length - chain.len()) / HEADER;
    let (short, longer) = (chain.len() / records, chain.len() % records);
    let (longer, shorter) = chain.split_at(longer * (short + 1));
    let chain = longer.chunks(short + 1).chain(shorter.chunks(short));
    let pieces = hello
        .chunks(1)
        .chain(chain)
        .chain([&key_exchange[..], &done]);
    pieces.flat_map(record).collect()
}

/// A plaintext record of a handshake message, or of a part of one.
fn record(content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    let header = [ContentType::HANDSHAKE.0, 3, 3, length[0], length[1]];
    [&header, content].concat()
}

/// Sends a ServerHello of 65,535 bytes in records of one byte and more such records, as long as they are
/// taken. Reads nothing.
fn flood(mut socket: TcpStream) {
    let header = record(&[2, 0, 0xff, 0xff]);
    let mut sent = socket.write_all(&header);
    while sent.is_ok() {
        sent = socket.write_all(&record(&[0]).repeat(10_000));
    }
}

/// Reads early data up to an error. Sends nothing.
fn error_behind_early_data(engine: &mut Engine, socket: &mut TcpStream) -> Error {
    let (mut plaintext, mut ciphertext) = (vec![0; 17_000], vec![0; 17_000]);
    loop {
        match engine.read_early_data(&mut plaintext) {
            Ok(ReadEarlyData::Read(_)) => {}
            Ok(ReadEarlyData::NeedWrite) => drop(engine.take_outgoing()),
            Ok(ReadEarlyData::NeedRead) => match socket.read(&mut ciphertext).unwrap() {
                0 => engine.feed_eof(),
                arrived => assert_eq!(engine.feed(&ciphertext[..arrived]), arrived),
            },
            Ok(ReadEarlyData::Ended) => panic!("early data was offered"),
            Err(error) => return error,
        }
    }
}
