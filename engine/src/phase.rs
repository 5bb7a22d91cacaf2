//! The phases of a connection: which there are, and what each owns.
//!
//! ```text
//! Handshaking -> Open -> Dead
//!      \-----------------^
//! ```
//!
//! A fatal error replaces the live phases, so nothing of them can be used by mistake. How the two
//! halves close within `Open` is told in `half.rs`.

use alloc::boxed::Box;
use core::mem;

use crate::alert::{Alert, AlertLevel};
use crate::engine::Engine;
use crate::error::{Error, Internal, Misuse, Peer};
use crate::half::{ReadHalf, WriteHalf};
use crate::incoming::Incoming;
use crate::outcome::{Handshake as Outcome, KeyUpdate};
use crate::outgoing::{Control, Outgoing};
use crate::record::ContentType;
use crate::record::open::Opener;
use crate::record::post_handshake::PostHandshake;
use crate::record::seal::Sealer;
use crate::tls::exporter::Exporter;
use crate::tls::handshake::{Handshake, Progress};
use crate::tls::secrets::Secrets;
use crate::trace::event;

/// Where the connection is.
#[derive(Debug)]
pub(crate) enum Phase {
    /// rustls holds the keys.
    Handshaking(Box<Handshake>),
    /// The engine holds the keys.
    Open(Open),
    /// Nobody does; every call returns the error.
    Dead(Error),
}

/// The keys of an open connection and what is owed under them.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) sealer: Sealer,
    pub(crate) opener: Opener,
    pub(crate) secrets: Secrets,
    /// What keying material is exported from, if the settings ask for it.
    pub(crate) exporter: Option<Box<Exporter>>,
    pub(crate) post_handshake: PostHandshake,
    pub(crate) owed: Owed,
    /// The position in the outgoing queue behind our last flight.
    pub(crate) flight_end: u64,
}

/// What must be sealed before the next record of application data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owed {
    /// Nothing.
    Nothing,
    /// A KeyUpdate: the answer to the peer's, or the caller's own.
    KeyUpdate(KeyUpdate),
}

impl Owed {
    /// One KeyUpdate serves every reason for one; a request to the peer is not lost.
    pub(crate) const fn and(self, update: KeyUpdate) -> Self {
        match (self, update) {
            (Self::KeyUpdate(KeyUpdate::Both), _) | (_, KeyUpdate::Both) => {
                Self::KeyUpdate(KeyUpdate::Both)
            }
            (Self::Nothing | Self::KeyUpdate(KeyUpdate::Ours), KeyUpdate::Ours) => {
                Self::KeyUpdate(KeyUpdate::Ours)
            }
        }
    }
}

impl Engine {
    /// Completes the handshake, as far as input and room for output allow, and unread early data.
    #[inline]
    pub(crate) fn drive(&mut self) -> Result<Outcome, Error> {
        match self.phase {
            Phase::Open(_) => Ok(Outcome::Complete),
            Phase::Handshaking(_) | Phase::Dead(_) => self.drive_handshake(),
        }
    }

    /// Kept out of the verbs, which call it before the connection is open only.
    #[inline(never)]
    fn drive_handshake(&mut self) -> Result<Outcome, Error> {
        if self.has_early_data() {
            return Err(Misuse::EarlyDataUnread.into());
        }
        match self.progress(Handshake::advance)? {
            Progress::Complete => Ok(Outcome::Complete),
            Progress::NeedRoom => Ok(Outcome::NeedWrite),
            Progress::NeedInput => self.wait_for_input(),
            Progress::EarlyData => Err(Misuse::EarlyDataUnread.into()),
        }
    }

    /// Drives the handshake by `how`, and takes the keys over once it is complete.
    pub(crate) fn progress(
        &mut self,
        how: fn(&mut Handshake, &mut Incoming, &mut Outgoing) -> Result<Progress, Error>,
    ) -> Result<Progress, Error> {
        let handshake = match &mut self.phase {
            Phase::Handshaking(handshake) => handshake,
            Phase::Open(_) => return Ok(Progress::Complete),
            Phase::Dead(error) => return Err(error.clone()),
        };
        let progress = how(handshake, &mut self.incoming, &mut self.outgoing);
        self.early_data = handshake.early().status();
        self.write_half.early_rejected(handshake.take_rejected());
        match progress {
            Ok(Progress::Complete) => self.hand_over(),
            Ok(waits @ (Progress::NeedInput | Progress::NeedRoom | Progress::EarlyData)) => {
                Ok(waits)
            }
            Err(error) => Err(self.fail(error)),
        }
    }

    /// What the handshake waits for that has read all there is.
    pub(crate) fn wait_for_input(&mut self) -> Result<Outcome, Error> {
        match self.read_half {
            ReadHalf::Open if self.incoming.room() == 0 => {
                Err(self.fail(Peer::HandshakeTooLarge.into()))
            }
            // Output first: whoever waits for input after NeedRead cannot deadlock.
            ReadHalf::Open if !self.outgoing.is_empty() => Ok(Outcome::NeedWrite),
            ReadHalf::Open => Ok(Outcome::NeedRead),
            ReadHalf::Ending | ReadHalf::CloseNotify | ReadHalf::Truncated => {
                Err(self.fail(Peer::HandshakeTruncated.into()))
            }
        }
    }

    /// Whether early data has arrived that the caller has not read.
    pub(crate) fn has_early_data(&self) -> bool {
        match self.phase {
            Phase::Handshaking(_) => self.incoming.pending() > 0,
            Phase::Open(_) | Phase::Dead(_) => false,
        }
    }

    /// Takes the keys over from the completed handshake.
    fn hand_over(&mut self) -> Result<Progress, Error> {
        let nothing_left = Phase::Dead(Internal::Handover.into());
        let Phase::Handshaking(handshake) = mem::replace(&mut self.phase, nothing_left) else {
            return Err(Internal::Handover.into());
        };
        let handover = match handshake.hand_over() {
            Ok(handover) => handover,
            Err(internal) => return Err(self.fail(internal.into())),
        };
        self.phase = Phase::Open(Open {
            sealer: handover.sealer,
            opener: handover.opener,
            secrets: handover.secrets,
            exporter: handover.exporter,
            post_handshake: PostHandshake::default(),
            owed: Owed::Nothing,
            flight_end: self.outgoing.end(),
        });
        event!(
            debug,
            version = %handover.negotiated.version,
            cipher_suite = %handover.negotiated.cipher_suite,
            kind = %handover.negotiated.kind,
            "handshake complete"
        );
        self.negotiated = Some(Box::new(handover.negotiated));
        self.incoming
            .end_handshake(self.settings.effective_incoming_limit());
        self.outgoing.end_handshake();
        Ok(Progress::Complete)
    }

    /// Ends the connection: queues the alert that goes with `error`, if the engine has the keys
    /// and still may send, and forgets what was received but not opened.
    pub(crate) fn fail(&mut self, error: Error) -> Error {
        event!(debug, %error, "connection failed");
        if let Some(alert) = error.alert() {
            // After our close_notify nothing may follow; before the hand-over rustls has queued
            // the alert. An alert that cannot be sealed cannot be sent: the connection ends
            // without it.
            match &self.write_half {
                WriteHalf::Ready
                | WriteHalf::Committed(_)
                | WriteHalf::EarlyCommitted(_)
                | WriteHalf::EarlyRejected(_) => {
                    let _ = self.seal_alert(alert);
                }
                WriteHalf::Closing(_) | WriteHalf::Closed => {}
            }
        }
        if self.has_early_data() {
            self.incoming.discard_plaintext(self.incoming.pending());
        }
        self.phase = Phase::Dead(error.clone());
        self.incoming.clear_ciphertext();
        error
    }

    /// Seals an alert into the control reserve; does nothing before the hand-over.
    pub(crate) fn seal_alert(&mut self, alert: Alert) -> Result<(), Internal> {
        let level = match alert {
            Alert::CLOSE_NOTIFY | Alert::NO_RENEGOTIATION => AlertLevel::Warning,
            _ => AlertLevel::Fatal,
        };
        let kind = match alert {
            Alert::NO_RENEGOTIATION => Control::Warning,
            _ => Control::Alert,
        };
        event!(debug, %alert, "alert queued");
        self.seal_control(kind, ContentType::Alert, &[level as u8, alert.code()])
    }

    /// Seals a control record; does nothing before the hand-over.
    ///
    /// The caller has checked the reserve, or knows that a record of this kind is sent once.
    pub(crate) fn seal_control(
        &mut self,
        kind: Control,
        content_type: ContentType,
        content: &[u8],
    ) -> Result<(), Internal> {
        let Phase::Open(open) = &mut self.phase else {
            return Ok(());
        };
        let length = open.sealer.record_len(content.len());
        let sealer = &mut open.sealer;
        self.outgoing.append_control(kind, length, |out| {
            sealer.seal(content_type, content.into(), out)
        })?;
        self.stats.records_sealed += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Owed;
    use crate::outcome::KeyUpdate::{Both, Ours};

    #[test]
    fn one_key_update_serves_every_reason_for_one() {
        assert_eq!(Owed::Nothing.and(Ours), Owed::KeyUpdate(Ours));
        assert_eq!(Owed::Nothing.and(Both), Owed::KeyUpdate(Both));
        assert_eq!(Owed::KeyUpdate(Ours).and(Ours), Owed::KeyUpdate(Ours));
        assert_eq!(Owed::KeyUpdate(Ours).and(Both), Owed::KeyUpdate(Both));
        assert_eq!(Owed::KeyUpdate(Both).and(Ours), Owed::KeyUpdate(Both));
        assert_eq!(Owed::KeyUpdate(Both).and(Both), Owed::KeyUpdate(Both));
    }
}
