//! Early data in any order of calls: whatever is written early, however it is cut, whether the
//! server takes it or not, every byte of both sides arrives once, in order, and it ends.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "an error or a wrong index fails the test"
)]

use offwire::{
    Completion, EarlyDataStatus, Handshake, Read, ReadEarlyData, Settings, Write, WriteEarlyData,
};
use offwire_contract::early::{Answer, early_contexts, with_session};
use offwire_contract::strategy::config;
use offwire_contract::{FULL, WRITE_MODES, noise, waiting};
use offwire_testkit::strategy::explained;
use offwire_testkit::{Cuts, Pair, Side};
use proptest::prelude::*;

/// What is varied.
#[derive(Clone, Debug)]
struct Plan {
    answer: Answer,
    limit: u32,
    settings: Settings,
    cuts: Cuts,
    /// Bytes that the client has to send, and the server.
    lengths: [usize; 2],
    /// How much is offered to each call, in turn.
    offers: Vec<usize>,
    /// Calls before both sides finish by the book.
    calls: Vec<Call>,
}

#[derive(Clone, Copy, Debug)]
enum Call {
    /// The client writes early data.
    WriteEarly,
    /// The client reads, which drives its handshake.
    Read,
    /// The server reads early data.
    ReadEarly,
    /// The server writes half-RTT data.
    Answer,
    /// One cut moves.
    Step(Side),
}

fn plan() -> impl Strategy<Value = Plan> {
    let answer = prop_oneof![
        3 => Just(Answer::Accepts),
        1 => Just(Answer::ForgotSession),
        1 => Just(Answer::OtherProtocol),
        1 => Just(Answer::Retries),
    ];
    let limit = prop_oneof![1..300_u32, 1..60_000_u32, Just(1 << 20)];
    let settings = (0..2_usize, any::<bool>(), 512..FULL + 1, 0..80_000_usize);
    let settings = settings.prop_map(|(mode, sent, record, outgoing)| {
        let completion = if sent {
            Completion::Sent
        } else {
            Completion::Queued
        };
        Settings::default()
            .write_mode(WRITE_MODES[mode])
            .completion(completion)
            .max_record_size(record)
            .outgoing_limit(outgoing)
    });
    let cuts = prop_oneof![
        Just(Cuts::Whole),
        (1..3000_usize).prop_map(Cuts::Bytes),
        any::<u64>().prop_map(Cuts::Seeded),
    ];
    let length = || prop_oneof![1..500_usize, 1..70_000_usize];
    let offers = prop::collection::vec(prop_oneof![1..100_usize, 1..40_000_usize], 1..8);
    let call = prop_oneof![
        4 => Just(Call::WriteEarly),
        1 => Just(Call::Read),
        2 => Just(Call::ReadEarly),
        2 => Just(Call::Answer),
        3 => Just(Call::Step(Side::Server)),
        2 => Just(Call::Step(Side::Client)),
    ];
    let calls = prop::collection::vec(call, 0..60);
    (
        answer,
        limit,
        settings,
        cuts,
        length(),
        length(),
        offers,
        calls,
    )
        .prop_map(
            |(answer, limit, settings, cuts, client, server, offers, calls)| Plan {
                answer,
                limit,
                settings,
                cuts,
                lengths: [client, server],
                offers,
                calls,
            },
        )
}

/// One side's bytes on their way out.
struct Outbound {
    bytes: Vec<u8>,
    /// Bytes that were reported as written.
    written: usize,
    /// Where the call ends that must be repeated, if one must.
    owed: Option<usize>,
    calls: usize,
}

impl Outbound {
    fn new(seed: usize, length: usize) -> Self {
        Self {
            bytes: noise(length + seed)[seed..].to_vec(),
            written: 0,
            owed: None,
            calls: 0,
        }
    }

    /// The bytes of the next call: the same again if it is owed.
    fn offer(&mut self, offers: &[usize]) -> &[u8] {
        let end = self.owed.unwrap_or_else(|| {
            self.calls += 1;
            let offer = offers[self.calls % offers.len()];
            self.bytes.len().min(self.written + offer)
        });
        self.owed = Some(end);
        &self.bytes[self.written..end]
    }

    fn wrote(&mut self, count: usize) {
        self.written += count;
        self.owed = None;
    }

    fn is_done(&self) -> bool {
        self.written == self.bytes.len()
    }
}

struct Run<'a> {
    plan: Plan,
    pair: &'a mut Pair,
    client: Outbound,
    server: Outbound,
    /// What the server received early, what it received, and what the client received.
    early: Vec<u8>,
    at_server: Vec<u8>,
    at_client: Vec<u8>,
}

impl<'a> Run<'a> {
    fn new(plan: Plan, pair: &'a mut Pair) -> Self {
        let [to_server, to_client] = plan.lengths;
        Self {
            pair,
            client: Outbound::new(0, to_server),
            server: Outbound::new(1, to_client),
            early: Vec::new(),
            at_server: Vec::new(),
            at_client: Vec::new(),
            plan,
        }
    }

    /// Writes early from one side; returns whether more may be written so.
    fn write_early(&mut self, side: Side) -> bool {
        let offers = self.plan.offers.clone();
        let outbound = match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        };
        if outbound.is_done() {
            return false;
        }
        let offer = outbound.offer(&offers);
        match self.pair.on(side).write_early_data(offer).unwrap() {
            WriteEarlyData::Written(n) => {
                assert!(n > 0 && n <= offer.len());
                outbound.wrote(n);
                true
            }
            WriteEarlyData::Ended(n) => {
                assert!(n <= offer.len() && self.pair.engine(side).committed() == 0);
                outbound.wrote(n);
                false
            }
            WriteEarlyData::NeedRead | WriteEarlyData::NeedWrite => {
                if self.pair.engine(side).committed() == 0 {
                    outbound.owed = None;
                }
                true
            }
        }
    }

    /// Reads early data; returns whether more may come.
    fn read_early(&mut self) -> bool {
        let mut buffer = vec![0; 5000];
        match self
            .pair
            .on(Side::Server)
            .read_early_data(&mut buffer)
            .unwrap()
        {
            ReadEarlyData::Read(n) => {
                self.early.extend_from_slice(&buffer[..n]);
                true
            }
            ReadEarlyData::NeedRead | ReadEarlyData::NeedWrite => true,
            ReadEarlyData::Ended => false,
        }
    }

    fn read(&mut self, side: Side) {
        let mut buffer = vec![0; FULL + 1];
        let into = match side {
            Side::Client => &mut self.at_client,
            Side::Server => &mut self.at_server,
        };
        if let Read::Read(n) = self.pair.on(side).read(&mut buffer).unwrap() {
            into.extend_from_slice(&buffer[..n]);
        }
    }

    fn write(&mut self, side: Side) {
        let offers = self.plan.offers.clone();
        let outbound = match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        };
        if outbound.is_done() {
            return;
        }
        match self.pair.on(side).write(outbound.offer(&offers)).unwrap() {
            Write::Written(n) => outbound.wrote(n),
            Write::NeedRead | Write::NeedWrite => {}
        }
    }

    fn check_bounds(&self) {
        for engine in [&self.pair.client, &self.pair.server] {
            let bound = engine.settings().effective_outgoing_limit() + 128;
            assert!(waiting(engine) <= bound, "{} of {bound}", waiting(engine));
        }
    }

    /// Makes the plan's calls.
    fn improvise(&mut self) {
        for call in self.plan.calls.clone() {
            match call {
                Call::WriteEarly => drop(self.write_early(Side::Client)),
                Call::Read => self.read(Side::Client),
                Call::ReadEarly => drop(self.read_early()),
                Call::Answer => drop(self.write_early(Side::Server)),
                Call::Step(side) => drop(self.pair.step_towards(side)),
            }
            self.check_bounds();
        }
    }

    /// Ends early data on both sides: what is owed is repeated, and the handshakes complete.
    fn end_early_data(&mut self) {
        let mut rounds = 0;
        let (mut writing, mut reading, mut answering) = (true, true, true);
        while writing || reading || answering || !self.complete() {
            // A write that is owed is repeated until it is done or has ended.
            if self.pair.client.committed() > 0 {
                self.write_early(Side::Client);
            } else {
                writing = false;
                self.client.owed = None;
                let _ = self.pair.on(Side::Client).handshake().unwrap();
            }
            reading &= self.read_early();
            if self.pair.server.committed() > 0 {
                self.write_early(Side::Server);
            } else {
                answering = false;
                self.server.owed = None;
            }
            if !reading {
                let _ = self.pair.on(Side::Server).handshake().unwrap();
            }
            // A client that is done reads, so that half-RTT data does not fill its queue.
            if self.complete() {
                self.read(Side::Client);
            }
            self.pair.step();
            self.check_bounds();
            rounds += 1;
            assert!(rounds < 400_000, "it does not end: {}", self.pair);
        }
    }

    fn complete(&self) -> bool {
        self.pair.client.negotiated().is_some() && self.pair.server.negotiated().is_some()
    }

    /// Writes the rest from both sides, and again what was rejected, until all has arrived.
    fn finish(&mut self) {
        let early = self.client.written;
        let rejected = self.pair.client.rejected_early_data();
        let status = self.pair.client.early_data();
        match self.plan.answer {
            Answer::Accepts => {
                assert_eq!((status, rejected), (EarlyDataStatus::Accepted, 0));
                assert!(
                    self.early == self.client.bytes[..early],
                    "what was told is there"
                );
                assert!(early <= usize::try_from(self.plan.limit).unwrap());
            }
            Answer::ForgotSession
            | Answer::OtherProtocol
            | Answer::Retries
            | Answer::SwitchedOff => {
                assert_eq!((status, rejected), (EarlyDataStatus::Rejected, early));
                assert!(self.early.is_empty(), "nothing of it is delivered");
                self.client.written = 0;
            }
        }
        self.at_server.clone_from(&self.early);
        let mut rounds = 0;
        while self.at_server.len() < self.client.bytes.len()
            || self.at_client.len() < self.server.bytes.len()
        {
            for side in Side::BOTH {
                self.write(side);
                self.read(side);
            }
            self.pair.step();
            self.check_bounds();
            rounds += 1;
            assert!(rounds < 400_000, "it does not end: {}", self.pair);
        }
        assert!(
            self.at_server == self.client.bytes,
            "each byte once, in order"
        );
        assert!(
            self.at_client == self.server.bytes,
            "each byte once, in order"
        );
        assert_eq!(
            self.pair.on(Side::Client).handshake(),
            Ok(Handshake::Complete)
        );
    }
}

proptest! {
    #![proptest_config(config(150))]

    #[test]
    fn early_data_arrives_once_or_is_told_to_be_rejected_and_always_ends(plan in plan()) {
        let contexts = early_contexts(plan.limit, plan.settings);
        let (client, server) = with_session(&contexts, plan.answer);
        let pair = Pair::new(&client, &server, &contexts).cuts(plan.cuts);
        explained(pair, |pair| {
            let mut run = Run::new(plan, pair);
            run.improvise();
            run.end_early_data();
            run.finish();
            Ok(())
        })?;
    }
}
