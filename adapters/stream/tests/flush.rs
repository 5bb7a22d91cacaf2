//! Transports that buffer: what they took has not left before they are flushed, and a flush that
//! would block is output that waits.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

extern crate alloc;

mod support;

use std::io;

use offwire::{Handshake, Interest, Read, Write};
use offwire_stream::Stream;
use offwire_testkit::Contexts;
use offwire_testkit::transport::Memory;

use support::VERSIONS;

/// Takes whatever it is given, and passes on as much as there is room for when it is flushed.
#[derive(Debug)]
struct Buffering {
    memory: Memory,
    held: Vec<u8>,
}

impl Buffering {
    fn over(memory: Memory) -> Self {
        let held = Vec::new();
        Self { memory, held }
    }
}

impl io::Read for Buffering {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.memory.read(into)
    }
}

impl io::Write for Buffering {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.held.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        while !self.held.is_empty() {
            let n = self.memory.write(&self.held)?;
            self.held.drain(..n);
        }
        Ok(())
    }
}

/// Gives the pipe so much room in all.
fn widen(stream: &Stream<Buffering>, capacity: usize) {
    let pipe = &stream.transport().memory.outgoing;
    let held = pipe.bytes.borrow().len();
    pipe.set_room(capacity.saturating_sub(held));
}

fn pair(contexts: &Contexts) -> (Stream<Buffering>, Stream<Buffering>) {
    let near = Memory::default();
    let far = Buffering::over(near.opposite());
    let (client, server) = contexts.build();
    let client = Stream::connect(&client, contexts.name(), Buffering::over(near)).unwrap();
    (client, Stream::accept(&server, far))
}

/// Lets both ends call `verb` in turn until it says that it is done.
fn until_done(contexts: &Contexts, verb: fn(&mut Stream<Buffering>) -> bool) {
    for capacity in [1, 5, 100, 20_000] {
        let (mut client, mut server) = pair(contexts);
        let mut rounds = 0;
        loop {
            let done = [&mut client, &mut server].map(|end| {
                widen(end, capacity);
                verb(end)
            });
            if done == [true; 2] {
                break;
            }
            rounds += 1;
            assert!(rounds < 100_000, "neither goes on through {capacity} bytes");
        }
        assert!(client.transport().held.is_empty() && server.transport().held.is_empty());
    }
}

#[test]
fn two_that_shake_hands_listen_while_their_flush_would_block() {
    for version in VERSIONS {
        let contexts = Contexts::new().version(version).tickets(0);
        until_done(&contexts, |end| {
            end.handshake().unwrap() == Handshake::Complete
        });
    }
}

#[test]
fn two_that_write_nothing_listen_while_their_flush_would_block() {
    for version in VERSIONS {
        let contexts = Contexts::new().version(version).tickets(0);
        until_done(&contexts, |end| {
            end.write(&[]).unwrap() == Write::Written(0)
        });
    }
}

#[test]
fn a_reader_waits_for_its_flush_and_then_for_its_peer() {
    for version in VERSIONS {
        let (mut client, server) = pair(&Contexts::new().version(version).tickets(0));
        widen(&client, 0);
        assert_eq!(client.read(&mut [0; 8]).unwrap(), Read::NeedWrite);
        assert_eq!(client.interest(), Interest::ReadWrite);
        widen(&client, 20_000);
        assert_eq!(client.read(&mut [0; 8]).unwrap(), Read::NeedRead);
        assert_eq!(client.interest(), Interest::Read);
        assert!(!server.transport().memory.incoming.bytes.borrow().is_empty());
    }
}
