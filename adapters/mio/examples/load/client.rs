//! One connection of the crowd: what it is like, and what it does in each phase.

use std::io::{ErrorKind, Read as _, Write as _};

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use offwire::{Client, Handshake, Read, Shutdown};
use offwire_mio::{Error, TlsSource};

use crate::moves::{drain, exchange, flood};
use crate::talk::{LARGEST_MESSAGE, Material, Progress, Protocol, Talk, Trouble, trouble};

/// What a slow reader's socket holds each way, in bytes.
const NARROW: usize = 1 << 15;

/// A record of application data that nobody sealed.
const FORGED: &[u8] = b"\x17\x03\x03\x00\x20 it has no tag, nor any sequence";

/// The header of a handshake record whose rest never comes.
const BEGINNING: &[u8] = b"\x16\x03\x01\x02\x00";

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Polite,
    SlowReader,
    HalfCloser,
    Silent,
    Garbage,
}

/// What the crowd does; everyone finishes a phase before the next one begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Shake hands and talk.
    Opening,
    /// Talk again, after idling.
    Again,
    /// Slow readers read.
    Draining,
    Closing,
    /// Wait until the server has thrown out those who are silent.
    Leaving,
}

/// How far a connection is in the phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Busy,
    Settled,
    Gone,
}

/// What a connection borrows while it is looked at.
pub(crate) struct Looking<'a> {
    pub(crate) registry: &'a Registry,
    pub(crate) material: &'a Material,
    pub(crate) scratch: &'a mut [u8],
    pub(crate) phase: Phase,
    pub(crate) rounds: usize,
    pub(crate) bytes: usize,
    /// What to speak if the server does not say.
    pub(crate) otherwise: Protocol,
}

#[derive(Debug)]
pub(crate) struct Attendant {
    pub(crate) kind: Kind,
    number: usize,
    life: Life,
}

#[derive(Debug)]
enum Life {
    /// Without TLS: what is still to be sent.
    Raw(TcpStream, &'static [u8]),
    Handshaking(TlsSource<TcpStream>),
    Talking(TlsSource<TcpStream>, Talk),
    /// close_notify is on its way; the answer is still to be read.
    HalfClosing(TlsSource<TcpStream>, Talk),
    /// It has left; the answer is still to be read.
    HalfClosed(TlsSource<TcpStream>, Talk),
    /// Garbage was sent: the server must end this.
    Forged(TlsSource<TcpStream>),
    Closing(TlsSource<TcpStream>),
    Gone,
}

/// What follows from one look.
enum Next {
    Look(Life),
    Rest(Life, Status),
}

impl Attendant {
    /// Opens a connection and begins.
    pub(crate) fn open(
        kind: Kind,
        number: usize,
        tls: &Client,
        (address, name): (core::net::SocketAddr, &str),
        registry: &Registry,
    ) -> Result<Self, Trouble> {
        let mut socket = TcpStream::connect(address).map_err(trouble("connect"))?;
        if kind == Kind::SlowReader {
            narrow(&socket);
        }
        let raw = match (kind, number % 2) {
            (Kind::Silent, 0) => Some(&b""[..]),
            (Kind::Silent, _) => Some(BEGINNING),
            (Kind::Garbage, 0) => Some(&b"GET / HTTP/1.0\r\n\r\n"[..]),
            _ => None,
        };
        let life = match raw {
            Some(bytes) => {
                let interests = Interest::READABLE | Interest::WRITABLE;
                registry
                    .register(&mut socket, Token(number), interests)
                    .map_err(trouble("register"))?;
                Life::Raw(socket, bytes)
            }
            None => {
                let name = name.to_owned().try_into().map_err(trouble("name"))?;
                let mut source =
                    TlsSource::connect(tls, name, socket).map_err(trouble("connect"))?;
                // The ClientHello waits for the connection; what failed shows on its first event.
                let _ = source.handshake();
                let registered = source.register(registry, Token(number));
                registered.map_err(trouble("register"))?;
                Life::Handshaking(source)
            }
        };
        Ok(Self { kind, number, life })
    }

    /// One that could not be opened.
    pub(crate) fn gone(kind: Kind, number: usize) -> Self {
        let life = Life::Gone;
        Self { kind, number, life }
    }

    pub(crate) fn is_shaking_hands(&self) -> bool {
        matches!(self.life, Life::Handshaking(_))
    }

    /// Whether the server has stopped reading what it says.
    pub(crate) fn is_blocked(&self) -> bool {
        match &self.life {
            Life::Talking(source, _) => source.engine().committed() > 0,
            Life::Raw(..)
            | Life::Handshaking(_)
            | Life::HalfClosing(..)
            | Life::HalfClosed(..)
            | Life::Forged(_)
            | Life::Closing(_)
            | Life::Gone => false,
        }
    }

    /// What was said and heard.
    pub(crate) fn talk(&self) -> Option<&Talk> {
        match &self.life {
            Life::Talking(_, talk) | Life::HalfClosing(_, talk) | Life::HalfClosed(_, talk) => {
                Some(talk)
            }
            Life::Raw(..)
            | Life::Handshaking(_)
            | Life::Forged(_)
            | Life::Closing(_)
            | Life::Gone => None,
        }
    }

    /// Does whatever can be done in this phase, then tells the poll what to wait for.
    pub(crate) fn advance(&mut self, looking: &mut Looking<'_>) -> Result<Status, Trouble> {
        loop {
            let life = core::mem::replace(&mut self.life, Life::Gone);
            match self.look(life, looking)? {
                Next::Look(life) => self.life = life,
                Next::Rest(mut life, status) => {
                    if let Some(source) = life.source() {
                        source
                            .reregister(looking.registry, Token(self.number))
                            .map_err(trouble("reregister"))?;
                    }
                    self.life = life;
                    return Ok(status);
                }
            }
        }
    }

    fn look(&self, life: Life, looking: &mut Looking<'_>) -> Result<Next, Trouble> {
        match life {
            Life::Raw(socket, unsent) => self.stare(socket, unsent, looking.phase),
            Life::Handshaking(source) => self.shake_hands(source, looking),
            Life::Talking(source, talk) => self.converse(source, talk, looking),
            Life::HalfClosing(mut source, talk) => {
                match source.shutdown().map_err(trouble("shutdown"))? {
                    Shutdown::NeedWrite => Ok(busy(Life::HalfClosing(source, talk))),
                    Shutdown::Sent | Shutdown::Complete | Shutdown::Truncated => {
                        Ok(Next::Look(Life::HalfClosed(source, talk)))
                    }
                }
            }
            Life::HalfClosed(mut source, mut talk) => {
                match talk.hear(&mut source, looking.material, looking.scratch)? {
                    Progress::Done | Progress::Blocked => Ok(busy(Life::HalfClosed(source, talk))),
                    Progress::Closed if talk.answered == talk.asked => Ok(gone()),
                    Progress::Closed => Err("closed without an answer".into()),
                }
            }
            Life::Forged(mut source) => match source.read(looking.scratch) {
                Ok(Read::NeedRead | Read::NeedWrite) => Ok(busy(Life::Forged(source))),
                Ok(Read::Read(_)) => Ok(Next::Look(Life::Forged(source))),
                Ok(Read::Closed) => Err("forged data was taken for good".into()),
                Ok(Read::Truncated) | Err(_) => Ok(gone()),
            },
            Life::Closing(mut source) => match source.shutdown().map_err(trouble("shutdown"))? {
                Shutdown::NeedWrite | Shutdown::Sent => Ok(busy(Life::Closing(source))),
                Shutdown::Complete => Ok(gone()),
                Shutdown::Truncated => Err("the server cut the connection off".into()),
            },
            Life::Gone => Ok(gone()),
        }
    }

    /// Sends what it has to send without TLS, then waits for the server to end it.
    fn stare(
        &self,
        mut socket: TcpStream,
        unsent: &'static [u8],
        phase: Phase,
    ) -> Result<Next, Trouble> {
        if let Err(error) | Ok(Some(error)) = socket.take_error() {
            return Err(format!("connect: {error}"));
        }
        let unsent = match socket.write(unsent) {
            Ok(n) => unsent.get(n..).unwrap_or_default(),
            Err(error) if is_early(&error) => return Ok(busy(Life::Raw(socket, unsent))),
            Err(_) => return Ok(gone()),
        };
        let status = match (self.kind, phase) {
            _ if !unsent.is_empty() => Status::Busy,
            (Kind::Silent, Phase::Leaving) | (Kind::Garbage, _) => Status::Busy,
            _ => Status::Settled,
        };
        loop {
            match socket.read(&mut [0; 64]) {
                Ok(0) => return Ok(gone()),
                Ok(_) => {}
                Err(error) if is_early(&error) => {
                    return Ok(Next::Rest(Life::Raw(socket, unsent), status));
                }
                Err(_) => return Ok(gone()),
            }
        }
    }

    fn shake_hands(
        &self,
        mut source: TlsSource<TcpStream>,
        looking: &Looking<'_>,
    ) -> Result<Next, Trouble> {
        match source.handshake() {
            Ok(Handshake::Complete) => {}
            Ok(Handshake::NeedRead | Handshake::NeedWrite) => {
                return Ok(busy(Life::Handshaking(source)));
            }
            Err(Error::Transport(error)) if is_early(&error) => {
                return Ok(busy(Life::Handshaking(source)));
            }
            Err(error) => return Err(trouble("handshake")(error)),
        }
        let alpn = source.engine().negotiated();
        let alpn = alpn.and_then(|negotiated| negotiated.alpn());
        let protocol = Protocol::of(alpn, looking.otherwise);
        let largest = usize::try_from(LARGEST_MESSAGE).unwrap_or(usize::MAX);
        let len = match self.kind {
            Kind::SlowReader => largest,
            Kind::Polite | Kind::HalfCloser | Kind::Silent | Kind::Garbage => looking.bytes,
        };
        let talk = Talk::new(protocol, self.number, len);
        Ok(Next::Look(Life::Talking(source, talk)))
    }

    fn converse(
        &self,
        mut source: TlsSource<TcpStream>,
        mut talk: Talk,
        looking: &mut Looking<'_>,
    ) -> Result<Next, Trouble> {
        let progress = match (self.kind, looking.phase) {
            (Kind::Polite | Kind::SlowReader, Phase::Closing | Phase::Leaving) => {
                return Ok(Next::Look(Life::Closing(source)));
            }
            (Kind::SlowReader, Phase::Opening | Phase::Again) => {
                flood(&mut source, &mut talk, looking.material)?;
                Progress::Done
            }
            (Kind::SlowReader, Phase::Draining) => drain(&mut source, &mut talk, looking)?,
            (Kind::Polite, Phase::Opening) => {
                exchange(&mut source, &mut talk, looking, looking.rounds)?
            }
            (Kind::Polite, Phase::Again | Phase::Draining) => {
                exchange(&mut source, &mut talk, looking, looking.rounds + 1)?
            }
            (Kind::HalfCloser | Kind::Silent, _) => talk.ask(&mut source, looking.material)?,
            (Kind::Garbage, _) => exchange(&mut source, &mut talk, looking, 1)?,
        };
        match (progress, self.kind) {
            (Progress::Blocked, _) => Ok(busy(Life::Talking(source, talk))),
            (Progress::Closed, _) => Err("the server closed".into()),
            (Progress::Done, Kind::HalfCloser) => Ok(Next::Look(Life::HalfClosing(source, talk))),
            (Progress::Done, Kind::Garbage) => {
                let forged = source.transport_mut().write_all(FORGED);
                forged.map_err(trouble("forge"))?;
                Ok(Next::Look(Life::Forged(source)))
            }
            (Progress::Done, Kind::Polite | Kind::SlowReader | Kind::Silent) => {
                Ok(Next::Rest(Life::Talking(source, talk), Status::Settled))
            }
        }
    }
}

impl Life {
    fn source(&mut self) -> Option<&mut TlsSource<TcpStream>> {
        match self {
            Self::Raw(..) | Self::Gone => None,
            Self::Handshaking(source)
            | Self::Talking(source, _)
            | Self::HalfClosing(source, _)
            | Self::HalfClosed(source, _)
            | Self::Forged(source)
            | Self::Closing(source) => Some(source),
        }
    }
}

/// Leaves the socket little room, so that a slow reader soon holds the server up.
fn narrow(socket: &TcpStream) {
    #[cfg(unix)]
    {
        use rustix::net::sockopt;

        // Without it more has to be sent for the same effect.
        let _ = sockopt::set_socket_recv_buffer_size(socket, NARROW);
        let _ = sockopt::set_socket_send_buffer_size(socket, NARROW);
    }
    #[cfg(not(unix))]
    let _ = socket;
}

fn busy(life: Life) -> Next {
    Next::Rest(life, Status::Busy)
}

fn gone() -> Next {
    Next::Rest(Life::Gone, Status::Gone)
}

/// Whether a socket is merely not ready yet.
fn is_early(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock | ErrorKind::NotConnected | ErrorKind::Interrupted
    )
}
