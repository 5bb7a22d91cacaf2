//! `Engine`: owns the phase, the two halves and the two queues; its ports and its facts.
//!
//! The verbs are in the files named after them. Nothing here knows of records: ciphertext passes
//! as bytes.

use alloc::boxed::Box;
use core::fmt;

use bytes::Bytes;
use smallvec::SmallVec;

use crate::error::{Error, Misuse};
use crate::half::{ReadHalf, WriteHalf};
use crate::incoming::Incoming;
use crate::negotiated::Negotiated;
use crate::outcome::{EarlyDataStatus, Handshake, Interest};
use crate::outgoing::Outgoing;
use crate::phase::Phase;
use crate::record::HEADER;
use crate::settings::Settings;
use crate::stats::Stats;
use crate::tls;
use crate::trace::event;

/// One TLS connection: a state machine between plaintext and ciphertext, without I/O.
///
/// Made by [`Client::connect`](crate::Client::connect),
/// [`Server::accept`](crate::Server::accept) or [`Acceptor::accept`](crate::Acceptor::accept),
/// and driven by its verbs. The loop is always the same: call a verb; send
/// [`outgoing`](Self::outgoing) and report it with [`sent`](Self::sent); on `NeedRead`
/// [`feed`](Self::feed) what has arrived; call the verb again.
pub struct Engine {
    pub(crate) phase: Phase,
    pub(crate) write_half: WriteHalf,
    pub(crate) read_half: ReadHalf,
    pub(crate) early_data: EarlyDataStatus,
    pub(crate) incoming: Incoming,
    pub(crate) outgoing: Outgoing,
    pub(crate) settings: Settings,
    pub(crate) stats: Stats,
    /// Set once, when the handshake is complete.
    pub(crate) negotiated: Option<Box<Negotiated>>,
}

impl Engine {
    pub(crate) fn handshaking(
        handshake: Box<tls::handshake::Handshake>,
        settings: Settings,
    ) -> Self {
        Self::in_phase(Phase::Handshaking(handshake), settings)
    }

    pub(crate) fn dead(error: Error, settings: Settings) -> Self {
        Self::in_phase(Phase::Dead(error), settings)
    }

    fn in_phase(phase: Phase, settings: Settings) -> Self {
        Self {
            phase,
            write_half: WriteHalf::Ready,
            read_half: ReadHalf::Open,
            early_data: EarlyDataStatus::default(),
            incoming: Incoming::new(settings.effective_incoming_limit()),
            outgoing: Outgoing::new(settings.effective_outgoing_limit()),
            settings,
            stats: Stats::default(),
            negotiated: None,
        }
    }

    /// Performs the handshake (`SSL_do_handshake(3)`). Reads and writes do so as well.
    ///
    /// - [`Handshake::Complete`]: done; under [`Completion::Sent`](crate::Completion::Sent) our
    ///   last flight has left. In TLS 1.3 a client is complete before the server has accepted its
    ///   certificate; a refusal shows in a read.
    /// - [`Handshake::NeedRead`]: feed, then call again.
    /// - [`Handshake::NeedWrite`]: send [`Self::outgoing`], then call again.
    ///
    /// A client that has called it can write no early data any more.
    ///
    /// # Errors
    /// [`Misuse::EarlyDataUnread`] if early data has arrived that must be read first; nothing
    /// changes. Every other error is fatal and sticky.
    pub fn handshake(&mut self) -> Result<Handshake, Error> {
        self.close_early_data();
        let mut outcome = self.drive()?;
        if outcome == Handshake::Complete && !self.flight_is_complete() {
            outcome = Handshake::NeedWrite;
        }
        match outcome {
            Handshake::Complete => {}
            Handshake::NeedRead => self.stats.need_reads += 1,
            Handshake::NeedWrite => self.stats.need_writes += 1,
        }
        Ok(outcome)
    }

    /// Takes ciphertext from the peer; returns how many bytes were taken.
    ///
    /// Fewer than offered are taken when the incoming queue is full; reading makes room. Once the
    /// peer has ended or the connection has failed, everything is discarded and counted as taken.
    pub fn feed(&mut self, ciphertext: &[u8]) -> usize {
        if !self.may_receive() {
            return ciphertext.len();
        }
        let count = self.incoming.feed(ciphertext);
        if count < ciphertext.len() {
            event!(trace, held = self.incoming.held(), "incoming queue full");
        }
        self.note_fed(count);
        count
    }

    /// Free space in the incoming queue, to receive into it without a copy; then call
    /// [`Self::fed`].
    ///
    /// Empty when the queue is full or nothing more can arrive: do not call `read(2)` with it, its
    /// 0 would look like the end. At least 4 KiB otherwise, as far as the bound permits.
    #[must_use]
    pub fn feed_space(&mut self) -> &mut [u8] {
        if !self.may_receive() {
            return &mut [];
        }
        if self.incoming.room() == 0 {
            event!(trace, held = self.incoming.held(), "incoming queue full");
        }
        let missing = match self.incoming.ciphertext() {
            [_, _, _, high, low, rest @ ..] => {
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                length.saturating_sub(rest.len())
            }
            _ => HEADER,
        };
        self.incoming.space(missing)
    }

    /// Takes `count` bytes that were received into [`Self::feed_space`].
    ///
    /// # Errors
    /// [`Misuse::FedTooMuch`] if the space was smaller; nothing changes.
    pub fn fed(&mut self, count: usize) -> Result<(), Error> {
        if !self.may_receive() {
            return if count == 0 {
                Ok(())
            } else {
                Err(Misuse::FedTooMuch.into())
            };
        }
        self.incoming.filled(count)?;
        self.note_fed(count);
        Ok(())
    }

    /// Says that the transport has ended. What it delivered can still be read; then reads say
    /// [`Read::Closed`](crate::Read::Closed) or [`Read::Truncated`](crate::Read::Truncated).
    pub fn feed_eof(&mut self) {
        self.read_half.transport_ended();
    }

    /// Ciphertext to be sent to the peer: the first contiguous run of it, in order.
    ///
    /// It may be non-empty after any call, also after one that failed: the alert is in it.
    #[must_use]
    pub fn outgoing(&self) -> &[u8] {
        self.outgoing.first()
    }

    /// All ciphertext to be sent to the peer, in order, for `writev(2)`.
    #[must_use]
    pub fn outgoing_slices(&self) -> SmallVec<[&[u8]; 2]> {
        self.outgoing.slices()
    }

    /// Removes `count` bytes that were sent to the peer. Then repeat the verbs that said
    /// `NeedWrite`.
    ///
    /// # Errors
    /// [`Misuse::SentTooMuch`] if fewer are waiting; nothing changes.
    pub fn sent(&mut self, count: usize) -> Result<(), Error> {
        if count > self.outgoing.len() {
            return Err(Misuse::SentTooMuch.into());
        }
        self.outgoing.remove(count);
        self.note_sent(count);
        Ok(())
    }

    /// Takes all ciphertext that waits, owned, for completion-based I/O. It counts as sent.
    ///
    /// A well-filled queue gives its storage away without a copy; a few bytes are copied, so that
    /// they do not hold it.
    #[must_use]
    pub fn take_outgoing(&mut self) -> Bytes {
        let bytes = self.outgoing.take();
        self.note_sent(bytes.len());
        bytes
    }

    /// What the engine wants from the transport.
    ///
    /// `Write` if and only if output is waiting; `Read` if there is room, the peer has not ended
    /// and the engine lives. Under edge-triggered polling a read that made room calls for another
    /// attempt to receive without a new event.
    pub fn interest(&self) -> Interest {
        match (
            self.may_receive() && self.incoming.room() > 0,
            !self.outgoing.is_empty(),
        ) {
            (false, false) => Interest::Nothing,
            (true, false) => Interest::Read,
            (false, true) => Interest::Write,
            (true, true) => Interest::ReadWrite,
        }
    }

    /// Bytes of plaintext that were opened and not read yet (`SSL_pending(3)`).
    #[must_use]
    pub fn pending(&self) -> usize {
        self.incoming.pending()
    }

    /// What was agreed on; `None` until the handshake is complete.
    #[must_use]
    pub fn negotiated(&self) -> Option<&Negotiated> {
        self.negotiated.as_deref()
    }

    /// What has passed so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats {
            outgoing_high_water: self.outgoing.high_water(),
            ..self.stats
        }
    }

    /// The settings in force, with the limits as they are enforced.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.settings
    }

    /// Gives back every empty buffer and the expanded keys (SSL_MODE_RELEASE_BUFFERS).
    ///
    /// Buffers that were borrowed from a [`BufferPool`](crate::BufferPool) are freed as well: return
    /// them first.
    ///
    /// The engine has no clock; the caller's loop knows when a connection is idle. The next record
    /// allocates again, and rebuilds the keys from their secrets. What the handshake and its
    /// tickets needed is given back without being asked.
    pub fn release(&mut self) {
        self.incoming.release();
        self.outgoing.release();
        if let Phase::Open(open) = &mut self.phase {
            open.sealer.release();
            open.opener.release();
            open.post_handshake.release();
        }
    }

    /// Whether no fatal error has ended the connection.
    pub(crate) const fn is_alive(&self) -> bool {
        match self.phase {
            Phase::Handshaking(_) | Phase::Open(_) => true,
            Phase::Dead(_) => false,
        }
    }

    /// Whether what the transport delivers can still matter.
    fn may_receive(&self) -> bool {
        self.is_alive() && self.read_half == ReadHalf::Open
    }

    /// Whether our last flight has gone as far as the settings demand.
    fn flight_is_complete(&self) -> bool {
        match &self.phase {
            Phase::Open(open) => self.is_complete(open.flight_end),
            Phase::Handshaking(_) | Phase::Dead(_) => false,
        }
    }

    fn note_fed(&mut self, count: usize) {
        self.stats.wire_fed += count as u64;
        let high_water = &mut self.stats.incoming_high_water;
        *high_water = (*high_water).max(self.incoming.held());
    }

    fn note_sent(&mut self, count: usize) {
        self.stats.wire_sent += count as u64;
        self.write_half.sent(self.outgoing.sent_total());
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("phase", &self.phase)
            .field("write_half", &self.write_half)
            .field("read_half", &self.read_half)
            .field("outgoing", &self.outgoing.len())
            .field("incoming", &self.incoming.ciphertext().len())
            .field("pending", &self.incoming.pending())
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
