//! The ladder: which call, which outcome, which records left and arrived, as aligned text.
//!
//! `connect --trace` prints one side of it live, `demo` both sides afterwards.

use alloc::sync::Arc;
use core::fmt::{self, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::records::Run;
use crate::terminal::note;

/// One rung.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A verb of the engine was called.
    Call { verb: String, outcome: String },
    /// Records left.
    Left(Run),
    /// Records arrived.
    Arrived(Run),
}

/// Whose event it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Server,
}

/// Where the events of one engine go.
#[derive(Debug)]
pub(crate) enum Tracer {
    /// Nowhere.
    Off,
    /// To stderr, at once, with the time since the start.
    Live(Instant),
    /// Into notes that both sides share.
    Noted(Side, Notes),
}

impl Tracer {
    /// Whether events are wanted at all; describing them costs time.
    pub(crate) fn is_on(&self) -> bool {
        !matches!(self, Self::Off)
    }

    pub(crate) fn event(&self, event: Event) {
        match self {
            Self::Off => {}
            Self::Live(start) => note(format_args!("{}", live(*start, &event))),
            Self::Noted(side, notes) => notes.add(*side, event),
        }
    }
}

/// The events of both sides, in the order in which they happened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes(Arc<Mutex<Vec<(Side, Event)>>>);

impl Notes {
    fn add(&self, side: Side, event: Event) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((side, event));
    }
}

/// The width of a column that holds a call and its outcome.
const CALLS: usize = 24;

/// The width of the column that holds the wire.
const WIRE: usize = 42;

/// Draws both sides: the client's calls, the wire, the server's calls.
impl fmt::Display for Notes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        row(f, "client", &format!("{:^WIRE$}", "wire"), "server")?;
        row(f, &"─".repeat(CALLS), &"─".repeat(WIRE), &"─".repeat(CALLS))?;
        for (side, event) in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            match (side, event) {
                (Side::Client, Event::Call { verb, outcome }) => {
                    row(f, &call(verb, outcome), "", "")?;
                }
                (Side::Server, Event::Call { verb, outcome }) => {
                    row(f, "", "", &call(verb, outcome))?;
                }
                (Side::Client, Event::Left(run)) => row(f, "", &format!("──▶ {run}"), "")?,
                (Side::Client, Event::Arrived(run)) => row(f, "", &format!("◀── {run}"), "")?,
                (Side::Server, Event::Left(run)) => {
                    row(f, "", &format!("{:>WIRE$}", format!("{run} ◀──")), "")?;
                }
                (Side::Server, Event::Arrived(run)) => {
                    row(f, "", &format!("{:>WIRE$}", format!("{run} ──▶")), "")?;
                }
            }
        }
        Ok(())
    }
}

fn row(f: &mut fmt::Formatter<'_>, client: &str, wire: &str, server: &str) -> fmt::Result {
    let mut line = String::new();
    write!(line, "  {client:<CALLS$} │ {wire:<WIRE$} │ {server}")?;
    writeln!(f, "{}", line.trim_end())
}

fn call(verb: &str, outcome: &str) -> String {
    format!("{verb:<12} {outcome}")
}

/// One side, one event, one line.
fn live(start: Instant, event: &Event) -> String {
    let at = start.elapsed().as_secs_f64();
    match event {
        Event::Call { verb, outcome } => format!("{at:9.3}s  {verb:<14} {outcome}"),
        Event::Left(run) => format!("{at:9.3}s  {:<36} ──▶ {run}", ""),
        Event::Arrived(run) => format!("{at:9.3}s  {:<36} ◀── {run}", ""),
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, Notes, Side};
    use crate::records::Scanner;

    #[test]
    fn both_sides_are_drawn_in_columns() {
        let notes = Notes::default();
        let verb = "write(5)".to_owned();
        notes.add(
            Side::Client,
            Event::Call {
                verb,
                outcome: "NeedWrite".into(),
            },
        );
        for run in Scanner::new().scan(&[23, 3, 3, 0, 1, 0]) {
            notes.add(Side::Client, Event::Left(run));
            notes.add(Side::Server, Event::Arrived(run));
        }
        let verb = "read(99)".to_owned();
        notes.add(
            Side::Server,
            Event::Call {
                verb,
                outcome: "Read(5)".into(),
            },
        );

        let drawn = notes.to_string();
        let lines: Vec<_> = drawn.lines().skip(2).map(str::trim).collect();
        assert_eq!(
            lines[0],
            "write(5)     NeedWrite   │                                            │"
        );
        assert!(lines[1].starts_with("│ ──▶ application_data 1 "), "{drawn}");
        assert!(lines[2].ends_with(" application_data 1 ──▶ │"), "{drawn}");
        assert!(lines[3].ends_with("│ read(99)     Read(5)"), "{drawn}");
    }
}
