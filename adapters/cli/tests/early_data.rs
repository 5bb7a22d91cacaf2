//! `offwire connect --early-data`: accepted, answered before it was read, and rejected.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod support;

use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

use offwire::{
    EarlyDataStatus, Handshake, HandshakeKind, ProtocolVersion, Read, ReadEarlyData, Shutdown,
    Write, WriteEarlyData,
};
use offwire_stream::Stream;
use offwire_testkit::{Authority, Contexts};

use support::{File, Ran, Server, offwire, run};

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

/// More than the buffers of two sockets hold, in bytes.
const BULK: usize = 24 << 20;

/// As much early data as is ever permitted here, in bytes.
const LIMIT: u32 = 1 << 26;

fn contexts() -> Contexts {
    Contexts::new()
        .version(ProtocolVersion::Tls13)
        .danger_early_data(LIMIT)
        .half_rtt()
}

/// Whom the peer's connections come to: the first, for a session, then the second, which `serve`
/// does the rest of.
fn peer<T: Send + 'static>(
    [first, second]: [offwire::Server; 2],
    serve: impl FnOnce(Stream<TcpStream>) -> T + Send + 'static,
) -> (String, JoinHandle<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("localhost:{}", listener.local_addr().unwrap().port());
    let peer = thread::spawn(move || {
        let mut stream = Stream::accept(&first, listener.accept().unwrap().0);
        assert_eq!(read_early(&mut stream), b"");
        assert_eq!(read_to_end(&mut stream), b"");
        serve(Stream::accept(&second, listener.accept().unwrap().0))
    });
    (address, peer)
}

/// Reads what is early; the handshake may be complete then.
fn read_early(stream: &mut Stream<TcpStream>) -> Vec<u8> {
    let (mut early, mut buffer) = (Vec::new(), vec![0; 17_000]);
    loop {
        match stream.read_early_data(&mut buffer).unwrap() {
            ReadEarlyData::Read(n) => early.extend_from_slice(&buffer[..n]),
            ReadEarlyData::NeedRead | ReadEarlyData::NeedWrite => {}
            ReadEarlyData::Ended => return early,
        }
    }
}

/// Reads up to the client's close_notify and closes, too.
fn read_to_end(stream: &mut Stream<TcpStream>) -> Vec<u8> {
    while stream.handshake().unwrap() != Handshake::Complete {}
    let (mut received, mut buffer) = (Vec::new(), vec![0; 17_000]);
    loop {
        match stream.read(&mut buffer).unwrap() {
            Read::Read(n) => received.extend_from_slice(&buffer[..n]),
            Read::NeedRead | Read::NeedWrite => {}
            Read::Closed => break,
            Read::Truncated => panic!("truncated after {} bytes", received.len()),
        }
    }
    while stream.shutdown().unwrap() != Shutdown::Complete {}
    received
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

/// Runs `offwire connect` with one connection before, for a session.
fn connect(address: &str, file: &File, input: &[u8]) -> Ran {
    let ca = File::new("ca.pem", Authority::shared().pem());
    let args = ["connect", address, "--ca", &ca.text(), "--reconnect", "1"];
    let early = ["--show", "--early-data", &file.text()];
    run(&mut offwire(&[&args[..], &early].concat()), input)
}

fn noise(seed: u64, len: usize) -> Vec<u8> {
    offwire_testkit::Random::new(seed).bytes(len)
}

/// Both directions are full before either side has read all.
#[test]
fn early_data_is_answered_in_bulk_before_it_is_read() {
    let (early, bulk) = (noise(1, BULK), noise(2, BULK));
    let (_, server) = contexts().build();
    let answered = bulk.clone();
    let (address, peer) = peer([server.clone(), server], move |mut stream| {
        let mut first = vec![0; 17_000];
        loop {
            match stream.read_early_data(&mut first).unwrap() {
                ReadEarlyData::Read(n) => break first.truncate(n),
                ReadEarlyData::NeedRead | ReadEarlyData::NeedWrite => {}
                ReadEarlyData::Ended => panic!("early data is offered"),
            }
        }
        answer(&mut stream, &answered);
        let rest = [read_early(&mut stream), read_to_end(&mut stream)].concat();
        (stream.engine().early_data(), [first, rest].concat())
    });
    let file = File::new("early.bin", &early);
    let ran = connect(&address, &file, b"the end").expect(0, "written, accepted");
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
    let taking = offwire::Server::new(config.clone()).with_settings(stranger.settings());
    config.max_early_data_size = 0;
    let declining = offwire::Server::new(config).with_settings(stranger.settings());
    for (second, kind) in [
        (stranger, HandshakeKind::Full),
        (declining, HandshakeKind::Resumed),
    ] {
        let (address, peer) = peer([taking.clone(), second], |mut stream| {
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
