//! The handshake: drives rustls's unbuffered connections between the two queues.
//!
//! rustls sees a prefix of the incoming queue that grows by at most one record at a time, so that
//! it never meets a byte behind the hand-over. What it did not discard is shown again, unaltered
//! and never less of it. Knows nothing of the write contract.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;
use core::ops::Deref;

use rustls::client::UnbufferedClientConnection;
use rustls::pki_types::ServerName;
use rustls::server::UnbufferedServerConnection;
use rustls::{ClientConfig, CommonState, ServerConfig};

use crate::alert::Alert;
use crate::error::Error;
use crate::incoming::Incoming;
use crate::outgoing::Outgoing;
use crate::record::sizing::Sizing;
use crate::record::{ContentType, HEADER, LARGEST_OUTGOING_RECORD, MAX_PLAINTEXT};
use crate::settings::Settings;
use crate::tls::early::Early;
use crate::tls::early::records::{Sealed, keep_early_data};
use crate::tls::fault::{self, AlertSent};
use crate::tls::hello::{Asked, Assembled, Assembly};
use crate::tls::kept::Kept;
use crate::tls::secrets::Role;
use crate::tls::step::{Step, Stopped, step};
use crate::trace::HandshakeSpan;

pub(super) const APPLICATION_DATA: u8 = ContentType::ApplicationData as u8;

/// How far the handshake has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// All input is shown; the peer's next bytes are needed.
    NeedInput,
    /// The outgoing queue may not be able to hold the next record.
    NeedRoom,
    /// A record of early data was opened where it lay, and waits for the caller.
    EarlyData,
    /// Complete, and all of it is encoded: the keys can be taken over.
    Complete,
}

/// rustls's connection of either role.
pub(super) enum Connection {
    Client(UnbufferedClientConnection),
    Server(UnbufferedServerConnection),
}

impl Deref for Connection {
    type Target = CommonState;

    fn deref(&self) -> &CommonState {
        match self {
            Self::Client(connection) => connection,
            Self::Server(connection) => connection,
        }
    }
}

/// The name of the server that the client asked for, which rustls's unbuffered server keeps to
/// itself.
pub(super) enum RequestedName {
    Known(Option<Box<str>>),
    /// A copy of the first bytes is read until the ClientHello is whole.
    Reading(Box<Assembly>),
    /// What came is no ClientHello, and rustls, which sees it as well, must say so.
    Refused,
}

/// What the last byte shown belongs to. Headers are read once, before rustls sees them, since it
/// joins handshake messages in place and may overwrite them.
#[derive(Clone, Copy)]
pub(super) enum Boundary {
    /// The header of the record that begins at this offset, or the record before it.
    Header(usize),
    /// The record from `start` to `end`.
    Record { start: usize, end: usize },
}

/// A handshake in progress.
pub(crate) struct Handshake {
    pub(super) connection: Connection,
    pub(super) requested_name: RequestedName,
    pub(super) secrets: Kept,
    span: HandshakeSpan,
    pub(super) sizing: Sizing,
    pub(super) early: Early,
    pub(super) early_sealed: Sealed,
    /// Bytes of the incoming queue that rustls has seen and not discarded.
    pub(super) shown: usize,
    pub(super) boundary: Boundary,
    pub(super) stand: Stand,
}

/// Whether rustls can do more with what it was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stand {
    /// It may.
    Moving,
    /// It cannot.
    Blocked,
    /// It cannot, but may send application data.
    Traffic,
}

impl Handshake {
    /// A client's handshake; `sni` is the name that will be sent.
    pub(crate) fn client(
        config: Arc<ClientConfig>,
        server_name: ServerName<'static>,
        sni: Option<Box<str>>,
        settings: &Settings,
    ) -> Result<Box<Self>, Error> {
        let sizing = sizing(config.max_fragment_size, settings);
        let (config, secrets) = Kept::from_client(config, settings.effective_exporter());
        let connection = UnbufferedClientConnection::new(config, server_name)
            .map_err(|error| fault::from_configuration(&error))?;
        let connection = Connection::Client(connection);
        let name = RequestedName::Known(sni);
        Ok(Self::new(connection, name, secrets, sizing))
    }

    /// A server's handshake.
    pub(crate) fn server(config: &ServerConfig, settings: &Settings) -> Result<Box<Self>, Error> {
        let sizing = sizing(config.max_fragment_size, settings);
        let (config, secrets) = Kept::from_server(config, settings.effective_exporter());
        let connection = UnbufferedServerConnection::new(config)
            .map_err(|error| fault::from_configuration(&error))?;
        let connection = Connection::Server(connection);
        let reader = RequestedName::Reading(Box::default());
        Ok(Self::new(connection, reader, secrets, sizing))
    }

    fn new(
        connection: Connection,
        requested_name: RequestedName,
        secrets: Kept,
        sizing: Sizing,
    ) -> Box<Self> {
        let (role, early) = match &connection {
            Connection::Client(_) => (Role::Client, Early::Unsent),
            Connection::Server(_) => (Role::Server, Early::Unasked),
        };
        Box::new(Self {
            connection,
            requested_name,
            secrets,
            span: HandshakeSpan::new(role),
            sizing,
            early,
            early_sealed: Sealed::default(),
            shown: 0,
            boundary: Boundary::Header(0),
            stand: Stand::Moving,
        })
    }

    /// Goes as far as the input and the room for output allow.
    pub(crate) fn advance(
        &mut self,
        incoming: &mut Incoming,
        outgoing: &mut Outgoing,
    ) -> Result<Progress, Error> {
        let span = self.span.clone();
        span.in_scope(|| self.advance_in_span(incoming, outgoing))
    }

    fn advance_in_span(
        &mut self,
        incoming: &mut Incoming,
        outgoing: &mut Outgoing,
    ) -> Result<Progress, Error> {
        loop {
            let progress = self.settle_in_span(incoming, outgoing)?;
            if progress != Progress::NeedInput || !self.show_more(incoming.ciphertext()) {
                return Ok(progress);
            }
        }
    }

    /// Goes as far as rustls can with what it was shown, and shows it no more: `NeedInput` then
    /// says nothing of what else has arrived.
    pub(crate) fn settle(
        &mut self,
        incoming: &mut Incoming,
        outgoing: &mut Outgoing,
    ) -> Result<Progress, Error> {
        let span = self.span.clone();
        span.in_scope(|| self.settle_in_span(incoming, outgoing))
    }

    fn settle_in_span(
        &mut self,
        incoming: &mut Incoming,
        outgoing: &mut Outgoing,
    ) -> Result<Progress, Error> {
        while self.stand == Stand::Moving {
            // rustls pops a chunk before it asks for the room, so there must be enough for any.
            if outgoing.room() < LARGEST_OUTGOING_RECORD {
                return Ok(Progress::NeedRoom);
            }
            match self.step(incoming, outgoing) {
                Ok(Step::Again) => {}
                // With half-RTT data permitted, a server may write before it is done.
                Ok(Step::Traffic) if !self.connection.is_handshaking() => {
                    self.early = self.early.refused();
                    return Ok(Progress::Complete);
                }
                Ok(Step::Traffic) => self.stand = Stand::Traffic,
                Ok(Step::Blocked) => self.stand = Stand::Blocked,
                Ok(Step::EarlyData(_)) => return Ok(Progress::EarlyData),
                Err(Stopped::Internal(internal)) => return Err(internal.into()),
                Err(Stopped::Rustls(error)) => {
                    let alert = self.drain_alert(incoming, outgoing);
                    return Err(fault::from_handshake(error, alert));
                }
            }
        }
        self.early = self.early.answered(self.connection.handshake_kind());
        self.drop_rejected_early_data(incoming);
        Ok(Progress::NeedInput)
    }

    /// Whether rustls has discarded all it was shown: the queue then begins with the first record
    /// behind the handshake.
    pub(super) const fn is_drained(&self) -> bool {
        self.shown == 0
    }

    fn step(&mut self, incoming: &mut Incoming, outgoing: &mut Outgoing) -> Result<Step, Stopped> {
        let shown = incoming
            .ciphertext_mut()
            .get_mut(..self.shown)
            .unwrap_or_default();
        let early = &mut self.early;
        let (discard, step) = match &mut self.connection {
            Connection::Client(client) => {
                step(client.process_tls_records(shown), outgoing, early, |_| {})
            }
            Connection::Server(server) => {
                let secrets = &mut self.secrets;
                let status = server.process_tls_records(shown);
                step(status, outgoing, early, |record| {
                    secrets.read_server_record(record)
                })
            }
        };
        match &step {
            Ok(Step::EarlyData(plaintext)) => {
                keep_early_data(incoming, discard, plaintext).map_err(Stopped::Internal)?;
            }
            Ok(Step::Again | Step::Blocked | Step::Traffic) | Err(_) => {
                if self.begins_protected(incoming) {
                    self.early = self.early.consumed(discard);
                }
                incoming.discard(discard);
            }
        }
        self.shown = self.shown.saturating_sub(discard);
        self.boundary = match self.boundary {
            Boundary::Header(start) => Boundary::Header(start.saturating_sub(discard)),
            Boundary::Record { start, end } => Boundary::Record {
                start: start.saturating_sub(discard),
                end: end.saturating_sub(discard),
            },
        };
        step
    }

    /// Shows the next record once it is whole, and its header before: a bad one (`GET / HTTP`)
    /// then fails at its fifth byte at the latest, instead of waiting for a length.
    fn show_more(&mut self, ciphertext: &[u8]) -> bool {
        let end = loop {
            match self.boundary {
                Boundary::Record { end, .. } if self.shown == end => {
                    self.boundary = Boundary::Header(end);
                }
                Boundary::Record { end, .. } if ciphertext.len() >= end => break end,
                Boundary::Record { start, .. } => break start + HEADER,
                Boundary::Header(start) => {
                    let record = ciphertext.get(start..).unwrap_or_default();
                    let Some([_, _, _, high, low]) = record.first_chunk::<HEADER>() else {
                        break ciphertext.len();
                    };
                    let length = usize::from(u16::from_be_bytes([*high, *low]));
                    let end = start + HEADER + length;
                    self.boundary = Boundary::Record { start, end };
                }
            }
        };
        if end <= self.shown {
            return false;
        }
        match (&self.connection, self.boundary) {
            (Connection::Client(_), Boundary::Record { start, end: whole }) if end == whole => {
                let record = ciphertext.get(start..end).unwrap_or_default();
                self.secrets.read_server_record(record);
            }
            (Connection::Client(_), _) => {}
            (Connection::Server(_), _) => {
                self.read_requested_name(ciphertext.get(self.shown..end).unwrap_or_default());
            }
        }
        self.shown = end;
        self.stand = Stand::Moving;
        true
    }

    /// Reads the server name from bytes that rustls sees for the first time.
    fn read_requested_name(&mut self, fresh: &[u8]) {
        let RequestedName::Reading(assembly) = &mut self.requested_name else {
            return;
        };
        match assembly.read(fresh) {
            Assembled::Incomplete => {}
            Assembled::Whole(message) => {
                let asked = Asked::by(&message);
                self.early = self.early.asked(asked.early_data);
                self.requested_name = RequestedName::Known(asked.server_name);
            }
            Assembled::Junk { .. } => self.requested_name = RequestedName::Refused,
        }
    }

    /// Queues what rustls still has to say after an error, which ends with its alert, if it has
    /// one.
    fn drain_alert(&mut self, incoming: &mut Incoming, outgoing: &mut Outgoing) -> AlertSent {
        let mut alert = AlertSent::Nothing;
        // A protected alert says nothing of early data: the server may have taken it.
        let early = self.early;
        while self.connection.wants_write() {
            let before = outgoing.len();
            if self.step(incoming, outgoing).is_err() {
                break;
            }
            alert = match outgoing.slices().concat().get(before..) {
                Some([21, _, _, 0, 2, _, code]) => AlertSent::Plain(Alert::from_code(*code)),
                Some([_, ..]) => AlertSent::Encrypted,
                Some([]) | None => alert,
            };
        }
        self.early = early;
        alert
    }
}

impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake")
            .field("shown", &self.shown)
            .finish_non_exhaustive()
    }
}

/// How much plaintext a record carries: rustls counts `max_fragment_size` with the header, and
/// refuses what is out of range.
fn sizing(max_fragment_size: Option<usize>, settings: &Settings) -> Sizing {
    let size = max_fragment_size.map_or(MAX_PLAINTEXT, |size| size.saturating_sub(HEADER));
    let most = u16::try_from(size.clamp(1, MAX_PLAINTEXT)).unwrap_or(1);
    let most = most.min(settings.max_plaintext());
    Sizing::new(most, settings.effective_record_sizing())
}
