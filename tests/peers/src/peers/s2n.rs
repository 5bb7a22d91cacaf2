//! s2n-tls through `s2n-tls-tokio`, which is its safe way to a transport: its callbacks copy from
//! and to the wires. Its futures are polled by hand; there is no runtime.

use alloc::rc::Rc;
use alloc::sync::Arc;
use core::cell::RefCell;
use core::fmt;
use core::mem::swap;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::io;
use std::sync::Mutex;
use std::time::SystemTime;

use offwire_testkit::{Authority, Identity, Kind};
use s2n_tls::callbacks::{SessionTicket, SessionTicketCallback};
use s2n_tls::config::Config;
use s2n_tls::connection::{Builder, Connection as Tls};
use s2n_tls::enums::Mode;
use s2n_tls::security::Policy;
use s2n_tls_tokio::{TlsAcceptor, TlsConnector, TlsStream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::order::{Suite, Version};
use crate::peer::{Connection, Library, Means, Progress, Setting};
use crate::{Problem, Wire};

/// The policy in which AES-128-GCM and X25519 come first.
const POLICY: &str = "20190801";

/// Its two configurations.
pub struct S2n {
    client: Config,
    server: Config,
    session: Session,
}

impl fmt::Debug for S2n {
    fn fmt(&self, into: &mut fmt::Formatter<'_>) -> fmt::Result {
        into.debug_struct("S2n").finish_non_exhaustive()
    }
}

/// The last ticket.
#[derive(Clone, Default)]
struct Session(Arc<Mutex<Option<Vec<u8>>>>);

impl SessionTicketCallback for Session {
    fn on_session_ticket(&self, _: &mut Tls, ticket: &SessionTicket) {
        let mut bytes = vec![0; ticket.len().unwrap_or(0)];
        if let (Ok(()), Ok(mut kept)) = (ticket.data(&mut bytes).map(drop), self.0.lock()) {
            *kept = Some(bytes);
        }
    }
}

impl Library for S2n {
    type Connection = Either;

    fn new(setting: Setting) -> Result<Option<Self>, Problem> {
        match (setting.version, setting.suite) {
            (Version::Tls13, Suite::Aes128) => {}
            // Its policies are fixed lists; none has TLS 1.2 alone or another suite first.
            (Version::Tls12, _) | (_, Suite::Aes256 | Suite::ChaCha20) => return Ok(None),
        }
        let (policy, session) = (Policy::from_version(POLICY)?, Session::default());
        let mut client = Config::builder();
        client.set_security_policy(&policy)?;
        client.trust_pem(Authority::shared().pem().as_bytes())?;
        let mut server = Config::builder();
        server.set_security_policy(&policy)?;
        let identity = Identity::server(Kind::EcdsaP256);
        server.load_pem(
            identity.chain_pem().as_bytes(),
            identity.key_pem().as_bytes(),
        )?;
        if setting.tickets > 0 {
            client.set_session_ticket_callback(session.clone())?;
            server.add_session_ticket_key(b"key", &[7; 32], SystemTime::now())?;
        }
        let (client, server) = (client.build()?, server.build()?);
        Ok(Some(Self {
            client,
            server,
            session,
        }))
    }

    fn client(&self) -> Result<Either, Problem> {
        let kept = self.session.0.lock().map_err(|_| "a callback has failed")?;
        let ticket = kept.clone();
        let connector = TlsConnector::new(Resuming {
            config: self.client.clone(),
            ticket,
        });
        let ports = Ports::default();
        let theirs = ports.clone();
        let shaking = Box::pin(async move { connector.connect("localhost", theirs).await });
        Ok(Either::Shaking(ports, shaking))
    }

    fn server(&self) -> Result<Either, Problem> {
        let config = self.server.clone();
        let acceptor = TlsAcceptor::new(Resuming {
            config,
            ticket: None,
        });
        let ports = Ports::default();
        let theirs = ports.clone();
        let shaking = Box::pin(async move { acceptor.accept(theirs).await });
        Ok(Either::Shaking(ports, shaking))
    }
}

/// A configuration, and the session that a client resumes.
#[derive(Clone)]
struct Resuming {
    config: Config,
    ticket: Option<Vec<u8>>,
}

impl Builder for Resuming {
    type Output = Tls;

    fn build_connection(&self, mode: Mode) -> Result<Tls, s2n_tls::error::Error> {
        let mut made = self.config.build_connection(mode)?;
        if let Some(ticket) = &self.ticket {
            made.set_session_ticket(ticket)?;
        }
        Ok(made)
    }
}

/// The wires, while s2n-tls may use them.
#[derive(Clone, Default)]
struct Ports(Rc<RefCell<Both>>);

#[derive(Default)]
struct Both {
    from: Wire,
    to: Wire,
}

impl Ports {
    fn lend(&self, from: &mut Wire, to: &mut Wire) {
        let mut both = self.0.borrow_mut();
        swap(&mut both.from, from);
        swap(&mut both.to, to);
    }
}

impl AsyncRead for Ports {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.0.borrow_mut().from.take(into.initialize_unfilled()) {
            0 => Poll::Pending,
            taken => {
                into.advance(taken);
                Poll::Ready(Ok(()))
            }
        }
    }
}

impl AsyncWrite for Ports {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0.borrow_mut().to.put(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

type Shaken = Result<TlsStream<Ports, Tls>, s2n_tls::error::Error>;

/// A connection that shakes hands, or has.
#[expect(private_interfaces, reason = "nobody looks inside")]
#[expect(clippy::exhaustive_enums, reason = "there is no third")]
pub enum Either {
    /// It shakes hands.
    Shaking(Ports, Pin<Box<dyn Future<Output = Shaken>>>),
    /// It has.
    Open(Ports, Box<TlsStream<Ports, Tls>>),
}

impl fmt::Debug for Either {
    fn fmt(&self, into: &mut fmt::Formatter<'_>) -> fmt::Result {
        into.debug_struct("Either").finish_non_exhaustive()
    }
}

impl Connection for Either {
    fn handshake(&mut self, from: &mut Wire, to: &mut Wire) -> Result<Progress, Problem> {
        let Self::Shaking(ports, shaking) = self else {
            return Ok(Progress::Complete);
        };
        ports.lend(from, to);
        let polled = shaking
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        ports.lend(from, to);
        match polled {
            Poll::Pending => Ok(Progress::Going),
            Poll::Ready(shaken) => {
                let ports = ports.clone();
                *self = Self::Open(ports, Box::new(shaken?));
                Ok(Progress::Complete)
            }
        }
    }

    fn write(&mut self, mut plaintext: &[u8], to: &mut Wire) -> Result<(), Problem> {
        let Self::Open(ports, stream) = self else {
            return Err("a handshake is missing".into());
        };
        let mut from = Wire::new();
        ports.lend(&mut from, to);
        let mut outcome = Ok(());
        while outcome.is_ok() && !plaintext.is_empty() {
            let context = &mut Context::from_waker(Waker::noop());
            match Pin::new(&mut **stream).poll_write(context, plaintext) {
                Poll::Ready(Ok(length)) => {
                    plaintext = plaintext.get(length..).unwrap_or_default();
                }
                Poll::Ready(Err(error)) => outcome = Err(error.into()),
                Poll::Pending => outcome = Err("it waits for a wire that has room".into()),
            }
        }
        ports.lend(&mut from, to);
        outcome
    }

    fn read(&mut self, into: &mut [u8], from: &mut Wire) -> Result<usize, Problem> {
        let Self::Open(ports, stream) = self else {
            return Err("a handshake is missing".into());
        };
        let mut to = Wire::new();
        ports.lend(from, &mut to);
        let mut into = ReadBuf::new(into);
        let context = &mut Context::from_waker(Waker::noop());
        let polled = Pin::new(&mut **stream).poll_read(context, &mut into);
        ports.lend(from, &mut to);
        match polled {
            Poll::Ready(outcome) => outcome.map(|()| into.filled().len()).map_err(Into::into),
            Poll::Pending => Ok(0),
        }
    }

    fn is_resumed(&self) -> bool {
        match self {
            Self::Open(_, stream) => stream.as_ref().as_ref().resumed(),
            Self::Shaking(..) => false,
        }
    }

    fn release(&mut self) -> Means {
        match self {
            Self::Open(_, stream) => match stream.as_mut().as_mut().release_buffers() {
                Ok(_) => Means::Done,
                Err(_) => Means::Missing,
            },
            Self::Shaking(..) => Means::Missing,
        }
    }
}
