//! Early data over sockets and over a transport that buffers: accepted, rejected, answered early.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::io::{self, BufWriter};
use std::net::{TcpListener, TcpStream};
use std::thread;

use offwire::{EarlyDataStatus, Handshake, Read, ReadEarlyData, Server, Write, WriteEarlyData};
use offwire_stream::Stream;
use offwire_testkit::Contexts;

/// Longer than the queues and than a socket's buffer: the server must read while it is written.
const LEN: usize = 3 << 20;

fn contexts() -> Contexts {
    Contexts::new().danger_early_data(16 << 20).half_rtt()
}

fn sockets() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (near, listener.accept().unwrap().0)
}

/// A transport that keeps what is not flushed.
struct Buffered(TcpStream, BufWriter<TcpStream>);

impl io::Read for Buffered {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into)
    }
}

impl io::Write for Buffered {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.1.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.1.flush()
    }
}

fn buffered(socket: TcpStream) -> Buffered {
    let writer = BufWriter::with_capacity(100_000, socket.try_clone().unwrap());
    Buffered(socket, writer)
}

fn bytes() -> Vec<u8> {
    (0..=250).cycle().take(LEN).collect()
}

/// A server that reads early data, answers it before the client is done if it came, then reads so
/// many bytes more.
fn serve(server: &Server, socket: TcpStream, missing: usize) -> (Vec<u8>, Vec<u8>) {
    let mut stream = Stream::accept(server, buffered(socket));
    let (mut early, mut late) = (Vec::new(), Vec::new());
    let mut buffer = vec![0; 17_000];
    loop {
        match stream.read_early_data(&mut buffer).unwrap() {
            ReadEarlyData::Read(n) => {
                if early.is_empty() {
                    let answer = stream.write_early_data(b"half-RTT").unwrap();
                    assert_eq!(answer, WriteEarlyData::Written(8));
                }
                early.extend_from_slice(&buffer[..n]);
            }
            ReadEarlyData::Ended => break,
            wait @ (ReadEarlyData::NeedRead | ReadEarlyData::NeedWrite) => panic!("{wait:?}"),
        }
    }
    while early.len() + late.len() < missing {
        match stream.read(&mut buffer).unwrap() {
            Read::Read(n) => late.extend_from_slice(&buffer[..n]),
            end @ (Read::NeedRead | Read::NeedWrite | Read::Closed | Read::Truncated) => {
                panic!("{end:?}")
            }
        }
    }
    assert_eq!(stream.write(b"done").unwrap(), Write::Written(4));
    (early, late)
}

/// Reads so many bytes.
fn read<T: io::Read + io::Write>(stream: &mut Stream<T>, len: usize) -> Vec<u8> {
    let mut buffer = vec![0; len];
    let mut count = 0;
    while count < len {
        match stream.read(&mut buffer[count..]).unwrap() {
            Read::Read(n) => count += n,
            end @ (Read::NeedRead | Read::NeedWrite | Read::Closed | Read::Truncated) => {
                panic!("{end:?}")
            }
        }
    }
    buffer
}

#[test]
fn early_data_is_accepted_or_written_again_over_blocking_transports() {
    let contexts = contexts();
    let (client, known) = contexts.build();
    let stranger = contexts.build().1;

    // The first connection brings the tickets.
    let (near, far) = sockets();
    let server = known.clone();
    let serving = thread::spawn(move || serve(&server, far, 1));
    let mut stream = Stream::connect(&client, contexts.name(), buffered(near)).unwrap();
    let ended = stream.write_early_data(b"?").unwrap();
    assert_eq!(ended, WriteEarlyData::Ended(0), "no session");
    assert_eq!(stream.write(b"?").unwrap(), Write::Written(1));
    assert_eq!(read(&mut stream, 4), b"done");
    assert_eq!(serving.join().unwrap(), (vec![], b"?".to_vec()));

    for (server, status) in [
        (known, EarlyDataStatus::Accepted),
        (stranger, EarlyDataStatus::Rejected),
    ] {
        let (near, far) = sockets();
        let serving = thread::spawn(move || serve(&server, far, LEN));
        let mut stream = Stream::connect(&client, contexts.name(), buffered(near)).unwrap();
        let written = stream.write_early_data(&bytes()).unwrap();
        assert_eq!(written, WriteEarlyData::Written(LEN));
        assert_eq!(stream.handshake().unwrap(), Handshake::Complete);
        assert_eq!(stream.engine().early_data(), status);
        let rejected = stream.rejected_early_data();
        let (early, late) = match status {
            EarlyDataStatus::Rejected => {
                assert_eq!(rejected, LEN);
                assert_eq!(stream.write(&bytes()).unwrap(), Write::Written(LEN));
                (vec![], bytes())
            }
            EarlyDataStatus::NotOffered | EarlyDataStatus::Offered | EarlyDataStatus::Accepted => {
                assert_eq!(rejected, 0);
                assert_eq!(read(&mut stream, 8), b"half-RTT");
                (bytes(), vec![])
            }
        };
        assert_eq!(read(&mut stream, 4), b"done");
        assert!(serving.join().unwrap() == (early, late), "{status:?}");
    }
}
