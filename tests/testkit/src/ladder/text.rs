//! The ladder as aligned text.

use core::fmt::{self, Write as _};

use super::{Ladder, Movement, Piece, Rung, What};
use crate::pair::Side;
use crate::records::HEADER;

/// The width of a column that holds a call and its outcome.
const CALLS: usize = 30;

/// The width of the column that holds the wire.
const WIRE: usize = 56;

/// How many rungs are drawn at most: the last ones.
const LONGEST: usize = 500;

impl fmt::Display for Ladder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        row(f, "client", &format!("{:^WIRE$}", "wire"), "server")?;
        row(f, &"─".repeat(CALLS), &"─".repeat(WIRE), &"─".repeat(CALLS))?;
        let hidden = self.rungs.len().saturating_sub(LONGEST);
        if hidden > 0 {
            row(f, &format!("… {hidden} rungs before"), "", "")?;
        }
        for rung in &self.rungs[hidden..] {
            draw(f, rung)?;
        }
        Ok(())
    }
}

fn draw(f: &mut fmt::Formatter<'_>, rung: &Rung) -> fmt::Result {
    match (rung.side, &rung.what) {
        (Side::Client, What::Call { verb, outcome }) => row(f, &call(verb, outcome), "", ""),
        (Side::Server, What::Call { verb, outcome }) => row(f, "", "", &call(verb, outcome)),
        (Side::Client, What::Left(movement)) => row(f, "", &format!("──▶ {movement}"), ""),
        (Side::Client, What::Arrived(movement)) => row(f, "", &format!("◀── {movement}"), ""),
        (Side::Client, What::Ended) => row(f, "", "◀── end of the transport", ""),
        (Side::Server, What::Left(movement)) => row(f, "", &right(&format!("{movement} ◀──")), ""),
        (Side::Server, What::Arrived(movement)) => {
            row(f, "", &right(&format!("{movement} ──▶")), "")
        }
        (Side::Server, What::Ended) => row(f, "", &right("end of the transport ──▶"), ""),
        (_, What::Remark(remark)) => row(f, "", &format!("{:^WIRE$}", format!("✂ {remark}")), ""),
    }
}

fn row(f: &mut fmt::Formatter<'_>, client: &str, wire: &str, server: &str) -> fmt::Result {
    let mut line = String::new();
    write!(line, "  {client:<CALLS$} │ {wire:<WIRE$} │ {server}")?;
    writeln!(f, "{}", line.trim_end())
}

fn right(text: &str) -> String {
    format!("{text:>WIRE$}")
}

fn call(verb: &str, outcome: &str) -> String {
    format!("{verb:<15} {outcome}")
}

/// Whole records by type and length, equal ones in a row counted; parts by their bytes.
impl fmt::Display for Movement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.pieces.as_slice();
        while let Some(piece) = rest.first() {
            if rest.len() < self.pieces.len() {
                f.write_str(", ")?;
            }
            let equal = rest.iter().take_while(|other| *other == piece).count();
            if equal > 1 {
                write!(f, "{equal} × ")?;
            }
            fmt::Display::fmt(piece, f)?;
            rest = &rest[equal..];
        }
        Ok(())
    }
}

impl fmt::Display for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, last) = (self.part.start + 1, self.part.end);
        match self.record {
            None => write!(f, "bytes {first}–{last} of a header"),
            Some((content_type, len)) if self.is_whole() => write!(f, "{content_type:?} {len}"),
            Some((content_type, len)) => {
                let all = HEADER + len;
                write!(f, "{content_type:?} {len} [{first}–{last} of {all}]")
            }
        }
    }
}
