//! A peer's process: started, spoken to, listened to, and killed when it is dropped.

use core::fmt;
use core::time::Duration;
use std::io::Write;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Instant;

use crate::PATIENCE;
use crate::output::{Output, Wait};

/// How often a process is asked whether it has ended.
const POLL: Duration = Duration::from_millis(5);

/// A running peer.
///
/// When a test fails, what the peer said is printed with it.
pub struct Process {
    command: String,
    child: Child,
    stdin: Option<ChildStdin>,
    output: Output,
}

impl Process {
    /// Starts it and collects what it says.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        let (process, stdout) = Self::start_piped(command);
        process.output.collect("stdout", stdout);
        process
    }

    /// Starts it and collects what it says on stderr; stdout is the caller's to read.
    #[must_use]
    pub fn start_piped(command: &mut Command) -> (Self, ChildStdout) {
        let started = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = started.unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let output = Output::default();
        output.collect("stderr", child.stderr.take().unwrap());
        let stdout = child.stdout.take().unwrap();
        let process = Self {
            command: format!("{command:?}"),
            stdin: child.stdin.take(),
            child,
            output,
        };
        (process, stdout)
    }

    /// Types `text` into it.
    pub fn say(&mut self, text: &str) {
        let stdin = self.stdin.as_mut().unwrap();
        let said = stdin.write_all(text.as_bytes());
        said.unwrap_or_else(|error| panic!("cannot write to {}: {error}", self.command));
    }

    /// Its stdin, for another thread; nothing can be typed afterwards.
    #[must_use]
    pub fn take_stdin(&mut self) -> ChildStdin {
        self.stdin.take().unwrap()
    }

    /// Ends its stdin.
    pub fn end_stdin(&mut self) {
        self.stdin = None;
    }

    /// Waits until it has said `text`, behind what was waited for before on the same stream.
    pub fn expect(&self, text: &str) {
        self.found(self.output.wait_for(text), text);
    }

    /// Waits until it has said `text`, and returns the rest of that line.
    #[must_use]
    pub fn rest_of_line(&self, text: &str) -> String {
        let rest = self.output.rest_of_line(text);
        self.found(
            rest.as_ref().map_or_else(|wait| *wait, |_| Wait::Found),
            text,
        );
        rest.unwrap_or_default()
    }

    /// Waits until it has said `text`; false if it ended without.
    #[must_use]
    pub fn says(&self, text: &str) -> bool {
        match self.output.wait_for(text) {
            Wait::Found => true,
            Wait::Ended => false,
            Wait::TimedOut => panic!("{} did not say {text:?}", self.command),
        }
    }

    /// Waits until it has ended by itself and all that it said is collected; returns its exit code.
    pub fn exit(&mut self) -> i32 {
        let end = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < end, "{} does not end", self.command);
            thread::sleep(POLL);
        };
        let _ = self.output.wait_for_end();
        let code = status.code();
        code.unwrap_or_else(|| panic!("{} ended with {status}", self.command))
    }

    /// Whether it has ended already.
    #[must_use]
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Kills it without warning, as `kill -9`: the system closes its sockets, it says nothing.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Sends it a signal by name, e.g. `INT`.
    pub fn signal(&self, name: &str) {
        // The shell's own `kill`: not every machine has a program of that name.
        let script = format!("kill -s {name} {}", self.child.id());
        let status = Command::new("sh").args(["-c", &script]).status().unwrap();
        assert!(status.success(), "{script}: {status}");
    }

    /// All that it has said on stdout so far.
    #[must_use]
    pub fn stdout(&self) -> Vec<u8> {
        self.output.bytes("stdout")
    }

    /// All that it has said so far, on both streams, for searching.
    #[must_use]
    pub fn said(&self) -> String {
        let all = [self.output.bytes("stdout"), self.output.bytes("stderr")];
        String::from_utf8_lossy(&all.concat()).into_owned()
    }

    fn found(&self, wait: Wait, text: &str) {
        match wait {
            Wait::Found => {}
            Wait::Ended => panic!("{} ended without saying {text:?}", self.command),
            Wait::TimedOut => panic!("{} did not say {text:?} in {PATIENCE:?}", self.command),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            let _ = self.output.wait_for_end();
            let said = self.output.shown();
            eprintln!("{} said:{said}\n--- end", self.command);
        }
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.command)
    }
}
