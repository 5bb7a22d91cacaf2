//! Drivers: loops that complete a handshake, move bytes from end to end or close, and never hang.

use offwire::{Error, Handshake, Shutdown, Write};

use super::{Pair, Side};

/// How many rounds without any progress make a driver give up. More than one, since a round may
/// only change what the next one does.
const IDLE_ROUNDS: usize = 4;

impl Pair {
    /// Calls `round` and moves bytes, in turn, until `round` is done.
    ///
    /// # Panics
    /// Once several rounds in a row moved no byte.
    pub fn run_until(&mut self, what: &str, mut round: impl FnMut(&mut Self) -> Progress) {
        let mut idle = 0;
        loop {
            let progress = round(self);
            if progress == Progress::Done {
                return;
            }
            let moved = self.step();
            idle = if moved > 0 || progress == Progress::Some || self.is_delayed() {
                0
            } else {
                idle + 1
            };
            assert!(idle < IDLE_ROUNDS, "{what} is stuck: {self}");
        }
    }

    /// Completes both handshakes by the verb `handshake`.
    ///
    /// # Panics
    /// If one fails, or neither makes progress.
    pub fn handshake(&mut self) {
        match self.try_handshake() {
            (Ok(()), Ok(())) => {}
            (client, server) => panic!("client {client:?}, server {server:?}: {self}"),
        }
    }

    /// Drives both handshakes until each is complete or has failed, and moves what they leave
    /// behind (alerts and tickets).
    ///
    /// An end that fails sends its alert and drops the transport. Where both wait for each other,
    /// as after a corrupted length, the transport ends as well.
    ///
    /// # Panics
    /// If neither makes progress even so, as on a link of capacity 0.
    pub fn try_handshake(&mut self) -> (Result<(), Error>, Result<(), Error>) {
        let (mut results, mut idle) = ([None, None], 0);
        while results.iter().any(Option::is_none) {
            for (side, result) in Side::BOTH.into_iter().zip(&mut results) {
                match self.on(side).handshake() {
                    Ok(Handshake::NeedRead | Handshake::NeedWrite) => {}
                    Ok(Handshake::Complete) => *result = Some(Ok(())),
                    Err(error) => {
                        *result = Some(Err(error));
                        if self.engine(side).outgoing().is_empty() {
                            self.link_to(side.peer()).end();
                        }
                    }
                }
            }
            let moved = self.step();
            idle = if moved > 0 || self.is_delayed() {
                0
            } else {
                idle + 1
            };
            if idle == IDLE_ROUNDS {
                self.to_client.end();
                self.to_server.end();
            }
            assert!(idle < 2 * IDLE_ROUNDS, "the handshake is stuck: {self}");
        }
        self.settle();
        let [client, server] = results.map(Option::unwrap);
        (client, server)
    }

    /// Writes all of `plaintext` from one end, while the other end reads it; both handshakes are
    /// completed first if need be. Returns what was read.
    ///
    /// # Panics
    /// If either end fails, or neither makes progress.
    pub fn exchange(&mut self, from: Side, plaintext: &[u8]) -> Vec<u8> {
        let (mut written, mut received) = (0, Vec::new());
        self.run_until("an exchange", |pair| {
            let mut progress = Progress::None;
            if written < plaintext.len() {
                match pair.on(from).write(&plaintext[written..]) {
                    Ok(Write::Written(n)) => {
                        written += n;
                        progress = Progress::Some;
                    }
                    Ok(Write::NeedRead | Write::NeedWrite) => {}
                    Err(error) => panic!("write: {error}: {pair}"),
                }
            }
            let before = received.len();
            if let Err(error) = pair.on(from.peer()).read_available(&mut received) {
                panic!("read: {error}: {pair}");
            }
            if received.len() >= plaintext.len() && written == plaintext.len() {
                return Progress::Done;
            }
            if received.len() > before {
                Progress::Some
            } else {
                progress
            }
        });
        received
    }

    /// Shuts both ends down, in turn, until each says [`Shutdown::Complete`].
    ///
    /// # Panics
    /// If either end fails, or neither makes progress.
    pub fn close(&mut self) {
        self.run_until("the shutdown", |pair| {
            let mut outcomes = [Shutdown::NeedWrite; 2];
            for (side, outcome) in Side::BOTH.into_iter().zip(&mut outcomes) {
                match pair.on(side).shutdown() {
                    Ok(said) => *outcome = said,
                    Err(error) => panic!("shutdown: {error}: {pair}"),
                }
                // Data behind our close_notify is kept for `read`, tickets are not data.
                if let Err(error) = pair.on(side).read_available(&mut Vec::new()) {
                    panic!("read: {error}: {pair}");
                }
            }
            if outcomes == [Shutdown::Complete; 2] {
                Progress::Done
            } else {
                Progress::None
            }
        });
    }

    /// Whether bytes are in flight that the link holds back.
    fn is_delayed(&self) -> bool {
        self.to_client.is_delayed() || self.to_server.is_delayed()
    }
}

/// What a round of [`Pair::run_until`] achieved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Nothing; the round after bytes moved may achieve more.
    None,
    /// Something, though perhaps no byte moved.
    Some,
    /// The driver may stop.
    Done,
}
