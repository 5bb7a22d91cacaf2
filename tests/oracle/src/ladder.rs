//! A schedule as a person reads it: one rung a call, OpenSSL's answer beside ours.

use core::fmt;

use offwire_testkit::Side;
use offwire_testkit::schedule::Slices;

use crate::difference::Difference;
use crate::outcome::{Reply, Verb};
use crate::pattern;
use crate::session::Fate;

/// What has happened, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ladder(Vec<Row>);

/// One rung.
#[derive(Clone, Debug)]
pub(crate) enum Row {
    Call {
        side: Side,
        verb: Verb,
        theirs: (String, usize),
        mine: (String, usize),
        difference: Option<Difference>,
    },
    Moved(Side, usize, Fate),
    Ended(Side),
    Asked(Side),
}

impl Ladder {
    pub(crate) fn push(&mut self, row: Row) {
        self.0.push(row);
    }
}

impl Row {
    pub(crate) fn call(
        side: Side,
        verb: Verb,
        theirs: &Reply,
        mine: &Reply,
        difference: Option<Difference>,
    ) -> Self {
        Self::Call {
            side,
            verb,
            theirs: (theirs.text.clone(), theirs.out),
            mine: (mine.text.clone(), mine.out),
            difference: difference.or(theirs.said),
        }
    }

    pub(crate) fn moved(from: Side, len: usize, fate: Fate) -> Self {
        Self::Moved(from, len, fate)
    }

    pub(crate) fn ended(from: Side) -> Self {
        Self::Ended(from)
    }

    pub(crate) fn asked(from: Side) -> Self {
        Self::Asked(from)
    }
}

impl fmt::Display for Ladder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (call, theirs, mine) = ("call", "OpenSSL", "Offwire");
        writeln!(f, "  {call:<34} {theirs:<28} {mine:<28} meant")?;
        let rungs: Vec<String> = self.0.iter().map(Row::to_string).collect();
        for same in rungs.chunk_by(|one, next| one == next) {
            match same {
                [rung] => writeln!(f, "  {rung}")?,
                [rung, ..] => writeln!(f, "  {rung}  ({} times)", same.len())?,
                [] => {}
            }
        }
        Ok(())
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call {
                side,
                verb,
                theirs,
                mine,
                difference,
            } => {
                let call = format!("{} {}", name(*side), spell(*side, *verb));
                let answer = |(text, out): &(String, usize)| format!("{text}, out {out}");
                write!(f, "{call:<34} {:<28} {:<28}", answer(theirs), answer(mine))?;
                match difference {
                    Some(difference) => write!(f, " {difference}"),
                    None => Ok(()),
                }
            }
            Self::Moved(from, len, fate) => {
                let flipped = match fate {
                    Fate::Intact => "",
                    Fate::Flipped(_) => ", one bit flipped",
                };
                let (from, to) = (name(*from), name(from.peer()));
                write!(f, "  {from} ── {len} bytes{flipped} ──► {to}")
            }
            Self::Ended(from) => {
                write!(f, "  {} ──× the transport ends", name(*from))
            }
            Self::Asked(from) => {
                write!(f, "  {} ── HelloRequest ──► in OpenSSL only", name(*from))
            }
        }
    }
}

fn name(side: Side) -> &'static str {
    match side {
        Side::Client => "client",
        Side::Server => "server",
    }
}

fn spell(side: Side, verb: Verb) -> String {
    match verb {
        Verb::Handshake => "handshake".into(),
        Verb::Write {
            copy,
            at,
            len,
            slices,
        } => {
            let copy = match copy {
                pattern::Copy::First | pattern::Copy::Second => "",
                pattern::Copy::Changed => " changed",
            };
            let slices = match slices {
                Slices::One => String::new(),
                Slices::Every(_) | Slices::Ragged(_) => format!(", {slices:?}"),
            };
            format!(
                "write {len} from {}{copy}{slices}",
                at - pattern::start(side)
            )
        }
        Verb::Read(len) => format!("read {len}"),
        Verb::Peek(len) => format!("peek {len}"),
        Verb::Shutdown => "shutdown".into(),
        Verb::KeyUpdate(update) => format!("key_update {update:?}"),
        Verb::Renegotiate => "renegotiate".into(),
    }
}
