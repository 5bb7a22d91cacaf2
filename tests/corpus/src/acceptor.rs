//! Any bytes into an acceptor, against a server that is fed the same bytes at once.
//!
//! The input: a byte of settings, a seed of cuts, then what a client sends.

use offwire::{Acceptor, Alert, ClientHello, Error, Hello, Misuse};
use offwire_testkit::{Random, Side};

use crate::feed::{contexts, engine, read_only};
use crate::script::Script;
use crate::watched::Watched;

pub(crate) fn run(input: &[u8]) {
    let mut script = Script::new(input);
    let (settings, seed) = (script.byte(), script.byte());
    let contexts = contexts(settings);
    let wire = script.rest();
    let (_, server) = contexts.build();
    reject(wire, seed);
    let direct = read_only(
        Watched::new(engine(Side::Server, &contexts), &contexts),
        wire,
        None,
    );

    let (mut acceptor, mut rest) = (Acceptor::new(), wire);
    let mut random = Random::new(u64::from(seed));
    let mut seen = Ok(None);
    while !rest.is_empty() && !matches!(seen, Ok(Some(_))) {
        let len = random.cut(rest.len());
        let taken = acceptor.feed(&rest[..len]);
        assert!(taken > 0, "an acceptor that waits has room");
        rest = &rest[taken..];
        seen = hello(&mut acceptor, seen);
    }
    if let Ok(Some(hello)) = seen {
        let accepted = Watched::new(acceptor.accept(&server).unwrap(), &contexts);
        let finished = Error::Misuse(Misuse::AcceptorFinished);
        assert_eq!(acceptor.client_hello(), Err(finished.clone()));
        assert_eq!(acceptor.accept(&server).err(), Some(finished));
        assert_eq!(acceptor.feed(rest), rest.len(), "discarded");
        assert_eq!(read_only(accepted, rest, Some(u64::from(seed))), direct);
        assert!(hello.server_name().is_none_or(|name| !name.is_empty()));
        return;
    }
    assert!(direct.end.is_err(), "no handshake without a ClientHello");
    let expected = match seen {
        Err(error) => error,
        Ok(_) => Misuse::ClientHelloIncomplete.into(),
    };
    assert_eq!(acceptor.accept(&server).err(), Some(expected.clone()));
    if expected.alert().is_some() {
        assert!(!acceptor.outgoing().is_empty(), "the alert of {expected:?}");
    }
    let waiting = acceptor.outgoing().len();
    let too_much = Error::Misuse(Misuse::SentTooMuch);
    assert_eq!(acceptor.sent(waiting + 1), Err(too_much));
    assert_eq!(acceptor.sent(waiting), Ok(()));
    assert!(acceptor.outgoing().is_empty());
}

/// An acceptor that is told to reject behind some bytes says its alert and nothing more, unless it had
/// refused before.
fn reject(wire: &[u8], seed: u8) {
    let alert = Alert::from_code(seed);
    let mut acceptor = Acceptor::new();
    let behind = Random::new(u64::from(seed)).cut(wire.len() + 1) - 1;
    acceptor.feed(&wire[..behind]);
    let refused = acceptor.client_hello().err();
    let said = acceptor.reject(alert);
    assert_eq!(said.err(), refused, "a refusal stays");
    let finished = refused.unwrap_or_else(|| Misuse::AcceptorFinished.into());
    if matches!(finished, Error::Misuse(_)) {
        let record = [21, 3, 3, 0, 2, 2, seed];
        assert_eq!(acceptor.outgoing(), record, "a fatal alert in the clear");
    }
    assert_eq!(acceptor.client_hello(), Err(finished.clone()));
    assert_eq!(acceptor.reject(alert), Err(finished));
}

/// What the acceptor says now; an error that it said before must stay.
fn hello(
    acceptor: &mut Acceptor,
    before: Result<Option<ClientHello>, Error>,
) -> Result<Option<ClientHello>, Error> {
    let said = match acceptor.client_hello() {
        Ok(Hello::Complete(hello)) => Ok(Some(hello.clone())),
        Ok(Hello::NeedRead) => Ok(None),
        Err(error) => Err(error),
    };
    if let Err(error) = before {
        assert_eq!(said, Err(error), "errors stay");
    }
    said
}
