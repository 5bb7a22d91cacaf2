//! Storage that the engines of one loop take turns with, instead of each keeping its own.
//!
//! Nothing here is called back or locked: the loop owns the pool and says when an engine borrows from it
//! and gives back. Knows storage only, not what lay in it.

use alloc::vec::Vec;
use core::fmt;

use crate::engine::Engine;
use crate::phase::Phase;

/// Storage below this size stays with its engine: it is worth neither a move nor a place.
const LEAST_STORAGE: usize = 4096;

/// Buffers that many engines share, so that memory goes with the connections that move bytes at a time
/// rather than with those that are open, and nothing is allocated once the buffers have grown.
///
/// An engine's queues grow by need and keep what they have grown to until [`Engine::release`]. Of
/// thousands of connections each would keep its own, and each would find it outside the
/// processor's caches. A loop that serves one connection at a time needs two:
///
/// ```
/// use offwire::{BufferPool, Engine, Error};
///
/// /// Serves one connection that is ready, with the loop's own buffers.
/// fn serve(
///     engine: &mut Engine,
///     pool: &mut BufferPool,
///     verbs: impl FnOnce(&mut Engine) -> Result<(), Error>,
/// ) -> Result<(), Error> {
///     engine.borrow_buffers(pool);
///     let outcome = verbs(engine); // feed, read, write, outgoing, sent
///     engine.return_buffers(pool);
///     outcome
/// }
/// ```
///
/// Engines that share a pool should have the same limits ([`Settings`](crate::Settings)): one is never
/// lent more than it could grow to, and what is too large for it is freed. [`Engine::take_outgoing`]
/// gives well-filled storage away and [`Engine::release`] frees it, lent or not.
///
/// What lay in a buffer is not wiped, as it is not when an engine keeps or frees it; no verb shows
/// bytes of another connection, but [`Engine::feed_space`] hands out space that may hold them, to be
/// written to.
pub struct BufferPool {
    incoming: Vec<Vec<u8>>,
    outgoing: Vec<Vec<u8>>,
    most: usize,
}

impl BufferPool {
    /// An empty pool that keeps at most so many buffers for each direction; what comes back beyond that is
    /// freed.
    #[must_use]
    pub const fn new(most: usize) -> Self {
        Self {
            incoming: Vec::new(),
            outgoing: Vec::new(),
            most,
        }
    }

    /// Bytes of storage that wait in the pool; what is lent is not among them.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let all = self.incoming.iter().chain(&self.outgoing);
        all.map(Vec::capacity).sum()
    }

    /// Frees everything that waits in the pool.
    pub fn clear(&mut self) {
        (self.incoming, self.outgoing) = (Vec::new(), Vec::new());
    }
}

impl fmt::Debug for BufferPool {
    /// Without the bytes: they may have been somebody's plaintext.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BufferPool")
            .field("incoming", &self.incoming.len())
            .field("outgoing", &self.outgoing.len())
            .field("bytes", &self.bytes())
            .field("most", &self.most)
            .finish()
    }
}

impl Engine {
    /// Takes storage from `pool` for each queue that has none. Call it before the verbs of a connection
    /// that is ready, and [`Self::return_buffers`] after them.
    ///
    /// Nothing happens before the handshake is complete, and after a fatal error: a handshake has
    /// buffers of its own, which go when it ends. If the pool has none to lend, queues grow by need,
    /// and what they have grown to is the pool's next.
    #[inline]
    pub fn borrow_buffers(&mut self, pool: &mut BufferPool) {
        let Phase::Open(_) = self.phase else {
            return;
        };
        let (incoming, outgoing) = (&mut self.incoming, &mut self.outgoing);
        if incoming.lacks_storage()
            && let Some(storage) = lend(&mut pool.incoming, incoming.largest_storage())
        {
            incoming.use_storage(storage);
        }
        if outgoing.lacks_storage()
            && let Some(storage) = lend(&mut pool.outgoing, outgoing.largest_storage())
        {
            outgoing.use_storage(storage);
        }
    }

    /// Gives the storage of each queue that holds nothing to `pool`; a queue that holds something
    /// keeps its own. Whether it was borrowed does not matter. Nothing happens in a handshake and
    /// after a fatal error, as with [`Self::borrow_buffers`].
    ///
    /// Not between [`Self::feed_space`] and [`Self::fed`]: the space belongs to the storage.
    ///
    /// Unlike [`Self::release`] it keeps the expanded keys, and storage of less than 4 KiB.
    #[inline]
    pub fn return_buffers(&mut self, pool: &mut BufferPool) {
        let Phase::Open(_) = self.phase else {
            return;
        };
        let most = pool.most;
        let incoming = self.incoming.spare_storage(LEAST_STORAGE);
        keep(&mut pool.incoming, incoming, most);
        let outgoing = self.outgoing.spare_storage(LEAST_STORAGE);
        keep(&mut pool.outgoing, outgoing, most);
    }
}

/// The last storage that came back, which the caches may still hold. What is too large is freed, so
/// that it is in nobody's way.
fn lend(shelf: &mut Vec<Vec<u8>>, largest: usize) -> Option<Vec<u8>> {
    while let Some(storage) = shelf.pop() {
        if storage.len() <= largest {
            return Some(storage);
        }
    }
    None
}

fn keep(shelf: &mut Vec<Vec<u8>>, storage: Option<Vec<u8>>, most: usize) {
    if let Some(storage) = storage
        && shelf.len() < most
    {
        shelf.push(storage);
    }
}
