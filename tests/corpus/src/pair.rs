//! Two engines and a transport that cuts as the input says. Each writes a payload, updates its keys
//! and closes; whatever the cuts, both come to an orderly end with every byte delivered once. The two may take
//! turns with the buffers of one pool.
//!
//! The input: a byte of settings a side, a byte of connection, two lengths, then the cuts.

use offwire::{
    Completion, Handshake, KeyUpdate, ProtocolVersion, Read, RecordSizing, RetryCheck, Settings,
    Shutdown, Write,
};
use offwire_testkit::{ClientAuth, Contexts, Side};

use crate::feed::{contexts, stocked};
use crate::ledger::Ledger;
use crate::script::Script;
use crate::watched::Watched;

/// The longest payload: some records, and more than the smallest queue.
const MOST: usize = 50_000;

/// How many rounds without progress mean that the two wait for each other.
const IDLE_ROUNDS: usize = 4;

/// One end.
struct End {
    engine: Watched,
    ledger: Ledger,
    /// Bytes of the payload that are not written yet.
    left: usize,
    /// Bytes on their way to the other end.
    in_flight: Vec<u8>,
    /// What its shutdown said last.
    shutdown: Option<Shutdown>,
}

pub(crate) fn run(input: &[u8]) {
    let mut script = Script::new(input);
    let settings = [script.byte(), script.byte()];
    let connection = script.byte();
    let contexts = contexts(settings[0]).version(match connection & 1 {
        0 => ProtocolVersion::Tls13,
        _ => ProtocolVersion::Tls12,
    });
    let contexts = contexts
        .client_settings(of(settings[0], connection & 2))
        .server_settings(of(settings[1], connection & 4))
        .client_auth_as(ClientAuth::None);
    let (client, server) = contexts.build();
    let mut ends = [
        End::new(
            client.connect(contexts.name()).unwrap(),
            &contexts,
            1,
            script.length(MOST),
        ),
        End::new(server.accept(), &contexts, 2, script.length(MOST)),
    ];
    let mut pool = (connection & 64 != 0).then(stocked);
    let mut idle = 0;
    while ends
        .iter()
        .any(|end| end.shutdown != Some(Shutdown::Complete))
    {
        let mut moved = 0;
        for side in Side::BOTH {
            let [client, server] = &mut ends;
            let (end, peer) = match side {
                Side::Client => (client, server),
                Side::Server => (server, client),
            };
            if let Some(pool) = &mut pool {
                end.engine.borrow_buffers(pool);
            }
            end.call(peer, &mut script, connection);
            moved += end.send(peer, &mut script);
            if let Some(pool) = &mut pool {
                end.engine.return_buffers(pool);
                peer.engine.return_buffers(pool);
            }
        }
        idle = if moved > 0 { 0 } else { idle + 1 };
        assert!(
            idle < IDLE_ROUNDS,
            "both wait: {:?} {:?}",
            ends[0].engine,
            ends[1].engine
        );
    }
    for end in &mut ends {
        end.ledger.assert_delivered();
        assert_eq!(
            end.engine.read(&mut [0; 9]),
            Ok(Read::Closed),
            "the end stays"
        );
    }
}

/// The settings that a byte and a bit stand for.
fn of(byte: u8, sent: u8) -> Settings {
    let mut settings = Settings::default();
    if byte & 1 != 0 {
        settings = settings.incoming_limit(0).outgoing_limit(0);
    }
    if byte & 2 != 0 {
        settings = settings.write_mode(offwire::WriteMode::Partial);
    }
    if byte & 4 != 0 {
        settings = settings.retry_check(RetryCheck::Length);
    }
    if byte & 8 != 0 {
        settings = settings.max_record_size(600);
    }
    if byte & 16 != 0 {
        settings = settings.record_sizing(RecordSizing::Dynamic);
    }
    if sent != 0 {
        settings = settings.completion(Completion::Sent);
    }
    settings
}

impl End {
    fn new(engine: offwire::Engine, contexts: &Contexts, seed: u64, payload: usize) -> Self {
        Self {
            engine: Watched::new(engine, contexts),
            ledger: Ledger::new(seed),
            left: payload,
            in_flight: Vec::new(),
            shutdown: None,
        }
    }

    /// Reads what is there, writes on, and closes behind the payload.
    fn call(&mut self, peer: &mut Self, script: &mut Script<'_>, connection: u8) {
        let mut into = vec![0; script.length_or(16_384, 16_385)];
        let by_bytes = connection & 32 != 0;
        while let Ok(Read::Read(n)) = match by_bytes {
            true => self.engine.read_bytes(&mut into),
            false => self.engine.read(&mut into),
        } {
            let committed = peer.engine.engine().committed();
            peer.ledger.received(&into[..n], committed);
        }
        assert_eq!(self.engine.error(), None, "nothing is wrong");
        let updates = connection & 8 != 0 && connection & 1 == 0;
        if updates && self.engine.is_complete() && self.shutdown.is_none() {
            self.engine.key_update(match script.byte() & 1 {
                0 => KeyUpdate::Ours,
                _ => KeyUpdate::Both,
            });
        }
        if self.left > 0 {
            let committed = self.engine.engine().committed();
            let offer = self.ledger.offer(committed, self.left);
            // Before the right retry as well as behind it: what was committed may have left since.
            let wrongly = connection & 16 != 0 && script.byte() & 1 == 0;
            if wrongly {
                self.engine.retry_wrongly(&offer);
            }
            if let Write::Written(n) = self.engine.write(&offer).unwrap() {
                self.ledger.written(n);
                self.left -= n;
            } else if wrongly {
                self.engine.retry_wrongly(&offer);
            }
        } else if self.engine.handshake().unwrap() == Handshake::Complete {
            self.shutdown = Some(self.engine.shutdown().unwrap());
            self.ledger.close();
        }
    }

    /// Lets one cut leave and one arrive; returns how much moved.
    fn send(&mut self, peer: &mut Self, script: &mut Script<'_>) -> usize {
        let [leave, arrive] = [(); 2].map(|()| script.length_or(20_000, usize::MAX));
        let Self {
            engine, in_flight, ..
        } = self;
        engine.carry(in_flight, &mut peer.engine, (leave, arrive))
    }
}
