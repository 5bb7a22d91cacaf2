//! Our engine and OpenSSL's with each other: cut off at every byte, and asked to renegotiate.
//!
//! What is compared here is not the calls but the ends they lead to.

use std::io;

use offwire::{ProtocolVersion, WriteMode};
use offwire_testkit::Side;

use crate::contexts::{Buffer, Setting};
use crate::difference::Difference;
use crate::duel::Trouble;
use crate::end::End;
use crate::finish::{Driver, Finish, Reading, Task};
use crate::oracle::Oracle;
use crate::outcome::{Outcome, Verb};
use crate::pattern::{self, Copy};
use crate::plan::Opening;
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
                    });
                }
            }
        }
        all
    }

    fn session(&self, oracle: &Oracle) -> Result<Session, Trouble> {
        let setting = Setting {
            version: self.version,
            mode: WriteMode::Whole,
            capacity: self.capacity,
            buffer: Buffer::Moving,
        };
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
    /// If an end says `Closed` without close_notify, anything but the plaintext that came before
    /// the cut, or nothing at all. The message says where.
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
            .and_then(|mut session| meet(&mut session, oracle, cut))
            .map_err(|trouble| {
                tally.unexplained += 1;
                format!("{self:?} {cut:?}: {trouble:?}")
            })
    }

    /// OpenSSL asks ours to renegotiate (TLS 1.2): ours does not, and data flows on (X15).
    ///
    /// # Errors
    /// If data does not flow on, or the attempt has another end than the facts R3 and R6 say.
    pub fn renegotiate(&self, oracle: &Oracle, tally: &mut Tally) -> Result<(), String> {
        if self.version == ProtocolVersion::Tls13 {
            return Ok(());
        }
        tally.encounters += 1;
        let attempt = self.session(oracle).and_then(|mut session| {
            let mut driver = Driver {
                session: &mut session,
                contexts: &oracle.contexts,
                sides: [Task::new(None); 2],
            };
            driver.open([Opening::Handshake; 2])?;
            match self.ours {
                Side::Client => hello_request(&mut driver)?,
                Side::Server => client_hello(&mut driver)?,
            }
            tally.meet(Difference::X15)
        });
        attempt.map_err(|trouble| {
            tally.unexplained += 1;
            format!("{self:?} renegotiation: {trouble:?}")
        })
    }
}

/// OpenSSL's server sends a HelloRequest; data goes both ways behind it, and both close.
fn hello_request(driver: &mut Driver<'_>) -> Result<(), Trouble> {
    let asked = driver.session.call(Side::Server, Verb::Renegotiate)?;
    if asked.outcome != Outcome::Done(0) {
        return unexplained(&format!("OpenSSL does not ask: {}", asked.text));
    }
    for side in Side::BOTH {
        driver.task(side).left = Some(40_000);
    }
    match driver.finish()? {
        Finish::Clean => Ok(()),
        Finish::TwoKeyUpdates => unexplained("there are no KeyUpdates here"),
    }
}

/// OpenSSL's client sends a ClientHello: our server warns and lives, until the client gives up.
fn client_hello(driver: &mut Driver<'_>) -> Result<(), Trouble> {
    let asked = driver.session.call(Side::Client, Verb::Renegotiate)?;
    let write = Verb::Write {
        copy: Copy::First,
        at: pattern::start(Side::Server),
        len: 100,
    };
    let mut served = Outcome::NeedRead;
    // Until the client's answer to the warning has come: a fatal alert.
    for _ in 0..200 {
        driver.session.call(Side::Client, Verb::Handshake)?;
        driver.session.carry_all(Side::Client)?;
        let answer = driver.session.call(Side::Server, Verb::Read(1))?;
        if answer.outcome == Outcome::Dead {
            let client = driver.session.call(Side::Client, Verb::Handshake)?;
            return match (asked.outcome, served, client.outcome) {
                (Outcome::Done(0), Outcome::Done(100), Outcome::Dead) => Ok(()),
                other => unexplained(&format!("the attempt ended with {other:?}")),
            };
        }
        if !matches!(served, Outcome::Done(_)) {
            served = driver.session.call(Side::Server, write)?.outcome;
        }
        driver.session.carry_all(Side::Server)?;
    }
    unexplained("the client does not give up")
}

/// A session from beginning to end, or to where it is cut off.
fn meet(session: &mut Session, oracle: &Oracle, cut: Option<Cut>) -> Result<[usize; 2], Trouble> {
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
    check(&mut driver, cut)?;
    Ok(Side::BOTH.map(|side| driver.session.wire(side).total))
}

/// How far a side has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Shaking,
    Writing,
    Closing,
    Reading,
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
        },
        Phase::Closing => Verb::Shutdown,
        Phase::Reading => {
            driver.read_all(side)?;
            return Ok(match driver.task(side).reading {
                Reading::Open => Phase::Reading,
                Reading::Closed | Reading::Truncated | Reading::Dead(_) => Phase::Over,
            });
        }
        Phase::Over => return Ok(Phase::Over),
    };
    let reply = driver.session.call(side, verb)?;
    Ok(match (phase, reply.outcome) {
        (_, Outcome::Dead | Outcome::Truncated) => {
            driver.task(side).reading = Reading::Dead(reply.reason);
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
fn check(driver: &mut Driver<'_>, cut: Option<Cut>) -> Result<(), Trouble> {
    for side in Side::BOTH {
        let hit = cut.is_some_and(|cut| cut.from == side.peer());
        let task = *driver.task(side);
        let fair = match task.reading {
            // Only behind close_notify, and so behind every byte.
            Reading::Closed => !hit && task.received == WRITTEN,
            Reading::Truncated => hit,
            // The handshake was cut off, or the peer's was and it has said so.
            Reading::Dead(_) => cut.is_some(),
            // The peer has fallen silent: it died of the cut, and its alert is not required.
            Reading::Open => cut.is_some() && !hit,
        };
        if !fair {
            return unexplained(&format!("the {side:?} ends with {task:?}"));
        }
    }
    Ok(())
}

fn unexplained<T>(what: &str) -> Result<T, Trouble> {
    Err(Trouble::Unexplained(what.into()))
}
