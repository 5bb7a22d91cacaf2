//! What follows the calls: both connections are driven to their end, and a difference that has parted
//! them must show there as it says.

use offwire::WriteMode;
use offwire_testkit::Side;

use crate::contexts::Buffer;
use crate::difference::Difference;
use crate::duel::{Damage, Duel, Trouble};
use crate::finish::{Driver, Finish, Task, tasks};
use crate::record::{HEADER, Header, KEY_UPDATE, length};
use crate::session::Session;
use crate::state::{Standing, State};

/// Differences that show in the records of both connections when they have ended.
const IN_THE_RECORDS: [Difference; 4] = [
    Difference::X16,
    Difference::K8,
    Difference::K5,
    Difference::T5,
];

impl Duel<'_> {
    /// The calls are over, and the two have not parted: their ends must be the same.
    pub(crate) fn end_together(&mut self) -> Result<(), Trouble> {
        let open = |state: &State| !matches!(state.standing, Standing::Truncated | Standing::Dead);
        if self.damage != Damage::None || !self.states.iter().all(open) {
            return Ok(());
        }
        if self.finish_both()? == Finish::Clean {
            for from in Side::BOTH {
                self.require_same_records(from)?;
            }
        }
        Ok(())
    }

    /// The connections have parted because of what a side has done: those that live on must still
    /// deliver every byte.
    pub(crate) fn part(&mut self, difference: Difference, side: Side) -> Result<(), Trouble> {
        if difference == Difference::X8 {
            return self.bury_ours();
        }
        if self.damage != Damage::None {
            self.tally.hide(difference);
            return Ok(());
        }
        if !IN_THE_RECORDS.contains(&difference) {
            if difference == Difference::X6 {
                self.show_lost_close_notify(side)?;
            }
            // OpenSSL has lost the connection, or bytes that it does not give back.
            return self.finish_ours();
        }
        if self.finish_both()? == Finish::Killed {
            return Ok(());
        }
        self.require_same_records(side.peer())?;
        if difference == Difference::X16 {
            self.show_earlier_answer(side)
        } else if difference == Difference::K8 {
            self.show_answer_elsewhere(side)
        } else if difference == Difference::K5 {
            self.show_fewer_answers(side)
        } else {
            self.show_shorter_record(side)
        }
    }

    /// Drives OpenSSL's shutdown on until nothing moves: its peer waits for close_notify in vain (S12).
    fn show_lost_close_notify(&mut self, side: Side) -> Result<(), Trouble> {
        self.driver(Whose::Reference).close_in_vain(side)
    }

    /// A KeyUpdate's answer stands before the rest of the blocked write, and in OpenSSL behind it, if
    /// at all (K3). In partial mode OpenSSL's write may be over sooner than ours was, and then
    /// nothing shows.
    fn show_earlier_answer(&mut self, side: Side) -> Result<(), Trouble> {
        match self.earlier_answer(side)? {
            Earlier::Ours => self.tally.meet(Difference::X16),
            Earlier::Neither
                if self.setting.mode(side) == WriteMode::Partial || self.has_unread_updates() =>
            {
                self.tally.hide(Difference::X16);
                Ok(())
            }
            Earlier::Neither | Earlier::Theirs => self.differ(side, "no answer comes earlier"),
        }
    }

    /// Behind a KeyUpdate that is blocked, OpenSSL has sealed none of the write, and the answer stands
    /// before it (K8); ours has, and its records stay ahead of the answer. Unless the KeyUpdate has
    /// left in the meantime.
    fn show_answer_elsewhere(&mut self, side: Side) -> Result<(), Trouble> {
        match self.earlier_answer(side)? {
            Earlier::Theirs => self.tally.meet(Difference::K8),
            Earlier::Ours => self.tally.meet(Difference::X16),
            Earlier::Neither => {
                self.tally.hide(Difference::K8);
                Ok(())
            }
        }
    }

    /// On which connection a side's answer has left earlier; all else must be the same.
    fn earlier_answer(&mut self, side: Side) -> Result<Earlier, Trouble> {
        self.require_same_data(side)?;
        let (theirs, mine) = self.records(side);
        let apart = apart(&theirs, &mine);
        let is_answer = |records: &[Header]| records.get(apart) == Some(&KEY_UPDATE);
        Ok(match (is_answer(&theirs), is_answer(&mine)) {
            (true, false) => Earlier::Theirs,
            (false, true) => Earlier::Ours,
            (true, true) | (false, false) => Earlier::Neither,
        })
    }

    /// One answer, where OpenSSL has sent one for every request but the last as well.
    fn show_fewer_answers(&mut self, side: Side) -> Result<(), Trouble> {
        let (theirs, mine) = self.records(side);
        let answers = |records: &[Header]| {
            let updates = records.iter().filter(|record| **record == KEY_UPDATE);
            updates.count()
        };
        // OpenSSL answers behind its own close_notify as well.
        let least = usize::from(self.state(side).standing == Standing::Open);
        // What is due or unread now asks again, and OpenSSL may be closed before it answers (X16).
        let more = answers(&mine) > answers(&theirs) && !self.has_updates_left();
        if answers(&mine) < least || more {
            return self.differ(side, "the answers are not fewer");
        }
        self.require_same_data(side)
    }

    /// The record that was sealed ahead stays as it was, where OpenSSL's is filled up.
    fn show_shorter_record(&mut self, side: Side) -> Result<(), Trouble> {
        let (theirs, mine) = self.records(side);
        let apart = apart(&theirs, &mine);
        let [theirs_len, mine_len] = [&theirs, &mine].map(|records| records.get(apart).map(length));
        if theirs_len <= mine_len {
            return self.differ(side, "no record is filled up");
        }
        let beyond = self.setting.overhead() - HEADER;
        let plaintext =
            |records: &[Header]| -> usize { records.iter().map(|of| length(of) - beyond).sum() };
        if !self.has_updates_left() && plaintext(&theirs) != plaintext(&mine) {
            return self.differ(side, "the plaintext is not as long");
        }
        Ok(())
    }

    /// The same records have left a side, KeyUpdates aside if any was sealed or read only now (X16, K5).
    fn require_same_records(&mut self, from: Side) -> Result<(), Trouble> {
        let (theirs, mine) = self.records(from);
        if self.has_updates_left() {
            return self.require_same_data(from);
        }
        if theirs == mine {
            return Ok(());
        }
        self.differ(from, "the records differ at the end")
    }

    /// The same records have left a side, KeyUpdates aside.
    fn require_same_data(&mut self, from: Side) -> Result<(), Trouble> {
        let (mut theirs, mut mine) = self.records(from);
        for records in [&mut theirs, &mut mine] {
            records.retain(|record| *record != KEY_UPDATE);
        }
        if theirs == mine {
            return Ok(());
        }
        self.differ(from, "the data differ at the end")
    }

    fn differ<T>(&mut self, from: Side, what: &str) -> Result<T, Trouble> {
        let (theirs, mine) = self.records(from);
        self.unexplained(&format!(
            "{what}: the {from:?} has sent, in OpenSSL {theirs:02x?}, in ours {mine:02x?}"
        ))
    }

    /// What a side has sent on both connections: OpenSSL's, ours.
    fn records(&mut self, from: Side) -> (Vec<Header>, Vec<Header>) {
        let theirs = self.reference.wire(from).records.clone();
        (theirs, self.ours.wire(from).records.clone())
    }

    fn has_updates_left(&self) -> bool {
        let due = self.states.iter().any(|state| state.updates.is_due());
        due || self.has_unread_updates()
    }

    fn has_unread_updates(&self) -> bool {
        self.states.iter().any(|state| state.updates.has_unread())
    }

    /// Whether a side of OpenSSL's connection has sent two KeyUpdates or more.
    fn has_two_updates(&mut self) -> bool {
        Side::BOTH.into_iter().any(|from| {
            let (theirs, _) = self.records(from);
            theirs
                .iter()
                .filter(|record| **record == KEY_UPDATE)
                .count()
                >= 2
        })
    }

    fn finish_both(&mut self) -> Result<Finish, Trouble> {
        let finish = self.driver(Whose::Reference).finish()?;
        if finish == Finish::Killed {
            // What is repeated at the end comes from another address.
            let cause = if self.has_updates_left() || self.has_two_updates() {
                Difference::X4
            } else if self.setting.buffer == Buffer::Fixed {
                Difference::X3
            } else {
                return self.unexplained("OpenSSL died at the end, of nothing that is known");
            };
            self.tally.meet(cause)?;
        }
        self.finish_ours()?;
        Ok(finish)
    }

    fn finish_ours(&mut self) -> Result<(), Trouble> {
        match self.driver(Whose::Ours).finish()? {
            Finish::Clean => Ok(()),
            Finish::Killed => self.unexplained("our end died of two KeyUpdates"),
        }
    }

    fn bury_ours(&mut self) -> Result<(), Trouble> {
        for side in Side::BOTH {
            let dead = self.state(side).standing == Standing::Dead;
            if dead && !self.is_gone(side) && self.state(side.peer()).standing != Standing::Dead {
                let committed = self.committed(side);
                let mut driver = self.driver(Whose::Ours);
                driver.task(side).written += committed;
                driver.bury(side)?;
            }
        }
        Ok(())
    }

    fn driver(&mut self, whose: Whose) -> Driver<'_> {
        let (session, task): (&mut Session, fn(&State, usize) -> Task) = match whose {
            Whose::Reference => (&mut self.reference, Task::of_reference),
            Whose::Ours => (&mut self.ours, Task::of_ours),
        };
        let bulk = self.plan.schedule.bulk;
        let bulk = bulk.map(|len| len.min(self.setting.most()));
        Driver {
            session,
            contexts: self.contexts,
            sides: tasks(&self.states, bulk, task),
        }
    }
}

/// On which connection an answer has left before the other's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Earlier {
    Theirs,
    Ours,
    Neither,
}

/// One of the two connections.
#[derive(Clone, Copy)]
enum Whose {
    Reference,
    Ours,
}

/// Where two lists of records differ first.
fn apart(theirs: &[Header], mine: &[Header]) -> usize {
    let same = theirs
        .iter()
        .zip(mine)
        .take_while(|(one, other)| one == other);
    same.count()
}
