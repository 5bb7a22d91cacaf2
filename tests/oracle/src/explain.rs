//! Whether two answers are equal, and which fact explains it if they are not.
//!
//! Each difference is recognised by its whole situation: the call, both answers, OpenSSL's reason
//! and where the side stands. Whatever is left is unexplained.

use offwire::ProtocolVersion;
use offwire_testkit::Side;

use crate::contexts::Buffer;
use crate::difference::Difference;
use crate::duel::Duel;
use crate::outcome::{Cause, Outcome, Refusal, Reply, Verb, reason};
use crate::pattern::Copy;
use crate::record::{ALERT, HEADER};
use crate::state::{Front, Met, Standing, Writing};

/// The bytes of a KeyUpdate's record.
const KEY_UPDATE: usize = HEADER + 22;

/// What two answers amount to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// They are the same.
    Equal,
    /// They differ as they should, and the two connections can still be compared.
    Meant(Difference),
    /// They differ as they should, and the two connections part here.
    Parts(Difference),
    /// They differ.
    Unexplained(&'static str),
}

impl Verdict {
    pub(crate) const fn difference(self) -> Option<Difference> {
        match self {
            Self::Meant(difference) | Self::Parts(difference) => Some(difference),
            Self::Equal | Self::Unexplained(_) => None,
        }
    }
}

/// Compares two answers to the same call: OpenSSL's and ours.
pub(crate) fn compare(
    duel: &mut Duel<'_>,
    side: Side,
    verb: Verb,
    (theirs, mine): (&Reply, &Reply),
    met: Met,
) -> Verdict {
    if mine.outcome == Outcome::Dead(Cause::Ours) {
        return Verdict::Unexplained("ours has failed by itself");
    }
    if let Some(difference) = parted(duel, side, verb, (theirs, mine), met) {
        // They show behind this call only: the call itself must be the same, but for K1.
        let later = matches!(difference, Difference::X16 | Difference::K8);
        let update = if difference == Difference::K8 {
            KEY_UPDATE
        } else {
            0
        };
        if later && (theirs.out.abs_diff(mine.out) > update || theirs.pending != mine.pending) {
            return Verdict::Unexplained("the call that reads the request differs");
        }
        return Verdict::Parts(difference);
    }
    if theirs.outcome != mine.outcome {
        return outcome(duel, side, verb, theirs, mine);
    }
    if theirs.out != mine.out {
        return output(duel, side, verb, (theirs, mine), met);
    }
    // Our shutdown looks for close_notify and may open a record of data, which it keeps (X12).
    if matches!(verb, Verb::Read(_) | Verb::Peek(_)) && theirs.pending != mine.pending {
        return Verdict::Unexplained("the plaintext that is pending differs");
    }
    Verdict::Equal
}

/// Differences after which the two connections have nothing more to do with each other.
fn parted(
    duel: &mut Duel<'_>,
    side: Side,
    verb: Verb,
    (theirs, mine): (&Reply, &Reply),
    met: Met,
) -> Option<Difference> {
    if duel.reference.is_ours(side) {
        return None;
    }
    match verb {
        Verb::Write { copy, .. } => write(duel, side, copy, theirs, mine),
        Verb::Shutdown => shutdown(duel, side, theirs, mine),
        Verb::Read(_)
        | Verb::Peek(_)
        | Verb::Handshake
        | Verb::KeyUpdate(_)
        | Verb::Renegotiate => None,
    }
    .or_else(|| key_update(duel, side, verb, (theirs, mine), met))
}

/// What becomes of a retry.
fn write(
    duel: &mut Duel<'_>,
    side: Side,
    copy: Copy,
    theirs: &Reply,
    mine: &Reply,
) -> Option<Difference> {
    let refused = mine.outcome == Outcome::Refused(Refusal::BadRetry);
    let before = match duel.state(side).writing {
        Writing::Free => copy,
        Writing::Blocked { copy, .. } => copy,
    };
    let moved = duel.setting.buffer == Buffer::Fixed && copy != before;
    match (theirs.outcome, theirs.reason) {
        (Outcome::Dead(_), reason::BAD_LENGTH | reason::BAD_WRITE_RETRY) if refused => {
            Some(Difference::X1)
        }
        (Outcome::Done(_) | Outcome::NeedWrite, _) if refused => Some(Difference::X2),
        (Outcome::Dead(_), reason::BAD_WRITE_RETRY) if moved && !mine.outcome.is_dead() => {
            Some(Difference::X3)
        }
        _ => None,
    }
}

/// What shutdown loses or meets.
fn shutdown(duel: &mut Duel<'_>, side: Side, theirs: &Reply, mine: &Reply) -> Option<Difference> {
    let alerted = duel.state(side.peer()).standing == Standing::Dead;
    let state = duel.state(side);
    let blocked = state.writing != Writing::Free && state.standing == Standing::Open;
    match (theirs.outcome, mine.outcome) {
        (_, Outcome::NeedWrite | Outcome::Sent | Outcome::Complete) if blocked => {
            Some(Difference::X6)
        }
        (Outcome::Dead(_), Outcome::Sent)
            if theirs.reason == reason::APPLICATION_DATA_AFTER_CLOSE_NOTIFY =>
        {
            Some(Difference::X12)
        }
        (Outcome::Sent, Outcome::Dead(_)) if theirs.said == Some(Difference::X11) => {
            Some(Difference::S5)
        }
        // Ours has looked at what has arrived before it says what X6 is about.
        (
            Outcome::NeedWrite | Outcome::Dead(_),
            Outcome::Dead(Cause::BadRecord | Cause::Alert(_)),
        ) if blocked && theirs.reason == 0 => Some(Difference::S5),
        // The peer's alert was fatal, and OpenSSL calls both halves closed.
        (Outcome::Complete, Outcome::Dead(Cause::Alert(_))) if alerted => Some(Difference::X7),
        _ => None,
    }
}

/// What KeyUpdates do that meet a blocked write or one another.
fn key_update(
    duel: &mut Duel<'_>,
    side: Side,
    verb: Verb,
    (theirs, mine): (&Reply, &Reply),
    met: Met,
) -> Option<Difference> {
    let updating = is_updating(duel, side, verb);
    let committed = duel.committed(side);
    let state = duel.state(side);
    let blocked = state.writing != Writing::Free;
    // Only before what is not sealed yet can the answer come earlier than OpenSSL's.
    let unsealed = match state.writing {
        Writing::Free => false,
        Writing::Blocked { len, ahead, .. } => len > ahead + committed,
    };
    let behind_update = matches!(
        state.writing,
        Writing::Blocked {
            front: Front::KeyUpdate,
            ..
        }
    );
    let closing = state.standing == Standing::Closing;
    let lengths = [reason::BAD_LENGTH, reason::BAD_WRITE_RETRY];
    let equal = theirs.outcome == mine.outcome;
    match (theirs.outcome, met) {
        (Outcome::Dead(_), Met::Another)
            if (blocked || closing) && lengths.contains(&theirs.reason) =>
        {
            Some(Difference::X4)
        }
        (Outcome::NeedWrite, _)
            if (mine.outcome != Outcome::NeedRead || met != Met::Nothing)
                && state.standing == Standing::Open
                && (met == Met::Another || updating)
                && verb != Verb::Handshake =>
        {
            Some(Difference::K7)
        }
        (_, Met::Another) if equal && is_some_answers(theirs.out, mine.out, updating) => {
            Some(Difference::K5)
        }
        // A read that dies behind the request leaves nothing to answer.
        (_, Met::Another | Met::Request) if !equal || mine.outcome.is_dead() => None,
        // OpenSSL reads them, and answers, when it is asked to read.
        (_, Met::Another) if verb == Verb::Shutdown => Some(Difference::S5),
        (_, Met::Request) if behind_update => Some(Difference::K8),
        (_, Met::Request) if unsealed => Some(Difference::X16),
        _ => None,
    }
}

/// Whether OpenSSL has emitted one or more answers, and before them perhaps what was left of a
/// KeyUpdate that was blocked (K1).
const fn is_some_answers(theirs: usize, mine: usize, updating: bool) -> bool {
    let more = theirs.saturating_sub(mine);
    more >= KEY_UPDATE && (updating || more.is_multiple_of(KEY_UPDATE))
}

/// Whether a call that does not write comes upon a KeyUpdate that is blocked on its way out.
fn is_updating(duel: &mut Duel<'_>, side: Side, verb: Verb) -> bool {
    let updating = matches!(
        duel.state(side).writing,
        Writing::Blocked {
            front: Front::KeyUpdate,
            ..
        }
    );
    let tls13 = duel.setting.version == ProtocolVersion::Tls13;
    tls13 && updating && matches!(verb, Verb::Handshake | Verb::Read(_) | Verb::Peek(_))
}

/// Not the same outcome.
fn outcome(duel: &mut Duel<'_>, side: Side, verb: Verb, theirs: &Reply, mine: &Reply) -> Verdict {
    if duel.reference.is_ours(side) {
        return Verdict::Unexplained("two ends of ours differ");
    }
    let over = duel.state(side).standing == Standing::Truncated;
    let dead = duel.state(side).standing == Standing::Dead;
    let reading = matches!(verb, Verb::Read(_) | Verb::Peek(_));
    match (theirs.outcome, mine.outcome) {
        // A read stays truncated, the rest goes on. WANT_WRITE comes once, if the alert did not
        // fit (E6).
        (Outcome::Dead(Cause::End) | Outcome::NeedWrite, Outcome::Truncated) if over => {
            Verdict::Meant(Difference::X13)
        }
        (Outcome::Dead(Cause::End), _) if over && !reading && !mine.outcome.is_dead() => {
            Verdict::Meant(Difference::X13)
        }
        // So the alert is what a handshake that is long complete waits for.
        (Outcome::NeedWrite, Outcome::Done(0)) if over && verb == Verb::Handshake => {
            Verdict::Meant(Difference::X13)
        }
        (Outcome::Sent, Outcome::Complete)
            if theirs.said == Some(Difference::X11) && duel.has_arrived(side.peer()) =>
        {
            Verdict::Meant(Difference::S5)
        }
        (Outcome::NeedWrite, Outcome::NeedRead | Outcome::Done(0))
            if is_updating(duel, side, verb) =>
        {
            Verdict::Meant(Difference::K7)
        }
        // The alert did not fit: once more, and never again (E6).
        (Outcome::NeedWrite, Outcome::Dead(_)) if reading && dead => Verdict::Parts(Difference::X8),
        _ => Verdict::Unexplained("the outcomes differ"),
    }
}

/// The same outcome, but not the same output.
fn output(
    duel: &mut Duel<'_>,
    side: Side,
    verb: Verb,
    (theirs, mine): (&Reply, &Reply),
    met: Met,
) -> Verdict {
    if duel.reference.is_ours(side) {
        return Verdict::Unexplained("two ends of ours emit differently");
    }
    let capacity = duel.setting.capacity;
    let (less, more) = (
        theirs.out.saturating_sub(mine.out),
        mine.out.saturating_sub(theirs.out),
    );
    let updating = is_updating(duel, side, verb);
    let due = updating || met == Met::Another;
    let state = duel.state(side);
    match mine.outcome {
        // What is left of a KeyUpdate leaves before the alert, and so does the answer to a request that
        // the same read has met and another record behind it (K1).
        Outcome::Truncated if (1..=ALERT + if due { KEY_UPDATE } else { 0 }).contains(&less) => {
            Verdict::Meant(Difference::X13)
        }
        Outcome::Dead(_)
            if more > 0 && (state.writing != Writing::Free || theirs.out + ALERT > capacity) =>
        {
            Verdict::Parts(Difference::X8)
        }
        Outcome::Done(_) | Outcome::NeedRead | Outcome::Closed
            if updating && (1..=KEY_UPDATE).contains(&less) =>
        {
            Verdict::Meant(Difference::K1)
        }
        _ if (1..=ALERT).contains(&more)
            && state.standing == Standing::Closing
            && verb != Verb::Shutdown =>
        {
            Verdict::Meant(Difference::S13)
        }
        Outcome::Done(_)
        | Outcome::NeedRead
        | Outcome::NeedWrite
        | Outcome::Closed
        | Outcome::Sent
        | Outcome::Complete
        | Outcome::Refused(_)
        | Outcome::Truncated
        | Outcome::Dead(_) => Verdict::Unexplained("the bytes emitted differ"),
    }
}
