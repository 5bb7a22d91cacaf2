//! Runs the program: servers that are killed when a test ends, clients that may not hang.

#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

pub(crate) mod early;

use core::time::Duration;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use tempfile::TempDir;

/// How long a program may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A command that runs the program in an environment without a key log.
pub(crate) fn offwire(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_offwire"));
    command.args(args).env_remove("SSLKEYLOGFILE");
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// What a program left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn text(&self) -> &str {
        core::str::from_utf8(&self.stdout).unwrap()
    }

    /// # Panics
    /// If the exit code is another, or the text is not on stderr.
    #[track_caller]
    pub(crate) fn expect(self, code: i32, on_stderr: &str) -> Self {
        assert_eq!(self.code, Some(code), "stderr:\n{}", self.stderr);
        assert!(
            self.stderr.contains(on_stderr),
            "no {on_stderr:?} in:\n{}",
            self.stderr
        );
        self
    }
}

/// Runs a command with this input to its end.
pub(crate) fn run(command: &mut Command, input: &[u8]) -> Ran {
    run_watched(command, input, read_all)
}

/// As [`run`], but what stands on stdout is read to its end by `watch`.
pub(crate) fn run_watched(
    command: &mut Command,
    input: &[u8],
    watch: impl FnOnce(ChildStdout) -> Vec<u8> + Send + 'static,
) -> Ran {
    let mut child = command.spawn().unwrap();
    let (stdout, stderr) = (child.stdout.take().unwrap(), collect(child.stderr.take()));
    let stdout = thread::spawn(move || watch(stdout));
    let (mut stdin, input) = (child.stdin.take().unwrap(), input.to_vec());
    let input = thread::spawn(move || {
        // A program may end without reading its input.
        let _ = stdin.write_all(&input);
    });
    let code = wait(&mut child).code();
    input.join().unwrap();
    let stderr = String::from_utf8(stderr.join().unwrap()).unwrap();
    Ran {
        code,
        stdout: stdout.join().unwrap(),
        stderr,
    }
}

fn collect(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<Vec<u8>> {
    let pipe = pipe.unwrap();
    thread::spawn(move || read_all(pipe))
}

pub(crate) fn read_all(mut pipe: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    pipe.read_to_end(&mut bytes).unwrap();
    bytes
}

fn wait(child: &mut Child) -> ExitStatus {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    panic!("the program hangs");
}

/// A running `offwire serve`.
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
    folder: TempDir,
    stderr: Option<JoinHandle<Vec<u8>>>,
}

impl Server {
    /// Starts a server on a free port; the certificate that it makes is written to
    /// [`Server::certificate`].
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::start_with(args, |_| {})
    }

    /// Starts a server in an environment that `prepare` changes.
    pub(crate) fn start_with(args: &[&str], prepare: impl FnOnce(&mut Command)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let certificate = folder.path().join("certificate.pem");
        let mut all = vec!["serve", "--listen", "127.0.0.1:0"];
        if !args.contains(&"--cert") {
            all.extend(["--cert-out", certificate.to_str().unwrap()]);
        }
        all.extend(args);
        let mut command = offwire(&all);
        prepare(&mut command);
        let mut child = command.spawn().unwrap();
        let stderr = collect(child.stderr.take());
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let port = line
            .trim()
            .strip_prefix("listening on 127.0.0.1:")
            .expect(&line);
        Self {
            child,
            port: port.parse().unwrap(),
            folder,
            stderr: Some(stderr),
        }
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    pub(crate) fn address(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// Runs `offwire connect` to this server, whose certificate it trusts.
    pub(crate) fn connect(&self, args: &[&str], input: &[u8]) -> Ran {
        self.connect_trusting(&self.certificate(), args, input)
    }

    /// Runs `offwire connect` to this server.
    pub(crate) fn connect_trusting(&self, ca: &Path, args: &[&str], input: &[u8]) -> Ran {
        let address = self.address();
        let mut all = vec!["connect", &address, "--ca", ca.to_str().unwrap()];
        all.extend(args);
        run(&mut offwire(&all), input)
    }

    /// Sends SIGINT, as Ctrl-C does, and waits for the end.
    #[cfg(unix)]
    pub(crate) fn interrupt(mut self) -> Ran {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-INT", &pid])
                .status()
                .unwrap()
                .success()
        );
        let code = wait(&mut self.child).code();
        let stderr = String::from_utf8(self.stderr.take().unwrap().join().unwrap()).unwrap();
        Ran {
            code,
            stdout: Vec::new(),
            stderr,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Writes a file into a folder of its own.
pub(crate) struct File {
    folder: TempDir,
    name: &'static str,
}

impl File {
    pub(crate) fn new(name: &'static str, content: impl AsRef<[u8]>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(name), content).unwrap();
        Self { folder, name }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join(self.name)
    }

    pub(crate) fn text(&self) -> String {
        self.path().to_str().unwrap().into()
    }
}

/// Whether responses have the content that their length announces.
#[derive(Clone, Copy)]
pub(crate) enum Content {
    Sent,
    /// As in responses to HEAD.
    Omitted,
}

/// Splits HTTP responses into heads and contents.
pub(crate) fn responses(mut bytes: &[u8], content: Content) -> Vec<(String, String)> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let end = bytes
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
            .unwrap()
            + 4;
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("Content-Length: "))
            .unwrap();
        let length = match content {
            Content::Sent => length.parse().unwrap(),
            Content::Omitted => 0,
        };
        let content = String::from_utf8(bytes[end..end + length].to_vec()).unwrap();
        bytes = &bytes[end + length..];
        found.push((head, content));
    }
    found
}
