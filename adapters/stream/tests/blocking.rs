//! Blocking sockets: calls return when they are done, and never ask for readiness.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::io::{self, BufWriter};
use std::net::{TcpListener, TcpStream};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::thread;

use offwire::{Handshake, Read, Shutdown, Write};
use offwire_stream::Stream;
use offwire_testkit::Contexts;

const LEN: usize = 1 << 20;

fn sockets() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (near, listener.accept().unwrap().0)
}

/// Reads to the end; returns how much it was, after checking every byte.
fn read_all<T: io::Read + io::Write>(stream: &mut Stream<T>) -> usize {
    let mut buffer = vec![0; 17_000];
    let mut len = 0;
    loop {
        match stream.read(&mut buffer).unwrap() {
            Read::Read(n) => {
                let expected = (0..=250).cycle().skip(len % 251).take(n);
                assert!(buffer[..n].iter().copied().eq(expected));
                len += n;
            }
            Read::Closed => return len,
            outcome @ (Read::NeedRead | Read::NeedWrite | Read::Truncated) => {
                panic!("{outcome:?} on a blocking socket")
            }
        }
    }
}

fn bytes() -> Vec<u8> {
    (0..=250).cycle().take(LEN).collect()
}

#[test]
fn a_session_over_tcp() {
    for version in [
        offwire::ProtocolVersion::Tls12,
        offwire::ProtocolVersion::Tls13,
    ] {
        let contexts = Contexts::new().version(version);
        let (client, server) = contexts.build();
        let (near, far) = sockets();
        let server = thread::spawn(move || {
            let mut server = Stream::accept(&server, far);
            assert_eq!(read_all(&mut server), LEN);
            assert_eq!(server.write(&bytes()).unwrap(), Write::Written(LEN));
            assert_eq!(server.shutdown().unwrap(), Shutdown::Complete);
        });
        let mut client = Stream::connect(&client, contexts.name(), near).unwrap();
        assert_eq!(client.handshake().unwrap(), Handshake::Complete);
        assert_eq!(client.write(&bytes()).unwrap(), Write::Written(LEN));
        assert_eq!(client.shutdown().unwrap(), Shutdown::Sent);
        assert_eq!(read_all(&mut client), LEN);
        assert_eq!(client.shutdown().unwrap(), Shutdown::Complete);
        server.join().unwrap();
    }
}

/// A transport that sends nothing before it is flushed, or full.
struct Lazy(TcpStream, BufWriter<TcpStream>);

impl io::Read for Lazy {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into)
    }
}

impl io::Write for Lazy {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.1.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.1.flush()
    }
}

#[test]
fn a_transport_that_buffers_is_flushed_before_anyone_waits() {
    let lazy = |socket: TcpStream| Lazy(socket.try_clone().unwrap(), BufWriter::new(socket));
    let contexts = Contexts::new();
    let (client, server) = contexts.build();
    let (near, far) = sockets();
    let server = thread::spawn(move || {
        let mut server = Stream::accept(&server, lazy(far));
        assert_eq!(server.read(&mut [0; 64]).unwrap(), Read::Read(4));
        assert_eq!(server.write(b"pong").unwrap(), Write::Written(4));
        assert_eq!(server.read(&mut [0; 64]).unwrap(), Read::Closed);
        assert_eq!(server.shutdown().unwrap(), Shutdown::Complete);
    });
    let mut client = Stream::connect(&client, contexts.name(), lazy(near)).unwrap();
    assert_eq!(client.write(b"ping").unwrap(), Write::Written(4));
    assert_eq!(client.read(&mut [0; 64]).unwrap(), Read::Read(4));
    assert_eq!(client.shutdown().unwrap(), Shutdown::Sent);
    assert_eq!(client.shutdown().unwrap(), Shutdown::Complete);
    server.join().unwrap();
}

#[test]
#[cfg(unix)]
fn a_time_limit_makes_a_read_say_need_read() {
    let contexts = Contexts::new();
    let (client, server) = contexts.build();
    let (near, far) = UnixStream::pair().unwrap();
    let server = thread::spawn(move || {
        let mut server = Stream::accept(&server, far);
        assert_eq!(server.handshake().unwrap(), Handshake::Complete);
        server
    });
    let mut client = Stream::connect(&client, contexts.name(), near).unwrap();
    assert_eq!(client.handshake().unwrap(), Handshake::Complete);
    let mut server = server.join().unwrap();
    let limit = Some(core::time::Duration::from_millis(20));
    client.transport().set_read_timeout(limit).unwrap();
    assert_eq!(client.read(&mut [0; 64]).unwrap(), Read::NeedRead);
    assert_eq!(server.write(b"late").unwrap(), Write::Written(4));
    assert_eq!(client.read(&mut [0; 64]).unwrap(), Read::Read(4));
}

#[cfg(unix)]
#[test]
fn what_a_peer_sent_before_it_stopped_reading_is_read() {
    let contexts = Contexts::new().version(offwire::ProtocolVersion::Tls13);
    let (client, server) = contexts.build();
    let (mut near, far) = UnixStream::pair().unwrap();
    let mut client = client.connect(contexts.name()).unwrap();
    let mut server = Stream::accept(&server, far);
    let server = thread::spawn(move || read_all(&mut server));
    // A client driven by hand: it receives no more, so that the server's tickets cannot leave,
    // then its last flight, data and close_notify come in one go.
    loop {
        match client.handshake().unwrap() {
            Handshake::Complete => break,
            Handshake::NeedWrite => {
                io::Write::write_all(&mut near, &client.take_outgoing()).unwrap();
            }
            Handshake::NeedRead => {
                let count = io::Read::read(&mut near, client.feed_space()).unwrap();
                client.fed(count).unwrap();
            }
        }
    }
    near.shutdown(std::net::Shutdown::Read).unwrap();
    let mut farewell = client.take_outgoing().to_vec();
    for piece in bytes()[..60_000].chunks(10_000) {
        assert_eq!(client.write(piece), Ok(Write::Written(piece.len())));
        farewell.extend_from_slice(&client.take_outgoing());
    }
    let _ = client.shutdown().unwrap();
    farewell.extend_from_slice(&client.take_outgoing());
    io::Write::write_all(&mut near, &farewell).unwrap();
    assert_eq!(server.join().unwrap(), 60_000);
}
