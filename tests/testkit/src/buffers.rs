//! A pool of buffers as a loop of many connections leaves it, and what whoever lends may rely on.

use core::cell::RefCell;

use offwire::{BufferPool, Engine, Read, Settings, Write};

use crate::contexts::Contexts;
use crate::pair::{Pair, read_available};

/// The most that the other connection carries at once, in bytes: what it holds then is within its limits.
const MOST: usize = 900_000;

/// The limits of the other connection, in wire bytes.
const LIMIT: usize = 1 << 20;

/// What it carries, and how large that makes the storage that it leaves, in bytes: the least that goes to
/// a pool, and what fits into a queue of any limit.
const SPARES: [(usize, usize); 2] = [(4_000, 4_096), (20_000, 32_768)];

/// What the storage of both queues has beyond their limits, in bytes: the largest record each way, and
/// the reserve for control records.
const BEYOND: usize = 18_437 + 16_413 + 128;

thread_local! {
    /// A connection that has nothing to do with those under test.
    static OTHER: RefCell<Other> = RefCell::new(Other::new());
    static SPARE_POOLS: RefCell<[BufferPool; 2]> = RefCell::new(SPARES.map(spare_pool));
}

/// Leaves the buffers of another connection in a pool: one for each direction, as large as so many
/// bytes (at most 900,000) made them that it carried at once, and full of them.
///
/// Its limits are 1 MiB: what it leaves may be too large for other engines. Up to 2 KB leave nothing:
/// such buffers stay with their engine.
pub fn stock(pool: &mut BufferPool, bytes: usize) {
    OTHER.with_borrow_mut(|other| {
        other.client.release();
        other.server.release();
        other.carry(&vec![0xa5; bytes.min(MOST)]);
        other.client.return_buffers(pool);
        other.server.return_buffers(pool);
    });
}

/// Lends an engine whose buffers have just been [returned](Engine::return_buffers) others, and takes
/// back what it gives: that must be what it took, neither less nor more. Tells how many bytes it took,
/// which are none in the handshake and after a fatal error.
///
/// # Errors
/// What the engine did not give back, or had kept before, in words.
pub fn lend_and_take_back(engine: &mut Engine) -> Result<usize, String> {
    SPARE_POOLS.with_borrow_mut(|pools| {
        let mut taken = 0;
        for (pool, spare) in pools.iter_mut().zip(SPARES) {
            let all = pool.bytes();
            engine.borrow_buffers(pool);
            let lent = all - pool.bytes();
            engine.return_buffers(pool);
            let back = pool.bytes();
            if back != all {
                *pool = spare_pool(spare);
                return Err(format!(
                    "an engine that gave its buffers back borrows {lent} bytes: of {all} in the pool {back} are there when it has given those back"
                ));
            }
            taken += lent;
        }
        Ok(taken)
    })
}

/// The most that an engine of these settings may give to a pool at once, in bytes: it is lent no more than
/// its queues could grow to.
#[must_use]
pub fn largest(settings: Settings) -> usize {
    settings.effective_incoming_limit() + settings.effective_outgoing_limit() + BEYOND
}

/// The limits of the other connection: no schedule has larger ones.
pub(crate) fn limits() -> Settings {
    Settings::default()
        .outgoing_limit(LIMIT)
        .incoming_limit(LIMIT)
}

/// Both ends of a connection without a link between them, which would remember what it carried.
struct Other {
    client: Engine,
    server: Engine,
}

impl Other {
    fn new() -> Self {
        let contexts = Contexts::new()
            .danger_null_crypto_for_tests()
            .settings(limits());
        let mut pair = Pair::of(&contexts);
        pair.handshake();
        Self {
            client: pair.client,
            server: pair.server,
        }
    }

    /// Writes all of it, then moves it, then reads it.
    fn carry(&mut self, plaintext: &[u8]) {
        let written = self.client.write(plaintext);
        assert_eq!(written, Ok(Write::Written(plaintext.len())));
        while !self.client.outgoing().is_empty() {
            let taken = self.server.feed(self.client.outgoing());
            assert!(taken > 0, "the limits are above what is carried");
            self.client.sent(taken).unwrap();
        }
        let mut received = Vec::new();
        let last = read_available(&mut self.server, &mut received);
        assert_eq!(last, Ok(Read::NeedRead));
        assert!(received == plaintext, "{} bytes came", received.len());
    }
}

/// A pool with a buffer for each direction, and room for one more.
fn spare_pool((carried, storage): (usize, usize)) -> BufferPool {
    let mut pool = BufferPool::new(2);
    stock(&mut pool, carried);
    let left = pool.bytes();
    assert_eq!(
        left,
        2 * storage,
        "whoever holds nothing leaves both its buffers"
    );
    pool
}
