//! What each operation of the test kit's schedules is here.
//!
//! The link of a schedule is the pair: what a call emits is in flight at once, up to the pair's
//! capacity, and a movement takes it to the peer. OpenSSL cannot `release` and has no ports that a
//! caller could misreport; both are done to our ends alone, where they must change nothing. What a
//! schedule's bytes are is passed over (the plaintext is noise), and so are the port through which
//! they move and the pool of buffers, which no plan has. In TLS 1.2, which has no KeyUpdate, its
//! predecessor takes its place: OpenSSL's server asks our client to renegotiate.

use offwire::{Error, Misuse, ProtocolVersion};
use offwire_testkit::Side;
use offwire_testkit::schedule::{Harm, Misreport, Operation};

use crate::duel::{Damage, Duel, Flow, Trouble};
use crate::outcome::Verb;
use crate::session::Fate;
use crate::state::{Front, Standing, Writing};

/// The longest read, in bytes.
const LONGEST_READ: usize = 1 << 17;

impl Duel<'_> {
    /// Takes one step of the schedule, if it makes sense here.
    pub(crate) fn step(&mut self, operation: Operation) -> Result<Flow, Trouble> {
        match operation {
            Operation::Handshake(side) => {
                self.behind_key_update(side, |duel| duel.shake_hands(side))
            }
            Operation::Write(side, offer) => self.offer(side, offer),
            Operation::WriteNothing(side) => self.write_nothing(side),
            Operation::Read(side, len) => self.behind_key_update(side, |duel| {
                duel.pull(side, Verb::Read(len.min(LONGEST_READ)))
            }),
            Operation::Peek(side, len) => self.behind_key_update(side, |duel| {
                duel.pull(side, Verb::Peek(len.min(LONGEST_READ)))
            }),
            Operation::KeyUpdate(side, update) => match self.setting.version {
                ProtocolVersion::Tls12 => self.ask_to_renegotiate(side),
                ProtocolVersion::Tls13 => self.key_update(side, update),
            },
            // OpenSSL has not begun what stands behind the KeyUpdate, and closes without it (K8).
            Operation::Shutdown(side) if self.is_key_update_blocked(side) => Ok(Flow::On),
            Operation::Shutdown(side) => self.behind_key_update(side, |duel| duel.shutdown(side)),
            Operation::Release(side) => {
                self.ours.end(side).release();
                Ok(Flow::On)
            }
            Operation::Misreport(side, misreport, excess) => {
                self.misreport(side, misreport, usize::from(excess) + 1)
            }
            Operation::Take(from, _, len) => self.carry(from, len, Fate::Intact),
            Operation::Feed(to, _, len) => self.carry(to.peer(), len, Fate::Intact),
            Operation::Move(to, cuts) => {
                for _ in 0..cuts {
                    self.carry_cut(to.peer())?;
                }
                Ok(Flow::On)
            }
            Operation::Harm(to, harm) => self.harm(to.peer(), harm),
            Operation::Reset => self.reset(),
            Operation::BorrowBuffers(_)
            | Operation::ReturnBuffers(_)
            | Operation::Stock(_)
            | Operation::ClearPool => Ok(Flow::On),
        }
    }

    /// A KeyUpdate that is due leaves with a write of nothing before anything else is called: a read
    /// would emit it in OpenSSL (K1), and shutdown is refused (K10).
    pub(crate) fn behind_key_update(
        &mut self,
        side: Side,
        call: impl FnOnce(&mut Self) -> Result<Flow, Trouble>,
    ) -> Result<Flow, Trouble> {
        match self.write_what_is_due(side)? {
            Flow::On => call(self),
            flow @ Flow::Parted(..) => Ok(flow),
        }
    }

    fn is_key_update_blocked(&mut self, side: Side) -> bool {
        let front = Front::KeyUpdate;
        matches!(self.state(side).writing, Writing::Blocked { front: of, .. } if of == front)
    }

    pub(crate) fn write_what_is_due(&mut self, side: Side) -> Result<Flow, Trouble> {
        let state = self.state(side);
        let open = state.writing == Writing::Free && state.standing == Standing::Open;
        if open && state.updates.due.is_some() {
            self.write_nothing(side)
        } else {
            Ok(Flow::On)
        }
    }

    fn misreport(
        &mut self,
        side: Side,
        misreport: Misreport,
        excess: usize,
    ) -> Result<Flow, Trouble> {
        let Some(engine) = self.ours.end(side).engine_mut() else {
            return Ok(Flow::On);
        };
        let (outcome, misuse) = match misreport {
            Misreport::Sent => {
                let waits: usize = engine.outgoing_slices().iter().map(|run| run.len()).sum();
                (engine.sent(waits + excess), Misuse::SentTooMuch)
            }
            Misreport::Fed => {
                let space = engine.feed_space().len();
                (engine.fed(space + excess), Misuse::FedTooMuch)
            }
        };
        if outcome == Err(Error::Misuse(misuse)) {
            Ok(Flow::On)
        } else {
            self.unexplained("a misreport passes")
        }
    }

    /// Harms what a side sends. A flipped bit arrives at once, with all that is in flight.
    fn harm(&mut self, from: Side, harm: Harm) -> Result<Flow, Trouble> {
        if self.damage != Damage::None {
            return Ok(Flow::On);
        }
        let in_flight = self.in_flight(from)?;
        let place = |at: u32| usize::try_from(at).unwrap_or_default() % in_flight.max(1);
        match harm {
            Harm::End => {
                self.carry(from, in_flight, Fate::Intact)?;
                self.end(from)
            }
            Harm::Truncate(at) => {
                self.carry(from, place(at), Fate::Intact)?;
                self.end(from)
            }
            Harm::Flip(at, bit) => {
                let pick = place(at) * 8 + usize::from(bit);
                self.carry(from, in_flight, Fate::Flipped(pick))
            }
        }
    }
}
