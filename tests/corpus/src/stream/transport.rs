//! A buffering transport that blocks, errs and takes short runs as a script says.

use alloc::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice};

use crate::script::Script;

/// What went wrong during one call of the stream.
#[derive(Debug, Default)]
pub(super) struct Troubles {
    /// How often a read would have blocked.
    pub(super) reads: usize,
    /// How often a write or a flush would have blocked.
    pub(super) writes: usize,
    /// Every other error.
    pub(super) errors: Vec<ErrorKind>,
}

/// Whether more can arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Incoming {
    Open,
    /// Behind what is there, the transport ends.
    Closed,
}

/// The transport. Once its script ends it works.
#[derive(Debug)]
pub(super) struct Erring<'a> {
    pub(super) script: Script<'a>,
    pub(super) troubles: Troubles,
    /// From the peer.
    arrived: VecDeque<u8>,
    /// All that ever came from the peer.
    pub(super) ever_arrived: Vec<u8>,
    pub(super) incoming: Incoming,
    /// Taken, and not passed on before a flush.
    buffered: Vec<u8>,
    /// For the peer.
    pub(super) passed: Vec<u8>,
}

/// What one use of the transport comes to.
enum Use {
    All,
    Some(usize),
    Err(ErrorKind),
}

impl<'a> Erring<'a> {
    pub(super) fn new(script: Script<'a>) -> Self {
        Self {
            script,
            troubles: Troubles::default(),
            arrived: VecDeque::new(),
            ever_arrived: Vec::new(),
            incoming: Incoming::Open,
            buffered: Vec::new(),
            passed: Vec::new(),
        }
    }

    /// Bytes come from the peer.
    pub(super) fn arrive(&mut self, bytes: &[u8]) {
        self.arrived.extend(bytes);
        self.ever_arrived.extend_from_slice(bytes);
    }

    /// Whether nothing waits for a flush.
    pub(super) fn is_flushed(&self) -> bool {
        self.buffered.is_empty()
    }

    fn next_use(&mut self) -> Use {
        match self.script.byte() {
            0..150 => Use::All,
            150..200 => Use::Some(1 + self.script.length(20_000)),
            200..225 => Use::Err(ErrorKind::WouldBlock),
            225..240 => Use::Err(ErrorKind::Interrupted),
            240..248 => Use::Err(ErrorKind::TimedOut),
            _ => Use::Err(ErrorKind::ConnectionReset),
        }
    }

    fn fail(&mut self, kind: ErrorKind) -> io::Error {
        if !matches!(kind, ErrorKind::WouldBlock | ErrorKind::Interrupted) {
            self.troubles.errors.push(kind);
        }
        kind.into()
    }
}

impl io::Read for Erring<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        assert!(!into.is_empty(), "an empty read looks like the end");
        let most = match self.next_use() {
            Use::All => usize::MAX,
            Use::Some(most) => most,
            Use::Err(kind) => {
                self.troubles.reads += usize::from(kind == ErrorKind::WouldBlock);
                return Err(self.fail(kind));
            }
        };
        let len = most.min(into.len()).min(self.arrived.len());
        if len == 0 && self.incoming == Incoming::Open {
            self.troubles.reads += 1;
            return Err(ErrorKind::WouldBlock.into());
        }
        for (into, byte) in into.iter_mut().zip(self.arrived.drain(..len)) {
            *into = byte;
        }
        Ok(len)
    }
}

impl io::Write for Erring<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.to_vec()).collect();
        assert!(!bytes.is_empty(), "nothing to write");
        let len = match self.next_use() {
            Use::All => bytes.len(),
            Use::Some(most) => most.min(bytes.len()),
            Use::Err(kind) => {
                self.troubles.writes += usize::from(kind == ErrorKind::WouldBlock);
                return Err(self.fail(kind));
            }
        };
        self.buffered.extend_from_slice(&bytes[..len]);
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.next_use() {
            Use::All => self.passed.append(&mut self.buffered),
            Use::Some(most) if most < self.buffered.len() => {
                self.passed.extend(self.buffered.drain(..most));
                self.troubles.writes += 1;
                return Err(ErrorKind::WouldBlock.into());
            }
            Use::Some(_) => self.passed.append(&mut self.buffered),
            Use::Err(kind) => {
                self.troubles.writes += usize::from(kind == ErrorKind::WouldBlock);
                return Err(self.fail(kind));
            }
        }
        Ok(())
    }
}
