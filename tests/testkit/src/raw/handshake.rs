//! The raw peer's handshake, performed by rustls, and the keys that it leaves behind.

use alloc::sync::Arc;

use offwire::rustls::client::{ClientConnectionData, UnbufferedClientConnection};
use offwire::rustls::kernel::KernelConnection;
use offwire::rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use offwire::rustls::unbuffered::{ConnectionState, UnbufferedStatus};
use offwire::rustls::{ConnectionTrafficSecrets, ExtractedSecrets, ProtocolVersion};
use offwire::{Engine, Handshake};

use super::cipher::{Protection, Secrets};
use crate::contexts::Contexts;
use crate::records;

/// What the handshake leaves: the keys of both directions, the means to change them, and bytes that
/// arrived behind its end.
pub(super) struct Met {
    pub(super) sealing: Secrets,
    pub(super) opening: Secrets,
    pub(super) kernel: Kernel,
    pub(super) incoming: Vec<u8>,
}

/// Where the next traffic secrets come from.
pub(super) enum Kernel {
    Client(KernelConnection<ClientConnectionData>),
    Server(KernelConnection<ServerConnectionData>),
}

impl Kernel {
    pub(super) fn next_sealing(&mut self) -> Secrets {
        next(match self {
            Self::Client(kernel) => kernel.update_tx_secret().unwrap(),
            Self::Server(kernel) => kernel.update_tx_secret().unwrap(),
        })
    }

    pub(super) fn next_opening(&mut self) -> Secrets {
        next(match self {
            Self::Client(kernel) => kernel.update_rx_secret().unwrap(),
            Self::Server(kernel) => kernel.update_rx_secret().unwrap(),
        })
    }

    fn protection(&self) -> Protection {
        let version = match self {
            Self::Client(kernel) => kernel.protocol_version(),
            Self::Server(kernel) => kernel.protocol_version(),
        };
        if version == ProtocolVersion::TLSv1_3 {
            Protection::Tls13
        } else {
            Protection::Tls12
        }
    }
}

/// The peer is the server, the engine the client.
pub(super) fn as_server(contexts: &Contexts, engine: &mut Engine) -> Met {
    let mut config = contexts.server_config();
    config.enable_secret_extraction = true;
    config.send_tls13_tickets = 0; // a test that wants tickets seals them itself
    let mut connection = UnbufferedServerConnection::new(Arc::new(config)).unwrap();
    let incoming = converse(engine, |queues| turn(&mut connection, queues));
    let (secrets, kernel) = connection.dangerous_into_kernel_connection().unwrap();
    met(secrets, Kernel::Server(kernel), incoming)
}

/// The peer is the client, the engine the server.
pub(super) fn as_client(contexts: &Contexts, engine: &mut Engine) -> Met {
    let mut config = contexts.client_config();
    config.enable_secret_extraction = true;
    let config = Arc::new(config);
    let mut connection = UnbufferedClientConnection::new(config, contexts.name()).unwrap();
    let incoming = converse(engine, |queues| turn(&mut connection, queues));
    let (secrets, kernel) = connection.dangerous_into_kernel_connection().unwrap();
    met(secrets, Kernel::Client(kernel), incoming)
}

fn met(secrets: ExtractedSecrets, kernel: Kernel, incoming: Vec<u8>) -> Met {
    let protection = kernel.protection();
    let with = |(sequence, secrets)| Secrets {
        sequence,
        secrets,
        protection,
    };
    Met {
        sealing: with(secrets.tx),
        opening: with(secrets.rx),
        kernel,
        incoming,
    }
}

fn next((sequence, secrets): (u64, ConnectionTrafficSecrets)) -> Secrets {
    Secrets {
        sequence,
        secrets,
        protection: Protection::Tls13,
    }
}

/// Whether the peer's side of the handshake is complete.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Waiting,
    Complete,
}

/// What has arrived at the peer, how much of that rustls has seen, and what the peer answers.
#[derive(Default)]
struct Queues {
    incoming: Vec<u8>,
    shown: usize,
    outgoing: Vec<u8>,
}

/// Lets engine and peer talk until both are complete; returns what the peer has not read.
fn converse(engine: &mut Engine, mut peer: impl FnMut(&mut Queues) -> Turn) -> Vec<u8> {
    let (mut queues, mut turn) = (Queues::default(), Turn::Waiting);
    for _ in 0..100 {
        let outcome = engine.handshake().unwrap();
        queues.incoming.extend(engine.take_outgoing());
        if turn == Turn::Waiting {
            turn = peer(&mut queues);
        }
        if outcome == Handshake::Complete && turn == Turn::Complete {
            assert!(
                queues.outgoing.is_empty(),
                "the engine was complete too soon"
            );
            return queues.incoming;
        }
        let taken = engine.feed(&queues.outgoing);
        queues.outgoing.drain(..taken);
    }
    panic!(
        "the handshake with a raw peer is stuck; the engine wants {:?}",
        engine.interest()
    );
}

/// The two kinds of rustls connection, which have the same method and no common trait.
trait Connection {
    type Data;

    fn process<'c, 'i>(
        &'c mut self,
        incoming: &'i mut [u8],
    ) -> UnbufferedStatus<'c, 'i, Self::Data>;
}

impl Connection for UnbufferedClientConnection {
    type Data = ClientConnectionData;

    fn process<'c, 'i>(
        &'c mut self,
        incoming: &'i mut [u8],
    ) -> UnbufferedStatus<'c, 'i, Self::Data> {
        self.process_tls_records(incoming)
    }
}

impl Connection for UnbufferedServerConnection {
    type Data = ServerConnectionData;

    fn process<'c, 'i>(
        &'c mut self,
        incoming: &'i mut [u8],
    ) -> UnbufferedStatus<'c, 'i, Self::Data> {
        self.process_tls_records(incoming)
    }
}

/// Drives rustls as far as the whole records that have arrived allow, one more record at a time, so
/// that it never reads past its end of the handshake.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "rustls's states are not exhaustive"
)]
fn turn<C: Connection>(connection: &mut C, queues: &mut Queues) -> Turn {
    let Queues {
        incoming,
        shown,
        outgoing,
    } = queues;
    loop {
        let (mut turn, mut wants) = (Turn::Waiting, 0);
        let UnbufferedStatus { discard, state, .. } = connection.process(&mut incoming[..*shown]);
        match state.unwrap() {
            ConnectionState::EncodeTlsData(mut flight) => {
                let start = outgoing.len();
                outgoing.resize(start + 32_768, 0);
                let len = flight.encode(&mut outgoing[start..]).unwrap();
                outgoing.truncate(start + len);
            }
            ConnectionState::TransmitTlsData(flight) => flight.done(),
            ConnectionState::BlockedHandshake => wants = 1,
            ConnectionState::WriteTraffic(_) => turn = Turn::Complete,
            other => panic!("rustls is in the state {other:?}"),
        }
        incoming.drain(..discard);
        *shown -= discard;
        if turn == Turn::Complete {
            return turn;
        }
        let (records, _) = records::split(&incoming[*shown..]);
        match records.first() {
            Some(record) => *shown += record.wire_len() * wants,
            None if wants > 0 => return Turn::Waiting,
            None => {}
        }
    }
}
