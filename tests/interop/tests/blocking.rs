//! `TlsStream` of `offwire-blocking`, both roles, and OpenSSL's programs.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use core::net::Ipv4Addr;
use core::time::Duration;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Instant;

use offwire::{Error, KeyUpdate, ProtocolVersion};
use offwire_blocking::{CloseNotify, TlsStream, tls_error};
use offwire_interop::{
    ANY_PORT, ESTABLISHED, Openssl, PATIENCE, Process, VERSIONS, Worker, payload, start_server,
    start_silent_server,
};
use offwire_testkit::{Authority, Contexts, Kind, Usage};

type Stream = TlsStream<TcpStream>;

fn patient(socket: TcpStream) -> TcpStream {
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.set_write_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// Our client, connected to an `s_server` whose stdin and stdout are the test's.
fn client(openssl: &Openssl, version: ProtocolVersion) -> (Process, Stream) {
    let (process, address) = openssl.start_server(version, &["-msg"]);
    let socket = patient(TcpStream::connect(address).unwrap());
    let contexts = Contexts::new().version(version);
    let stream = TlsStream::connect(&contexts.build().0, contexts.name(), socket).unwrap();
    process.expect(ESTABLISHED);
    (process, stream)
}

/// Our server, connected to an `s_client`.
fn server(openssl: &Openssl, version: ProtocolVersion) -> (Process, Stream) {
    let (_, server) = Contexts::new().version(version).build();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let process = Process::start(openssl.client(version, address).arg("-msg"));
    let accepting = Worker::start("accepting s_client", move || {
        TlsStream::accept(&server, patient(listener.accept().unwrap().0)).unwrap()
    });
    (process, accepting.finish())
}

/// Every combination of role and version.
fn in_every_role(test: impl Fn(ProtocolVersion, Process, Stream)) {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    for version in VERSIONS {
        for connect in [client, server] {
            let (process, stream) = connect(&openssl, version);
            test(version, process, stream);
        }
    }
}

fn expect(stream: &mut impl Read, expected: &[u8]) {
    let mut received = vec![0; expected.len()];
    stream.read_exact(&mut received).unwrap();
    assert!(received == expected, "{}", received.escape_ascii());
}

#[test]
fn lines_pass_both_ways_and_both_sides_close() {
    in_every_role(|_, mut openssl, mut stream| {
        stream.write_all(b"a line of ours\n").unwrap();
        openssl.expect("a line of ours\n");
        openssl.say("a line of theirs\n");
        expect(&mut stream, b"a line of theirs\n");
        let closed = stream.shutdown(CloseNotify::Both).unwrap();
        assert_eq!(closed, CloseNotify::Both);
        assert_eq!(stream.read(&mut [0; 9]).unwrap(), 0);
    });
}

#[test]
fn a_killed_peer_is_a_truncation() {
    in_every_role(|version, mut openssl, mut stream| {
        stream.write_all(b"all that there is\n").unwrap();
        openssl.expect("all that there is\n");
        openssl.say("the last words\n");
        expect(&mut stream, b"the last words\n");
        openssl.kill();
        let error = stream.read(&mut [0; 9]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{version}");
    });
}

#[test]
fn a_time_limit_strikes_and_nothing_is_lost() {
    in_every_role(|_, mut openssl, mut stream| {
        let limit = Some(Duration::from_millis(5));
        stream.transport().set_read_timeout(limit).unwrap();
        let line = b"a line that comes late\n";
        let (mut received, mut strikes) = (Vec::new(), 0);
        let mut buffer = [0; 100];
        while received.len() < line.len() {
            match stream.read(&mut buffer) {
                Ok(0) => panic!("the peer does not close"),
                Ok(n) => received.extend_from_slice(&buffer[..n]),
                Err(error) => {
                    assert_eq!(error.kind(), io::ErrorKind::WouldBlock, "{error}");
                    strikes += 1;
                    if strikes == 3 {
                        openssl.say("a line that comes late\n");
                    }
                }
            }
        }
        assert_eq!(received, line);
        stream.transport().set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(b"it came\n").unwrap();
        openssl.expect("it came\n");
        openssl.say("what follows\n");
        expect(&mut stream, b"what follows\n");
    });
}

#[test]
fn two_threads_and_key_updates_of_the_peer() {
    in_every_role(|version, mut openssl, stream| {
        let (mut reader, mut writer) = stream.split().unwrap();
        for round in 0..3 {
            if version == ProtocolVersion::Tls13 {
                openssl.say("K\n");
                openssl.expect(">>> TLS 1.3, Handshake [length 0005], KeyUpdate");
                let ask = |engine: &mut offwire::Engine| engine.key_update(KeyUpdate::Ours);
                reader.with_engine(ask).unwrap().unwrap();
            }
            let line = format!("line {round} of theirs\n");
            openssl.say(&line);
            let reading = Worker::start("reading", move || {
                expect(&mut reader, line.as_bytes());
                reader
            });
            let line = format!("line {round} of ours\n");
            writer.write_all(line.as_bytes()).unwrap();
            openssl.expect(&line);
            reader = reading.finish();
        }
        writer.shutdown().unwrap();
        assert_eq!(reader.read(&mut [0; 9]).unwrap(), 0);
    });
}

#[test]
fn bulk_both_ways_under_short_time_limits() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    for version in VERSIONS {
        let (mut process, stdout, socket) = start_silent_server(|address| {
            let mut command = openssl.server(version, address);
            command.args(["-quiet", "-naccept", "1"]);
            command
        });
        let limit = Some(Duration::from_millis(2));
        socket.set_read_timeout(limit).unwrap();
        socket.set_write_timeout(limit).unwrap();
        let contexts = Contexts::new().version(version);
        let client = contexts.build().0;
        let mut stream = TlsStream::connect_lazy(&client, contexts.name(), socket).unwrap();
        let draining = Worker::start("reading s_server's stdout", move || payload::drain(stdout));
        let sent = payload::pour(5, |chunk| again(chunk, |rest| stream.write(rest))).unwrap();
        again(&[0], |_| stream.flush().map(|()| 1)).unwrap();
        assert_eq!(draining.finish().unwrap(), sent, "{version}");

        let mut stdin = process.take_stdin();
        let pouring = Worker::start("filling s_server's stdin", move || {
            let sent = payload::pour(6, |chunk| stdin.write_all(chunk));
            (sent.unwrap(), stdin) // not closed before the end
        });
        let mut sink = payload::Sink::new();
        let mut buffer = [0; 16_385];
        while !sink.is_full() {
            again(&[0], |_| {
                let n = stream.read(&mut buffer)?;
                sink.take(&buffer[..n]);
                Ok(1)
            })
            .unwrap();
        }
        let (sent, _stdin) = pouring.finish();
        assert_eq!(sink.summary(), sent, "{version}");
    }
}

/// Repeats a call until it has worked off all of `bytes`, however often its time limit strikes.
fn again(mut bytes: &[u8], mut call: impl FnMut(&[u8]) -> io::Result<usize>) -> io::Result<()> {
    let end = Instant::now() + PATIENCE;
    while !bytes.is_empty() {
        match call(bytes) {
            Ok(n) => bytes = &bytes[n..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                assert!(Instant::now() < end, "nothing moves");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[test]
fn a_certificate_of_a_stranger_is_refused_with_its_error_inside() {
    let Some(openssl) = Openssl::find() else {
        return;
    };
    let stranger = Authority::new().issue(Kind::EcdsaP256, Usage::Server);
    for version in VERSIONS {
        let mut command = openssl.server_as(&stranger, version, ANY_PORT);
        let (process, address) = start_server(&mut command);
        let contexts = Contexts::new().version(version);
        let socket = patient(TcpStream::connect(address).unwrap());
        let stream = TlsStream::connect(&contexts.build().0, contexts.name(), socket);
        let error = stream.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert!(matches!(tls_error(&error), Some(Error::Certificate(_))));
        process.expect("alert unknown ca");
    }
}
