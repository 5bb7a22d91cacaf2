//! What is measured: an order names a measure, the version, the suite, the size of a write and how
//! often; its answer is nanoseconds of CPU, or bytes. A line of text each way, so that a peer may
//! be a process of its own, in any language.

use core::fmt;
use core::str::FromStr;

use crate::Problem;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "every peer handles all of them")]
pub enum Measure {
    /// Writes of `size` bytes; what leaves is counted and thrown away. Answer: nanoseconds in all.
    Seal,
    /// Reads of what was written in pieces of `size` bytes, which the transport hands over with one
    /// copy. Answer: nanoseconds in all.
    Open,
    /// `size` bytes to the server and the same bytes back. Answer: nanoseconds in all.
    Trip,
    /// Full handshakes, from making the connections to dropping them. Answer: nanoseconds of the
    /// client and of the server.
    Full,
    /// The same, each resuming the session of the one before.
    Resumed,
    /// Bytes allocated in so many round trips of `size` bytes, in the steady state.
    Allocated,
    /// Bytes that the client and the server give back when dropped, after 100 bytes each way.
    MemoryMessage,
    /// The same after 1 MiB each way.
    MemoryBulk,
    /// The same once the buffers are given back, as far as the library has a means for it.
    MemoryReleased,
    /// Bytes that each of `count` idle servers holds, their buffers given back.
    Idle,
    /// Bytes of the server's certificates and of the list of them, of which a client keeps a copy.
    Certificates,
}

impl Measure {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Seal,
        Self::Open,
        Self::Trip,
        Self::Full,
        Self::Resumed,
        Self::Allocated,
        Self::MemoryMessage,
        Self::MemoryBulk,
        Self::MemoryReleased,
        Self::Idle,
        Self::Certificates,
    ];

    /// Its name in orders and in the measured file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Seal => "seal",
            Self::Open => "open",
            Self::Trip => "trip",
            Self::Full => "full",
            Self::Resumed => "resumed",
            Self::Allocated => "allocated",
            Self::MemoryMessage => "memory-message",
            Self::MemoryBulk => "memory-bulk",
            Self::MemoryReleased => "memory-released",
            Self::Idle => "idle",
            Self::Certificates => "certificates",
        }
    }
}

impl FromStr for Measure {
    type Err = Problem;

    fn from_str(name: &str) -> Result<Self, Problem> {
        let found = Self::ALL.into_iter().find(|each| each.name() == name);
        found.ok_or_else(|| format!("no measure: {name}").into())
    }
}

/// The version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "every peer handles all of them")]
pub enum Version {
    /// TLS 1.2.
    Tls12,
    /// TLS 1.3.
    Tls13,
}

impl Version {
    /// Its name in orders and in the measured file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Tls12 => "1.2",
            Self::Tls13 => "1.3",
        }
    }
}

impl FromStr for Version {
    type Err = Problem;

    fn from_str(name: &str) -> Result<Self, Problem> {
        let found = [Self::Tls12, Self::Tls13].into_iter();
        let mut found = found.filter(|each| each.name() == name);
        found
            .next()
            .ok_or_else(|| format!("no version: {name}").into())
    }
}

/// The AEAD of the cipher suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "every peer handles all of them")]
pub enum Suite {
    /// AES-128-GCM.
    Aes128,
    /// AES-256-GCM.
    Aes256,
    /// ChaCha20-Poly1305.
    ChaCha20,
}

impl Suite {
    /// Its name in orders and in the measured file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Aes128 => "aes-128-gcm",
            Self::Aes256 => "aes-256-gcm",
            Self::ChaCha20 => "chacha20-poly1305",
        }
    }
}

impl FromStr for Suite {
    type Err = Problem;

    fn from_str(name: &str) -> Result<Self, Problem> {
        let found = [Self::Aes128, Self::Aes256, Self::ChaCha20].into_iter();
        let mut found = found.filter(|each| each.name() == name);
        found
            .next()
            .ok_or_else(|| format!("no suite: {name}").into())
    }
}

/// One measurement to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the whole of an order")]
pub struct Order {
    /// What is measured.
    pub measure: Measure,
    /// With which version.
    pub version: Version,
    /// With which suite.
    pub suite: Suite,
    /// Bytes of a write, where there are any.
    pub size: usize,
    /// How many operations, or connections.
    pub count: usize,
}

impl fmt::Display for Order {
    fn fmt(&self, line: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            measure,
            version,
            suite,
            size,
            count,
        } = self;
        let (measure, version, suite) = (measure.name(), version.name(), suite.name());
        write!(line, "{measure} {version} {suite} {size} {count}")
    }
}

impl FromStr for Order {
    type Err = Problem;

    fn from_str(line: &str) -> Result<Self, Problem> {
        let mut words = line.split_whitespace();
        let mut word = || words.next().ok_or("an order is too short");
        Ok(Self {
            measure: word()?.parse()?,
            version: word()?.parse()?,
            suite: word()?.parse()?,
            size: word()?.parse()?,
            count: word()?.parse()?,
        })
    }
}

/// What came of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the whole of an answer")]
pub enum Answer {
    /// The peer cannot do that.
    Impossible,
    /// Of the connection, or of both ends.
    One(u64),
    /// Of the client and of the server.
    Sides(u64, u64),
}

impl fmt::Display for Answer {
    fn fmt(&self, line: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Impossible => write!(line, "none"),
            Self::One(value) => write!(line, "{value}"),
            Self::Sides(client, server) => write!(line, "{client} {server}"),
        }
    }
}

impl FromStr for Answer {
    type Err = Problem;

    fn from_str(line: &str) -> Result<Self, Problem> {
        if line.trim() == "none" {
            return Ok(Self::Impossible);
        }
        let values: Result<Vec<u64>, _> = line.split_whitespace().map(str::parse).collect();
        match values?[..] {
            [value] => Ok(Self::One(value)),
            [client, server] => Ok(Self::Sides(client, server)),
            _ => Err(format!("no answer: {line:?}").into()),
        }
    }
}
