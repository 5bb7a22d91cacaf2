//! The plots of what was measured.

use offwire_peers::plan::SIZES;

use crate::svg::{Axis, Line, Panel, bars, lines};
use crate::tables::{Key, PEERS, Results};

/// Who is drawn: a second way to use the same library would only lie over the first.
fn drawn() -> impl Iterator<Item = &'static str> {
    let second = ["offwire-pool", "openssl-bio-pair"];
    PEERS.into_iter().filter(move |peer| !second.contains(peer))
}

/// Bars against peers.
pub(crate) fn peers(results: &Results) -> String {
    let panel = |heading: &str, value: &dyn Fn(&str) -> Option<f64>, write: fn(f64) -> String| {
        let bar = |peer: &str| value(peer).map(|value| (peer.into(), value, write(value)));
        Panel {
            heading: heading.into(),
            bars: drawn().filter_map(bar).collect(),
        }
    };
    let both = |peer: &str| Some(16_384.0 / results.both(peer, 16_384)?);
    let trip = |peer: &str| Some(1e6 / results.value(peer, Key::new("trip", 100))?);
    let shake = |kind: &'static str| {
        move |peer: &str| {
            let side = |side| results.value(peer, Key::of(kind, side));
            Some(1e9 / (side("client")? + side("server")?))
        }
    };
    bars(
        "Speed against peers",
        &[
            panel(
                "sealed and opened, 16 KiB writes, GB a second of CPU",
                &both,
                |value| format!("{value:.2}"),
            ),
            panel(
                "round trips of 100 bytes, thousands a second of CPU",
                &trip,
                |value| format!("{value:.0}"),
            ),
            panel(
                "full handshakes, both sides, a second of CPU",
                &shake("full"),
                |value| format!("{value:.0}"),
            ),
            panel(
                "resumed handshakes, both sides, a second of CPU",
                &shake("resumed"),
                |value| format!("{value:.0}"),
            ),
        ],
    )
}

/// Cost against the size of a write.
pub(crate) fn sizes(results: &Results) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a write is far below 2^53")]
    let line = |peer: &str| {
        let point = |size| Some((size as f64, results.both(peer, size)?));
        Line {
            peer: peer.into(),
            points: SIZES.into_iter().filter_map(point).collect(),
        }
    };
    let across = Axis {
        heading: "bytes of a write".into(),
        marks: marks(&[
            (64.0, "64"),
            (256.0, "256"),
            (1_024.0, "1 KiB"),
            (4_096.0, "4 KiB"),
            (16_384.0, "16 KiB"),
            (65_536.0, "64 KiB"),
        ]),
    };
    let up = Axis {
        heading: "CPU to seal and open it".into(),
        marks: marks(&[
            (100.0, "100 ns"),
            (300.0, "300 ns"),
            (1_000.0, "1 µs"),
            (3_000.0, "3 µs"),
            (10_000.0, "10 µs"),
            (30_000.0, "30 µs"),
            (100_000.0, "100 µs"),
        ]),
    };
    lines(
        "Cost against the size of a write",
        &across,
        &up,
        &drawn().map(line).collect::<Vec<_>>(),
    )
}

/// Memory against the number of idle servers.
pub(crate) fn memory(results: &Results) -> String {
    #[expect(clippy::cast_precision_loss, reason = "memory is far below 2^53")]
    let line = |peer: &str| {
        let point = |count: usize| {
            let each = results.value(peer, Key::new("idle", count))?;
            Some((count as f64, each * count as f64))
        };
        Line {
            peer: peer.into(),
            points: [1, 1_000, 100_000].into_iter().filter_map(point).collect(),
        }
    };
    let across = Axis {
        heading: "idle servers".into(),
        marks: marks(&[
            (1.0, "1"),
            (10.0, "10"),
            (100.0, "100"),
            (1e3, "1,000"),
            (1e4, "10,000"),
            (1e5, "100,000"),
        ]),
    };
    let up = Axis {
        heading: "memory of all of them, buffers given back where there is a means".into(),
        marks: marks(&[
            (512.0, "512 B"),
            (16_384.0, "16 KiB"),
            (524_288.0, "512 KiB"),
            (16_777_216.0, "16 MiB"),
            (536_870_912.0, "512 MiB"),
        ]),
    };
    let lines_of: Vec<Line> = drawn()
        .map(line)
        .filter(|line| !line.points.is_empty())
        .collect();
    lines("Memory against connections", &across, &up, &lines_of)
}

/// The marks of an axis: where they stand, and what they say.
fn marks(values: &[(f64, &str)]) -> Vec<(f64, String)> {
    values
        .iter()
        .map(|(at, text)| (*at, (*text).into()))
        .collect()
}
