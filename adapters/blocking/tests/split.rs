//! Two threads on each side: bulk both ways through the smallest buffers never stalls, and what the
//! reader owes the peer leaves.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

extern crate alloc;

mod support;

use std::io::{ErrorKind, IoSlice, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::channel;
use std::thread;

use offwire::{Alert, Error, KeyUpdate, ProtocolVersion, Settings};
use offwire_blocking::{Divide, ReadHalf, TlsStream, WriteHalf, tls_error};
use offwire_testkit::Contexts;

use support::VERSIONS;
use support::duplex::{Watched, drain, pour};
use support::pipe::transports;

const BULK: usize = 64 << 20;

type Halves<T> = (ReadHalf<T>, WriteHalf<T>);

/// Both ends of a connection, divided.
fn halves<T: Divide + Read + Write + Send + 'static>(
    contexts: &Contexts,
    (near, far): (T, T),
) -> (Halves<T>, Halves<T>)
where
    T::Reader: Send,
    T::Writer: Send,
{
    let (client, server) = contexts.build();
    let accepting = thread::spawn(move || TlsStream::accept(&server, far).unwrap().split());
    let client = TlsStream::connect_lazy(&client, contexts.name(), near).unwrap();
    let client = client.split().unwrap(); // which completes the handshake
    (client, accepting.join().unwrap().unwrap())
}

fn smallest(version: ProtocolVersion) -> Contexts {
    let settings = Settings::default().outgoing_limit(0).incoming_limit(0);
    // Without tickets, which a server would have to get rid of before anyone reads.
    let contexts = Contexts::new().version(version).tickets(0);
    contexts.settings(settings)
}

fn sockets() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (near, listener.accept().unwrap().0)
}

/// So much both ways at once, then close_notify both ways.
fn bulk<T: Divide + 'static>(len: usize, (client, server): (Halves<T>, Halves<T>))
where
    T::Reader: Send,
    T::Writer: Send,
{
    let mut watched = Watched::new();
    let pieces = [(len, 16_385), (len + 1, 10_000)];
    let [up, down] = pieces;
    watched.spawn("client's writer", move |on| pour(client.1, up, &on));
    watched.spawn("client's reader", move |on| {
        drop(drain(client.0, down, &on))
    });
    watched.spawn("server's writer", move |on| pour(server.1, down, &on));
    watched.spawn("server's reader", move |on| drop(drain(server.0, up, &on)));
    watched.finish();
}

#[test]
fn bulk_both_ways_over_sockets() {
    for version in VERSIONS {
        bulk(BULK, halves(&smallest(version), sockets()));
    }
}

#[test]
fn bulk_both_ways_through_small_pipes() {
    for version in VERSIONS {
        bulk(BULK, halves(&smallest(version), transports(4_096)));
    }
}

#[test]
fn both_ways_through_pipes_of_a_few_bytes() {
    for version in VERSIONS {
        // Six bytes at least: in the handshake of TLS 1.3 both sides may write at once, the client
        // no more than its ChangeCipherSpec.
        for capacity in [6, 7, 100] {
            let len = 10_000 * capacity.min(10);
            bulk(len, halves(&smallest(version), transports(capacity)));
        }
    }
}

#[test]
fn key_updates_in_the_middle_of_bulk_are_answered() {
    let contexts = smallest(ProtocolVersion::Tls13);
    let (client, server) = halves(&contexts, transports(1_000));
    let mut watched = Watched::new();
    let (asked, ask) = channel();
    for (names, (mut reader, writer)) in [(["cw", "cr"], client), (["sw", "sr"], server)] {
        let asked = asked.clone();
        watched.spawn(names[0], move |on| pour(writer, (4 << 20, 9_999), &on));
        watched.spawn(names[1], move |on| {
            // From the reader's thread, while the other half writes.
            let update = |engine: &mut offwire::Engine| engine.key_update(KeyUpdate::Both);
            reader.read_exact(&mut [0; 251]).unwrap();
            reader.with_engine(update).unwrap().unwrap();
            let reader = drain(reader, ((4 << 20) - 251, 16_385), &on);
            asked.send(reader).unwrap();
        });
    }
    watched.finish();
    // Only now has whoever writes certainly written behind the request.
    for reader in [ask.recv().unwrap(), ask.recv().unwrap()] {
        let stats = reader.with_engine(|engine| engine.stats()).unwrap();
        assert!(stats.key_updates_sealed >= 1, "{stats:?}");
        assert!(stats.key_updates_received >= 1, "{stats:?}");
    }
}

#[test]
fn a_slow_reader_holds_a_fast_writer_and_nothing_else() {
    for version in VERSIONS {
        let (client, server) = halves(&smallest(version), transports(64));
        let (mut reader, mut writer) = client;
        let (mut far_reader, mut far_writer) = server;
        let mut watched = Watched::new();
        let (go, gone) = channel();
        watched.spawn("fast writer", move |on| {
            writer.write_all(&support::pattern(100_000)).unwrap();
            on.moved(1);
            writer.shutdown().unwrap();
        });
        watched.spawn("the other direction", move |on| {
            // While the writer above cannot go on: nobody reads it yet.
            far_writer.write_all(&support::pattern(50_000)).unwrap();
            far_writer.shutdown().unwrap();
            on.moved(1);
        });
        watched.spawn("its reader", move |on| {
            let mut received = Vec::new();
            reader.read_to_end(&mut received).unwrap();
            assert!(received == support::pattern(50_000));
            on.moved(1);
            go.send(()).unwrap();
        });
        watched.spawn("slow reader", move |on| {
            gone.recv().unwrap();
            let mut received = Vec::new();
            let mut byte = [0];
            while far_reader.read(&mut byte).unwrap() == 1 {
                received.push(byte[0]);
                on.moved(1);
            }
            assert!(received == support::pattern(100_000));
        });
        watched.finish();
    }
}

#[test]
fn the_reader_sends_the_alert_while_the_writer_is_idle() {
    for version in VERSIONS {
        let ((mut reader, mut writer), (far_reader, far_writer)) =
            halves(&smallest(version), sockets());
        // Bytes of a third party: the far engine never sealed them.
        (&**far_reader.transport())
            .write_all(
                &[23, 3, 3, 0, 40]
                    .into_iter()
                    .chain([0; 40])
                    .collect::<Vec<u8>>(),
            )
            .unwrap();
        let error = reader.read(&mut [0; 10]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        let sent = tls_error(&error).unwrap().alert();
        assert_eq!(sent, Some(Alert::BAD_RECORD_MAC));
        // Nobody has called the writer yet. The limit is for the case that no alert comes.
        let mut far = (far_reader, far_writer);
        let limit = Some(core::time::Duration::from_secs(60));
        far.0.transport().set_read_timeout(limit).unwrap();
        let error = far.0.read(&mut [0; 10]).unwrap_err();
        let alert = Error::Alert(Alert::BAD_RECORD_MAC);
        assert_eq!(tls_error(&error), Some(&alert));
        assert_eq!(tls_error(&far.1.write(b"x").unwrap_err()), Some(&alert));
        // The writer knows as well.
        let error = writer.write(b"more").unwrap_err();
        assert_eq!(tls_error(&error).unwrap().alert(), sent);
    }
}

#[test]
fn either_half_outlives_the_other() {
    for version in VERSIONS {
        let ((reader, mut writer), (mut far_reader, far_writer)) =
            halves(&smallest(version), transports(100_000));
        drop((reader, far_writer));
        writer.write_all(b"one way").unwrap();
        let mut buffer = [0; 7];
        far_reader.read_exact(&mut buffer).unwrap();
        assert_eq!(&buffer, b"one way");
        writer.shutdown().unwrap();
        assert_eq!(far_reader.read(&mut buffer).unwrap(), 0);
        let error = writer.write(b"more").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
        drop((writer, far_reader));
    }
}

#[test]
fn dropping_both_halves_is_a_truncation() {
    for version in VERSIONS {
        let (near, (mut far_reader, _far_writer)) = halves(&smallest(version), transports(100_000));
        drop(near);
        let error = far_reader.read(&mut [0; 7]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    }
}

#[test]
fn a_panic_with_the_engine_ends_the_connection_with_errors_and_no_panic() {
    let ((mut reader, mut writer), _far) =
        halves(&smallest(ProtocolVersion::Tls13), transports(100_000));
    let (reader, panicked) = thread::spawn(move || {
        let ask = core::panic::AssertUnwindSafe(|| reader.with_engine(|_| panic!("on purpose")));
        let panicked: bool = std::panic::catch_unwind(ask).is_err();
        (reader.read(&mut [0; 9]), panicked)
    })
    .join()
    .unwrap();
    assert!(panicked);
    assert_eq!(reader.unwrap_err().kind(), ErrorKind::Other);
    assert_eq!(writer.write(b"x").unwrap_err().kind(), ErrorKind::Other);
    assert_eq!(writer.flush().unwrap_err().kind(), ErrorKind::Other);
    assert_eq!(writer.shutdown().unwrap_err().kind(), ErrorKind::Other);
}

#[test]
fn a_half_writes_slices_as_one_record() {
    for version in VERSIONS {
        let (client, server) = halves(&smallest(version), transports(100));
        let ((reader, mut writer), (mut far_reader, _far_writer)) = (client, server);
        let mut watched = Watched::new();
        watched.spawn("writer", move |on| {
            let plaintext = support::pattern(10_000);
            let slices: Vec<IoSlice<'_>> = plaintext.chunks(999).map(IoSlice::new).collect();
            let before = reader.with_engine(|engine| engine.stats()).unwrap();
            assert_eq!(writer.write_vectored(&slices).unwrap(), 10_000);
            let after = reader.with_engine(|engine| engine.stats()).unwrap();
            assert_eq!(after.records_sealed - before.records_sealed, 1);
            on.moved(10_000);
        });
        watched.spawn("reader", move |on| {
            let mut received = vec![0; 10_000];
            far_reader.read_exact(&mut received).unwrap();
            assert_eq!(received, support::pattern(10_000));
            on.moved(10_000);
        });
        watched.finish();
    }
}
