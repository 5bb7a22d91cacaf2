//! The measures of time, the same for every library of Rust; `native/peer.c` has them for those of C.

use crate::clock::{Laps, now};
use crate::order::{Answer, Measure, Order};
use crate::peer::{Connection, Library, Pair, Progress, Setting, read_all};
use crate::{Problem, Wire};

/// Bytes that are written before they are opened in one go.
pub const BATCH: usize = 1 << 18;

/// Times that an operation runs before it is timed.
pub const WARM_UP: usize = 8;

/// The bytes that are written: the same everywhere.
#[must_use]
pub fn plaintext(size: usize) -> Vec<u8> {
    let byte = |each: usize| (each * 7 + each / 251).to_le_bytes()[0];
    (0..size).map(byte).collect()
}

/// Carries a measure of time out.
///
/// # Errors
/// What went wrong: a library that fails, or bytes that are not those written.
pub fn time<L: Library>(order: Order) -> Result<Answer, Problem> {
    let Order {
        measure,
        version,
        suite,
        size,
        count,
    } = order;
    let tickets = usize::from(measure == Measure::Resumed);
    let setting = Setting {
        version,
        suite,
        tickets,
    };
    let Some(library) = L::new(setting)? else {
        return Ok(Answer::Impossible);
    };
    match measure {
        Measure::Seal => seal(Pair::connected(&library)?, size, count).map(Answer::One),
        Measure::Open => open(Pair::connected(&library)?, size, count).map(Answer::One),
        Measure::Trip => trips(Pair::connected(&library)?, size, count).map(Answer::One),
        Measure::Full | Measure::Resumed => handshakes(&library, measure, count),
        Measure::Allocated
        | Measure::MemoryMessage
        | Measure::MemoryBulk
        | Measure::MemoryReleased
        | Measure::Idle
        | Measure::Certificates => Err("that is no time".into()),
    }
}

fn seal<C: Connection>(mut pair: Pair<C>, size: usize, count: usize) -> Result<u64, Problem> {
    let plaintext = plaintext(size);
    pair.to_server.only_counts();
    for _ in 0..WARM_UP {
        pair.client.write(&plaintext, &mut pair.to_server)?;
    }
    pair.to_server.only_counts();
    let start = now();
    for _ in 0..count {
        pair.client.write(&plaintext, &mut pair.to_server)?;
    }
    let spent = now() - start;
    expect(
        pair.to_server.counted() > size * count,
        "too little was sealed",
    )?;
    Ok(spent)
}

fn open<C: Connection>(mut pair: Pair<C>, size: usize, count: usize) -> Result<u64, Problem> {
    let mut opened = vec![0; BATCH.max(size) + 1];
    let plaintext = plaintext(size);
    open_batches(&mut pair, &plaintext, &mut opened, WARM_UP)?;
    open_batches(&mut pair, &plaintext, &mut opened, count)
}

/// Writes and reads so often, in batches, and times the reads.
fn open_batches<C: Connection>(
    pair: &mut Pair<C>,
    plaintext: &[u8],
    opened: &mut [u8],
    count: usize,
) -> Result<u64, Problem> {
    let (mut spent, mut left) = (0, count);
    while left > 0 {
        let times = left.min(BATCH / plaintext.len());
        for _ in 0..times {
            pair.client.write(plaintext, &mut pair.to_server)?;
        }
        let (wanted, mut got) = (times * plaintext.len(), 0);
        let mut laps = Laps::start();
        while got < wanted {
            // One byte more than the plaintext: some open the content's type with it.
            let into = opened.get_mut(got..=wanted).ok_or("no room")?;
            let length = pair.server.read(into, &mut pair.to_server)?;
            expect(length > 0, "something is missing")?;
            got += length;
        }
        laps.lap(&mut spent);
        let (opened, _) = opened.split_at_mut(wanted);
        check_opened(opened, plaintext)?;
        left -= times;
    }
    Ok(spent)
}

fn trips<C: Connection>(mut pair: Pair<C>, size: usize, count: usize) -> Result<u64, Problem> {
    let plaintext = plaintext(size);
    let mut opened = vec![0; size];
    for _ in 0..WARM_UP {
        pair.trip(&plaintext, &mut opened)?;
    }
    opened.fill(0);
    let start = now();
    for _ in 0..count {
        pair.trip(&plaintext, &mut opened)?;
    }
    let spent = now() - start;
    expect(opened == plaintext, "other bytes came back")?;
    Ok(spent)
}

/// The CPU time of each side.
#[derive(Default)]
struct Sides {
    client: u64,
    server: u64,
}

fn handshakes<L: Library>(library: &L, measure: Measure, count: usize) -> Result<Answer, Problem> {
    for _ in 0..WARM_UP {
        handshake(library, &mut Sides::default())?;
    }
    let mut sides = Sides::default();
    for _ in 0..count {
        let resumed = handshake(library, &mut sides)?;
        expect(
            resumed == (measure == Measure::Resumed),
            "the wrong handshake",
        )?;
    }
    Ok(Answer::Sides(sides.client, sides.server))
}

/// Shakes hands, and says whether a session was resumed.
fn handshake<L: Library>(library: &L, sides: &mut Sides) -> Result<bool, Problem> {
    let (mut to_server, mut to_client) = (Wire::new(), Wire::new());
    let mut laps = Laps::start();
    let mut client = library.client()?;
    laps.lap(&mut sides.client);
    let mut server = library.server()?;
    laps.lap(&mut sides.server);
    loop {
        let ours = client.handshake(&mut to_client, &mut to_server)?;
        laps.lap(&mut sides.client);
        let theirs = server.handshake(&mut to_server, &mut to_client)?;
        laps.lap(&mut sides.server);
        if (ours, theirs) == (Progress::Complete, Progress::Complete) {
            break;
        }
    }
    // A ticket is dealt with when the client reads.
    let nothing = client.read(&mut [0], &mut to_client)?;
    laps.lap(&mut sides.client);
    expect(nothing == 0, "there is nothing to read")?;
    let resumed = server.is_resumed();
    expect(client.is_resumed() == resumed, "the sides disagree")?;
    let mut laps = Laps::start();
    drop(client);
    laps.lap(&mut sides.client);
    drop(server);
    laps.lap(&mut sides.server);
    Ok(resumed)
}

/// A measurement of something else is none.
///
/// # Errors
/// The complaint, unless it holds.
pub fn expect(holds: bool, complaint: &'static str) -> Result<(), Problem> {
    if holds { Ok(()) } else { Err(complaint.into()) }
}

/// Moves so many bytes from one connection to another.
///
/// # Errors
/// What went wrong.
pub fn bulk<C: Connection>(
    from: &mut C,
    to: &mut C,
    wire: &mut Wire,
    bytes: usize,
) -> Result<(), Problem> {
    let plaintext = plaintext(16_384);
    let mut opened = vec![0; 16_384];
    for _ in 0..bytes / plaintext.len() {
        from.write(&plaintext, wire)?;
        read_all(to, wire, &mut opened)?;
        expect(opened == plaintext, "other bytes were opened")?;
    }
    Ok(())
}

/// Holds what was opened to be the plaintext again and again, and wipes it for the next round.
pub(crate) fn check_opened(opened: &mut [u8], plaintext: &[u8]) -> Result<(), Problem> {
    let mut pieces = opened.chunks(plaintext.len());
    expect(
        pieces.all(|piece| piece == plaintext),
        "other bytes were opened",
    )?;
    opened.fill(0);
    Ok(())
}
