//! Early data of `offwire connect`: the program, which comes twice, and whom it comes to.

use std::net::{TcpListener, TcpStream};
use std::process::ChildStdout;
use std::thread::{self, JoinHandle};

use offwire::{Handshake, ProtocolVersion, Read, ReadEarlyData, Server, Shutdown};
use offwire_stream::Stream;
use offwire_testkit::{Authority, Contexts, Random};

use super::{File, Ran, offwire, read_all, run_watched};

/// More than the buffers of two sockets hold, in bytes.
pub(crate) const BULK: usize = 24 << 20;

/// As much early data as is ever permitted here, in bytes.
const LIMIT: u32 = 1 << 26;

pub(crate) fn contexts() -> Contexts {
    Contexts::new()
        .version(ProtocolVersion::Tls13)
        .danger_early_data(LIMIT)
        .half_rtt()
}

/// Whom the program's connections come to: the first, for a session, then the second, which `serve`
/// does all of.
pub(crate) fn peer<T: Send + 'static>(
    first: Server,
    serve: impl FnOnce(TcpStream) -> T + Send + 'static,
) -> (String, JoinHandle<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("localhost:{}", listener.local_addr().unwrap().port());
    let peer = thread::spawn(move || {
        let mut stream = Stream::accept(&first, listener.accept().unwrap().0);
        assert_eq!(read_early(&mut stream), b"");
        assert_eq!(read_to_end(&mut stream), b"");
        serve(listener.accept().unwrap().0)
    });
    (address, peer)
}

/// Reads what is early; the handshake may be complete then.
pub(crate) fn read_early(stream: &mut Stream<TcpStream>) -> Vec<u8> {
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
pub(crate) fn read_to_end(stream: &mut Stream<TcpStream>) -> Vec<u8> {
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

/// Runs `offwire connect` with one connection before, for a session.
pub(crate) fn connect(address: &str, file: &File, input: &[u8]) -> Ran {
    connect_watched(address, file, input, read_all)
}

/// As [`connect`], but what stands on stdout is read to its end by `watch`.
pub(crate) fn connect_watched(
    address: &str,
    file: &File,
    input: &[u8],
    watch: impl FnOnce(ChildStdout) -> Vec<u8> + Send + 'static,
) -> Ran {
    let ca = File::new("ca.pem", Authority::shared().pem());
    let args = ["connect", address, "--ca", &ca.text(), "--reconnect", "1"];
    let early = ["--show", "--early-data", &file.text()];
    run_watched(&mut offwire(&[&args[..], &early].concat()), input, watch)
}

pub(crate) fn noise(seed: u64, len: usize) -> Vec<u8> {
    Random::new(seed).bytes(len)
}
