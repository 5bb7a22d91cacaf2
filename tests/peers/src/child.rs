//! A peer in a process of its own: a line for an order, a line for the answer.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use offwire_testkit::{Authority, Identity, Kind};
use tempfile::TempDir;

use crate::Problem;
use crate::order::Answer;

/// A process that carries orders out.
#[derive(Debug)]
pub struct Process {
    child: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Process {
    /// Starts a program.
    ///
    /// # Errors
    /// If it does not start.
    pub fn start(program: &Path, arguments: &[&Path]) -> Result<Self, Problem> {
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let orders = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().ok_or("it has no output")?);
        Ok(Self {
            child,
            orders,
            answers,
        })
    }

    /// Sends a line, and waits for the answer.
    ///
    /// # Errors
    /// If the process has ended, which is how it says that something went wrong.
    pub fn ask(&mut self, order: &str) -> Result<Answer, Problem> {
        let orders = self.orders.as_mut().ok_or("it has no input")?;
        writeln!(orders, "{order}")?;
        orders.flush()?;
        let mut answer = String::new();
        if self.answers.read_line(&mut answer)? == 0 {
            return Err(format!("the peer has ended at: {order}").into());
        }
        answer.parse()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.orders.take()); // the end of its input ends it
        if let Err(error) = self.child.wait() {
            eprintln!("a peer cannot be waited for: {error}");
        }
    }
}

/// The authority's certificate, the server's chain and its key, as files for other programs.
#[derive(Debug)]
pub struct Files(TempDir);

impl Files {
    /// Writes them.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn new() -> Result<Self, Problem> {
        let folder = tempfile::tempdir()?;
        let identity = Identity::server(Kind::EcdsaP256);
        std::fs::write(folder.path().join("ca.pem"), Authority::shared().pem())?;
        std::fs::write(folder.path().join("chain.pem"), identity.chain_pem())?;
        std::fs::write(folder.path().join("key.pem"), identity.key_pem())?;
        Ok(Self(folder))
    }

    /// Starts `native/peer.c` as it was built for one library, over its own transport (`wire`) or the
    /// library's BIO pair (`pair`).
    ///
    /// # Errors
    /// If it does not start.
    pub fn native(&self, program: &Path, transport: &str) -> Result<Process, Problem> {
        let [authority, chain, key] =
            ["ca.pem", "chain.pem", "key.pem"].map(|name| self.path(name));
        Process::start(program, &[&authority, &chain, &key, transport.as_ref()])
    }

    /// Where one of `ca.pem`, `chain.pem`, `key.pem` is.
    #[must_use]
    pub fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }
}
