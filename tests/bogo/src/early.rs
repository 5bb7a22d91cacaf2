//! Early data: what a client writes with its first flight, and what becomes of it; what a server
//! reads before the handshake is complete, and its answers (0.5-RTT).

use offwire::{EarlyDataStatus, Engine};

use crate::checks::equal;
use crate::exchange::{READ_SIZE, Turn, flip, initial_write};
use crate::exporter;
use crate::failure::Failure;
use crate::flags::{Flags, Setting, Switch};
use crate::session::{EarlyWrite, Session};

/// Whether the shim's initial write is still to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InitialWrite {
    Due,
    Done,
}

/// A client's beginning: writes early what it would write first, and completes the handshake.
///
/// What was rejected is discarded, as BoringSSL's shim does: the flags of the connection that then
/// goes on say what to write.
pub(crate) fn offer(session: &mut Session, flags: &Flags) -> Result<InitialWrite, Failure> {
    let is_possible = session.write_early(&[])? == EarlyWrite::Written(0);
    if flags.has(Switch::ExpectNoOfferEarlyData) {
        equal("early data is offered", is_possible, false)?;
    }
    if !is_possible {
        return Ok(InitialWrite::Due);
    }
    exporter::export(session, flags)?;
    let initial = initial_write(flags);
    let unfinished = flags.has(Switch::ReadWithUnfinishedWrite);
    let (mut early, mut late) = (0, Vec::new());
    if unfinished {
        session.begin_early_write(initial)?;
    } else if flags.has(Switch::ShimWritesFirst) {
        let times: usize = flags.number(Setting::RepeatShimInitialWrite)?.unwrap_or(1);
        for _ in 0..times {
            let (EarlyWrite::Written(count) | EarlyWrite::Ended(count)) =
                session.write_early(initial)?;
            early += count;
            late.extend_from_slice(initial.get(count..).unwrap_or_default());
        }
    }
    if !late.is_empty() {
        session.write(&late)?;
    } else if unfinished || flags.has(Switch::ImplicitHandshake) {
        session.listen()?;
    } else {
        session.handshake()?;
    }
    if unfinished {
        let (EarlyWrite::Written(count) | EarlyWrite::Ended(count)) =
            session.write_early(initial)?;
        early += count;
    }
    let rejected = session.engine.rejected_early_data();
    match session.engine.early_data() {
        EarlyDataStatus::Rejected => {
            equal("bytes rejected", rejected, early)?;
            Ok(InitialWrite::Due)
        }
        EarlyDataStatus::Accepted => {
            equal("bytes rejected", rejected, 0)?;
            Ok(InitialWrite::Done)
        }
        // Each way to here has completed the handshake, which is where a client knows the answer.
        status @ (EarlyDataStatus::Offered | EarlyDataStatus::NotOffered) => Err(Failure::Broken(
            format!("early data was written, and is {status:?} behind the handshake"),
        )),
    }
}

/// A server's beginning: reads early data to its end, and answers it with every bit flipped.
pub(crate) fn serve(session: &mut Session) -> Result<(), Failure> {
    let mut buffer = vec![0; READ_SIZE];
    while let Some(length) = session.read_early(&mut buffer)? {
        let text = buffer.get_mut(..length).unwrap_or_default();
        flip(text);
        match session.write_early(text)? {
            EarlyWrite::Written(count) => equal("bytes written", count, length)?,
            EarlyWrite::Ended(count) => {
                return Err(Failure::Expectation(format!(
                    "{count} of {length} bytes were answered early"
                )));
            }
        }
    }
    Ok(())
}

/// Checks what became of early data. The engine does not tell why it was not accepted: of the reason
/// that the runner expects only "accept" is told from the others.
pub(crate) fn check(engine: &Engine, flags: &Flags, turn: Turn) -> Result<(), Failure> {
    let status = engine.early_data();
    if turn == Turn::Resumption && flags.has(Switch::ExpectAcceptEarlyData) {
        equal("early data", status, EarlyDataStatus::Accepted)?;
    }
    if turn == Turn::Resumption && flags.has(Switch::ExpectRejectEarlyData) {
        equal("early data", status, EarlyDataStatus::Rejected)?;
    }
    if let Some(reason) = flags.value(Setting::ExpectEarlyDataReason) {
        let is_accepted = status == EarlyDataStatus::Accepted;
        equal("early data is accepted", is_accepted, reason == "accept")?;
    }
    Ok(())
}
