//! What a reader makes of a record with a flipped bit: whether it passes, waits or fails, and from
//! which byte on.
//!
//! Behind the handshake the engine reads, and it is told exactly, down to the error. In the
//! handshake rustls reads, and two fields of a record's header mean nothing to it: the low byte of
//! the version, which "MUST be ignored for all purposes" (RFC 8446 section 5.1), and in TLS 1.3 the
//! outer type of a protected record, where it stays a type that exists.

use offwire::{Peer, ProtocolVersion};

use super::runner::Run;
use super::wire::{Damage, Guise, Wire};
use crate::pair::Side;
use crate::records::HEADER;

/// The most content that a record's header may announce, as rustls and as the engine have it.
const LONGEST_IN_HANDSHAKE: usize = 16_384 + 2_047;
const LONGEST_TLS12: usize = 16_384 + 2_048;
const LONGEST_TLS13: usize = 16_384 + 256;

/// What the handshake makes of a flipped bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// It passes: no bit is flipped, none has arrived, or it is in a field that is ignored.
    Passes,
    /// More bytes must come before anything can be known.
    Waits,
    /// It fails, once it gets to read.
    Fails,
    /// A message in the clear says something else. It is refused by its reader, or the two sides
    /// disagree on what was said, which one of them notices: this reader never completes.
    Disagrees,
}

/// The bytes of a record with a flipped bit that have arrived, and all behind them.
struct Flip<'a> {
    /// As they were sent.
    sent: &'a [u8],
    /// Where the bit is.
    at: usize,
    mask: u8,
    /// How much content the record had when it was sent.
    content: usize,
}

/// A record's header, as far as it is there.
enum Header {
    Short,
    Refused,
    Announces(usize),
}

impl Run {
    /// What stands in the way of a side's handshake.
    pub(super) fn sight(&self, side: Side) -> Sight {
        match self.flip(side) {
            Some((_, Some(Guise::Ticket), _)) | Some((_, None, _)) | None => Sight::Passes,
            Some((_, Some(guise), flip)) => flip.in_handshake(guise, self.version),
        }
    }

    /// Where the record with a flipped bit begins that a side meets behind its handshake, and the
    /// error that it ends in, if enough of it has arrived.
    pub(super) fn flipped(&self, side: Side) -> Option<(usize, Option<Peer>)> {
        match self.flip(side)? {
            (start, None | Some(Guise::Ticket | Guise::Alert), flip) => {
                Some((start, flip.behind_handshake(self.version)))
            }
            (_, Some(Guise::Handshake | Guise::ChangeCipherSpec | Guise::Protected), _) => None,
        }
    }

    /// Whether the direction towards a side is harmed in a way that can be noticed.
    pub(super) fn is_harmed(&self, side: Side) -> bool {
        match self.wires[side.peer() as usize].damage {
            Damage::None => false,
            Damage::Ended => true,
            // A reset may have taken the flipped bit with it, or have come behind one that is ignored.
            Damage::Flipped { .. } => {
                self.flipped(side).is_some()
                    || self.sight(side) != Sight::Passes
                    || self.link(side).ends_at().is_some()
            }
        }
    }

    /// The flipped bit that has arrived at a side: where its record begins, what kind of record of
    /// the handshake it is, and its bytes.
    fn flip(&self, side: Side) -> Option<(usize, Option<Guise>, Flip<'_>)> {
        let wire: &Wire = &self.wires[side.peer() as usize];
        let Damage::Flipped { at, bit } = wire.damage else {
            return None;
        };
        if wire.fed <= at {
            return None;
        }
        let (start, end, guise) = wire.place(at)?;
        let flip = Flip {
            sent: &self.link(side).sent()[start..wire.fed],
            at: at - start,
            mask: 1 << bit,
            content: end - start - HEADER,
        };
        Some((start, guise, flip))
    }
}

impl Flip<'_> {
    fn byte(&self, at: usize) -> Option<u8> {
        let mask = if at == self.at { self.mask } else { 0 };
        self.sent.get(at).map(|byte| byte ^ mask)
    }

    /// The engine's reader (RFC 8446 section 5.2, RFC 5246 section 6.2.3.3): a header is judged
    /// once its five bytes are there, everything else by the tag of the whole record.
    fn behind_handshake(&self, version: ProtocolVersion) -> Option<Peer> {
        let mut header = [0; HEADER];
        for (at, byte) in header.iter_mut().enumerate() {
            *byte = self.byte(at)?;
        }
        let [content_type, major, minor, high, low] = header;
        let announced = usize::from(u16::from_be_bytes([high, low]));
        let (types, longest) = match version {
            ProtocolVersion::Tls12 => (21..=23, LONGEST_TLS12),
            ProtocolVersion::Tls13 => (23..=23, LONGEST_TLS13),
        };
        if !types.contains(&content_type) {
            return Some(Peer::UnexpectedRecord);
        }
        if version == ProtocolVersion::Tls12 && [major, minor] != [3, 3] {
            return Some(Peer::RecordVersion);
        }
        if announced > longest {
            return Some(Peer::RecordOverflow);
        }
        (self.sent.len() >= HEADER + announced).then_some(Peer::BadRecordMac)
    }

    fn in_handshake(&self, guise: Guise, version: ProtocolVersion) -> Sight {
        let announced = match self.header(0) {
            Header::Short => return Sight::Waits,
            Header::Refused => return Sight::Fails,
            Header::Announces(announced) if self.sent.len() < HEADER + announced => {
                return Sight::Waits;
            }
            Header::Announces(announced) => announced,
        };
        match (guise, version, self.at) {
            // In TLS 1.2 both are part of what is authenticated.
            (Guise::Protected, ProtocolVersion::Tls13, 0 | 2) => Sight::Passes,
            (Guise::Handshake | Guise::ChangeCipherSpec, _, 2) => Sight::Passes,
            // A handshake message of one byte, which the Finished behind it seems to continue.
            (Guise::ChangeCipherSpec, ProtocolVersion::Tls12, 0) if self.byte(0) == Some(22) => {
                self.continued(HEADER + announced)
            }
            (Guise::Handshake, _, 3 | 4) if announced > self.content => {
                self.swallows(announced, version)
            }
            (Guise::Handshake, _, 3 | 4) => self.misaligned(HEADER + announced),
            (Guise::Protected | Guise::ChangeCipherSpec, _, _) | (Guise::Handshake, _, 0) => {
                Sight::Fails
            }
            (Guise::Handshake | Guise::Alert | Guise::Ticket, _, _) => Sight::Disagrees,
        }
    }

    /// rustls judges a header byte by byte: the type at once, the version's high byte with the
    /// version, the length when it is there.
    fn header(&self, start: usize) -> Header {
        let [content_type, major, minor, high, low] =
            [0, 1, 2, 3, 4].map(|at| self.byte(start + at));
        let Some(content_type) = content_type else {
            return Header::Short;
        };
        if !(20..=24).contains(&content_type) {
            return Header::Refused;
        }
        let (Some(major), Some(_)) = (major, minor) else {
            return Header::Short;
        };
        if major != 3 {
            return Header::Refused;
        }
        let (Some(high), Some(low)) = (high, low) else {
            return Header::Short;
        };
        let announced = usize::from(u16::from_be_bytes([high, low]));
        if announced > LONGEST_IN_HANDSHAKE || (announced == 0 && content_type != 23) {
            return Header::Refused;
        }
        Header::Announces(announced)
    }

    /// A record of plaintext whose length has grown takes the next header for a message.
    fn swallows(&self, announced: usize, version: ProtocolVersion) -> Sight {
        let swallowed = announced - self.content;
        // The type, the version, and more: as a message it is longer than any may be. In TLS 1.3
        // keys change behind the record, and nothing may be left over there.
        if swallowed >= 4 || version == ProtocolVersion::Tls13 {
            return Sight::Fails;
        }
        self.misaligned(HEADER + announced)
    }

    /// Here, in the middle of a record, a header is looked for.
    fn misaligned(&self, start: usize) -> Sight {
        match self.header(start) {
            Header::Short => Sight::Waits,
            Header::Refused => Sight::Fails,
            Header::Announces(announced) if self.sent.len() < start + HEADER + announced => {
                Sight::Waits
            }
            Header::Announces(_) => Sight::Disagrees, // by chance it looks like one
        }
    }

    /// Ciphertext behind the first byte of a message is taken for its length.
    fn continued(&self, start: usize) -> Sight {
        match self.header(start) {
            Header::Announces(announced) if self.sent.len() >= start + HEADER + announced => {
                match self.byte(start + HEADER) {
                    // 65,535 bytes at most, of which the record has some.
                    Some(0) => Sight::Disagrees,
                    Some(_) | None => Sight::Fails,
                }
            }
            Header::Short | Header::Announces(_) => Sight::Waits,
            Header::Refused => Sight::Fails,
        }
    }
}
