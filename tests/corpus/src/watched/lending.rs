//! Storage that a watched engine borrows and returns, and what lending promises.

use offwire::{BufferPool, Interest, Stats};
use offwire_testkit::buffers::{largest, lend_and_take_back};

use super::Watched;

/// What an engine holds and says of itself.
#[derive(Debug, PartialEq)]
struct Held {
    outgoing: Vec<u8>,
    pending: usize,
    committed: usize,
    interest: Interest,
    stats: Stats,
}

impl Watched {
    pub(crate) fn borrow_buffers(&mut self, pool: &mut BufferPool) {
        let (held, waited) = (self.held(), pool.bytes());
        self.engine.borrow_buffers(pool);
        assert!(pool.bytes() <= waited, "a pool that lends grows");
        self.check_lent(&held, waited - pool.bytes());
    }

    pub(crate) fn return_buffers(&mut self, pool: &mut BufferPool) {
        let (held, waited) = (self.held(), pool.bytes());
        self.engine.return_buffers(pool);
        assert!(
            pool.bytes() >= waited,
            "a pool that is given something shrinks"
        );
        let given = pool.bytes() - waited;
        assert!(
            given <= largest(self.engine.settings()),
            "{given} bytes of storage returned: more than the queues may have"
        );
        self.check_lent(&held, given);
        match lend_and_take_back(&mut self.engine) {
            Ok(bytes) => self.check_lent(&held, bytes),
            Err(kept) => panic!("{kept}"),
        }
    }

    /// So many bytes of storage went from hand to hand, and nothing else happened.
    fn check_lent(&mut self, held: &Held, bytes: usize) {
        let open = self.is_complete() && self.error().is_none();
        assert!(
            open || bytes == 0,
            "{bytes} bytes of storage lent or taken, and the connection is not open"
        );
        assert_eq!(&self.held(), held, "whose the buffers are does not show");
        self.check();
    }

    fn held(&self) -> Held {
        Held {
            outgoing: self.engine.outgoing_slices().concat(),
            pending: self.engine.pending(),
            committed: self.engine.committed(),
            interest: self.engine.interest(),
            stats: self.engine.stats(),
        }
    }
}
