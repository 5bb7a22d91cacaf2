//! A server that fetches its certificate while the client waits: by the name in the ClientHello, from
//! a vault that answers when it likes, without holding up any other connection.
//!
//! ```sh
//! cargo run --example certificate_lookup
//! ```
//!
//! The vault is a thread behind two channels. It answers in the reverse order of the questions, and
//! none before it has all of them: a server that waited for the first answer would wait for ever. There
//! are no sockets here; `Link` stands for whatever a loop moves bytes with.

extern crate alloc;

use alloc::sync::Arc;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use offwire::rustls::crypto::aws_lc_rs::default_provider;
use offwire::rustls::{self, ServerConfig};
use offwire::{Acceptor, Alert, Client, Engine, Error, Hello, Read, Server, Write};
use offwire_testkit::{Authority, Contexts, Identity, Kind, Usage};

/// The names that clients ask for. The vault has no certificate for the last one.
const NAMES: [&str; 4] = ["first.test", "second.test", "third.test", "unknown.test"];

/// What a client says, and the server says back.
const GREETING: &[u8] = b"who is there?";

type Fault = Box<dyn core::error::Error + Send + Sync>;

/// A question to the vault: for which connection, and the name.
struct Question(usize, String);

/// Its answer.
struct Answer(usize, Option<Identity>);

/// Where a connection of the server is. Only `Serving` has a configuration.
enum Connection {
    /// The ClientHello is awaited.
    Reading(Acceptor),
    /// The vault's answer is. What arrives meanwhile is kept, up to the acceptor's bound.
    Looking(Acceptor),
    Serving(Box<Engine>),
    /// The alert leaves, then the connection is dropped.
    Refusing(Acceptor),
}

impl Connection {
    /// Takes what the client sent, and asks the vault as soon as the name is known.
    fn receive(self, id: usize, bytes: &[u8], vault: &Sender<Question>) -> Result<Self, Fault> {
        match self {
            Self::Reading(mut acceptor) => {
                acceptor.feed(bytes);
                let name = match acceptor.client_hello()? {
                    Hello::NeedRead => return Ok(Self::Reading(acceptor)),
                    Hello::Complete(hello) => hello.server_name().unwrap_or_default().to_owned(),
                };
                vault.send(Question(id, name))?;
                Ok(Self::Looking(acceptor))
            }
            Self::Looking(mut acceptor) => {
                acceptor.feed(bytes);
                Ok(Self::Looking(acceptor))
            }
            Self::Serving(mut engine) => {
                engine.feed(bytes);
                Ok(Self::Serving(engine))
            }
            refusing @ Self::Refusing(_) => Ok(refusing),
        }
    }

    /// Goes on with the certificate that was found, or refuses the client.
    fn answered(self, found: Option<&Identity>) -> Result<Self, Fault> {
        match (self, found) {
            (Self::Looking(mut acceptor), Some(identity)) => {
                let engine = acceptor.accept(&server(identity)?)?;
                Ok(Self::Serving(Box::new(engine)))
            }
            (Self::Looking(mut acceptor), None) => {
                acceptor.reject(Alert::UNRECOGNIZED_NAME)?;
                Ok(Self::Refusing(acceptor))
            }
            (other, _) => Ok(other),
        }
    }

    /// Echoes what can be read.
    fn serve(&mut self) -> Result<(), Error> {
        let Self::Serving(engine) = self else {
            return Ok(());
        };
        let mut plaintext = [0; 1024];
        while let Read::Read(count) = engine.read(&mut plaintext)? {
            // Short enough for the queue: it never blocks here.
            let said = engine.write(plaintext.get(..count).unwrap_or_default())?;
            assert_eq!(said, Write::Written(count));
        }
        Ok(())
    }

    fn take_outgoing(&mut self) -> Result<Vec<u8>, Error> {
        match self {
            Self::Reading(acceptor) | Self::Looking(acceptor) | Self::Refusing(acceptor) => {
                let bytes = acceptor.outgoing().to_vec();
                acceptor.sent(bytes.len())?;
                Ok(bytes)
            }
            Self::Serving(engine) => Ok(engine.take_outgoing().to_vec()),
        }
    }
}

/// A server's context with this certificate.
fn server(identity: &Identity) -> Result<Server, rustls::Error> {
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(identity.chain().to_vec(), identity.key())?;
    Ok(Server::new(config))
}

/// A client, what it has heard, and how it ended.
struct Caller {
    name: &'static str,
    engine: Engine,
    unsaid: &'static [u8],
    heard: Vec<u8>,
    failed: Option<Error>,
}

impl Caller {
    fn new(client: &Client, name: &'static str) -> Result<Self, Fault> {
        let engine = client.connect(name.try_into()?)?;
        Ok(Self {
            name,
            engine,
            unsaid: GREETING,
            heard: Vec::new(),
            failed: None,
        })
    }

    /// Says its part and hears the answer, as far as it goes.
    fn act(&mut self) -> Result<(), Error> {
        if let Write::Written(count) = self.engine.write(self.unsaid)? {
            self.unsaid = self.unsaid.get(count..).unwrap_or_default();
        }
        let mut plaintext = [0; 1024];
        while let Read::Read(count) = self.engine.read(&mut plaintext)? {
            self.heard
                .extend_from_slice(plaintext.get(..count).unwrap_or_default());
        }
        Ok(())
    }

    fn is_done(&self) -> bool {
        self.failed.is_some() || self.heard.len() == GREETING.len()
    }
}

/// Answers all questions at once, the last one first.
fn vault(questions: &Receiver<Question>, answers: &Sender<Answer>) {
    let asked: Vec<Question> = questions.iter().take(NAMES.len()).collect();
    for Question(id, name) in asked.into_iter().rev() {
        let known = NAMES
            .iter()
            .take(NAMES.len() - 1)
            .any(|known| *known == name);
        let identity = known.then(|| {
            let authority = Authority::shared();
            authority.issue_named(Kind::EcdsaP256, Usage::Server, &[&name])
        });
        if answers.send(Answer(id, identity)).is_err() {
            return;
        }
    }
}

fn run() -> Result<Vec<Caller>, Fault> {
    let (ask, questions) = mpsc::channel();
    let (tell, answers) = mpsc::channel();
    let vault = thread::spawn(move || vault(&questions, &tell));

    let (client, _) = Contexts::new().build();
    let callers = NAMES.map(|name| Caller::new(&client, name));
    let mut callers = callers.into_iter().collect::<Result<Vec<_>, _>>()?;
    let fresh = || Some(Connection::Reading(Acceptor::new()));
    let mut connections = NAMES.map(|_| fresh());

    while !callers.iter().all(Caller::is_done) {
        // A loop over sockets would be woken by them and by the vault; here all waits come to one.
        for Answer(id, found) in answers.try_iter() {
            if let Some(slot) = connections.get_mut(id)
                && let Some(connection) = slot.take()
            {
                *slot = Some(connection.answered(found.as_ref())?);
            }
        }
        for (id, (caller, slot)) in callers.iter_mut().zip(&mut connections).enumerate() {
            if let Err(error) = caller.act() {
                caller.failed = Some(error);
            }
            let flight = caller.engine.take_outgoing();
            if let Some(connection) = slot.take() {
                let mut connection = connection.receive(id, &flight, &ask)?;
                connection.serve()?;
                caller.engine.feed(&connection.take_outgoing()?);
                *slot = Some(connection);
            }
        }
    }
    vault.join().map_err(|_| "the vault failed")?;
    Ok(callers)
}

fn report(callers: &[Caller]) -> Result<(), Fault> {
    let mut out = io::stdout().lock();
    for caller in callers {
        let end = match (&caller.failed, caller.engine.negotiated()) {
            (Some(error), _) => format!("failed: {error}"),
            (None, Some(negotiated)) => format!("verified, {}", negotiated.version()),
            (None, None) => "nothing happened".into(),
        };
        writeln!(out, "{:>14}  {end}", caller.name)?;
        let known = caller.name != "unknown.test";
        let expected = if known { GREETING } else { b"" };
        if caller.heard != expected || caller.failed.is_none() != known {
            return Err(format!("{} ended otherwise than expected", caller.name).into());
        }
    }
    writeln!(out, "every byte was right, every end as expected")?;
    Ok(())
}

fn main() -> ExitCode {
    match run().and_then(|callers| report(&callers)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            let _ = writeln!(io::stdout(), "failed: {fault}");
            ExitCode::FAILURE
        }
    }
}
