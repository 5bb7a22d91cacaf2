//! A stream over a transport that errs as the input says, facing an engine that plays by the rules.
//!
//! The input: a byte of settings, a byte of connection, then calls; each use of the transport
//! consumes a byte as well. Once the input ends, the transport works, and both sides must come to an
//! orderly end with every byte delivered once; or, if the transport had ended, the stream must have
//! read what an engine reads that is fed the same bytes and does nothing else.

mod transport;

use offwire::{Error as Tls, Handshake, Misuse, Peer, Read, Shutdown, Write};
use offwire_stream::{Error, Stream};
use offwire_testkit::{ClientAuth, Contexts, Side};

use self::transport::{Erring, Incoming, Troubles};
use crate::feed::{contexts, engine, read_only};
use crate::ledger::Ledger;
use crate::script::Script;
use crate::watched::Watched;

/// How many rounds two shutdowns may take. Each moves all that there is.
const ROUNDS: usize = 10;

struct Session<'a> {
    stream: Stream<Erring<'a>>,
    peer: Watched,
    /// From the stream to the peer.
    out: Ledger,
    /// From the peer to the stream.
    back: Ledger,
    /// What the stream has read.
    plaintext: Vec<u8>,
    contexts: Contexts,
    role: Side,
    /// The stream's fatal error.
    failed: Option<Tls>,
    into: Vec<u8>,
}

pub(crate) fn run(input: &[u8]) {
    let mut script = Script::new(input);
    let (settings, connection) = (script.byte(), script.byte());
    let contexts = contexts(settings).client_auth_as(ClientAuth::None);
    let (client, server) = contexts.build();
    let transport = Erring::new(script);
    let (role, stream, peer) = match connection & 1 {
        0 => (
            Side::Client,
            Stream::connect(&client, contexts.name(), transport).unwrap(),
            server.accept(),
        ),
        _ => (
            Side::Server,
            Stream::accept(&server, transport),
            client.connect(contexts.name()).unwrap(),
        ),
    };
    let mut session = Session {
        stream,
        peer: Watched::new(peer, &contexts),
        out: Ledger::new(1),
        back: Ledger::new(2),
        plaintext: Vec::new(),
        contexts,
        role,
        failed: None,
        into: vec![0; 16_385],
    };
    while !session.script().is_empty() {
        session.step();
    }
    session.end();
}

impl<'a> Session<'a> {
    fn script(&mut self) -> &mut Script<'a> {
        &mut self.stream.transport_mut().script
    }

    fn step(&mut self) {
        match self.script().byte() {
            0..40 => {
                let len = self.script().length(40_000);
                _ = self.write(len);
            }
            40..80 => {
                let len = self.script().length(16_385);
                _ = self.read(len);
            }
            80..96 => self.handshake(),
            96..100 => _ = self.shutdown(),
            100..140 => self.pump(),
            140..160 => {
                let len = self.script().length(40_000);
                self.peer_write(len);
            }
            160..200 => _ = self.peer_read(),
            200..202 => self.stream.transport_mut().incoming = Incoming::Closed,
            202..208 => self.stream.engine_mut().release(),
            _ => {}
        }
    }

    /// Calls a verb. An error must be the transport's of this very call, or one that stays.
    fn call<T: core::fmt::Debug>(
        &mut self,
        verb: impl FnOnce(&mut Stream<Erring<'a>>) -> Result<T, Error>,
    ) -> Result<T, Option<Misuse>> {
        self.stream.transport_mut().troubles = Troubles::default();
        match verb(&mut self.stream) {
            Ok(outcome) => Ok(outcome),
            Err(Error::Transport(error)) => {
                // Not always the last: behind a broken transport the stream still looks for the
                // peer's reason, and that may fail as well.
                let errors = &self.stream.transport().troubles.errors;
                assert!(errors.contains(&error.kind()), "whose error is it? {error}");
                Err(None)
            }
            Err(Error::Tls(Tls::Misuse(misuse))) => Err(Some(misuse)),
            Err(Error::Tls(error)) => {
                let ended = self.stream.transport().incoming == Incoming::Closed;
                assert!(ended, "{error:?} though nothing is wrong");
                assert_eq!(error, Tls::Peer(Peer::HandshakeTruncated));
                let first = self.failed.get_or_insert_with(|| error.clone());
                assert_eq!(*first, error, "errors stay");
                Err(None)
            }
        }
    }

    /// `NeedRead` and `NeedWrite` are the transport's news, not the stream's.
    fn check_need_read(&self) {
        let troubles = &self.stream.transport().troubles;
        assert!(troubles.reads > 0, "NeedRead, but no read would block");
    }

    fn check_need_write(&self) {
        let troubles = &self.stream.transport().troubles;
        assert!(troubles.writes > 0, "NeedWrite, but no write would block");
    }

    fn handshake(&mut self) {
        match self.call(Stream::handshake) {
            Ok(Handshake::Complete) => assert!(self.stream.transport().is_flushed()),
            Ok(Handshake::NeedRead) => self.check_need_read(),
            Ok(Handshake::NeedWrite) => self.check_need_write(),
            Err(misuse) => assert_eq!(misuse, None),
        }
    }

    fn write(&mut self, len: usize) -> Option<Write> {
        let offer = self.out.offer(self.stream.engine().committed(), len);
        let outcome = self.call(|stream| stream.write(&offer));
        match &outcome {
            Ok(Write::Written(n)) => {
                assert!(self.stream.transport().is_flushed());
                self.out.written(*n);
            }
            Ok(Write::NeedRead) => self.check_need_read(),
            Ok(Write::NeedWrite) => self.check_need_write(),
            Err(misuse) => match misuse {
                Some(Misuse::WriteAfterShutdown) => assert!(self.out.is_closing()),
                Some(misuse) => panic!("{misuse:?}"),
                None => {}
            },
        }
        outcome.ok()
    }

    fn read(&mut self, len: usize) -> Option<Read> {
        let mut into = core::mem::take(&mut self.into);
        let outcome = self.call(|stream| match len % 2 {
            0 => stream.read(&mut into[..len]),
            _ => {
                let peeked = stream.peek(&mut into[..len]);
                let seen = into.clone();
                match peeked {
                    Ok(Read::Read(n)) => {
                        let read = stream.read(&mut into[..len]);
                        assert_eq!(into[..n], seen[..n], "a peek shows what is read");
                        read
                    }
                    peeked => peeked,
                }
            }
        });
        match &outcome {
            Ok(Read::Read(n)) => {
                let committed = self.peer.engine().committed();
                self.back.received(&into[..*n], committed);
                self.plaintext.extend_from_slice(&into[..*n]);
            }
            Ok(Read::NeedRead) => self.check_need_read(),
            Ok(Read::NeedWrite) => self.check_need_write(),
            Ok(Read::Closed) => assert!(self.back.is_closing()),
            Ok(Read::Truncated) => {
                assert_eq!(self.stream.transport().incoming, Incoming::Closed);
            }
            Err(misuse) => assert_eq!(*misuse, None),
        }
        self.into = into;
        outcome.ok()
    }

    fn shutdown(&mut self) -> Option<Shutdown> {
        let committed = self.stream.engine().committed();
        let outcome = self.call(Stream::shutdown);
        match &outcome {
            Ok(Shutdown::NeedWrite) => self.check_need_write(),
            Ok(Shutdown::Sent | Shutdown::Complete | Shutdown::Truncated) => {
                assert!(self.stream.transport().is_flushed());
            }
            Err(None | Some(Misuse::ShutdownInHandshake)) => {}
            Err(Some(misuse)) => panic!("{misuse:?}"),
        }
        // A flush that is owed comes first: the engine may not have been asked.
        if committed > 0 && self.stream.engine().committed() == 0 {
            self.out.abandon(committed);
        }
        self.out.close();
        outcome.ok()
    }

    /// Moves what the transport has passed on to the peer, and what the peer has to say.
    fn pump(&mut self) {
        let passed = core::mem::take(&mut self.stream.transport_mut().passed);
        let taken = self.peer.feed(&passed);
        let sent = self.peer.send(usize::MAX);
        let transport = self.stream.transport_mut();
        transport
            .passed
            .splice(..0, passed[taken..].iter().copied());
        if transport.incoming == Incoming::Open {
            transport.arrive(&sent);
        }
    }

    fn peer_write(&mut self, len: usize) {
        let offer = self.back.offer(self.peer.engine().committed(), len);
        match self.peer.write(&offer) {
            Ok(Write::Written(n)) => self.back.written(n),
            Ok(Write::NeedRead | Write::NeedWrite) => {}
            Err(error) => panic!("the peer: {error:?}"),
        }
    }

    fn peer_read(&mut self) -> Read {
        let mut into = core::mem::take(&mut self.into);
        let outcome = self.peer.read(&mut into).unwrap();
        match outcome {
            Read::Read(n) => {
                let committed = self.stream.engine().committed();
                self.out.received(&into[..n], committed);
            }
            Read::NeedRead | Read::NeedWrite => {}
            Read::Closed => assert!(self.out.is_closing()),
            Read::Truncated => panic!("nobody ended this direction"),
        }
        self.into = into;
        outcome
    }

    /// Changes whenever anything has moved.
    fn progress(&self) -> [u64; 4] {
        let [ours, theirs] = [self.stream.engine().stats(), self.peer.engine().stats()];
        [
            ours.wire_fed,
            ours.wire_sent,
            theirs.wire_fed,
            theirs.wire_sent,
        ]
    }

    /// The transport works from here on: what is owed is delivered, then both sides close.
    fn end(mut self) {
        let mut settled = 0;
        while settled < 2 {
            let before = self.progress();
            if self.stream.engine().committed() > 0 {
                _ = self.write(0);
            } else {
                self.handshake();
            }
            if self.peer.engine().committed() > 0 {
                self.peer_write(0);
            }
            while let Some(Read::Read(_)) = self.read(16_384) {}
            self.pump();
            while let Read::Read(_) = self.peer_read() {}
            settled = if self.progress() == before {
                settled + 1
            } else {
                0
            };
        }
        if self.stream.transport().incoming == Incoming::Closed {
            return self.end_of_transport();
        }
        assert_eq!(
            self.stream.engine().committed(),
            0,
            "the write was repeated"
        );
        self.out.assert_delivered();
        self.back.assert_delivered();
        self.back.close();
        for _ in 0..ROUNDS {
            let ours = self.shutdown();
            self.pump();
            while let Read::Read(_) = self.peer_read() {}
            let theirs = self.peer.shutdown();
            self.pump();
            while let Some(Read::Read(_)) = self.read(16_384) {}
            if (ours, theirs) == (Some(Shutdown::Complete), Ok(Shutdown::Complete)) {
                return;
            }
        }
        panic!("no orderly end: {:?}", self.stream.engine());
    }

    /// The transport has ended towards us: all that had arrived before is read, and then the end. Our
    /// own direction still works.
    fn end_of_transport(mut self) {
        let end = loop {
            match self.read(16_384) {
                Some(Read::Read(_)) => {}
                Some(end @ (Read::Closed | Read::Truncated)) => break Ok(end),
                Some(waiting) => panic!("{waiting:?} behind the transport's end"),
                None => break Err(self.failed.clone().expect("the error of a dead connection")),
            }
        };
        let alone = Watched::new(engine(self.role, &self.contexts), &self.contexts);
        let alone = read_only(alone, &self.stream.transport().ever_arrived, None);
        assert_eq!(end, alone.end, "the end of what arrived");
        assert!(self.plaintext == alone.plaintext, "all that arrived before");
        let expected = match end {
            Ok(Read::Closed) => Shutdown::Complete,
            Ok(_) => Shutdown::Truncated,
            Err(error) => {
                self.handshake();
                assert_eq!(self.write(1), None);
                assert_eq!(self.failed, Some(error), "the error stays");
                return;
            }
        };
        assert_eq!(
            self.stream.engine().committed(),
            0,
            "the write was repeated"
        );
        // It may have been called before and blocked: then data still waits before close_notify.
        assert_eq!(self.shutdown(), Some(expected));
        for _ in 0..ROUNDS {
            self.pump();
            while let Read::Read(_) = self.peer_read() {}
        }
        assert_eq!(self.peer_read(), Read::Closed, "close_notify has left");
        self.out.assert_delivered();
        assert_eq!(self.read(9), end.ok(), "the end stays");
    }
}
