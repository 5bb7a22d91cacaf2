//! A simulation without any I/O: two engines, a link with latency, bandwidth and a window, and a
//! clock that jumps from event to event. The same seed prints the same timeline.
//!
//! ```sh
//! cargo run --example simulation          # seed 1
//! cargo run --example simulation -- 42
//! ```
//!
//! What is said, and every verb of the engine, is in `conversation/mod.rs`, shared with the loops
//! over sockets.

extern crate alloc;

use alloc::collections::VecDeque;
use core::time::Duration;
use std::io::{self, Write as _};
use std::process::ExitCode;

use bytes::Bytes;
use offwire::rustls::NamedGroup;
use offwire::{Alert, Client, Engine, Error, Peer as Refusal, Server};
use offwire_testkit::{Contexts, Random};

mod conversation;

use conversation::{Conversation, Expected, Farewell, Fault, Part, Report, Standing};

/// The most that a packet carries, in bytes.
const PACKET: usize = 1_460;

/// How long a packet takes the line: 50 Mbit/s, about. However full it is: signatures differ by a
/// few bytes from run to run, and the timeline must not.
const SLOT: Duration = Duration::from_micros(240);

/// How long a bit travels, and by how much that varies.
const LATENCY: Duration = Duration::from_millis(20);
const JITTER_MICROS: usize = 2_000;

/// How many packets may be in flight in one direction. Beyond that, ciphertext stays with the
/// engine, whose queue is bounded as well: so a slow link slows the writer down.
const WINDOW: usize = 96;

/// A time since the beginning.
type Instant = Duration;

/// One direction of the cable.
struct Link {
    /// Arrival and content, in order.
    packets: VecDeque<(Instant, Bytes)>,
    line_is_free: Instant,
    random: Random,
    /// When a bit of the next packet flips.
    harm: Option<Instant>,
}

impl Link {
    fn new(seed: u64) -> Self {
        Self {
            packets: VecDeque::new(),
            line_is_free: Instant::ZERO,
            random: Random::new(seed),
            harm: None,
        }
    }

    /// Puts what the engine has for its peer on the line, as far as the window permits; returns
    /// how many packets those were.
    fn pull(&mut self, now: Instant, from: &mut Engine) -> Result<usize, Fault> {
        let before = self.packets.len();
        while self.packets.len() < WINDOW && !from.outgoing().is_empty() {
            let waiting = from.outgoing();
            let packet = waiting.get(..PACKET).unwrap_or(waiting);
            let mut packet = packet.to_vec();
            from.sent(packet.len())?;
            if self.harm.is_some_and(|harm| harm <= now)
                && let Some(byte) = packet.get_mut(PACKET / 2)
            {
                *byte ^= 1;
                self.harm = None;
            }

            self.line_is_free = self.line_is_free.max(now) + SLOT;
            let jitter = Duration::from_micros(self.random.below(JITTER_MICROS) as u64);
            let arrival = self.line_is_free + LATENCY + jitter;
            // Packets do not overtake each other: whatever mends that in reality, TLS needs it.
            let last = self.packets.back().map_or(arrival, |(last, _)| *last);
            self.packets.push_back((arrival.max(last), packet.into()));
        }
        Ok(self.packets.len() - before)
    }

    /// Delivers what has arrived, as far as the engine has room; returns how many bytes that were.
    fn push(&mut self, now: Instant, into: &mut Engine) -> usize {
        let mut delivered = 0;
        while let Some((arrival, packet)) = self.packets.front_mut()
            && *arrival <= now
        {
            let fed = into.feed(packet);
            delivered += fed;
            let _ = packet.split_to(fed);
            if !packet.is_empty() {
                break;
            }
            self.packets.pop_front();
        }
        delivered
    }

    fn next_arrival(&self) -> Option<Instant> {
        self.packets.front().map(|(arrival, _)| *arrival)
    }
}

/// One end of the connection.
struct Peer {
    name: &'static str,
    engine: Engine,
    conversation: Conversation,
    to_hear: usize,
    /// How it stands, or why it failed.
    outcome: Result<Standing, Fault>,
    /// Lines of the timeline that were printed already, so that each comes once.
    session_told: usize,
    quarters_told: usize,
}

impl Peer {
    fn new(name: &'static str, engine: Engine, part: Part) -> Self {
        Self {
            name,
            engine,
            conversation: Conversation::new(part),
            to_hear: part.to_hear,
            outcome: Ok(Standing::Talking),
            session_told: 0,
            quarters_told: 0,
        }
    }

    /// Lets the verbs go on, and puts what is new on the timeline.
    fn advance(&mut self, now: Instant, out: &mut impl io::Write) -> Result<(), Fault> {
        let Ok(before) = self.outcome else {
            return Ok(()); // what is left in `outgoing()` still leaves, the alert last
        };
        self.outcome = self.conversation.advance(&mut self.engine);
        if let (0, Some(session)) = (self.session_told, self.engine.negotiated()) {
            self.session_told = 1;
            let suite = session.cipher_suite();
            let line = format!("handshake complete: {} {suite}", session.version());
            tell(out, now, self.name, &line)?;
        }
        let quarters = 4 * self.conversation.heard() / self.to_hear;
        if quarters > self.quarters_told {
            self.quarters_told = quarters;
            let line = format!("heard {} %, every byte right", 25 * quarters);
            tell(out, now, self.name, &line)?;
        }
        let line = match &self.outcome {
            Ok(now) if *now == before => return Ok(()),
            Ok(Standing::Talking) => "talks on",
            Ok(Standing::SaidAll) => "said all: close_notify has left, reading goes on",
            Ok(Standing::Complete) => "both halves closed: complete",
            Ok(Standing::Truncated) => "the transport ended without close_notify: truncated",
            Err(fault) => &format!("failed: {fault}"),
        };
        Ok(tell(out, now, self.name, line)?)
    }

    fn is_over(&self) -> bool {
        match &self.outcome {
            Ok(standing) => matches!(standing, Standing::Complete | Standing::Truncated),
            Err(_) => self.engine.outgoing().is_empty(),
        }
    }
}

fn tell(out: &mut impl io::Write, now: Instant, who: &str, what: &str) -> io::Result<()> {
    let (millis, micros) = (now.as_millis(), now.subsec_micros() % 1_000);
    writeln!(out, "  {millis:>5}.{micros:03} ms  {who:<7}  {what}")
}

/// What happens to the cable.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Nothing,
    /// Somebody cuts it.
    Cut(Instant),
    /// A bit on the way to the server flips.
    Harm(Instant),
}

/// The two ends, the two directions, the clock.
struct World {
    now: Instant,
    client: Peer,
    server: Peer,
    to_server: Link,
    to_client: Link,
    cut: Option<Instant>,
}

impl World {
    fn new((client, server): (&Client, &Server), seed: u64, fate: Fate) -> Result<Self, Fault> {
        let mut random = Random::new(seed);
        let client_part = Part {
            voice: random.bits(),
            to_say: 300_000 + random.below(100_000),
            peer_voice: random.bits(),
            to_hear: 600_000 + random.below(200_000),
            farewell: Farewell::CloseNotify,
        };
        let server_part = Part {
            voice: client_part.peer_voice,
            to_say: client_part.to_hear,
            peer_voice: client_part.voice,
            to_hear: client_part.to_say,
            ..client_part
        };
        let client = client.connect("localhost".try_into()?)?;
        let mut world = Self {
            now: Instant::ZERO,
            client: Peer::new("client", client, client_part),
            server: Peer::new("server", server.accept(), server_part),
            to_server: Link::new(random.bits()),
            to_client: Link::new(random.bits()),
            cut: None,
        };
        match fate {
            Fate::Nothing => {}
            Fate::Cut(at) => world.cut = Some(at),
            Fate::Harm(at) => world.to_server.harm = Some(at),
        }
        Ok(world)
    }

    /// Runs until both ends are over. Every turn moves a byte or the clock, or fails: nothing can
    /// hang.
    fn run(&mut self, out: &mut impl io::Write) -> Result<(), Fault> {
        while !(self.client.is_over() && self.server.is_over()) {
            if self.settle(out)? {
                continue;
            }
            let arrivals = [self.to_server.next_arrival(), self.to_client.next_arrival()];
            let next = arrivals.into_iter().flatten().min();
            self.now = match (next, self.cut) {
                (Some(next), Some(cut)) if next < cut => next,
                (_, Some(cut)) => {
                    self.cut_cable(cut, out)?;
                    cut
                }
                (Some(next), None) if next > self.now => next,
                (_, None) => return Err("both ends wait and nothing is on the link".into()),
            };
        }
        Ok(())
    }

    /// Everything that happens now; says whether anything moved.
    fn settle(&mut self, out: &mut impl io::Write) -> Result<bool, Fault> {
        let delivered = self.to_server.push(self.now, &mut self.server.engine)
            + self.to_client.push(self.now, &mut self.client.engine);
        self.client.advance(self.now, out)?;
        self.server.advance(self.now, out)?;
        let pulled = self.to_server.pull(self.now, &mut self.client.engine)?
            + self.to_client.pull(self.now, &mut self.server.engine)?;
        Ok(delivered + pulled > 0)
    }

    fn cut_cable(&mut self, at: Instant, out: &mut impl io::Write) -> Result<(), Fault> {
        tell(out, at, "link", "cut: what was in flight is lost")?;
        self.cut = None;
        self.to_server.packets.clear();
        self.to_client.packets.clear();
        self.client.engine.feed_eof();
        self.server.engine.feed_eof();
        Ok(())
    }
}

/// Runs one world, prints its timeline and what came of it.
fn show(
    title: &str,
    mut world: World,
    expected: [Expected; 2],
    out: &mut impl io::Write,
) -> Result<(), Fault> {
    writeln!(out, "\n{title}\n")?;
    world.run(out)?;
    writeln!(out, "\n{}", Report::HEADING)?;
    let mut verdict = Ok(());
    for (peer, expected) in [&world.client, &world.server].into_iter().zip(expected) {
        let (engine, talk) = (&peer.engine, &peer.conversation);
        let report = Report::new(peer.name, engine, talk, &peer.outcome, &expected);
        writeln!(out, "{report}")?;
        verdict = verdict.and_then(|()| report.into_verdict());
    }
    verdict
}

fn run(out: &mut impl io::Write) -> Result<(), Fault> {
    let seed = std::env::args().nth(1).unwrap_or_else(|| "1".to_owned());
    let seed = seed.parse()?;
    // Without a post-quantum share each flight of the handshake fits into one packet.
    let (client, server) = Contexts::new().group(NamedGroup::X25519).build();
    let world = |fate| World::new((&client, &server), seed, fate);
    writeln!(
        out,
        "simulation: no I/O, seed {seed}, {} ms of latency, {PACKET} bytes every {} us",
        LATENCY.as_millis(),
        SLOT.as_micros()
    )?;
    let clean = [Expected::Complete, Expected::Complete];
    show("a clean end", world(Fate::Nothing)?, clean, out)?;

    let cut = world(Fate::Cut(Instant::from_millis(90)))?;
    let truncated = [Expected::Truncated, Expected::Truncated];
    show("the cable is cut", cut, truncated, out)?;

    let harmed = world(Fate::Harm(Instant::from_millis(70)))?;
    let refused = [
        Expected::Refused(Error::Alert(Alert::BAD_RECORD_MAC)),
        Expected::Refused(Error::Peer(Refusal::BadRecordMac)),
    ];
    show("a bit flips on its way to the server", harmed, refused, out)?;
    writeln!(out, "\nevery byte was right, every end as expected")?;
    Ok(())
}

fn main() -> ExitCode {
    let mut out = io::stdout().lock();
    match run(&mut out) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            // If not even this can be written, the exit code still says it.
            let _ = writeln!(out, "failed: {fault}");
            ExitCode::FAILURE
        }
    }
}
