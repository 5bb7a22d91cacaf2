//! `Waiting`: a bounded transport that blocks, and knows when nobody can ever go on.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use std::io::{self, ErrorKind};
use std::sync::{Condvar, Mutex, MutexGuard};

/// One end of two bounded pipes that block, each end for a thread of its own.
///
/// A read waits for a byte and a write for room. If both ends come to wait, neither could ever go
/// on: both calls then fail with [`ErrorKind::TimedOut`], as if a time limit had struck, and so do
/// all later ones. No clock decides that, so a test of a stall is exact. Dropping an end is the end
/// of the transport for the other.
///
/// ```
/// use std::io::{ErrorKind, Read, Write};
/// use std::thread;
///
/// use offwire_testkit::transport::Waiting;
///
/// let (mut near, mut far) = Waiting::pair(4);
/// let far = thread::spawn(move || far.write_all(b"too much"));
/// // Nobody reads what the other end writes, and nothing else will come.
/// assert_eq!(near.write_all(b"the same").unwrap_err().kind(), ErrorKind::TimedOut);
/// assert_eq!(far.join().unwrap().unwrap_err().kind(), ErrorKind::TimedOut);
/// assert_eq!(near.read(&mut [0; 9]).unwrap_err().kind(), ErrorKind::TimedOut);
/// ```
#[derive(Debug)]
pub struct Waiting {
    end: usize,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    capacity: usize,
}

/// Both directions under one lock, so that whether both ends wait is one question.
#[derive(Debug, Default)]
struct State {
    /// What each end has written.
    pipes: [VecDeque<u8>; 2],
    standing: [Standing; 2],
    verdict: Verdict,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Standing {
    #[default]
    Working,
    /// It waits, and nothing has changed since it looked.
    Stuck,
    Gone,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Verdict {
    #[default]
    Going,
    Stalled,
}

impl Waiting {
    /// Two ends, with so many bytes between them in each direction.
    #[must_use]
    pub fn pair(capacity: usize) -> (Self, Self) {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            changed: Condvar::new(),
            capacity,
        });
        let near = Self {
            end: 0,
            shared: Arc::clone(&shared),
        };
        (near, Self { end: 1, shared })
    }

    /// Waits until `ready` or the other end is gone.
    fn wait(&self, ready: impl Fn(&State) -> bool) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.shared.state.lock().unwrap();
        loop {
            if state.verdict == Verdict::Stalled {
                return Err(ErrorKind::TimedOut.into());
            }
            if ready(&state) || state.standing[1 - self.end] == Standing::Gone {
                return Ok(state);
            }
            state.standing[self.end] = Standing::Stuck;
            if state.standing == [Standing::Stuck; 2] {
                state.verdict = Verdict::Stalled;
                self.shared.changed.notify_all();
            } else {
                state = self.shared.changed.wait(state).unwrap();
            }
        }
    }

    /// Says that something has moved: whoever waits has to look again.
    fn moved(&self, state: &mut State) {
        for standing in &mut state.standing {
            if *standing == Standing::Stuck {
                *standing = Standing::Working;
            }
        }
        self.shared.changed.notify_all();
    }
}

impl io::Read for Waiting {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let from = 1 - self.end;
        let mut state = self.wait(|state| !state.pipes[from].is_empty())?;
        let n = state.pipes[from].read(into)?;
        self.moved(&mut state);
        Ok(n)
    }
}

impl io::Write for Waiting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (end, capacity) = (self.end, self.shared.capacity);
        let mut state = self.wait(|state| state.pipes[end].len() < capacity)?;
        if state.standing[1 - end] == Standing::Gone {
            return Err(ErrorKind::BrokenPipe.into());
        }
        let n = bytes.len().min(capacity - state.pipes[end].len());
        state.pipes[end].extend(&bytes[..n]);
        self.moved(&mut state);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // A thread that panicked with the lock has told its reason.
        if let Ok(mut state) = self.shared.state.lock() {
            state.standing[self.end] = Standing::Gone;
            self.moved(&mut state);
        }
    }
}
