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
use rustls::unbuffered::{ConnectionState, EncodeError, UnbufferedStatus};
use rustls::{ClientConfig, CommonState, ServerConfig};

use crate::alert::Alert;
use crate::error::{Error, Internal};
use crate::incoming::Incoming;
use crate::outgoing::{CONTROL_RESERVE, Outgoing};
use crate::record::{ContentType, HEADER, LARGEST_OUTGOING_RECORD, MAX_PLAINTEXT, TAG};
use crate::settings::Settings;
use crate::tls::acceptor::HelloReader;
use crate::tls::fault::{self, AlertSent};
use crate::tls::kept::Kept;
use crate::tls::secrets::Role;
use crate::trace::HandshakeSpan;

const APPLICATION_DATA: u8 = ContentType::ApplicationData as u8;

/// How far the handshake has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// All input is shown; the peer's next bytes are needed.
    NeedInput,
    /// The outgoing queue may not be able to hold the next record.
    NeedRoom,
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
    Reading(Box<HelloReader>),
    /// The reader refused the ClientHello, as the connection itself must.
    Refused,
}

/// What the last byte shown belongs to. Headers are read once, before rustls sees them, since it
/// joins handshake messages in place and may overwrite them.
#[derive(Clone, Copy)]
enum Boundary {
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
    /// Bytes of plaintext that a record carries at most, as configured.
    pub(super) max_plaintext: u16,
    /// Bytes of the incoming queue that rustls has seen and not discarded.
    shown: usize,
    boundary: Boundary,
}

/// What one call of rustls came to.
enum Step {
    /// It has not said yet what it needs.
    Again,
    /// It can do nothing more with what it was shown.
    Blocked,
    /// It may send application data.
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
        let max_plaintext = max_plaintext(config.max_fragment_size);
        let (config, secrets) = Kept::from_client(config, settings.effective_exporter());
        let connection = UnbufferedClientConnection::new(config, server_name)
            .map_err(|error| fault::from_configuration(&error))?;
        let connection = Connection::Client(connection);
        Ok(Self::new(
            connection,
            RequestedName::Known(sni),
            secrets,
            max_plaintext,
        ))
    }

    /// A server's handshake.
    pub(crate) fn server(config: &ServerConfig, settings: &Settings) -> Result<Box<Self>, Error> {
        let max_plaintext = max_plaintext(config.max_fragment_size);
        let (config, secrets) = Kept::from_server(config, settings.effective_exporter());
        let connection = UnbufferedServerConnection::new(config)
            .map_err(|error| fault::from_configuration(&error))?;
        let reader = RequestedName::Reading(Box::default());
        Ok(Self::new(
            Connection::Server(connection),
            reader,
            secrets,
            max_plaintext,
        ))
    }

    fn new(
        connection: Connection,
        requested_name: RequestedName,
        secrets: Kept,
        max_plaintext: u16,
    ) -> Box<Self> {
        let boundary = Boundary::Header(0);
        let span = HandshakeSpan::new(match &connection {
            Connection::Client(_) => Role::Client,
            Connection::Server(_) => Role::Server,
        });
        Box::new(Self {
            connection,
            requested_name,
            secrets,
            span,
            max_plaintext,
            shown: 0,
            boundary,
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
            // rustls pops a chunk before it asks for the room, so there must be enough for any.
            if outgoing.room() < LARGEST_OUTGOING_RECORD {
                return Ok(Progress::NeedRoom);
            }
            match self.step(incoming, outgoing) {
                Ok(Step::Again) => {}
                // With half-RTT data permitted, a server may write before it is done.
                Ok(Step::Traffic) if !self.connection.is_handshaking() => {
                    return Ok(Progress::Complete);
                }
                Ok(Step::Traffic | Step::Blocked) => {
                    self.drop_rejected_early_data(incoming);
                    if !self.show_more(incoming.ciphertext()) {
                        return Ok(Progress::NeedInput);
                    }
                }
                Err(Stopped::Internal(internal)) => return Err(internal.into()),
                Err(Stopped::Rustls(error)) => {
                    let alert = self.drain_alert(incoming, outgoing);
                    return Err(fault::from_handshake(error, alert));
                }
            }
        }
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
        let (discard, step) = match &mut self.connection {
            Connection::Client(client) => step(client.process_tls_records(shown), outgoing, |_| {}),
            Connection::Server(server) => {
                let secrets = &mut self.secrets;
                let status = server.process_tls_records(shown);
                step(status, outgoing, |record| {
                    secrets.read_server_record(record)
                })
            }
        };
        incoming.discard(discard);
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
        true
    }

    /// Takes a record of early data out of the queue that the server has rejected.
    ///
    /// rustls tries to decrypt such records, neither takes nor remembers them, and counts each
    /// against its limit whenever it is shown. A failed decryption leaves zeros behind (AWS-LC),
    /// which no handshake message begins with.
    fn drop_rejected_early_data(&mut self, incoming: &mut Incoming) {
        let Boundary::Record { start: 0, end } = self.boundary else {
            return;
        };
        let record = incoming.ciphertext().get(..end).unwrap_or_default();
        let [APPLICATION_DATA, _, _, _, _, body @ ..] = record else {
            return;
        };
        let text = body
            .get(..body.len().saturating_sub(TAG))
            .unwrap_or_default();
        if self.shown == end && !text.is_empty() && text.iter().all(|byte| *byte == 0) {
            incoming.discard(end);
            self.shown = 0;
            self.boundary = Boundary::Header(0);
        }
    }

    /// Reads the server name from bytes that rustls sees for the first time.
    fn read_requested_name(&mut self, fresh: &[u8]) {
        let RequestedName::Reading(reader) = &mut self.requested_name else {
            return;
        };
        match reader.read(fresh) {
            Ok(None) => {}
            Ok(Some(hello)) => {
                self.requested_name = RequestedName::Known(hello.server_name().map(Box::from));
            }
            Err(_) => self.requested_name = RequestedName::Refused,
        }
    }

    /// Queues what rustls still has to say after an error, which ends with its alert, if it has
    /// one.
    fn drain_alert(&mut self, incoming: &mut Incoming, outgoing: &mut Outgoing) -> AlertSent {
        let mut alert = AlertSent::Nothing;
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

/// Why a step failed.
enum Stopped {
    Rustls(rustls::Error),
    Internal(Internal),
}

/// Acts on what rustls said, showing each record that it sends; returns what it discards.
fn step<Data>(
    status: UnbufferedStatus<'_, '_, Data>,
    outgoing: &mut Outgoing,
    mut encoded: impl FnMut(&[u8]),
) -> (usize, Result<Step, Stopped>) {
    let step = match status.state {
        Ok(ConnectionState::EncodeTlsData(mut chunk)) => {
            let required = match chunk.encode(&mut []) {
                Err(EncodeError::InsufficientSize(insufficient)) => insufficient.required_size,
                Ok(_) | Err(EncodeError::AlreadyEncoded) => 0,
            };
            if required > outgoing.room() + CONTROL_RESERVE {
                Err(Stopped::Internal(Internal::Handover))
            } else {
                outgoing
                    .append(required, |space| {
                        chunk.encode(space)?;
                        encoded(space);
                        Ok::<_, EncodeError>(())
                    })
                    .map(|()| Step::Again)
                    .map_err(|_| Stopped::Internal(Internal::Handover))
            }
        }
        Ok(ConnectionState::TransmitTlsData(transmit)) => {
            transmit.done();
            Ok(Step::Again)
        }
        Ok(ConnectionState::BlockedHandshake) => Ok(Step::Blocked),
        Ok(ConnectionState::WriteTraffic(_)) => Ok(Step::Traffic),
        // Neither data nor an end can come before the last record of the handshake, and none
        // behind it is shown.
        Ok(_) => Err(Stopped::Internal(Internal::Handover)),
        Err(error) => Err(Stopped::Rustls(error)),
    };
    (status.discard, step)
}

/// Bytes of plaintext of a record, as rustls counts `max_fragment_size`: with the header. What is
/// out of range rustls refuses.
fn max_plaintext(max_fragment_size: Option<usize>) -> u16 {
    let size = max_fragment_size.map_or(MAX_PLAINTEXT, |size| size.saturating_sub(HEADER));
    u16::try_from(size.clamp(1, MAX_PLAINTEXT)).unwrap_or(1)
}
