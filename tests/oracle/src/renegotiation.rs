//! OpenSSL's end asks ours to renegotiate (TLS 1.2): between the calls of a schedule, and in an
//! encounter.

use offwire::ProtocolVersion;
use offwire_testkit::Side;
use offwire_testkit::schedule::Slices;

use crate::difference::Difference;
use crate::duel::{Damage, Duel, Flow, Trouble};
use crate::encounter::{Encounter, unexplained};
use crate::finish::{Driver, Finish, Task};
use crate::ladder::Row;
use crate::oracle::Oracle;
use crate::outcome::{Cause, Outcome, Verb};
use crate::pattern::{self, Copy};
use crate::plan::{Greeting, Reference};
use crate::record::{ALERT, HANDSHAKE};
use crate::session::{Fate, Session};
use crate::state::{Standing, Writing};
use crate::tally::Tally;

/// With which OpenSSL's client gives up: `handshake_failure` when its renegotiation is refused (R3),
/// `unexpected_message` when data meets it in the handshake before that (R7).
const GIVES_UP: [i32; 2] = [40, 10];

/// How many rounds a client may take to give up, through a pair of one byte.
const ROUNDS: usize = 2_000;

impl Encounter {
    /// OpenSSL asks ours to renegotiate (TLS 1.2): ours does not, and data flows on (X15).
    ///
    /// # Errors
    /// If data does not flow on, or the attempt has another end than the facts R3 and R6 say.
    pub fn renegotiate(&self, oracle: &Oracle, tally: &mut Tally) -> Result<(), String> {
        if self.version == ProtocolVersion::Tls13 {
            return Ok(());
        }
        let attempts: &[Writes] = match self.ours {
            Side::Client => &[Writes::Afterwards, Writes::Blocked],
            // OpenSSL's client gives up unheard where its alert does not fit (E6).
            Side::Server if self.capacity < ALERT => &[],
            Side::Server => &[Writes::Afterwards],
        };
        for writes in attempts {
            tally.encounters += 1;
            self.attempt(oracle, *writes, tally).map_err(|trouble| {
                tally.unexplained += 1;
                format!("{self:?} renegotiation, {writes:?}: {trouble:?}")
            })?;
        }
        Ok(())
    }

    fn attempt(&self, oracle: &Oracle, writes: Writes, tally: &mut Tally) -> Result<(), Trouble> {
        let mut session = self.session(oracle)?;
        let mut driver = Driver {
            session: &mut session,
            contexts: &oracle.contexts,
            sides: [Task::new(None); 2],
        };
        driver.open([Greeting::Handshake; 2])?;
        match self.ours {
            Side::Client => hello_request(&mut driver, writes, self.setting().most())?,
            Side::Server => client_hello(&mut driver)?,
        }
        tally.meet(Difference::X15)
    }
}

impl Duel<'_> {
    /// Where OpenSSL's server speaks to our client, it sends a HelloRequest between two calls. It is
    /// moved at once, and nothing that is compared behind it may change (X15). From our server there
    /// is none.
    ///
    /// A client that asks ends the connection (R3), and OpenSSL with itself renegotiates: neither has
    /// anything to be compared with.
    pub(crate) fn ask_to_renegotiate(&mut self, side: Side) -> Result<Flow, Trouble> {
        if self.plan.reference != Reference::Server || side == Side::Client {
            return Ok(Flow::On);
        }
        // With anything unread it waits (R2).
        let flow = self.pull(side, Verb::Peek(1))?;
        let pending = self.ours.end(side).engine().map(offwire::Engine::pending);
        if flow != Flow::On || pending != Some(0) {
            return Ok(flow);
        }
        let state = self.state(side);
        let able = state.standing == Standing::Open && state.writing == Writing::Free;
        // A server that was told that its client has closed does not close any more itself.
        let client_is_open = self.state(Side::Client).standing == Standing::Open;
        let between = self.ours.wire(Side::Client).is_between_records();
        if !(able && client_is_open && between) || self.damage != Damage::None {
            return Ok(Flow::On);
        }
        self.carry(side, usize::MAX, Fate::Intact)?;
        let before = self.reference.wire(side).records.len();
        let asked = self.reference.call(side, Verb::Renegotiate)?;
        if asked.outcome != Outcome::Done(0) {
            return self.unexplained(&format!("OpenSSL does not ask: {}", asked.text));
        }
        self.ladder.push(Row::asked(side));
        emit_request(&mut self.reference)?;
        let request = self.reference.wire(side).records.split_off(before);
        if !matches!(request.as_slice(), [[HANDSHAKE, ..]]) {
            return self.unexplained(&format!("no HelloRequest has left: {request:02x?}"));
        }
        self.tally.meet(Difference::X15)?;
        Ok(Flow::On)
    }
}

/// Has OpenSSL's server emit the HelloRequest that it was asked for, and moves it.
fn emit_request(session: &mut Session) -> Result<(), Trouble> {
    while session.call(Side::Server, Verb::Handshake)?.outcome == Outcome::NeedWrite {
        session.carry_all(Side::Server)?;
    }
    session.carry_all(Side::Server)?;
    Ok(())
}

/// OpenSSL's server sends a HelloRequest, which reaches our client with or without a write that is
/// blocked; data goes both ways behind it, and both close.
fn hello_request(driver: &mut Driver<'_>, ours: Writes, most: usize) -> Result<(), Trouble> {
    driver.session.begin_records();
    let length = match ours {
        Writes::Afterwards => most / 2,
        Writes::Blocked => most, // more than the pair holds
    };
    for side in Side::BOTH {
        driver.task(side).left = Some(length);
    }
    if ours == Writes::Blocked {
        let write = Verb::Write {
            copy: Copy::First,
            at: pattern::start(Side::Client),
            len: length,
            slices: Slices::One,
        };
        let blocked = driver.session.call(Side::Client, write)?.outcome;
        if blocked != Outcome::NeedWrite {
            return unexplained(&format!("the write is not blocked: {blocked:?}"));
        }
    }
    let asked = driver.session.call(Side::Server, Verb::Renegotiate)?;
    if asked.outcome != Outcome::Done(0) {
        return unexplained(&format!("OpenSSL does not ask: {}", asked.text));
    }
    // It waits for the client's hello from now on, and writes on all the same (R6).
    emit_request(driver.session)?;
    let sent = driver.session.wire(Side::Server).whole_records().to_vec();
    if !matches!(sent.as_slice(), [[HANDSHAKE, ..]]) {
        return unexplained(&format!("no HelloRequest has arrived: {sent:02x?}"));
    }
    driver.read_all(Side::Client)?;
    match driver.finish()? {
        Finish::Clean => {}
        Finish::Killed => return unexplained("there are no KeyUpdates here"),
    }
    let answers = driver.session.wire(Side::Client).records.clone();
    if answers.iter().any(|[kind, ..]| *kind == HANDSHAKE) {
        return unexplained(&format!("our client answers: {answers:02x?}"));
    }
    Ok(())
}

/// When our client writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writes {
    /// Behind the request.
    Afterwards,
    /// Before it arrives, more than can leave.
    Blocked,
}

/// OpenSSL's client sends a ClientHello: our server warns and lives, until the client gives up.
fn client_hello(driver: &mut Driver<'_>) -> Result<(), Trouble> {
    let asked = driver.session.call(Side::Client, Verb::Renegotiate)?;
    let write = Verb::Write {
        copy: Copy::First,
        at: pattern::start(Side::Server),
        len: 100,
        slices: Slices::One,
    };
    let mut served = Outcome::NeedRead;
    // Until the client's answer to the warning has come: a fatal alert.
    for _ in 0..ROUNDS {
        driver.session.call(Side::Client, Verb::Handshake)?;
        driver.session.carry_all(Side::Client)?;
        let answer = driver.session.call(Side::Server, Verb::Read(1))?;
        if let Outcome::Dead(cause) = answer.outcome {
            let client = driver.session.call(Side::Client, Verb::Handshake)?.outcome;
            return match (asked.outcome, served, cause) {
                (Outcome::Done(0), Outcome::Done(100), Cause::Alert(alert))
                    if client.is_dead() && GIVES_UP.contains(&alert) =>
                {
                    Ok(())
                }
                other => unexplained(&format!("the attempt ended with {other:?}, {client:?}")),
            };
        }
        if !matches!(served, Outcome::Done(_)) {
            served = driver.session.call(Side::Server, write)?.outcome;
        }
        driver.session.carry_all(Side::Server)?;
    }
    unexplained("the client does not give up")
}
