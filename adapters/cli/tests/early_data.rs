//! `offwire connect --early-data`: accepted, answered before it was read, and rejected.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod support;

use std::io::Read as _;
use std::net::TcpStream;
use std::sync::mpsc::channel;

use offwire::{
    EarlyDataStatus, HandshakeKind, ReadEarlyData, Server as Context, Write, WriteEarlyData,
};
use offwire_stream::Stream;

use support::early::{
    BULK, connect, connect_watched, contexts, noise, peer, read_early, read_to_end,
};
use support::{File, Server, read_all};

#[test]
fn early_data_is_echoed_whether_it_is_accepted_or_not() {
    let file = File::new("early.txt", "early line\n");
    let path = file.text();
    let early = ["--early-data", &path, "--tls", "1.3"];
    let limit = ["--early-data", &path, "--tls", "1.3", "--reconnect", "1"];

    // Without a session, with one, and with one that permits less than all.
    let server = Server::start(&["--early-data", "1000"]);
    let ran = server
        .connect(&early, b"late line\n")
        .expect(0, "0 bytes of 11 written");
    assert_eq!(ran.text(), "early line\nlate line\n");
    let ran = server.connect(&limit, b"late line\n");
    let ran = ran.expect(0, "early data: 11 bytes of 11 written, accepted");
    assert_eq!(ran.text(), "early line\nlate line\n");
    let server = Server::start(&["--early-data", "4"]);
    let ran = server.connect(&limit, b"late line\n");
    let ran = ran.expect(0, "early data: 4 bytes of 11 written, accepted");
    assert_eq!(ran.text(), "early line\nlate line\n");
    // A server that takes none hands out no session that permits any.
    let server = Server::start(&[]);
    let ran = server.connect(&limit, b"late line\n");
    let ran = ran.expect(0, "since no session permits it");
    assert_eq!(ran.text(), "early line\nlate line\n");
}

/// Writes all of it, before the handshake is complete as far as that goes.
fn answer(stream: &mut Stream<TcpStream>, plaintext: &[u8]) {
    let mut written = 0;
    while written < plaintext.len() {
        match stream.write_early_data(&plaintext[written..]).unwrap() {
            WriteEarlyData::Written(n) => written += n,
            WriteEarlyData::NeedRead | WriteEarlyData::NeedWrite => {}
            WriteEarlyData::Ended(n) => {
                written += n;
                break;
            }
        }
    }
    while let rest @ [_, ..] = &plaintext[written..] {
        match stream.write(rest).unwrap() {
            Write::Written(n) => written += n,
            Write::NeedRead | Write::NeedWrite => {}
        }
    }
}

/// What the program may hold back of what has arrived, in bytes: no more than the engine's queue.
const HELD: usize = 128 << 10;

/// Both directions are full before either side has read all; and what is answered passes the program
/// by before any of the rest is read.
#[test]
fn early_data_is_answered_in_bulk_before_it_is_read() {
    let (early, bulk) = (noise(1, BULK), noise(2, BULK));
    let (_, server) = contexts().build();
    let answered = bulk.clone();
    let (passed, has_passed) = channel();
    let (address, peer) = peer(server.clone(), move |socket| {
        let mut stream = Stream::accept(&server, socket);
        let mut first = vec![0; 17_000];
        loop {
            match stream.read_early_data(&mut first).unwrap() {
                ReadEarlyData::Read(n) => break first.truncate(n),
                ReadEarlyData::NeedRead | ReadEarlyData::NeedWrite => {}
                ReadEarlyData::Ended => panic!("early data is offered"),
            }
        }
        answer(&mut stream, &answered);
        has_passed.recv().unwrap();
        let rest = [read_early(&mut stream), read_to_end(&mut stream)].concat();
        (stream.engine().early_data(), [first, rest].concat())
    });
    let file = File::new("early.bin", &early);
    let ran = connect_watched(&address, &file, b"the end", move |mut stdout| {
        let mut most = vec![0; BULK - HELD];
        stdout.read_exact(&mut most).unwrap();
        passed.send(()).unwrap();
        [most, read_all(stdout)].concat()
    });
    let ran = ran.expect(0, "written, accepted");
    assert!(ran.stdout == bulk, "{} bytes came back", ran.stdout.len());
    let (status, received) = peer.join().unwrap();
    assert_eq!(status, EarlyDataStatus::Accepted);
    let sent = [&early[..], b"the end"].concat();
    assert!(received == sent, "{} bytes arrived", received.len());
}

/// A server that has lost the session, and one that knows it and takes no early data any more.
#[test]
fn rejected_early_data_is_sent_again() {
    let contexts = contexts();
    let mut config = contexts.server_config();
    let (_, stranger) = contexts.build();
    let taking = Context::new(config.clone()).with_settings(stranger.settings());
    config.max_early_data_size = 0;
    let declining = Context::new(config).with_settings(stranger.settings());
    for (second, kind) in [
        (stranger, HandshakeKind::Full),
        (declining, HandshakeKind::Resumed),
    ] {
        let (address, peer) = peer(taking.clone(), move |socket| {
            let mut stream = Stream::accept(&second, socket);
            assert_eq!(read_early(&mut stream), b"");
            assert_eq!(stream.engine().early_data(), EarlyDataStatus::Rejected);
            let received = read_to_end(&mut stream);
            let kind = stream.engine().negotiated().map(|facts| facts.kind());
            (kind, received)
        });
        let file = File::new("early.txt", "early line\n");
        let ran = connect(&address, &file, b"late line\n");
        let ran = ran.expect(0, "early data: 11 bytes of 11 written, rejected: they are");
        assert!(
            ran.stderr
                .contains("    Early data                      rejected\n")
        );
        let (kind_there, received) = peer.join().unwrap();
        assert_eq!(kind_there, Some(kind));
        assert_eq!(received, b"early line\nlate line\n");
    }
}
