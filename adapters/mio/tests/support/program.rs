//! The examples as processes: started, listened to, and killed when dropped.

use core::time::Duration;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

/// How long a program may say nothing while it is listened to. Only failures wait for it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running example.
///
/// When a test fails, what it said is printed with it.
pub(crate) struct Program {
    child: Child,
    lines: Receiver<String>,
    said: Vec<String>,
}

impl Program {
    pub(crate) fn start(command: &mut Command) -> Self {
        // What is resident is measured: glibc keeps up to twice the largest block that was ever freed,
        // unless a threshold is set.
        command.env("MALLOC_TRIM_THRESHOLD_", "131072");
        let started = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut child = started.unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            lines,
            said: Vec::new(),
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line with `text` in it, behind the last one that was waited for, and returns it.
    pub(crate) fn line(&mut self, text: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|error| panic!("it did not say {text:?}: {error}"));
            self.said.push(line.clone());
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Waits until it has closed its stdout and ended; returns whether it succeeded.
    pub(crate) fn succeeds(&mut self) -> bool {
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            self.said.push(line);
        }
        self.child.wait().unwrap().success()
    }

    /// Sends SIGINT.
    #[cfg(unix)]
    pub(crate) fn interrupt(&self) {
        use rustix::process::{Pid, Signal, kill_process};

        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            self.said.extend(self.lines.try_iter());
            eprintln!(
                "process {} said:\n{}",
                self.child.id(),
                self.said.join("\n")
            );
        }
    }
}
