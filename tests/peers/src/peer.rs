//! What a library has to do so that it can be measured.

use crate::order::{Suite, Version};
use crate::{Problem, Wire};

/// What the connections of an order have in common.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "all that is chosen")]
pub struct Setting {
    /// The version, and no other.
    pub version: Version,
    /// The suite, and no other.
    pub suite: Suite,
    /// How many tickets the server sends.
    pub tickets: usize,
}

/// Whether a handshake is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third")]
pub enum Progress {
    /// It waits for the peer.
    Going,
    /// It is.
    Complete,
}

/// Whether a library can do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third")]
pub enum Means {
    /// It has done it.
    Done,
    /// It has no means for it.
    Missing,
}

/// A library with its two contexts. The group is X25519, the certificate ECDSA P-256, and the
/// client verifies it.
pub trait Library: Sized {
    /// Its connections, of either role.
    type Connection: Connection;

    /// Makes the contexts, or nothing where the library cannot be told to do that.
    ///
    /// # Errors
    /// What went wrong.
    fn new(setting: Setting) -> Result<Option<Self>, Problem>;

    /// A client's connection, which resumes a session if it has one.
    ///
    /// # Errors
    /// What went wrong.
    fn client(&self) -> Result<Self::Connection, Problem>;

    /// A server's connection.
    ///
    /// # Errors
    /// What went wrong.
    fn server(&self) -> Result<Self::Connection, Problem>;
}

/// One end of a connection.
pub trait Connection {
    /// Shakes hands as far as what has arrived goes.
    ///
    /// # Errors
    /// What went wrong.
    fn handshake(&mut self, from: &mut Wire, to: &mut Wire) -> Result<Progress, Problem>;

    /// Writes all of the plaintext.
    ///
    /// # Errors
    /// What went wrong.
    fn write(&mut self, plaintext: &[u8], to: &mut Wire) -> Result<(), Problem>;

    /// Reads at most what fits, as the library does it in one call; 0 if nothing has arrived.
    ///
    /// # Errors
    /// What went wrong.
    fn read(&mut self, into: &mut [u8], from: &mut Wire) -> Result<usize, Problem>;

    /// Whether the handshake resumed a session.
    fn is_resumed(&self) -> bool;

    /// Gives buffers back.
    fn release(&mut self) -> Means {
        Means::Missing
    }
}

/// A client and a server, and the wires between them.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "the measures reach into it")]
pub struct Pair<C> {
    /// The client.
    pub client: C,
    /// The server.
    pub server: C,
    /// From the client to the server.
    pub to_server: Wire,
    /// From the server to the client.
    pub to_client: Wire,
}

impl<C: Connection> Pair<C> {
    /// A client and a server that have shaken hands.
    ///
    /// # Errors
    /// What went wrong.
    pub fn connected<L: Library<Connection = C>>(library: &L) -> Result<Self, Problem> {
        let mut pair = Self {
            client: library.client()?,
            server: library.server()?,
            to_server: Wire::new(),
            to_client: Wire::new(),
        };
        while pair.step()? == Progress::Going {}
        Ok(pair)
    }

    /// Lets each end shake hands as far as it can.
    ///
    /// # Errors
    /// What went wrong.
    fn step(&mut self) -> Result<Progress, Problem> {
        let ours = self
            .client
            .handshake(&mut self.to_client, &mut self.to_server)?;
        let theirs = self
            .server
            .handshake(&mut self.to_server, &mut self.to_client)?;
        match (ours, theirs) {
            (Progress::Complete, Progress::Complete) => Ok(Progress::Complete),
            (Progress::Going, _) | (_, Progress::Going) => Ok(Progress::Going),
        }
    }

    /// The plaintext to the server, and back what has arrived.
    ///
    /// # Errors
    /// What went wrong.
    pub fn trip(&mut self, plaintext: &[u8], opened: &mut [u8]) -> Result<(), Problem> {
        self.client.write(plaintext, &mut self.to_server)?;
        read_all(&mut self.server, &mut self.to_server, opened)?;
        self.server.write(opened, &mut self.to_client)?;
        read_all(&mut self.client, &mut self.to_client, opened)
    }
}

/// Reads until the buffer is full.
///
/// # Errors
/// What went wrong, or that too little has arrived.
pub fn read_all<C: Connection>(
    connection: &mut C,
    from: &mut Wire,
    mut into: &mut [u8],
) -> Result<(), Problem> {
    while !into.is_empty() {
        let got = connection.read(into, from)?;
        if got == 0 {
            return Err("something is missing".into());
        }
        into = into.get_mut(got..).ok_or("more than fits")?;
    }
    Ok(())
}
