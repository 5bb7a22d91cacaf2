//! What is counted: the operations, between two engines in memory.
//!
//! The cryptography draws from a seed, so that the same instructions run every time. Whatever is
//! not the operation itself stands outside [`measured`], and callgrind looks only inside.

use offwire::{Client, Engine, Handshake, ProtocolVersion, Read, Server, Write};
use offwire_testkit::{Contexts, records};

use crate::Problem;

/// An operation whose instructions are counted. TLS 1.3 with AES-128-GCM and X25519.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// A write of so many bytes, and taking what it emitted.
    Seal(usize),
    /// Space for one record of so many bytes, which the transport fills, and reading it into the
    /// caller's buffer.
    Open(usize),
    /// 100 bytes to the server and 100 bytes back.
    RoundTrip,
    /// Both sides of a full handshake, from making the engines to dropping them.
    Handshake,
    /// A server that reads a ClientHello of about so many bytes in records of four, and answers.
    Hello(usize),
}

const ROUND_TRIP: usize = 100;

/// Bytes of the shorter ClientHello.
const SHORT_HELLO: usize = 16_384;

impl Operation {
    pub(crate) const ALL: [Self; 10] = [
        Self::Seal(16_384),
        Self::Seal(1024),
        Self::Seal(100),
        Self::Open(16_384),
        Self::Open(1024),
        Self::Open(100),
        Self::RoundTrip,
        Self::Handshake,
        Self::Hello(SHORT_HELLO),
        Self::Hello(2 * SHORT_HELLO),
    ];

    /// The name in the baseline and on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Seal(16_384) => "seal-16384",
            Self::Seal(1024) => "seal-1024",
            Self::Seal(_) => "seal-100",
            Self::Open(16_384) => "open-16384",
            Self::Open(1024) => "open-1024",
            Self::Open(_) => "open-100",
            Self::RoundTrip => "round-trip-100",
            Self::Handshake => "handshake",
            Self::Hello(SHORT_HELLO) => "hello-16384",
            Self::Hello(_) => "hello-32768",
        }
    }

    /// How many operations the shorter run has.
    pub(crate) fn few(self) -> u64 {
        match self {
            Self::Seal(_) | Self::Open(_) | Self::RoundTrip => 200,
            Self::Handshake => 5,
            Self::Hello(_) => 1,
        }
    }

    /// Performs the operation `count` times inside [`measured`], and a few times before.
    pub(crate) fn run(self, count: u64) -> Result<(), Problem> {
        let (client, server) = Contexts::new()
            .version(ProtocolVersion::Tls13)
            .tickets(0)
            .danger_seeded_crypto_for_tests(1)
            .build();
        match self {
            Self::Seal(length) => seal(connected(&client, &server)?, length, count),
            Self::Open(length) => open(connected(&client, &server)?, length, count),
            Self::RoundTrip => round_trip(connected(&client, &server)?, count),
            Self::Handshake => {
                connected(&client, &server)?;
                for _ in 0..count {
                    measured(|| connected(&client, &server).map(drop))?;
                }
                Ok(())
            }
            Self::Hello(length) => hello(&server, length, count),
        }
    }
}

/// Callgrind counts what happens in here (`--toggle-collect`), so it must stay a function.
#[inline(never)]
fn measured<T>(operation: impl FnOnce() -> T) -> T {
    operation()
}

/// Counts an operation from the round on in which every buffer has its size.
fn counted<T>(round: u64, operation: impl FnOnce() -> T) -> T {
    if round < WARM_UP {
        operation()
    } else {
        measured(operation)
    }
}

/// Times that an operation runs before it is counted: until every buffer has its size.
const WARM_UP: u64 = 8;

fn seal((mut client, _): (Engine, Engine), length: usize, count: u64) -> Result<(), Problem> {
    let plaintext = vec![0x5a; length];
    let mut seal = || -> Result<(), Problem> {
        expect(client.write(&plaintext)? == Write::Written(length))?;
        let sealed = client.outgoing().len();
        expect(sealed > length)?;
        Ok(client.sent(sealed)?)
    };
    (0..WARM_UP).try_for_each(|_| seal())?;
    (0..count).try_for_each(|_| measured(&mut seal))
}

fn open(
    (mut client, mut server): (Engine, Engine),
    length: usize,
    count: u64,
) -> Result<(), Problem> {
    let plaintext = vec![0x5a; length];
    let mut into = vec![0; length + 1]; // the content's type is opened with it
    for round in 0..WARM_UP + count {
        expect(client.write(&plaintext)? == Write::Written(length))?;
        let ciphertext = client.take_outgoing();
        let mut rest = &ciphertext[..];
        while !rest.is_empty() {
            let space = counted(round, || server.feed_space().len());
            let (piece, behind) = rest.split_at(rest.len().min(space));
            // What fills the space is the transport's work, not the engine's.
            let space = server.feed_space().iter_mut();
            space.zip(piece).for_each(|(to, from)| *to = *from);
            counted(round, || server.fed(piece.len()))?;
            rest = behind;
        }
        counted(round, || -> Result<(), Problem> {
            expect(server.read(&mut into)? == Read::Read(plaintext.len()))
        })?;
        expect(into.starts_with(&plaintext))?;
        into.fill(0);
    }
    Ok(())
}

fn round_trip((mut client, mut server): (Engine, Engine), count: u64) -> Result<(), Problem> {
    let plaintext = [0x5a; ROUND_TRIP];
    let mut into = [0; ROUND_TRIP];
    let mut round_trip = || -> Result<(), Problem> {
        expect(client.write(&plaintext)? == Write::Written(ROUND_TRIP))?;
        carry(&mut client, &mut server)?;
        expect(server.read(&mut into)? == Read::Read(ROUND_TRIP))?;
        expect(server.write(&into)? == Write::Written(ROUND_TRIP))?;
        carry(&mut server, &mut client)?;
        expect(client.read(&mut into)? == Read::Read(ROUND_TRIP))
    };
    (0..WARM_UP).try_for_each(|_| round_trip())?;
    (0..count).try_for_each(|_| measured(&mut round_trip))
}

/// A hostile way to say hello: as many records as there can be, each in a call of its own.
fn hello(server: &Server, length: usize, count: u64) -> Result<(), Problem> {
    let name = [b'x'; 127]; // 128 bytes in the list
    let (client, _) = Contexts::new()
        .version(ProtocolVersion::Tls13)
        .danger_seeded_crypto_for_tests(1)
        .client_alpn(&vec![&name[..]; length / 128])
        .build();
    let mut client = client.connect("localhost".try_into()?)?;
    expect(client.handshake()? == Handshake::NeedWrite)?;
    let wire = records::refragment(client.outgoing(), 4);
    let records = records::split(&wire).0.len();
    expect(records >= length / 4)?;
    for _ in 0..count {
        measured(|| -> Result<(), Problem> {
            let mut server = server.accept();
            for record in wire.chunks(9) {
                expect(server.feed(record) == record.len())?;
                let outcome = server.handshake()?;
                expect(outcome == Handshake::NeedRead || !server.outgoing().is_empty())?;
            }
            expect(!server.outgoing().is_empty())
        })?;
    }
    Ok(())
}

/// A client and a server that have shaken hands, with nothing between them.
fn connected(client: &Client, server: &Server) -> Result<(Engine, Engine), Problem> {
    let mut client = client.connect("localhost".try_into()?)?;
    let mut server = server.accept();
    loop {
        let ours = client.handshake()?;
        carry(&mut client, &mut server)?;
        let theirs = server.handshake()?;
        carry(&mut server, &mut client)?;
        if (ours, theirs) == (Handshake::Complete, Handshake::Complete) {
            return Ok((client, server));
        }
    }
}

fn carry(from: &mut Engine, to: &mut Engine) -> Result<(), Problem> {
    let taken = to.feed(from.outgoing());
    Ok(from.sent(taken)?)
}

/// An operation that does something else has no count.
fn expect(holds: bool) -> Result<(), Problem> {
    if holds {
        Ok(())
    } else {
        Err("the engine did not do what is counted".into())
    }
}
