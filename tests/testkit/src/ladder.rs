//! The ladder: who called what, which outcome, and which records crossed, from the top down.
//!
//! Records are told by their headers alone (RFC 8446 section 5.1). Where the transport cut one, the
//! bytes of it that moved are told as well. The text shows the client's calls on the left, the wire
//! in the middle, the server's calls on the right; [`Ladder::to_svg`] draws the same.

mod svg;
mod text;

use core::ops::Range;

use crate::pair::Side;
use crate::recorder::Event;
use crate::records::{ContentType, HEADER};

/// What happened on a [`Pair`](crate::Pair) that was recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ladder {
    rungs: Vec<Rung>,
}

/// One thing that happened, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rung {
    side: Side,
    what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Call { verb: String, outcome: String },
    Left(Movement),
    Arrived(Movement),
    Ended,
    Remark(String),
}

/// Bytes that moved at once.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Movement {
    /// Offsets in their direction.
    bytes: Range<usize>,
    /// The records that they are of.
    pieces: Vec<Piece>,
}

/// A record, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    /// The record's type, and the bytes behind its header; `None` if the header never left.
    record: Option<(ContentType, usize)>,
    /// Which bytes of the record, its header included.
    part: Range<usize>,
}

impl Ladder {
    /// Names the records in what was noted; `to_server` and `to_client` are all bytes of the two
    /// directions.
    pub(crate) fn new(events: &[(Side, Event)], to_server: &[u8], to_client: &[u8]) -> Self {
        let wires = [to_client, to_server].map(Wire::new);
        let [towards_client, towards_server] = &wires;
        let towards = |side| match side {
            Side::Client => towards_client,
            Side::Server => towards_server,
        };
        let rungs = events.iter().map(|(side, event)| Rung {
            side: *side,
            what: match event.clone() {
                Event::Call { verb, outcome } => What::Call { verb, outcome },
                Event::Left(bytes) => What::Left(towards(side.peer()).movement(bytes)),
                Event::Arrived(bytes) => What::Arrived(towards(*side).movement(bytes)),
                Event::Ended => What::Ended,
                Event::Remark(remark) => What::Remark(remark),
            },
        });
        Self {
            rungs: rungs.collect(),
        }
    }

    /// Whether nothing was recorded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rungs.is_empty()
    }
}

/// One direction, cut into records.
struct Wire<'a> {
    bytes: &'a [u8],
    /// Where each record begins, and where the last one ends or would end.
    starts: Vec<usize>,
}

impl<'a> Wire<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let (mut starts, mut at) = (vec![0], 0);
        while let Some([_, _, _, high, low]) = bytes.get(at..at + HEADER) {
            at += HEADER + usize::from(u16::from_be_bytes([*high, *low]));
            starts.push(at);
        }
        Self { bytes, starts }
    }

    fn movement(&self, bytes: Range<usize>) -> Movement {
        let (mut pieces, mut at) = (Vec::new(), bytes.start);
        while at < bytes.end {
            let index = self.starts.partition_point(|start| *start <= at) - 1;
            let start = self.starts[index];
            let next = self.starts.get(index + 1).copied();
            let end = next.unwrap_or(bytes.end).min(bytes.end);
            let record = next.map(|next| {
                let content_type = ContentType(self.bytes[start]);
                (content_type, next - start - HEADER)
            });
            pieces.push(Piece {
                record,
                part: at - start..end - start,
            });
            at = end;
        }
        Movement { bytes, pieces }
    }
}

impl Piece {
    /// Whether it is a whole record.
    fn is_whole(&self) -> bool {
        self.record
            .is_some_and(|(_, len)| self.part == (0..HEADER + len))
    }
}
