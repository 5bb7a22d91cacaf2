//! Keying material for the protocols above TLS (`SSL_export_keying_material(3)`).
//!
//! It is kept only if the settings ask for it: most connections never export, and an idle one shall
//! be small.

use crate::engine::Engine;
use crate::error::{Error, Misuse};
use crate::phase::Phase;

/// The label of the `tls-exporter` channel binding, which has an empty context and 32 bytes
/// (RFC 9266 section 2).
const CHANNEL_BINDING: &[u8] = b"EXPORTER-Channel-Binding";

impl Engine {
    /// Fills `out` with keying material that both sides derive alike and that belongs to this
    /// connection alone (RFC 8446 section 7.5, RFC 5705).
    ///
    /// `label` names the protocol that wants it, at most 249 bytes; `context` is bound into the result.
    /// TLS 1.2 tells no context from an empty one, TLS 1.3 does not. `out` is 1 to 8,160 bytes long.
    ///
    /// An empty label is taken, which departs from the letter of RFC 8446 section 7.1: its
    /// `opaque label<7..255>` leaves at least one byte behind "tls13 ". OpenSSL, BoringSSL and rustls
    /// check the upper bound alone, so both ends of a protocol that uses none agree; no registered
    /// label is empty.
    ///
    /// The settings must have asked for [`Exporter::Kept`](crate::Exporter::Kept) before the
    /// handshake.
    ///
    /// # Errors
    /// Each leaves `out` as it was. [`Misuse::ExportInHandshake`] before the handshake is complete;
    /// [`Misuse::ExporterDropped`] if the settings did not ask for it; [`Misuse::ExportUnbound`] if
    /// the peer speaks TLS 1.2 without the extended master secret (RFC 7627 section 5.4);
    /// [`Misuse::ExportLabel`], [`Misuse::ExportContext`] and [`Misuse::ExportLength`] if an argument
    /// is out of range. After a fatal error, that error.
    pub fn export_keying_material(
        &self,
        out: &mut [u8],
        label: &[u8],
        context: Option<&[u8]>,
    ) -> Result<(), Error> {
        let open = match &self.phase {
            Phase::Handshaking(_) => return Err(Misuse::ExportInHandshake.into()),
            Phase::Dead(error) => return Err(error.clone()),
            Phase::Open(open) => open,
        };
        let exporter = open.exporter.as_ref().ok_or(Misuse::ExporterDropped)?;
        Ok(exporter.export(out, label, context)?)
    }

    /// The `tls-exporter` channel binding (RFC 9266), for SCRAM and other authentication that shall
    /// not be relayed to another connection.
    ///
    /// # Errors
    /// As [`Self::export_keying_material`].
    pub fn channel_binding(&self) -> Result<[u8; 32], Error> {
        let mut binding = [0; 32];
        self.export_keying_material(&mut binding, CHANNEL_BINDING, Some(&[]))?;
        Ok(binding)
    }
}
