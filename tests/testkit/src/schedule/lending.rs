//! Storage that goes from hand to hand: a pool that both sides share, and what borrowing and
//! returning promise.

use offwire::BufferPool;

use super::Buffers;
use super::account::Before;
use super::ledger::Fate;
use super::runner::Run;
use super::verdict::{Rule, Verdict, ensure, ensure_eq};
use crate::buffers::{largest, lend_and_take_back, limits, stock};
use crate::pair::{Pair, Side};

impl Run {
    /// Calls a side as a loop does whose engines share their buffers, or keep them.
    pub(super) fn served(
        &mut self,
        side: Side,
        buffers: Buffers,
        call: impl FnOnce(&mut Self) -> Verdict,
    ) -> Verdict {
        match buffers {
            Buffers::Kept => call(self),
            Buffers::Lent => {
                self.borrow_buffers(side)?;
                call(self)?;
                self.return_buffers(side)
            }
        }
    }

    pub(super) fn borrow_buffers(&mut self, side: Side) -> Verdict {
        let before = self.before(side);
        let (waited, waits) = self.lend(|pair, pool| pair.on(side).borrow_buffers(pool));
        ensure!(
            waits <= waited,
            "a pool that lends has grown from {waited} to {waits} bytes"
        );
        self.met.borrowed += usize::from(waits < waited);
        self.check_lent(side, before, waited - waits)
    }

    pub(super) fn return_buffers(&mut self, side: Side) -> Verdict {
        let before = self.before(side);
        let (waited, waits) = self.lend(|pair, pool| pair.on(side).return_buffers(pool));
        ensure!(
            waits >= waited,
            "a pool that is given something shrinks from {waited} to {waits} bytes"
        );
        let (given, most) = (waits - waited, largest(self.pair.engine(side).settings()));
        ensure!(
            given <= most,
            "{given} bytes of storage returned, and the queues may have {most}"
        );
        self.check_pool()?;
        self.met.returned += usize::from(given > 0);
        self.check_lent(side, before, given)?;
        let again = lend_and_take_back(self.pair.engine(side)).map_err(Rule)?;
        self.met.kept += usize::from(again == 0 && self.ledger(side).fate == Fate::Open);
        self.check_lent(side, before, again)
    }

    /// What waits in the pool before a call and behind it, in bytes.
    fn lend(&mut self, call: impl FnOnce(&mut Pair, &mut BufferPool)) -> (usize, usize) {
        let waited = self.pool.bytes();
        call(&mut self.pair, &mut self.pool);
        (waited, self.pool.bytes())
    }

    /// So many bytes of storage went from hand to hand, and nothing else happened.
    fn check_lent(&mut self, side: Side, before: Before, bytes: usize) -> Verdict {
        ensure!(
            bytes == 0 || self.ledger(side).fate == Fate::Open,
            "{bytes} bytes of storage lent or taken, and the connection is not open"
        );
        let engine = self.pair.engine(side);
        ensure!(
            self.wires[side as usize].has_waiting(&engine.outgoing_slices()),
            "what waits to be sent changes with the buffers"
        );
        self.unchanged(side, before, "whose the buffers are does not show")
    }

    /// Another connection leaves its buffers in the pool.
    pub(super) fn stock(&mut self, bytes: u32) -> Verdict {
        stock(&mut self.pool, bytes as usize);
        self.check_pool()
    }

    /// It keeps no more than it may, even if all were as large as those of the other connection.
    fn check_pool(&self) -> Verdict {
        let most = self.most_buffers * largest(limits());
        let waits = self.pool.bytes();
        ensure!(waits <= most, "{waits} bytes wait in the pool, {most} may");
        Ok(())
    }

    pub(super) fn clear_pool(&mut self) -> Verdict {
        self.pool.clear();
        ensure_eq!(self.pool.bytes(), 0, "a pool that was cleared");
        Ok(())
    }
}
