//! A live connection moved from one loop to another: from a blocking thread to a poll on another
//! thread, in the middle of a write, with plaintext that nobody has read.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

extern crate alloc;

mod support;

use core::time::Duration;
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;

use mio::{Events, Poll, Token};
use offwire::{Engine, Handshake, Read, Shutdown, Write};
use offwire_mio::{Stream, TlsSource};
use offwire_testkit::Contexts;
use support::{VERSIONS, pattern};

/// How long nothing may happen.
const WATCHDOG: Duration = Duration::from_secs(30);

/// More than the buffers of two sockets hold.
const BULK: usize = 4 << 20;

/// Two ends of a connection over loopback with bounded room.
fn sockets() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (far, _) = listener.accept().unwrap();
    for socket in [&near, &far] {
        socket.set_nodelay(true).unwrap();
    }
    #[cfg(unix)]
    for socket in [&near, &far] {
        rustix::net::sockopt::set_socket_send_buffer_size(socket, 1 << 16).unwrap();
        rustix::net::sockopt::set_socket_recv_buffer_size(socket, 1 << 18).unwrap();
    }
    (near, far)
}

/// The first loop: shakes hands over a blocking socket, looks at what the peer says without taking
/// it, begins a write that cannot end, and gives the connection away.
fn begin(mut stream: Stream<TcpStream>) -> (Engine, TcpStream) {
    assert_eq!(stream.handshake().unwrap(), Handshake::Complete);
    assert_eq!(stream.peek(&mut [0; 99]).unwrap(), Read::Read(8));
    stream.transport().set_nonblocking(true).unwrap();
    assert_eq!(stream.write(&pattern(BULK)).unwrap(), Write::NeedWrite);
    stream.into_parts()
}

/// The second loop: reads what was left, ends the write, closes.
fn go_on(engine: Engine, socket: TcpStream) -> Shutdown {
    assert!(engine.committed() > 0 && !engine.outgoing().is_empty());
    assert_eq!(engine.pending(), 8);
    let socket = mio::net::TcpStream::from_std(socket);
    let Ok(stream) = Stream::from_parts(engine, socket) else {
        unreachable!("a stream's engine keeps its contract");
    };
    let mut source = TlsSource::from_stream(stream);
    let (mut poll, mut events) = (Poll::new().unwrap(), Events::with_capacity(8));
    let mut buffer = [0; 99];
    assert_eq!(source.read(&mut buffer).unwrap(), Read::Read(8));
    assert!(buffer.starts_with(b"greeting"));
    source.register(poll.registry(), Token(0)).unwrap();

    let bytes = pattern(BULK); // the same, elsewhere
    let mut written = Write::NeedWrite;
    loop {
        if written != Write::Written(BULK) {
            written = source.write(&bytes).unwrap();
        }
        if written == Write::Written(BULK) {
            match source.shutdown().unwrap() {
                Shutdown::NeedWrite | Shutdown::Sent => {}
                ended @ (Shutdown::Complete | Shutdown::Truncated) => return ended,
            }
        }
        source.reregister(poll.registry(), Token(0)).unwrap();
        poll.poll(&mut events, Some(WATCHDOG)).unwrap();
        assert!(!events.is_empty(), "nothing moves any more");
    }
}

#[test]
fn a_connection_moves_between_loops_in_the_middle_of_a_write() {
    for version in VERSIONS {
        let contexts = Contexts::new().version(version);
        let (client, server) = contexts.build();
        let (near, far) = sockets();
        let (moved, may_read) = mpsc::channel();
        let peer = thread::spawn(move || {
            let mut stream = Stream::accept(&server, far);
            assert_eq!(stream.write(b"greeting").unwrap(), Write::Written(8));
            may_read.recv().unwrap();
            let (mut received, mut buffer) = (Vec::<u8>::new(), vec![0; 1 << 14]);
            while let Read::Read(count) = stream.read(&mut buffer).unwrap() {
                received.extend(buffer.iter().take(count));
            }
            assert_eq!(stream.shutdown().unwrap(), Shutdown::Complete);
            received
        });
        let stream = Stream::connect(&client, contexts.name(), near).unwrap();
        let (engine, socket) = thread::spawn(|| begin(stream)).join().unwrap();
        moved.send(()).unwrap();
        assert_eq!(go_on(engine, socket), Shutdown::Complete);
        assert!(peer.join().unwrap() == pattern(BULK));
    }
}
