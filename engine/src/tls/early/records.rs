//! Records before the hand-over: early data, and a server's half-RTT data. The only ones with
//! application data that rustls's ciphers seal and open.

use alloc::vec::Vec;
use core::mem;

use rustls::client::ClientConnectionData;
use rustls::server::ServerConnectionData;
use rustls::unbuffered::{ConnectionState, ReadEarlyData, TransmitTlsData};

use crate::error::{Error, Internal};
use crate::incoming::Incoming;
use crate::outgoing::Outgoing;
use crate::record::{HEADER, TAG};
use crate::tls::early::{Early, Window};
use crate::tls::handshake::{APPLICATION_DATA, Boundary, Connection, Handshake, Progress, Stand};
use crate::tls::secrets;
use crate::tls::step::Step;

/// Wire bytes of a TLS 1.3 record beyond its plaintext: header, content type, tag.
pub(super) const OVERHEAD: usize = HEADER + 1 + TAG;

/// Records that may be sealed before the handshake is complete, where no KeyUpdate can change the
/// key: half of what the suite with the lowest limit permits (RFC 8446 section 5.5: 2^24.5).
const MOST_RECORDS: u32 = 1 << 23;

/// What was sealed before the hand-over.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sealed {
    /// Bytes of plaintext.
    pub(crate) plaintext: usize,
    records: u32,
}

impl Handshake {
    /// The role of this side.
    pub(crate) const fn role(&self) -> secrets::Role {
        match self.connection {
            Connection::Client(_) => secrets::Role::Client,
            Connection::Server(..) => secrets::Role::Server,
        }
    }

    /// What became of early data so far.
    pub(crate) const fn early(&self) -> Early {
        self.early
    }

    /// Bytes of early data that the server has rejected; tells them once.
    pub(crate) fn take_rejected(&mut self) -> usize {
        match (&self.connection, self.early) {
            (Connection::Client(_), Early::Rejected) => mem::take(&mut self.early_sealed.plaintext),
            (Connection::Client(_) | Connection::Server(..), _) => 0,
        }
    }

    /// Goes on towards the place where early data, or half-RTT data, may be sealed: a client needs
    /// no input for that.
    pub(crate) fn reach_early(
        &mut self,
        incoming: &mut Incoming,
        outgoing: &mut Outgoing,
    ) -> Result<Progress, Error> {
        match &self.connection {
            Connection::Client(_) => self.settle(incoming, outgoing),
            Connection::Server(..) => self.advance(incoming, outgoing),
        }
    }

    /// Ends a client's early data: rustls goes on behind its first flight.
    pub(crate) fn close_early(&mut self) {
        if self.early == Early::Open {
            self.stand = Stand::Moving;
        }
        self.early = self.early.closed();
    }

    /// Whether early data (client) or half-RTT data (server) may be sealed, once rustls can do
    /// nothing more with what it was shown.
    pub(crate) fn early_window(&self) -> Window {
        if self.early_sealed.records >= MOST_RECORDS {
            return Window::Ended;
        }
        match (&self.connection, self.early, self.stand) {
            (Connection::Client(_), Early::Open, _) => Window::Open,
            (Connection::Client(_), _, _) => Window::Ended,
            (Connection::Server(..), _, Stand::Traffic) => Window::Open,
            // Its flight is not out: what comes behind it is not known.
            (Connection::Server(..), _, _)
                if self.connection.negotiated_key_exchange_group().is_none() =>
            {
                Window::Shut
            }
            (Connection::Server(..), _, _) => Window::Ended,
        }
    }

    /// Bytes of plaintext that the next record carries at most.
    pub(crate) const fn early_record(&self) -> usize {
        self.sizing.record(OVERHEAD)
    }

    /// Wire bytes of a record with so many bytes of plaintext.
    pub(crate) const fn early_record_len(plaintext: usize) -> usize {
        OVERHEAD + plaintext
    }

    /// Seals one record into the outgoing queue, which has the room; returns its length in bytes
    /// of plaintext. Fewer than asked for, or none, means that the session permits no more.
    ///
    /// The window is open and `plaintext` not empty.
    pub(crate) fn seal_early(
        &mut self,
        plaintext: &[u8],
        incoming: &mut Incoming,
        outgoing: &mut Outgoing,
    ) -> Result<usize, Internal> {
        let length = Self::early_record_len(plaintext.len());
        let shown = incoming.ciphertext_mut().get_mut(..self.shown);
        let shown = shown.unwrap_or_default();
        // Nothing new is shown, so rustls is where it was: it discards and encodes nothing.
        let sealed = match &mut self.connection {
            Connection::Client(client) => match client.process_tls_records(shown).state {
                Ok(ConnectionState::TransmitTlsData(mut transmit)) => transmit
                    .may_encrypt_early_data()
                    // rustls shortens what it is given to what the session permits, and takes
                    // that from its account even if the room is too small.
                    .map_or(Ok(0), |mut early| {
                        outgoing.append_at_most(length, |space| early.encrypt(plaintext, space))
                    })
                    .map_err(|_| Internal::Seal),
                _ => Err(Internal::Handover),
            },
            Connection::Server(server) => match server.process_tls_records(shown).state {
                Ok(ConnectionState::WriteTraffic(mut traffic)) => outgoing
                    .append_at_most(length, |space| traffic.encrypt(plaintext, space))
                    .map_err(|_| Internal::Seal),
                _ => Err(Internal::Handover),
            },
        }?;
        let sealed = sealed.saturating_sub(OVERHEAD);
        self.early_sealed.plaintext += sealed;
        self.early_sealed.records += 1;
        self.sizing.sealed(sealed);
        if sealed < plaintext.len() {
            self.close_early();
        }
        Ok(sealed)
    }

    /// Takes a record of early data out of the queue that the server has rejected.
    ///
    /// rustls tries to decrypt such records, neither takes nor remembers them, and counts each
    /// against its limit whenever it is shown. A failed decryption leaves zeros behind (AWS-LC, ring),
    /// which no handshake message begins with.
    pub(in crate::tls) fn drop_rejected_early_data(&mut self, incoming: &mut Incoming) {
        let Boundary::Record { start: 0, end } = self.boundary else {
            return;
        };
        let record = incoming.ciphertext().get(..end).unwrap_or_default();
        let [APPLICATION_DATA, _, _, _, _, body @ ..] = record else {
            return;
        };
        let text = body
            .get(..body.len().saturating_sub(TAG))
            .unwrap_or_default();
        if self.shown == end && !text.is_empty() && text.iter().all(|byte| *byte == 0) {
            incoming.discard(end);
            self.shown = 0;
            self.boundary = Boundary::Header(0);
            self.early = self.early.refused();
        }
    }

    /// Whether what rustls was shown begins with a protected record.
    pub(in crate::tls) fn begins_protected(&self, incoming: &Incoming) -> bool {
        self.shown > 0 && incoming.ciphertext().first() == Some(&APPLICATION_DATA)
    }
}

/// What rustls's states offer to one role only.
pub(in crate::tls) trait Side: Sized {
    /// rustls has encoded a flight.
    fn behind_flight(transmit: TransmitTlsData<'_, Self>, early: &mut Early) -> Step;

    /// Takes the record of early data that rustls has opened.
    fn open_early(early_data: ReadEarlyData<'_, '_, Self>) -> Option<Vec<u8>>;
}

impl Side for ClientConnectionData {
    fn behind_flight(mut transmit: TransmitTlsData<'_, Self>, early: &mut Early) -> Step {
        *early = early.behind_flight(transmit.may_encrypt_early_data());
        if *early == Early::Open {
            return Step::Blocked;
        }
        transmit.done();
        Step::Again
    }

    fn open_early(_: ReadEarlyData<'_, '_, Self>) -> Option<Vec<u8>> {
        None
    }
}

impl Side for ServerConnectionData {
    fn behind_flight(transmit: TransmitTlsData<'_, Self>, _: &mut Early) -> Step {
        transmit.done();
        Step::Again
    }

    fn open_early(mut early_data: ReadEarlyData<'_, '_, Self>) -> Option<Vec<u8>> {
        let record = early_data.next_record()?.ok()?;
        Some(record.payload.to_vec())
    }
}

/// Keeps the plaintext of a record of early data for the caller, in the place of the record.
pub(in crate::tls) fn keep_early_data(
    incoming: &mut Incoming,
    discard: usize,
    plaintext: &[u8],
) -> Result<(), Internal> {
    // Invariant: rustls is shown one more record at a time, so this one is among what it discards.
    let record = incoming.ciphertext_mut().get_mut(..discard);
    let space = record.and_then(|record| record.get_mut(..plaintext.len()));
    space.ok_or(Internal::Handover)?.copy_from_slice(plaintext);
    incoming.keep_plaintext(discard, 0..plaintext.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use offwire_testkit::Contexts;

    use super::MOST_RECORDS;
    use crate::context::{Client, Server};
    use crate::engine::Engine;
    use crate::outcome::{Handshake, WriteEarlyData};
    use crate::phase::Phase;
    use crate::settings::{EarlyData, Settings};

    /// A client that has a session with the server, and the server.
    fn contexts() -> (Contexts, Client, Server) {
        let contexts = Contexts::new().danger_early_data(1 << 16).half_rtt();
        let settings = Settings::default().danger_early_data(EarlyData::Replayable);
        let client = Client::new(contexts.client_config()).with_settings(settings);
        let server = Server::new(contexts.server_config()).with_settings(settings);
        let (mut first, mut second) = engines(&(contexts.clone(), client.clone(), server.clone()));
        for _ in 0..3 {
            assert!(first.handshake().is_ok());
            carry(&mut first, &mut second);
            assert!(second.handshake().is_ok());
            carry(&mut second, &mut first);
        }
        assert_eq!(first.handshake(), Ok(Handshake::Complete));
        let _ = first.read(&mut [0]).expect("the tickets");
        (contexts, client, server)
    }

    fn engines((contexts, client, server): &(Contexts, Client, Server)) -> (Engine, Engine) {
        let client = client.connect(contexts.name()).expect("a client");
        (client, server.accept())
    }

    fn carry(from: &mut Engine, to: &mut Engine) {
        let taken = to.feed(from.outgoing());
        from.sent(taken).expect("no more than was there");
    }

    /// As if all records but one had been sealed.
    fn spend(engine: &mut Engine) {
        match &mut engine.phase {
            Phase::Handshaking(handshake) => handshake.early_sealed.records = MOST_RECORDS - 1,
            Phase::Open(_) | Phase::Dead(_) => {}
        }
    }

    /// One record is left: a write of more ends behind it, and so does every later one.
    fn ends_behind_one_record(engine: &mut Engine) {
        spend(engine);
        let text = [1; 20_000];
        let ended = WriteEarlyData::Ended(1 << 14);
        assert_eq!(engine.write_early_data(&text), Ok(ended));
        let ended = WriteEarlyData::Ended(0);
        assert_eq!(engine.write_early_data(&text), Ok(ended));
    }

    #[test]
    fn early_data_ends_before_its_key_is_worn_out() {
        let contexts = contexts();
        let (mut client, mut server) = engines(&contexts);
        let written = WriteEarlyData::Written(5);
        assert_eq!(client.write_early_data(b"early"), Ok(written));
        ends_behind_one_record(&mut client);
        carry(&mut client, &mut server);

        assert_eq!(server.write_early_data(b"early"), Ok(written));
        ends_behind_one_record(&mut server);
    }
}
