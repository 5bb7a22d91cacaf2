//! The ports of a watched engine, where ciphertext passes.

use super::Watched;

impl Watched {
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> usize {
        let room = self.wants_read();
        let taken = self.engine.feed(bytes);
        self.note_fed(bytes.len(), taken, room);
        taken
    }

    /// Feeds by the other port, as a transport that has so many bytes.
    pub(crate) fn feed_in_place(&mut self, bytes: &[u8]) -> usize {
        let room = self.wants_read();
        let space = self.engine.feed_space();
        assert_eq!(
            !space.is_empty(),
            room,
            "space if and only if there is interest"
        );
        if space.is_empty() {
            return self.feed(bytes);
        }
        let taken = space.len().min(bytes.len());
        let beyond = space.len() + 1;
        if let (Some(space), Some(bytes)) = (space.get_mut(..taken), bytes.get(..taken)) {
            space.copy_from_slice(bytes);
        }
        assert!(self.engine.fed(beyond).is_err(), "more than the space");
        assert_eq!(self.engine.fed(taken), Ok(()));
        self.note_fed(bytes.len(), taken, room);
        taken
    }

    pub(crate) fn feed_eof(&mut self) {
        self.engine.feed_eof();
        self.check();
    }

    /// Takes up to `len` bytes of what waits, by one of the ports.
    pub(crate) fn send(&mut self, len: usize) -> Vec<u8> {
        let waiting = self.waiting();
        let mut taken = Vec::new();
        for slice in self.engine.outgoing_slices() {
            let len = slice.len().min(len - taken.len());
            taken.extend_from_slice(&slice[..len]);
        }
        if taken.len() == waiting && len % 2 == 1 {
            assert_eq!(self.engine.take_outgoing(), taken, "the same by each port");
        } else {
            assert!(self.engine.sent(waiting + 1).is_err(), "more than waits");
            assert_eq!(self.engine.sent(taken.len()), Ok(()));
        }
        self.sent += taken.len() as u64;
        self.check();
        taken
    }

    /// Lets up to `leave` bytes leave this engine, and up to `arrive` of those in flight arrive at the
    /// peer; returns how many moved.
    pub(crate) fn carry(
        &mut self,
        in_flight: &mut Vec<u8>,
        peer: &mut Self,
        (leave, arrive): (usize, usize),
    ) -> usize {
        let sent = self.send(leave);
        in_flight.extend(&sent);
        let len = arrive.min(in_flight.len());
        let taken = match len % 2 {
            0 => peer.feed(&in_flight[..len]),
            _ => peer.feed_in_place(&in_flight[..len]),
        };
        in_flight.drain(..taken);
        sent.len() + taken
    }

    fn note_fed(&mut self, offered: usize, taken: usize, room: bool) {
        assert!(taken <= offered);
        if room {
            assert!(taken > 0 || offered == 0, "there was room");
            self.fed += taken as u64;
        } else {
            // Full, or discarding: nothing is taken in either way.
            assert!(taken == 0 || taken == offered);
        }
        self.check();
    }
}
