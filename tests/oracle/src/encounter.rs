//! Our engine and OpenSSL's with each other: cut off at every byte.
//!
//! What is compared here is not the calls but the ends they lead to.

use std::io;

use offwire::{ProtocolVersion, Settings};
use offwire_testkit::schedule::Slices;
use offwire_testkit::{Side, Suite};

use crate::contexts::{Buffer, Setting};
use crate::duel::Trouble;
use crate::end::End;
use crate::fault::Fault;
use crate::finish::{Driver, Reading, Task};
use crate::oracle::Oracle;
use crate::outcome::{Cause, Outcome, Verb};
use crate::pattern::{self, Copy};
use crate::record::{self, APPLICATION_DATA, HEADER};
use crate::session::{Fate, Session};
use crate::tally::Tally;

/// How many bytes each side writes in a session that is cut off.
const WRITTEN: usize = 200;

/// How many rounds without a byte moving end a session that was cut off.
const QUIET: usize = 3;

/// Two libraries that meet, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encounter {
    /// Which end is ours.
    pub(crate) ours: Side,
    pub(crate) version: ProtocolVersion,
    pub(crate) capacity: usize,
    pub(crate) fault: Fault,
}

/// Where a session is cut off.
#[derive(Clone, Copy, Debug)]
struct Cut {
    /// What this side sends …
    from: Side,
    /// … ends behind so many bytes.
    behind: usize,
}

impl Encounter {
    /// Both roles, both versions, through pairs that block and pairs that do not.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for ours in Side::BOTH {
            for version in [ProtocolVersion::Tls12, ProtocolVersion::Tls13] {
                for capacity in [100, 65_536] {
                    all.push(Self {
                        ours,
                        version,
                        capacity,
                        fault: Fault::None,
                    });
                }
            }
        }
        all
    }

    /// The same with our end at fault.
    #[must_use]
    pub fn with_fault(mut self, fault: Fault) -> Self {
        self.fault = fault;
        self
    }

    fn setting(&self) -> Setting {
        Setting {
            version: self.version,
            suite: Suite::Aes128Gcm,
            settings: [Settings::default(); 2],
            capacity: self.capacity,
            buffer: Buffer::Moving,
            fault: self.fault,
        }
    }

    pub(crate) fn session(&self, oracle: &Oracle) -> Result<Session, Trouble> {
        let setting = self.setting();
        let end = |side: Side| -> Result<End, Trouble> {
            if side == self.ours {
                End::offwire(&oracle.contexts, side, &setting)
                    .map_err(|error| Trouble::Broken(error.to_string()))
            } else {
                Ok(End::openssl(&oracle.judge, side, &setting)?)
            }
        };
        Ok(Session::new(end(Side::Client)?, end(Side::Server)?))
    }

    /// A whole session, from the handshake to both close_notify alerts, then the same cut off
    /// behind every `stride`th byte of either direction.
    ///
    /// # Errors
    /// If an end says `Closed` without close_notify or reads what was not written; or if ours, once
    /// its handshake is complete, says anything but `Truncated` behind the plaintext of the whole
    /// records before the cut, or dies of anything but the end of the handshake or an alert. The
    /// message says where.
    pub fn cut_everywhere(
        &self,
        oracle: &Oracle,
        stride: usize,
        tally: &mut Tally,
    ) -> Result<(), String> {
        let whole = self.run(oracle, None, tally)?;
        for from in Side::BOTH {
            let length = match from {
                Side::Client => whole[0],
                Side::Server => whole[1],
            };
            for behind in (0..length).step_by(stride.max(1)) {
                self.run(oracle, Some(Cut { from, behind }), tally)?;
            }
        }
        Ok(())
    }

    /// Runs a session; returns how many bytes each side has sent.
    fn run(
        &self,
        oracle: &Oracle,
        cut: Option<Cut>,
        tally: &mut Tally,
    ) -> Result<[usize; 2], String> {
        tally.encounters += 1;
        self.session(oracle)
            .and_then(|mut session| meet(&mut session, oracle, self, cut))
            .map_err(|trouble| {
                tally.unexplained += 1;
                format!("{self:?} {cut:?}: {trouble:?}")
            })
    }
}

/// A session from beginning to end, or to where it is cut off.
fn meet(
    session: &mut Session,
    oracle: &Oracle,
    encounter: &Encounter,
    cut: Option<Cut>,
) -> Result<[usize; 2], Trouble> {
    let mut driver = Driver {
        session,
        contexts: &oracle.contexts,
        sides: [Task::new(Some(WRITTEN)); 2],
    };
    let mut phases = [Phase::Shaking; 2];
    let (mut quiet, mut ended) = (0, false);
    while quiet < QUIET {
        for (side, phase) in Side::BOTH.into_iter().zip(&mut phases) {
            *phase = advance(&mut driver, side, *phase)?;
        }
        let mut moved = 0;
        for from in Side::BOTH {
            moved += carry(driver.session, from, cut, &mut ended)?;
        }
        quiet = if moved == 0 { quiet + 1 } else { 0 };
    }
    check(&mut driver, encounter, phases, cut)?;
    Ok(Side::BOTH.map(|side| driver.session.wire(side).total))
}

/// How far a side has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Shaking,
    Writing,
    Closing,
    Reading,
    /// It died in the handshake.
    Refused,
    Over,
}

/// One call of each kind that a side can make now.
fn advance(driver: &mut Driver<'_>, side: Side, phase: Phase) -> Result<Phase, Trouble> {
    let verb = match phase {
        Phase::Shaking => Verb::Handshake,
        Phase::Writing => Verb::Write {
            copy: Copy::First,
            at: pattern::start(side),
            len: WRITTEN,
            slices: Slices::One,
        },
        Phase::Closing => Verb::Shutdown,
        Phase::Reading => {
            driver.read_all(side)?;
            return Ok(match driver.task(side).reading {
                Reading::Open => Phase::Reading,
                Reading::Closed | Reading::Truncated | Reading::Dead(_) => Phase::Over,
            });
        }
        Phase::Refused | Phase::Over => return Ok(phase),
    };
    let reply = driver.session.call(side, verb)?;
    Ok(match (phase, reply.outcome) {
        (_, Outcome::Dead(cause)) => {
            driver.task(side).reading = Reading::Dead(cause);
            if phase == Phase::Shaking {
                Phase::Refused
            } else {
                Phase::Over
            }
        }
        // What had arrived before the end is still to be read, and the end is met again behind it.
        (Phase::Closing, Outcome::Truncated) if driver.session.is_ours(side) => Phase::Reading,
        (_, Outcome::Truncated) => {
            driver.task(side).reading = Reading::Truncated;
            Phase::Over
        }
        (Phase::Shaking, Outcome::Done(_)) => Phase::Writing,
        (Phase::Writing, Outcome::Done(n)) => {
            driver.task(side).written = n;
            Phase::Closing
        }
        (Phase::Closing, Outcome::Sent | Outcome::Complete) => Phase::Reading,
        _ => phase,
    })
}

/// Moves what there is, up to the cut.
fn carry(
    session: &mut Session,
    from: Side,
    cut: Option<Cut>,
    ended: &mut bool,
) -> io::Result<usize> {
    let Some(cut) = cut.filter(|cut| cut.from == from) else {
        return session.carry_all(from);
    };
    let left = cut.behind - session.wire(from).total;
    if left > 0 {
        return session.carry(from, left, Fate::Intact);
    }
    if !*ended {
        *ended = true;
        session.end(from.peer()).end()?;
    }
    Ok(0)
}

/// Who must have met what.
fn check(
    driver: &mut Driver<'_>,
    encounter: &Encounter,
    phases: [Phase; 2],
    cut: Option<Cut>,
) -> Result<(), Trouble> {
    for (side, phase) in Side::BOTH.into_iter().zip(phases) {
        let hit = cut.is_some_and(|cut| cut.from == side.peer());
        let whole = plaintext_before(driver, encounter, side.peer());
        let task = *driver.task(side);
        let ours = side == encounter.ours;
        let fair = match task.reading {
            // Only behind close_notify, and so behind every byte.
            Reading::Closed => !hit && task.received == WRITTEN,
            Reading::Truncated => hit && (!ours || task.received == whole),
            // The handshake was cut off, or the peer's was and it has said so.
            Reading::Dead(cause) if ours => match cause {
                Cause::End => hit && phase == Phase::Refused,
                Cause::Alert(_) => cut.is_some() && !hit,
                Cause::BadRecord | Cause::Retry | Cause::Ours | Cause::Other => false,
            },
            Reading::Dead(_) => cut.is_some(),
            // The peer has fallen silent: it died of the cut, and its alert is not required.
            Reading::Open => cut.is_some() && !hit,
        };
        if !fair {
            return unexplained(&format!(
                "the {side:?} ends with {task:?}, {whole} bytes arrived"
            ));
        }
    }
    Ok(())
}

/// How much plaintext stands in the whole records that have passed from a side: each side writes
/// one record, known by its length.
fn plaintext_before(driver: &mut Driver<'_>, encounter: &Encounter, from: Side) -> usize {
    let sealed = WRITTEN + encounter.setting().overhead() - HEADER;
    let records = driver.session.wire(from).whole_records();
    let data = records.iter().filter(|header| {
        matches!(header, [APPLICATION_DATA, ..]) && record::length(header) == sealed
    });
    data.count() * WRITTEN
}

pub(crate) fn unexplained<T>(what: &str) -> Result<T, Trouble> {
    Err(Trouble::Unexplained(what.into()))
}
