//! The facts of a connection in words: what was negotiated, and the counters.

use aws_lc_rs::digest;
use offwire::{EarlyDataStatus, Negotiated, Stats};

use crate::terminal::grouped;

/// What was negotiated, name by name. Nothing in it is unescaped from the peer.
pub(crate) fn negotiated(negotiated: &Negotiated) -> Vec<(&'static str, String)> {
    vec![
        ("Protocol", negotiated.version().to_string()),
        ("Cipher suite", negotiated.cipher_suite().to_string()),
        (
            "Key exchange",
            negotiated
                .group()
                .map_or_else(|| NONE.into(), |group| group.to_string()),
        ),
        ("Handshake", negotiated.kind().to_string()),
        (
            "Application protocol",
            alpn(negotiated).unwrap_or_else(|| NONE.into()),
        ),
        (
            "Server name",
            negotiated
                .server_name()
                .map_or_else(|| NONE.into(), |name| name.escape_debug().to_string()),
        ),
        (
            "Peer's certificates",
            negotiated.peer_certificates().len().to_string(),
        ),
        (
            "Peer's fingerprint",
            fingerprint(negotiated).unwrap_or_else(|| NONE.into()),
        ),
    ]
}

/// What was negotiated, in one line.
pub(crate) fn line(negotiated: &Negotiated) -> String {
    let mut parts = vec![
        negotiated.version().to_string(),
        negotiated.cipher_suite().to_string(),
    ];
    parts.extend(negotiated.group().map(|group| group.to_string()));
    parts.push(negotiated.kind().to_string());
    parts.extend(alpn(negotiated).map(|alpn| format!("ALPN {alpn}")));
    parts.join(", ")
}

/// What became of early data.
pub(crate) fn early_data(status: EarlyDataStatus) -> &'static str {
    match status {
        EarlyDataStatus::NotOffered => "not offered",
        EarlyDataStatus::Offered => "offered, the answer is not known",
        EarlyDataStatus::Accepted => "accepted",
        EarlyDataStatus::Rejected => "rejected",
    }
}

/// The counters, name by name: every field of [`Stats`], in their order.
pub(crate) fn counters(stats: &Stats) -> Vec<(&'static str, String)> {
    vec![
        ("Records sealed", grouped(stats.records_sealed)),
        ("Records opened", grouped(stats.records_opened)),
        ("Plaintext sealed, bytes", grouped(stats.plaintext_sealed)),
        ("Plaintext opened, bytes", grouped(stats.plaintext_opened)),
        ("Ciphertext sent, bytes", grouped(stats.wire_sent)),
        ("Ciphertext received, bytes", grouped(stats.wire_fed)),
        ("KeyUpdates sealed", grouped(stats.key_updates_sealed)),
        ("KeyUpdates received", grouped(stats.key_updates_received)),
        ("Session tickets received", grouped(stats.tickets_received)),
        ("Calls that said NeedRead", grouped(stats.need_reads)),
        ("Calls that said NeedWrite", grouped(stats.need_writes)),
        (
            "Outgoing queue at most, bytes",
            grouped(stats.outgoing_high_water as u64),
        ),
        (
            "Incoming queue at most, bytes",
            grouped(stats.incoming_high_water as u64),
        ),
    ]
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is said of a fact that does not exist.
const NONE: &str = "none";

fn alpn(negotiated: &Negotiated) -> Option<String> {
    negotiated
        .alpn()
        .map(|alpn| alpn.escape_ascii().to_string())
}

fn fingerprint(negotiated: &Negotiated) -> Option<String> {
    let certificate = negotiated.peer_certificates().first()?;
    Some(format!("sha256 {}", sha256(certificate)))
}

/// The SHA-256 of these bytes in hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

#[cfg(test)]
mod tests {
    use offwire::Stats;

    use super::{counters, hex};

    /// `Stats` is not exhaustive, so nothing but its `Debug` knows of a new field.
    #[test]
    fn every_counter_is_told_in_order() {
        let mut stats = Stats::default();
        let fields = [
            &mut stats.records_sealed,
            &mut stats.records_opened,
            &mut stats.plaintext_sealed,
            &mut stats.plaintext_opened,
            &mut stats.wire_sent,
            &mut stats.wire_fed,
            &mut stats.key_updates_sealed,
            &mut stats.key_updates_received,
            &mut stats.tickets_received,
            &mut stats.need_reads,
            &mut stats.need_writes,
        ];
        for (number, field) in (1..).zip(fields) {
            *field = number;
        }
        (stats.outgoing_high_water, stats.incoming_high_water) = (98, 99);
        let shown = format!("{stats:?}");
        let fields = shown.split([',', '}']).filter_map(|field| {
            let (_, value) = field.split_once(": ")?;
            Some(value.trim().to_owned())
        });
        let told = counters(&stats).into_iter().map(|(_, value)| value);
        assert_eq!(told.collect::<Vec<_>>(), fields.collect::<Vec<_>>());
    }

    #[test]
    fn bytes_become_two_digits_each() {
        assert_eq!(hex(&[0, 0x0f, 0xff]), "000fff");
    }
}
