//! `Acceptor`: the ClientHello before the configuration is chosen.
//!
//! What OpenSSL does with a callback and `SSL_ERROR_WANT_CLIENT_HELLO_CB` is here a value: feed
//! bytes, look at the hello, then accept with the server that fits. The bytes are kept and
//! replayed to the engine.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;

use crate::alert::{Alert, AlertLevel};
use crate::context::Server;
use crate::engine::Engine;
use crate::error::{Error, Misuse, Peer};
use crate::incoming::HANDSHAKE_BOUND;
use crate::negotiated::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};
use crate::tls::acceptor::HelloReader;

/// What a client offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientHello {
    pub(crate) server_name: Option<Box<str>>,
    pub(crate) alpn: Vec<Box<[u8]>>,
    pub(crate) cipher_suites: Vec<CipherSuite>,
    pub(crate) named_groups: Vec<NamedGroup>,
    pub(crate) signature_schemes: Vec<SignatureScheme>,
    pub(crate) versions: Vec<ProtocolVersion>,
}

impl ClientHello {
    /// The name of the server that the client asks for (SNI, RFC 6066).
    #[must_use]
    pub fn server_name(&self) -> Option<&str> {
        self.server_name.as_deref()
    }

    /// The application protocols, in the client's order (RFC 7301).
    pub fn alpn(&self) -> impl Iterator<Item = &[u8]> {
        self.alpn.iter().map(AsRef::as_ref)
    }

    /// The protocol versions that the engine speaks too, in the client's order; others are left
    /// out.
    #[must_use]
    pub fn versions(&self) -> &[ProtocolVersion] {
        &self.versions
    }

    /// The cipher suites, in the client's order.
    #[must_use]
    pub fn cipher_suites(&self) -> &[CipherSuite] {
        &self.cipher_suites
    }

    /// The key exchange groups, in the client's order; empty if it names none.
    #[must_use]
    pub fn named_groups(&self) -> &[NamedGroup] {
        &self.named_groups
    }

    /// The signature schemes for certificates and handshakes, in the client's order. Those that
    /// cannot be used in any version that was offered are left out.
    #[must_use]
    pub fn signature_schemes(&self) -> &[SignatureScheme] {
        &self.signature_schemes
    }
}

/// What [`Acceptor::client_hello`] found.
#[must_use = "an outcome says what the caller owes next"]
#[expect(clippy::exhaustive_enums, reason = "callers must handle every outcome")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hello<'a> {
    /// The ClientHello is whole.
    Complete(&'a ClientHello),
    /// Feed ciphertext, then call again.
    NeedRead,
}

/// A connection whose ClientHello is still awaited.
///
/// ```
/// use offwire::{Acceptor, Engine, Error, Hello, Server};
///
/// /// Serves `shop.example` with one configuration and every other name with another.
/// fn on_bytes(
///     acceptor: &mut Acceptor,
///     bytes: &[u8],
///     (shop, others): (&Server, &Server),
/// ) -> Result<Option<Engine>, Error> {
///     acceptor.feed(bytes);
///     let server = match acceptor.client_hello()? {
///         Hello::NeedRead => return Ok(None),
///         Hello::Complete(hello) if hello.server_name() == Some("shop.example") => shop,
///         Hello::Complete(_) => others,
///     };
///     acceptor.accept(server).map(Some)
/// }
/// ```
#[derive(Debug, Default)]
pub struct Acceptor {
    state: State,
}

/// What is awaited.
#[derive(Default)]
enum State {
    /// Before the first byte.
    #[default]
    Fresh,
    /// The rest of the ClientHello.
    Reading {
        reader: Box<HelloReader>,
        received: Vec<u8>,
    },
    /// The choice of a configuration.
    Complete {
        hello: ClientHello,
        received: Vec<u8>,
    },
    /// That the alert leaves: what came was no ClientHello, or the caller refused it.
    Refused { error: Error, record: Vec<u8> },
    /// Nothing: the connection belongs to an engine.
    Accepted,
}

impl Acceptor {
    /// An acceptor for a new connection.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes ciphertext from the client; returns how many bytes were taken.
    ///
    /// Fewer than offered are taken once 128 KiB are held: call [`Self::client_hello`]. A refused
    /// or finished acceptor discards everything.
    pub fn feed(&mut self, ciphertext: &[u8]) -> usize {
        if let State::Fresh = self.state {
            self.state = State::Reading {
                reader: Box::default(),
                received: Vec::new(),
            };
        }
        match &mut self.state {
            State::Reading { reader, received } => {
                let count = ciphertext.len().min(HANDSHAKE_BOUND - received.len());
                let taken = ciphertext.get(..count).unwrap_or_default();
                received.extend_from_slice(taken);
                match reader.read(taken) {
                    Ok(None) if received.len() == HANDSHAKE_BOUND => {
                        let error = Peer::HandshakeTooLarge.into();
                        self.state = State::Refused {
                            error,
                            record: Vec::new(),
                        };
                    }
                    Ok(None) => {}
                    Ok(Some(hello)) => {
                        let received = mem::take(received);
                        self.state = State::Complete { hello, received };
                    }
                    Err(refused) => {
                        self.state = State::Refused {
                            error: refused.error,
                            record: refused.record,
                        };
                    }
                }
                count
            }
            State::Complete { received, .. } => {
                let count = ciphertext.len().min(HANDSHAKE_BOUND - received.len());
                received.extend_from_slice(ciphertext.get(..count).unwrap_or_default());
                count
            }
            State::Fresh | State::Refused { .. } | State::Accepted => ciphertext.len(),
        }
    }

    /// The ClientHello, once it is whole.
    ///
    /// # Errors
    /// [`Error::Peer`] if what came is no ClientHello; the alert waits in [`Self::outgoing`], and
    /// every later call returns the same error. [`Misuse::AcceptorFinished`] after
    /// [`Self::accept`] or [`Self::reject`].
    pub fn client_hello(&mut self) -> Result<Hello<'_>, Error> {
        match &self.state {
            State::Fresh | State::Reading { .. } => Ok(Hello::NeedRead),
            State::Complete { hello, .. } => Ok(Hello::Complete(hello)),
            State::Refused { error, .. } => Err(error.clone()),
            State::Accepted => Err(Misuse::AcceptorFinished.into()),
        }
    }

    /// Makes the engine of this connection, which has already got all that was fed.
    ///
    /// # Errors
    /// As [`Self::client_hello`]; [`Misuse::ClientHelloIncomplete`] before it is whole. Whether the
    /// server can serve this client is found by the engine's first verb.
    pub fn accept(&mut self, server: &Server) -> Result<Engine, Error> {
        match mem::replace(&mut self.state, State::Accepted) {
            State::Complete { received, .. } => {
                let mut engine = server.accept();
                engine.feed(&received);
                Ok(engine)
            }
            State::Refused { error, record } => {
                self.state = State::Refused {
                    error: error.clone(),
                    record,
                };
                Err(error)
            }
            State::Accepted => Err(Misuse::AcceptorFinished.into()),
            state @ (State::Fresh | State::Reading { .. }) => {
                self.state = state;
                Err(Misuse::ClientHelloIncomplete.into())
            }
        }
    }

    /// Refuses the client with this fatal alert, for instance [`Alert::UNRECOGNIZED_NAME`] or
    /// [`Alert::ACCESS_DENIED`]; then send [`Self::outgoing`] and drop the transport.
    ///
    /// It may come at any time before [`Self::accept`]. The acceptor is finished: every later call
    /// is [`Misuse::AcceptorFinished`].
    ///
    /// # Errors
    /// What the acceptor has already failed with, or [`Misuse::AcceptorFinished`]; nothing changes.
    pub fn reject(&mut self, alert: Alert) -> Result<(), Error> {
        match &self.state {
            State::Fresh | State::Reading { .. } | State::Complete { .. } => {
                let level = AlertLevel::Fatal as u8;
                self.state = State::Refused {
                    error: Misuse::AcceptorFinished.into(),
                    record: [21, 3, 3, 0, 2, level, alert.code()].into(),
                };
                Ok(())
            }
            State::Refused { error, .. } => Err(error.clone()),
            State::Accepted => Err(Misuse::AcceptorFinished.into()),
        }
    }

    /// The alert of a refusal, to be sent to the client; otherwise empty.
    #[must_use]
    pub fn outgoing(&self) -> &[u8] {
        match &self.state {
            State::Refused { record, .. } => record,
            State::Fresh | State::Reading { .. } | State::Complete { .. } | State::Accepted => &[],
        }
    }

    /// Removes `count` bytes that were sent from [`Self::outgoing`].
    ///
    /// # Errors
    /// [`Misuse::SentTooMuch`] if there are fewer; nothing changes.
    pub fn sent(&mut self, count: usize) -> Result<(), Error> {
        if count > self.outgoing().len() {
            return Err(Misuse::SentTooMuch.into());
        }
        match &mut self.state {
            State::Refused { record, .. } => drop(record.drain(..count)),
            State::Fresh | State::Reading { .. } | State::Complete { .. } | State::Accepted => {}
        }
        Ok(())
    }
}

impl core::fmt::Debug for State {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Fresh => "Fresh",
            Self::Reading { .. } => "Reading",
            Self::Complete { .. } => "Complete",
            Self::Refused { .. } => "Refused",
            Self::Accepted => "Accepted",
        })
    }
}
