//! The measures of memory, the same for every library of Rust; `native/peer.c` has them for those of C.
//!
//! What the allocator has handed out is asked of the program that has it (`src/bin/weigh.rs`), so that
//! the measures of time run on the system's allocator.

use offwire_testkit::{Identity, Kind};

use crate::Problem;
use crate::measure::{WARM_UP, bulk, expect, plaintext};
use crate::order::{Answer, Measure, Order};
use crate::peer::{Connection, Library, Means, Pair, Setting};

/// Bytes that a connection carries each way before it is weighed.
const BULK: usize = 1 << 20;

/// What the allocator has handed out to this thread, and got back, in bytes.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "all there is")]
pub struct Balance {
    /// Handed out, ever.
    pub allocated: u64,
    /// Of it, got back.
    pub freed: u64,
}

/// Asks the allocator.
pub type Scales = fn() -> Result<Balance, Problem>;

/// Carries a measure of memory out.
///
/// # Errors
/// What went wrong.
pub fn weigh<L: Library>(order: Order, scales: Scales) -> Result<Answer, Problem> {
    let Order {
        measure,
        version,
        suite,
        size,
        count,
    } = order;
    let setting = Setting {
        version,
        suite,
        tickets: 0,
    };
    let Some(library) = L::new(setting)? else {
        return Ok(Answer::Impossible);
    };
    match measure {
        Measure::Allocated => allocated(&library, size, count, scales),
        Measure::MemoryMessage | Measure::MemoryBulk | Measure::MemoryReleased => {
            memory(&library, measure, scales)
        }
        Measure::Idle => idle(&library, count, scales),
        Measure::Certificates => certificates(scales),
        Measure::Seal | Measure::Open | Measure::Trip | Measure::Full | Measure::Resumed => {
            Err("that is no memory".into())
        }
    }
}

/// What a copy of the chain gives back when it is dropped.
fn certificates(scales: Scales) -> Result<Answer, Problem> {
    let chain: Box<[_]> = Identity::server(Kind::EcdsaP256).chain().into();
    let before = scales()?;
    drop(chain);
    Ok(Answer::One(scales()?.freed - before.freed))
}

fn allocated<L: Library>(
    library: &L,
    size: usize,
    count: usize,
    scales: Scales,
) -> Result<Answer, Problem> {
    let mut pair = Pair::connected(library)?;
    let (plaintext, mut opened) = (plaintext(size), vec![0; size]);
    for _ in 0..WARM_UP {
        pair.trip(&plaintext, &mut opened)?;
    }
    let before = scales()?;
    for _ in 0..count {
        pair.trip(&plaintext, &mut opened)?;
    }
    let after = scales()?;
    expect(opened == plaintext, "other bytes came back")?;
    Ok(Answer::One(after.allocated - before.allocated))
}

/// What dropping each side gives back. It is put into a box first, so that the connection itself
/// counts as what hangs from it does.
fn memory<L: Library>(library: &L, measure: Measure, scales: Scales) -> Result<Answer, Problem> {
    let mut pair = Pair::connected(library)?;
    let (plaintext, mut opened) = (plaintext(100), vec![0; 100]);
    pair.trip(&plaintext, &mut opened)?;
    if measure != Measure::MemoryMessage {
        bulk(
            &mut pair.client,
            &mut pair.server,
            &mut pair.to_server,
            BULK,
        )?;
        bulk(
            &mut pair.server,
            &mut pair.client,
            &mut pair.to_client,
            BULK,
        )?;
    }
    if measure == Measure::MemoryReleased
        && (pair.client.release(), pair.server.release()) != (Means::Done, Means::Done)
    {
        return Ok(Answer::Impossible);
    }
    let Pair { client, server, .. } = pair;
    let (client, server) = (Box::new(client), Box::new(server));
    let before = scales()?;
    drop(client);
    let between = scales()?;
    drop(server);
    let after = scales()?;
    let (client, server) = (between.freed - before.freed, after.freed - between.freed);
    Ok(Answer::Sides(client, server))
}

/// Bytes of each idle server: its buffers are given back where there is a means.
fn idle<L: Library>(library: &L, count: usize, scales: Scales) -> Result<Answer, Problem> {
    drop(Pair::connected(library)?); // what comes once has come
    let (plaintext, mut opened) = (plaintext(100), vec![0; 100]);
    let mut servers = Vec::with_capacity(count);
    let before = scales()?;
    for _ in 0..count {
        let mut pair = Pair::connected(library)?;
        pair.trip(&plaintext, &mut opened)?;
        let _ = pair.server.release();
        servers.push(Box::new(pair.server));
    }
    let after = scales()?;
    let (allocated, freed) = (
        after.allocated - before.allocated,
        after.freed - before.freed,
    );
    expect(servers.len() == count, "a server is missing")?;
    Ok(Answer::One((allocated - freed) / u64::try_from(count)?))
}
