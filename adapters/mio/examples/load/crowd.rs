//! All connections and their `Poll`: phase after phase, and the counts.

use core::fmt;
use core::time::Duration;
use std::io::ErrorKind;
use std::time::Instant;

use mio::{Events, Poll};
use offwire::Client;

use crate::Arguments;
use crate::client::{Attendant, Kind, Looking, Phase, Status};
use crate::support::process::resident;
use crate::support::{Failure, identity, say};
use crate::talk::{Material, Trouble};

/// How often the progress is printed.
const REPORT_EVERY: Duration = Duration::from_secs(1);

/// How many failures are told; all are counted.
const TOLD: usize = 10;

pub(crate) struct Crowd<'a> {
    arguments: &'a Arguments,
    tls: Client,
    poll: Poll,
    events: Events,
    material: Material,
    scratch: Vec<u8>,
    kinds: Vec<Kind>,
    members: Vec<Attendant>,
    statuses: Vec<Status>,
    phase: Phase,
    counts: Counts,
    reported: Instant,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    shaking: usize,
    handshakes: usize,
    busy: usize,
    gone: usize,
    failures: usize,
    answers: usize,
    longest_wait: Duration,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (handshakes, answers) = (self.handshakes, self.answers);
        let (busy, gone, failures) = (self.busy, self.gone, self.failures);
        write!(
            f,
            "handshakes {handshakes}, answers {answers}, busy {busy}, gone {gone}, \
             failures {failures}"
        )
    }
}

impl<'a> Crowd<'a> {
    pub(crate) fn new(arguments: &'a Arguments) -> Result<Self, Failure> {
        Ok(Self {
            arguments,
            tls: identity::client(&arguments.ca)?,
            poll: Poll::new()?,
            events: Events::with_capacity(1_024),
            material: Material::new(&arguments.name),
            scratch: vec![0; 1 << 14],
            kinds: arguments.kinds()?,
            members: Vec::new(),
            statuses: Vec::new(),
            phase: Phase::Opening,
            counts: Counts::default(),
            reported: Instant::now(),
        })
    }

    /// Goes through all phases.
    pub(crate) fn run(mut self) -> Result<(), Failure> {
        let total = self.kinds.len();
        let before = self.resident();
        let begin = Instant::now();
        self.perform(Phase::Opening)?;
        let took = begin.elapsed();
        self.idle()?;
        let open = total - self.counts.gone;
        self.tell_memory(before, open);
        self.perform(Phase::Again)?;
        let blocked = self.members.iter().filter(|each| each.is_blocked()).count();
        self.perform(Phase::Draining)?;
        let waited = self.counts.longest_wait;
        self.perform(Phase::Closing)?;
        self.perform(Phase::Leaving)?;

        let count = |kind| self.kinds.iter().filter(|each| **each == kind).count();
        say(format_args!(
            "connections {total}: polite {}, slow readers {} ({blocked} of them blocked), half-closers {}, silent {}, garbage {}",
            count(Kind::Polite),
            count(Kind::SlowReader),
            count(Kind::HalfCloser),
            count(Kind::Silent),
            count(Kind::Garbage),
        ));
        say(format_args!(
            "opened in {:.1} s; longest wait for an answer {} ms; {}",
            took.as_secs_f64(),
            waited.as_millis(),
            self.counts,
        ));
        match self.counts.failures {
            0 => {
                say(format_args!("passed"));
                Ok(())
            }
            failures => Err(format!("{failures} of {total} connections failed").into()),
        }
    }

    /// Lets everyone do what belongs to a phase, and waits until all have.
    fn perform(&mut self, phase: Phase) -> Result<(), Failure> {
        self.phase = phase;
        for number in 0..self.members.len() {
            self.look(number);
        }
        self.open_more();
        while self.counts.busy > 0 || self.members.len() < self.kinds.len() {
            self.wait(self.arguments.patience)?;
            if self.events.is_empty() {
                return Err(self.stalled());
            }
            self.turn();
        }
        self.report(&format!("{phase:?}: done"));
        Ok(())
    }

    /// Lets everyone be idle, and looks after those whom the server disturbs.
    fn idle(&mut self) -> Result<(), Failure> {
        let end = Instant::now() + self.arguments.idle;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            self.wait(left)?;
            self.turn();
        }
    }

    fn wait(&mut self, most: Duration) -> Result<(), Failure> {
        match self.poll.poll(&mut self.events, Some(most)) {
            // The signal that interrupts it, if it does not end the program, is no event of ours.
            Err(error) if error.kind() == ErrorKind::Interrupted => self.wait(most),
            other => Ok(other?),
        }
    }

    fn turn(&mut self) {
        let calling: Vec<_> = self.events.iter().map(|event| event.token().0).collect();
        for number in calling {
            self.look(number);
        }
        self.open_more();
        if self.reported.elapsed() >= REPORT_EVERY {
            self.report(&format!("{:?}", self.phase));
        }
    }

    /// Opens connections as long as not too many shake hands.
    fn open_more(&mut self) {
        while self.counts.shaking < usize::from(self.arguments.at_once) {
            let number = self.members.len();
            let Some(&kind) = self.kinds.get(number) else {
                return;
            };
            let server = (self.arguments.server, self.arguments.name.as_str());
            let opened = Attendant::open(kind, number, &self.tls, server, self.poll.registry());
            let (member, status) = match opened {
                Ok(member) => (member, Status::Busy),
                Err(trouble) => {
                    self.note(number, &trouble);
                    (Attendant::gone(kind, number), Status::Gone)
                }
            };
            self.counts.shaking += usize::from(member.is_shaking_hands());
            self.counts.busy += usize::from(status == Status::Busy);
            self.counts.gone += usize::from(status == Status::Gone);
            self.members.push(member);
            self.statuses.push(status);
        }
    }

    /// Lets one do what it can, and counts what came of it.
    fn look(&mut self, number: usize) {
        let (Some(member), Some(status)) =
            (self.members.get_mut(number), self.statuses.get_mut(number))
        else {
            return;
        };
        if *status == Status::Gone {
            return;
        }
        let was_shaking = member.is_shaking_hands();
        let answered = member.talk().map_or(0, |talk| talk.answered);
        let looked = member.advance(&mut Looking {
            registry: self.poll.registry(),
            material: &self.material,
            scratch: &mut self.scratch,
            phase: self.phase,
            rounds: self.arguments.rounds,
            bytes: usize::try_from(self.arguments.bytes).unwrap_or(usize::MAX),
            otherwise: self.arguments.protocol(),
        });
        if let Some(talk) = member.talk() {
            self.counts.answers += talk.answered - answered;
            if member.kind == Kind::Polite {
                self.counts.longest_wait = self.counts.longest_wait.max(talk.longest_wait);
            }
        }
        if was_shaking && !member.is_shaking_hands() {
            self.counts.shaking -= 1;
            self.counts.handshakes += usize::from(looked.is_ok());
        }
        let now = *looked.as_ref().unwrap_or(&Status::Gone);
        self.counts.busy -= usize::from(*status == Status::Busy);
        self.counts.busy += usize::from(now == Status::Busy);
        self.counts.gone += usize::from(now == Status::Gone);
        *status = now;
        if let Err(trouble) = looked {
            self.note(number, &trouble);
        }
    }

    fn note(&mut self, number: usize, trouble: &Trouble) {
        self.counts.failures += 1;
        if self.counts.failures <= TOLD {
            let kind = self.kinds.get(number);
            let phase = self.phase;
            say(format_args!(
                "{number} ({kind:?}) failed in {phase:?}: {trouble}"
            ));
        }
    }

    fn stalled(&self) -> Failure {
        let busy = self.members.iter().zip(&self.statuses);
        let busy: Vec<_> = busy
            .filter(|(_, status)| **status == Status::Busy)
            .map(|(member, _)| member)
            .collect();
        let first = busy.first();
        format!(
            "stalled in {:?}: {}; {} wait, the first of them {first:?}",
            self.phase,
            self.counts,
            busy.len(),
        )
        .into()
    }

    fn report(&mut self, what: &str) {
        self.reported = Instant::now();
        say(format_args!("{what}: {}", self.counts));
    }

    fn resident(&self) -> Option<u64> {
        resident(&self.arguments.pid?.to_string())
    }

    /// Prints the server's memory, as far as it can be seen.
    fn tell_memory(&self, before: Option<u64>, open: usize) {
        let (Some(before), Some(now)) = (before, self.resident()) else {
            return;
        };
        let each = now.saturating_sub(before) * 1_024 / u64::try_from(open.max(1)).unwrap_or(1);
        say(format_args!(
            "resident memory of the server: {before} KiB before, {now} KiB with {open} open \
             connections: {each} bytes a connection"
        ));
    }
}
