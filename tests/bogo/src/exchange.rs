//! One connection of a test: the handshake, the echo with every bit flipped, the shutdown.

use offwire::{Acceptor, Engine, Hello, ProtocolVersion, Shutdown};

use crate::checks;
use crate::context::Context;
use crate::early::{self, InitialWrite};
use crate::exporter;
use crate::failure::Failure;
use crate::flags::{Flags, Setting, Switch, TestFlags};
use crate::session::{Found, Session};
use crate::transport::Transport;

/// Which connection of a test it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    Initial,
    Resumption,
}

/// Bytes of a read if the flags do not say: few, so that a record is read in several.
pub(crate) const READ_SIZE: usize = 512;

/// What the shim writes first if the flags do not say.
const INITIAL_WRITE: &str = "hello";

/// Dials the runner and plays one connection.
pub(crate) fn connect(context: &Context, test: &TestFlags, turn: Turn) -> Result<(), Failure> {
    let first = match turn {
        Turn::Initial => &test.initial,
        Turn::Resumption => &test.resume,
    };
    // BoringSSL's shim begins again once its early data is rejected, and what the handshake comes to
    // is that of the second attempt. Here it is one handshake.
    let retries = turn == Turn::Resumption && first.has(Switch::ExpectRejectEarlyData);
    let later = if retries && !first.has(Switch::Server) {
        &test.retry
    } else {
        first
    };
    context.verifier.begin(later)?;
    let mut transport = Transport::dial(first)?;
    let engine = match engine(context, first, &mut transport) {
        Ok(engine) => engine,
        Err(failure) => {
            transport.finish();
            return Err(failure);
        }
    };
    let mut session = Session::new(engine, transport);
    let outcome = begin(&mut session, first, turn)
        .and_then(|initial| converse(&mut session, context, later, turn, initial))
        .map_err(|failure| failure.of(&session.engine));
    session.finish();
    outcome
}

/// Makes the engine; behind an acceptor if the ClientHello is to be seen first.
fn engine(context: &Context, flags: &Flags, transport: &mut Transport) -> Result<Engine, Failure> {
    if !flags.has(Switch::Server) {
        return context.connect(flags);
    }
    let callbacks = [Switch::UseEarlyCallback, Switch::InstallDdosCallback];
    let looks_at_hello = flags.value(Setting::ExpectAdvertisedAlpn).is_some()
        || callbacks.into_iter().any(|switch| flags.has(switch));
    if !looks_at_hello {
        return Ok(context.server(flags, None)?.accept());
    }
    let mut acceptor = Acceptor::new();
    let server = loop {
        match acceptor.client_hello() {
            Ok(Hello::Complete(hello)) => break context.server(flags, Some(hello))?,
            Ok(Hello::NeedRead) => {
                let bytes = transport.receive_bytes()?;
                if bytes.is_empty() {
                    return Err(Failure::Expectation(
                        "an end before the ClientHello".to_owned(),
                    ));
                }
                acceptor.feed(&bytes);
            }
            Err(error) => {
                if acceptor.client_hello().err().as_ref() != Some(&error) {
                    return Err(Failure::Broken(format!("{error:?} was not repeated")));
                }
                transport.send_bytes(acceptor.outgoing())?;
                return Err(error.into());
            }
        }
    };
    Ok(acceptor.accept(&server)?)
}

/// What comes before the handshake is complete.
fn begin(session: &mut Session, flags: &Flags, turn: Turn) -> Result<InitialWrite, Failure> {
    if flags.has(Switch::EnableEarlyData) {
        if flags.has(Switch::Server) {
            early::serve(session)?;
        } else if turn == Turn::Resumption {
            let initial = early::offer(session, flags)?;
            early::check(&session.engine, flags, turn)?;
            return Ok(initial);
        }
    }
    Ok(InitialWrite::Due)
}

fn converse(
    session: &mut Session,
    context: &Context,
    flags: &Flags,
    turn: Turn,
    initial: InitialWrite,
) -> Result<(), Failure> {
    if !flags.has(Switch::ImplicitHandshake) {
        session.handshake()?;
        checks::after_handshake(&session.engine, context, flags, turn)?;
        let extra = [Switch::HandshakeTwice, Switch::NoOpExtraHandshake];
        if extra.into_iter().any(|switch| flags.has(switch)) {
            session.handshake()?;
        }
    }
    exporter::export(session, flags)?;
    if flags.has(Switch::WriteDifferentRecordSizes) {
        write_different_record_sizes(session)?;
    } else {
        exchange(session, flags, initial)?;
    }
    checks::after_exchange(&session.engine, context, flags, turn)?;
    close(session, flags)
}

fn write_different_record_sizes(session: &mut Session) -> Result<(), Failure> {
    let text = [0x42; 32_769];
    for size in [
        0, 1, 255, 256, 257, 16_383, 16_384, 16_385, 32_767, 32_768, 32_769,
    ] {
        session.write(text.get(..size).unwrap_or_default())?;
    }
    Ok(())
}

/// What the shim writes first.
pub(crate) fn initial_write(flags: &Flags) -> &[u8] {
    flags
        .value(Setting::ShimInitialWrite)
        .unwrap_or(INITIAL_WRITE)
        .as_bytes()
}

/// Flips every bit.
pub(crate) fn flip(text: &mut [u8]) {
    for byte in text {
        *byte ^= 0xff;
    }
}

fn exchange(session: &mut Session, flags: &Flags, write: InitialWrite) -> Result<(), Failure> {
    let initial = initial_write(flags);
    let mut unfinished = None;
    if write == InitialWrite::Done {
        // It was written early.
    } else if flags.has(Switch::ReadWithUnfinishedWrite) {
        session.begin_write(initial)?;
        unfinished = Some(initial);
    } else if flags.has(Switch::ShimWritesFirst) {
        let times: usize = flags.number(Setting::RepeatShimInitialWrite)?.unwrap_or(1);
        for _ in 0..times {
            session.write(initial)?;
        }
    }
    if flags.has(Switch::ShimShutsDown) {
        return Ok(());
    }
    echo(session, flags, unfinished)
}

/// Reads, flips every bit, writes back, until the end. A write that was left unfinished is finished
/// after the first read.
fn echo(
    session: &mut Session,
    flags: &Flags,
    mut unfinished: Option<&[u8]>,
) -> Result<(), Failure> {
    let size: usize = flags.number(Setting::ReadSize)?.unwrap_or(READ_SIZE);
    let mut buffer = vec![0; size];
    loop {
        if flags.has(Switch::KeyUpdateBeforeRead) {
            session.key_update()?;
        }
        let found = if flags.has(Switch::PeekThenRead) {
            session.peek_then_read(&mut buffer)?
        } else {
            session.read(&mut buffer)?
        };
        let Found::Plaintext(length) = found else {
            return Ok(());
        };
        if let Some(initial) = unfinished.take() {
            session.write(initial)?;
        }
        if flags.has(Switch::KeyUpdate) {
            session.key_update()?;
        }
        let text = buffer.get_mut(..length).unwrap_or_default();
        flip(text);
        session.write(text)?;
    }
}

/// Shuts down. Whether the peer does as well matters only if the flags say so.
fn close(session: &mut Session, flags: &Flags) -> Result<(), Failure> {
    if !flags.has(Switch::CheckCloseNotify) {
        return Ok(());
    }
    let mut outcome = session.shutdown()?;
    while outcome == Shutdown::Sent {
        if session.engine.pending() > 0 {
            return Err(Failure::Expectation(
                "application data instead of close_notify".to_owned(),
            ));
        }
        session.receive()?;
        outcome = session.shutdown()?;
    }
    match outcome {
        Shutdown::Complete => Ok(()),
        Shutdown::Truncated | Shutdown::Sent | Shutdown::NeedWrite => Err(Failure::Expectation(
            format!("shutdown came to {outcome:?}"),
        )),
    }
}

/// Whether the engine speaks TLS 1.3.
pub(crate) fn is_tls13(engine: &Engine) -> bool {
    engine
        .negotiated()
        .is_some_and(|negotiated| negotiated.version() == ProtocolVersion::Tls13)
}
