//! What a process says on stdout and stderr, collected by threads, and waiting for words in it.

use alloc::sync::Arc;
use core::fmt::Write as _;
use std::io::Read;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use crate::PATIENCE;

/// How much of a stream a failure shows, in bytes: its end.
const SHOWN: usize = 6_000;

/// The output of one process, shared with the threads that collect it. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Output(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    streams: Mutex<Vec<Captured>>,
    news: Condvar,
}

#[derive(Debug)]
struct Captured {
    name: &'static str,
    bytes: Vec<u8>,
    /// How much of it has been waited for already.
    seen: usize,
    /// How much of it has been searched in vain by the present wait.
    searched: usize,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Ended,
}

/// What became of a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// It stood there.
    Found,
    /// Nothing more will come.
    Ended,
    /// Patience is over.
    TimedOut,
}

impl Captured {
    /// Where `text` begins, behind what was waited for before.
    fn find(&mut self, text: &str) -> Option<usize> {
        let mut windows = self.bytes[self.searched..].windows(text.len());
        match windows.position(|window| window == text.as_bytes()) {
            Some(at) => Some(self.searched + at),
            None => {
                let behind = (self.bytes.len() + 1).saturating_sub(text.len());
                self.searched = self.searched.max(behind);
                None
            }
        }
    }
}

impl Output {
    /// Collects a stream to its end.
    pub(crate) fn collect(&self, name: &'static str, mut source: impl Read + Send + 'static) {
        let mut streams = self.lock();
        let index = streams.len();
        streams.push(Captured {
            name,
            bytes: Vec::new(),
            seen: 0,
            searched: 0,
            state: State::Open,
        });
        drop(streams);
        let output = self.clone();
        thread::spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            while let Ok(count @ 1..) = source.read(&mut buffer) {
                output.lock()[index].bytes.extend(&buffer[..count]);
                output.0.news.notify_all();
            }
            output.lock()[index].state = State::Ended;
            output.0.news.notify_all();
        });
    }

    /// Waits until `text` stands in a stream, behind what was waited for there before.
    pub(crate) fn wait_for(&self, text: &str) -> Wait {
        self.wait(|stream| {
            stream.seen = stream.find(text)? + text.len();
            Some(())
        })
        .map_or_else(|wait| wait, |()| Wait::Found)
    }

    /// Waits for `text` and the end of its line; returns what stands between.
    pub(crate) fn rest_of_line(&self, text: &str) -> Result<String, Wait> {
        self.wait(|stream| {
            let from = stream.find(text)? + text.len();
            let rest = &stream.bytes[from..];
            let line = &rest[..rest.iter().position(|byte| *byte == b'\n')?];
            stream.seen = from + line.len();
            Some(String::from_utf8_lossy(line).trim().to_owned())
        })
    }

    /// Waits until all streams have ended.
    pub(crate) fn wait_for_end(&self) -> Wait {
        self.wait(|_| None::<()>)
            .map_or_else(|wait| wait, |()| Wait::Found)
    }

    /// All that a stream has brought so far.
    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        let streams = self.lock();
        let stream = streams.iter().find(|stream| stream.name == name);
        stream.unwrap().bytes.clone()
    }

    /// The end of all streams, for people.
    pub(crate) fn shown(&self) -> String {
        let mut shown = String::new();
        for stream in self.lock().iter() {
            let end = &stream.bytes[stream.bytes.len().saturating_sub(SHOWN)..];
            let name = stream.name;
            let _ = write!(shown, "\n--- {name}\n{}", String::from_utf8_lossy(end));
        }
        shown
    }

    fn wait<T>(&self, mut look: impl FnMut(&mut Captured) -> Option<T>) -> Result<T, Wait> {
        let end = Instant::now() + PATIENCE;
        let mut streams = self.lock();
        for stream in streams.iter_mut() {
            stream.searched = stream.seen;
        }
        loop {
            if let Some(found) = streams.iter_mut().find_map(&mut look) {
                return Ok(found);
            }
            if streams.iter().all(|stream| stream.state == State::Ended) {
                return Err(Wait::Ended);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Wait::TimedOut);
            }
            let woken = self.0.news.wait_timeout(streams, left);
            streams = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Captured>> {
        let locked = self.0.streams.lock();
        locked.unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read};

    use super::{Output, Wait};

    /// Brings one byte at a time.
    struct Slow(&'static [u8]);

    impl Read for Slow {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.0.read(&mut into[..1])
        }
    }

    #[test]
    fn words_are_found_one_behind_the_other() {
        let output = Output::default();
        output.collect("stdout", Slow(b"one two\none three: 4 \r\n"));
        assert_eq!(output.wait_for("one"), Wait::Found);
        assert_eq!(output.wait_for("one"), Wait::Found);
        assert_eq!(output.rest_of_line("three:"), Ok("4".into()));
        assert_eq!(output.wait_for("one"), Wait::Ended);
        assert_eq!(output.rest_of_line("two"), Err(Wait::Ended));
        assert_eq!(output.bytes("stdout"), b"one two\none three: 4 \r\n");
    }

    #[test]
    fn streams_are_searched_apart() {
        let output = Output::default();
        output.collect("stdout", Slow(b"b a"));
        output.collect("stderr", Slow(b"a"));
        for text in ["a", "a"] {
            assert_eq!(output.wait_for(text), Wait::Found);
        }
        assert_eq!(output.wait_for("b"), Wait::Ended);
        assert_eq!(output.shown(), "\n--- stdout\nb a\n--- stderr\na");
    }
}
