//! Our engine and OpenSSL's with each other: cut off at every byte.
//!
//! What is compared here is not the calls but the ends they lead to.

use std::io;

use offwire::{KeyUpdate, ProtocolVersion, Settings};
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
use crate::record::{self, APPLICATION_DATA, HEADER, KEY_UPDATE};
use crate::session::{Fate, Session};
use crate::tally::Tally;

/// How many bytes a side writes at once in a session that is cut off.
const WRITTEN: usize = 200;

/// Capacities of pairs at which a session is cut off behind every byte: one that blocks within a
/// record, one that blocks within a flight, and one that never blocks.
const EVERYWHERE: [usize; 3] = [100, 1_000, 65_536];

/// Capacities at which it is cut off behind some bytes: one in so many. Through a pair of next to
/// nothing a session takes long.
const SOMEWHERE: [(usize, usize); 5] =
    [(1, 211), (5, 101), (4_096, 23), (16_384, 29), (17_408, 31)];

/// How many rounds without a byte moving end a session that was cut off.
const QUIET: usize = 3;

/// Two libraries that meet, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encounter {
    /// Which end is ours.
    pub(crate) ours: Side,
    pub(crate) version: ProtocolVersion,
    pub(crate) capacity: usize,
    /// Who asks for KeyUpdates (TLS 1.3). Both sides then write twice, so that the answer leaves.
    pub(crate) updates: Option<Side>,
    /// Behind which bytes it is cut off: one in so many.
    stride: usize,
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
    /// Both roles, both versions, with and without KeyUpdates, through pairs of many capacities.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let everywhere = EVERYWHERE.map(|capacity| (capacity, 1));
        let kinds = [
            (ProtocolVersion::Tls12, None),
            (ProtocolVersion::Tls13, None),
            (ProtocolVersion::Tls13, Some(Side::Client)),
            (ProtocolVersion::Tls13, Some(Side::Server)),
        ];
        let mut all = Vec::new();
        for (capacity, stride) in SOMEWHERE.into_iter().chain(everywhere) {
            for (version, updates) in kinds {
                all.extend(Side::BOTH.map(|ours| Self {
                    ours,
                    version,
                    capacity,
                    updates,
                    stride,
                    fault: Fault::None,
                }));
            }
        }
        all
    }

    /// The same with no more than one cut in so many bytes.
    #[must_use]
    pub fn with_stride(mut self, stride: usize) -> Self {
        self.stride = self.stride.max(stride);
        self
    }

    /// The same with our end at fault.
    #[must_use]
    pub fn with_fault(mut self, fault: Fault) -> Self {
        self.fault = fault;
        self
    }

    pub(crate) fn setting(&self) -> Setting {
        Setting {
            version: self.version,
            suite: Suite::Aes128Gcm,
            settings: [Settings::default(); 2],
            capacity: self.capacity,
            buffer: Buffer::Moving,
            fault: self.fault,
        }
    }

    /// How many bytes each side writes.
    const fn total(&self) -> usize {
        match self.updates {
            None => WRITTEN,
            Some(_) => 2 * WRITTEN,
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
    /// behind the bytes of either direction.
    ///
    /// # Errors
    /// If an end says `Closed` without close_notify or reads what was not written; or if ours, once
    /// its handshake is complete, says anything but `Truncated` behind the plaintext of the whole
    /// records before the cut, or dies of anything but the end of the handshake or an alert. The
    /// message says where.
    pub fn cut_everywhere(&self, oracle: &Oracle, tally: &mut Tally) -> Result<(), String> {
        let whole = self.run(oracle, None, tally)?;
        for from in Side::BOTH {
            let length = match from {
                Side::Client => whole[0],
                Side::Server => whole[1],
            };
            for behind in (0..length).step_by(self.stride) {
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
            *phase = advance(&mut driver, encounter, side, *phase)?;
        }
        let mut moved = 0;
        for from in Side::BOTH {
            moved += carry(driver.session, from, cut, &mut ended)?;
        }
        quiet = if moved == 0 { quiet + 1 } else { 0 };
    }
    check(&mut driver, encounter, phases, cut)?;
    if cut.is_none() {
        check_updates(&mut driver, encounter)?;
    }
    Ok(Side::BOTH.map(|side| driver.session.wire(side).total))
}

/// How far a side has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Shaking,
    /// It has a KeyUpdate to ask for.
    Updating,
    Writing,
    /// It waits for what the peer writes first.
    Listening,
    Closing,
    Reading,
    /// It died in the handshake.
    Refused,
    Over,
}

/// One call of each kind that a side can make now.
fn advance(
    driver: &mut Driver<'_>,
    encounter: &Encounter,
    side: Side,
    phase: Phase,
) -> Result<Phase, Trouble> {
    let verb = match phase {
        Phase::Shaking => Verb::Handshake,
        Phase::Updating => Verb::KeyUpdate(KeyUpdate::Both),
        Phase::Writing => Verb::Write {
            copy: Copy::First,
            at: pattern::start(side) + driver.task(side).written,
            len: WRITTEN,
            slices: Slices::One,
        },
        Phase::Closing => Verb::Shutdown,
        Phase::Listening | Phase::Reading => {
            driver.read_all(side)?;
            let task = driver.task(side);
            return Ok(match task.reading {
                Reading::Open if phase == Phase::Listening && task.received >= WRITTEN => {
                    Phase::Writing
                }
                Reading::Open => phase,
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
        (Phase::Shaking, Outcome::Done(_)) if encounter.updates == Some(side) => Phase::Updating,
        (Phase::Shaking | Phase::Updating, Outcome::Done(_)) => Phase::Writing,
        (Phase::Writing, Outcome::Done(n)) => {
            let task = driver.task(side);
            task.written += n;
            if task.written < encounter.total() {
                Phase::Listening
            } else {
                Phase::Closing
            }
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
            Reading::Closed => !hit && task.received == encounter.total(),
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

/// In a whole session with KeyUpdates one has left each side: the request, and its answer.
fn check_updates(driver: &mut Driver<'_>, encounter: &Encounter) -> Result<(), Trouble> {
    let expected = usize::from(encounter.updates.is_some());
    for from in Side::BOTH {
        let records = driver.session.wire(from).whole_records();
        let updates = records.iter().filter(|header| **header == KEY_UPDATE);
        if updates.count() != expected {
            return unexplained(&format!("the {from:?}'s KeyUpdates: {records:02x?}"));
        }
    }
    Ok(())
}

/// How much plaintext stands in the whole records that have passed from a side: those of data are
/// known by their length.
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
