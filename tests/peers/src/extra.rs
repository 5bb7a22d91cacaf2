//! What is measured of Offwire alone, beside itself in another arrangement.

use offwire::{Handshake, Read, RetryCheck, Settings, Write};
use offwire_bio::BioPair;
use offwire_stream::Stream;

use crate::clock::{Laps, now};
use crate::measure::{BATCH, WARM_UP, check_opened, expect, plaintext};
use crate::order::{Suite, Version};
use crate::peer::{Connection, Library, Pair, Setting};
use crate::peers::offwire::Offwire;
use crate::{Problem, Wire};

/// Bytes of a message that flows, and of a read that has no byte to spare.
pub const MESSAGE: usize = 16_384;

/// Bytes of the one write that is blocked all the way, and what the queue holds of it.
pub const BLOCKED: usize = 64 << 20;
const LIMIT: usize = 1 << 16;

const SETTING: Setting = Setting {
    version: Version::Tls13,
    suite: Suite::Aes128,
    tickets: 0,
};

/// Nanoseconds of messages from one engine to the other, each fed from the other's queue.
///
/// # Errors
/// What went wrong.
pub fn flow_bare(count: usize) -> Result<u64, Problem> {
    let library = Offwire::with(SETTING, Settings::default());
    let Pair {
        mut client,
        mut server,
        ..
    } = Pair::connected(&library)?;
    flow(count, |plaintext, into| {
        expect(
            client.write(plaintext)? == Write::Written(MESSAGE),
            "not written",
        )?;
        while !client.outgoing().is_empty() {
            let taken = server.feed(client.outgoing());
            client.sent(taken)?;
        }
        expect(server.read(into)? == Read::Read(MESSAGE), "not read")
    })
}

/// The same from one `Stream` to another over a BIO pair of 64 KiB each way, with a retry check.
///
/// # Errors
/// What went wrong.
pub fn flow_stream(check: RetryCheck, count: usize) -> Result<u64, Problem> {
    let library = Offwire::with(SETTING, Settings::default().retry_check(check));
    let BioPair { a, b } = BioPair::new(LIMIT, LIMIT);
    let mut client = Stream::connect(library.client_context(), "localhost".try_into()?, a)?;
    let mut server = Stream::accept(library.server_context(), b);
    while (client.handshake()?, server.handshake()?) != (Handshake::Complete, Handshake::Complete) {
    }
    flow(count, |plaintext, into| {
        expect(
            client.write(plaintext)? == Write::Written(MESSAGE),
            "not written",
        )?;
        expect(server.read(into)? == Read::Read(MESSAGE), "not read")
    })
}

fn flow(
    count: usize,
    mut message: impl FnMut(&[u8], &mut [u8]) -> Result<(), Problem>,
) -> Result<u64, Problem> {
    let plaintext = plaintext(MESSAGE);
    let mut opened = vec![0; BATCH + 1];
    let (mut spent, mut left) = (0, count);
    for _ in 0..WARM_UP {
        message(&plaintext, &mut opened)?;
    }
    while left > 0 {
        let times = left.min(BATCH / MESSAGE);
        let mut laps = Laps::start();
        for each in 0..times {
            let begin = each * MESSAGE;
            let into = opened.get_mut(begin..=begin + MESSAGE).ok_or("no room")?;
            message(&plaintext, into)?;
        }
        laps.lap(&mut spent);
        check_opened(
            opened.get_mut(..times * MESSAGE).ok_or("no room")?,
            &plaintext,
        )?;
        left -= times;
    }
    Ok(spent)
}

/// Nanoseconds of reads into a buffer of exactly one record's plaintext, and no byte more.
///
/// # Errors
/// What went wrong.
pub fn open_exact(count: usize) -> Result<u64, Problem> {
    let mut pair = Pair::connected(&Offwire::with(SETTING, Settings::default()))?;
    let (plaintext, mut opened) = (plaintext(MESSAGE), vec![0; BATCH]);
    let (mut spent, mut left) = (0, count);
    while left > 0 {
        let times = left.min(BATCH / MESSAGE);
        for _ in 0..times {
            Connection::write(&mut pair.client, &plaintext, &mut pair.to_server)?;
        }
        let mut laps = Laps::start();
        for into in opened.chunks_mut(MESSAGE).take(times) {
            let length = Connection::read(&mut pair.server, into, &mut pair.to_server)?;
            expect(length == MESSAGE, "another record")?;
        }
        laps.lap(&mut spent);
        check_opened(
            opened.get_mut(..times * MESSAGE).ok_or("no room")?,
            &plaintext,
        )?;
        left -= times;
    }
    Ok(spent)
}

/// Nanoseconds of writes with one of the retry checks, that are not blocked.
///
/// # Errors
/// What went wrong.
pub fn seal_with(check: RetryCheck, size: usize, count: usize) -> Result<u64, Problem> {
    let mut pair = Pair::connected(&Offwire::with(
        SETTING,
        Settings::default().retry_check(check),
    ))?;
    let plaintext = plaintext(size);
    pair.to_server.only_counts();
    let mut start = 0;
    for each in 0..WARM_UP + count {
        if each == WARM_UP {
            start = now();
        }
        Connection::write(&mut pair.client, &plaintext, &mut pair.to_server)?;
    }
    Ok(now() - start)
}

/// Nanoseconds of one write of 64 MiB through a queue of 64 KiB that is emptied only when it is full.
///
/// # Errors
/// What went wrong.
pub fn blocked(check: RetryCheck) -> Result<u64, Problem> {
    let settings = Settings::default().retry_check(check).outgoing_limit(LIMIT);
    let Pair { mut client, .. } = Pair::connected(&Offwire::with(SETTING, settings))?;
    let plaintext = plaintext(BLOCKED);
    let (mut emitted, mut blocks) = (0, 0);
    let start = now();
    loop {
        let outcome = client.write(&plaintext)?;
        while !client.outgoing().is_empty() {
            let sent = client.outgoing().len();
            client.sent(sent)?;
            emitted += sent;
        }
        match outcome {
            Write::Written(_) => break,
            Write::NeedWrite => blocks += 1,
            Write::NeedRead => return Err("a handshake is missing".into()),
        }
    }
    let spent = now() - start;
    expect(
        emitted > BLOCKED && blocks >= BLOCKED / LIMIT - 1,
        "it was not blocked all the way",
    )?;
    Ok(spent)
}

/// Live connections that take turns in writing.
#[derive(Debug)]
pub struct Crowd<C> {
    clients: Vec<C>,
    wire: Wire,
}

impl<C: Connection> Crowd<C> {
    /// So many, that have shaken hands.
    ///
    /// # Errors
    /// What went wrong.
    pub fn new<L: Library<Connection = C>>(connections: usize) -> Result<Self, Problem> {
        let library = L::new(SETTING)?.ok_or("it cannot do that")?;
        let connect = |_| Ok(Pair::connected(&library)?.client);
        let clients = (0..connections)
            .map(connect)
            .collect::<Result<_, Problem>>()?;
        let mut wire = Wire::new();
        wire.only_counts();
        Ok(Self { clients, wire })
    }

    /// Nanoseconds of so many writes of `size` bytes, the first `live` connections in turn, each of which
    /// writes as `turn` does it. Once before, each has had a turn that does not count, so that it has the storage that it
    /// will have.
    ///
    /// # Errors
    /// What went wrong.
    pub fn seal(
        &mut self,
        size: usize,
        live: usize,
        count: usize,
        mut turn: impl FnMut(&mut C, &[u8], &mut Wire) -> Result<(), Problem>,
    ) -> Result<u64, Problem> {
        let plaintext = plaintext(size);
        for client in self.clients.iter_mut().take(live) {
            turn(client, &plaintext, &mut self.wire)?;
        }
        let mut left = count;
        let start = now();
        while left > 0 {
            for client in self.clients.iter_mut().take(live.min(left)) {
                turn(client, &plaintext, &mut self.wire)?;
                left -= 1;
            }
        }
        Ok(now() - start)
    }
}
