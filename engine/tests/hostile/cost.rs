//! What a peer's bytes cost an engine, and the bounds.

use allocation_counter::measure;
use offwire::{Engine, Error, ProtocolVersion, Read, Settings};
use offwire_testkit::{Contexts, Side};

const VERSIONS: [ProtocolVersion; 2] = [ProtocolVersion::Tls12, ProtocolVersion::Tls13];

/// Bytes beyond the limits while the handshake lasts: its larger queue (128 KiB, and a record of
/// slack), the outgoing queue's slack, a server's copy of the ClientHello, in which the server name is found
/// (64 KiB), and what rustls makes of a message: of two bytes on the wire up to 25, in a list that
/// doubles.
pub(crate) const HANDSHAKE: usize = 1_344 * 1_024;

/// Bytes beyond the limits after it: the engine with its keys and the peer's certificates, a handshake
/// message that is not whole (64 KiB, and its old storage while it grows), and a record of slack in
/// each queue. While a queue grows its old storage, of up to 64 KiB, is there as well.
pub(crate) const OPEN: usize = 192 * 1_024;

/// The same as long as the engine has not read what was fed before its handshake was complete, which
/// the larger queue of the handshake holds.
pub(crate) const BEHIND_THE_FLIGHT: usize = 256 * 1_024;

/// Bytes allocated for each byte received, at most: storage that doubles costs two, a message that is
/// copied twice while it grows four, what a KeyUpdate of 27 bytes derives its part.
const PER_BYTE: usize = 12;

/// The same of a message that is nothing but a list of the shortest entries.
pub(crate) const PER_DECODED_BYTE: usize = 56;

/// The same of certificates, which are copied for `negotiated` and while they are verified: a server
/// keeps the whole transcript until the client has signed it, and puts them into each ticket.
pub(crate) const PER_CERTIFICATE_BYTE: usize = 40;

/// Bytes allocated whatever is received.
pub(crate) const AT_ONCE: usize = 64 * 1_024;

/// What an engine like this one holds: itself, and its heap.
pub(crate) fn held_by(twin: Engine) -> usize {
    let freed = measure(|| drop(twin)).bytes_current;
    size_of::<Engine>() + usize::try_from(-freed).unwrap()
}

/// What a peer's bytes cost an engine.
#[derive(Debug)]
pub(crate) struct Cost {
    pub(crate) fed: usize,
    /// The most bytes that there were at one time: the engine itself, and its heap.
    pub(crate) peak: usize,
    /// All bytes that were ever allocated.
    pub(crate) total: usize,
    pub(crate) end: Result<Read, Error>,
}

impl Cost {
    pub(crate) fn assert_bounded(&self, settings: Settings, constant: usize, what: &str) {
        self.assert_within(settings, constant, PER_BYTE, what);
    }

    pub(crate) fn assert_within(
        &self,
        settings: Settings,
        constant: usize,
        per_byte: usize,
        what: &str,
    ) {
        let limits = settings.effective_incoming_limit() + settings.effective_outgoing_limit();
        assert!(self.peak <= limits + constant, "{what}: {self:?}");
        assert!(
            self.total <= per_byte * self.fed + AT_ONCE,
            "{what}: {self:?}"
        );
    }
}

/// Makes an engine, feeds pieces of so many bytes and reads behind each; what the engine says goes
/// nowhere.
pub(crate) fn endure(make: impl FnOnce() -> Engine, wire: &[u8], piece: usize) -> (Engine, Cost) {
    let mut made = None;
    let mut fed = (0, Ok(Read::NeedRead));
    let mut into = vec![0; 16_385];
    let allocated = measure(|| {
        let engine = made.insert(make());
        fed = feed_all(engine, wire, piece, &mut into);
    });
    let (fed, end) = fed;
    let cost = Cost {
        fed,
        peak: size_of::<Engine>() + usize::try_from(allocated.bytes_max).unwrap(),
        total: usize::try_from(allocated.bytes_total).unwrap(),
        end,
    };
    (made.unwrap(), cost)
}

/// As [`endure`], with an engine that is there: what it holds at the beginning is said by `held`.
pub(crate) fn endure_on(engine: &mut Engine, held: usize, wire: &[u8], piece: usize) -> Cost {
    let mut fed = (0, Ok(Read::NeedRead));
    let mut into = vec![0; 16_385];
    let allocated = measure(|| fed = feed_all(engine, wire, piece, &mut into));
    let (fed, end) = fed;
    Cost {
        fed,
        peak: held + usize::try_from(allocated.bytes_max).unwrap(),
        total: usize::try_from(allocated.bytes_total).unwrap(),
        end,
    }
}

fn feed_all(
    engine: &mut Engine,
    wire: &[u8],
    piece: usize,
    into: &mut [u8],
) -> (usize, Result<Read, Error>) {
    let (mut fed, mut end) = (0, read_all(engine, into));
    for piece in wire.chunks(piece) {
        let mut rest = piece;
        while !rest.is_empty() && end == Ok(Read::NeedRead) {
            let taken = engine.feed(rest);
            fed += taken;
            rest = &rest[taken..];
            end = read_all(engine, into);
        }
    }
    (fed, end)
}

/// Reads until the engine wants more, or has none.
fn read_all(engine: &mut Engine, into: &mut [u8]) -> Result<Read, Error> {
    loop {
        match engine.read(into)? {
            Read::Read(_) => {}
            Read::NeedWrite => {
                let waiting = engine.outgoing().len();
                engine.sent(waiting).unwrap();
            }
            end @ (Read::NeedRead | Read::Closed | Read::Truncated) => return Ok(end),
        }
    }
}

/// Every version, role and either limits: the default ones and the least.
pub(crate) fn each(mut run: impl FnMut(&str, ProtocolVersion, Side, &Contexts)) {
    for version in VERSIONS {
        for (limits, settings) in [
            ("default limits", Settings::default()),
            ("least limits", least()),
        ] {
            let contexts = Contexts::new().version(version).settings(settings);
            for role in Side::BOTH {
                let what = format!("{version} {role:?}, {limits}");
                run(&what, version, role, &contexts);
            }
        }
    }
}

/// The least limits that there are.
pub(crate) fn least() -> Settings {
    Settings::default().incoming_limit(0).outgoing_limit(0)
}
