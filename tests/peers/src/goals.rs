//! What was aimed at, and what came of it.

use core::fmt::Write as _;

use crate::tables::{Key, PEERS, Results};

/// A row: what is compared, what was aimed at, what came of it.
struct Goal {
    measure: String,
    aim: String,
    reached: String,
    met: Met,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Met {
    Yes,
    No,
}

impl Met {
    fn when(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}

/// The table of the goals, in Markdown.
pub(crate) fn table(results: &Results) -> String {
    let mut goals = bulk(results);
    goals.extend(messages(results));
    goals.extend(handshakes(results));
    goals.extend(memory(results));
    goals.extend(ourselves(results));
    let mut text = String::from("| measure | goal | measured | |\n|---|---|---:|---|\n");
    for Goal {
        measure,
        aim,
        reached,
        met,
    } in goals.into_iter().flatten()
    {
        let met = match met {
            Met::Yes => "met",
            Met::No => "**not met**",
        };
        let _ = writeln!(text, "| {measure} | {aim} | {reached} | {met} |");
    }
    text
}

/// How many times faster than something else; nothing where either was not measured.
fn faster(
    measure: &str,
    than: &str,
    ours: Option<f64>,
    theirs: Option<f64>,
    aim: f64,
) -> Option<Goal> {
    let ratio = theirs? / ours?;
    Some(Goal {
        measure: measure.into(),
        aim: format!("≥ {aim} × {than}"),
        reached: format!("{ratio:.3}"),
        met: Met::when(ratio >= aim),
    })
}

/// The least of the peers', rustls 0.24 before its release included.
fn best(value: impl Fn(&str) -> Option<f64>) -> Option<f64> {
    let peers = PEERS
        .into_iter()
        .filter(|peer| !["raw", "offwire", "offwire-pool"].contains(peer));
    peers.filter_map(value).min_by(f64::total_cmp)
}

/// The faster of the two ways to use rustls 0.23.
fn rustls(value: impl Fn(&str) -> Option<f64>) -> Option<f64> {
    let ways = ["rustls-0.23", "rustls-0.23-unbuffered"].into_iter();
    ways.filter_map(value).min_by(f64::total_cmp)
}

/// The faster of the two transports below OpenSSL.
fn openssl(value: impl Fn(&str) -> Option<f64>) -> Option<f64> {
    let transports = ["openssl", "openssl-bio-pair"].into_iter();
    transports.filter_map(value).min_by(f64::total_cmp)
}

fn bulk(results: &Results) -> Vec<Option<Goal>> {
    let mut goals = Vec::new();
    for (size, name, aim) in [
        (16_384, "16 KiB", 0.97),
        (65_536, "64 KiB", 0.97),
        (1_024, "1 KiB", 0.93),
    ] {
        let of = |peer, measure| results.value(peer, Key::new(measure, size));
        let seal = format!("bulk seal, {name}");
        goals.push(faster(
            &seal,
            "raw AEAD",
            of("offwire", "seal"),
            of("raw", "seal"),
            aim,
        ));
        let copy = of("copy", "open").unwrap_or(0.0);
        let opened = of("offwire", "open").map(|value| value - copy);
        let open = format!("bulk open, {name}, the transport's copy taken off");
        goals.push(faster(&open, "raw AEAD", opened, of("raw", "open"), aim));
        if size == 16_384 {
            let apart = of("raw-apart", "open");
            goals.push(faster(
                &open,
                "raw AEAD between two buffers",
                opened,
                apart,
                aim,
            ));
        }
    }
    for (size, name) in [(16_384, "16 KiB"), (65_536, "64 KiB")] {
        let both = |peer: &str| results.both(peer, size);
        let (measure, ours) = (format!("seal and open, {name}"), both("offwire"));
        goals.push(faster(&measure, "the best peer", ours, best(both), 1.35));
        goals.push(faster(&measure, "rustls 0.23", ours, rustls(both), 1.45));
        goals.push(faster(&measure, "BoringSSL", ours, both("boringssl"), 1.4));
        goals.push(faster(&measure, "OpenSSL", ours, openssl(both), 1.6));
    }
    let both = |peer: &str| results.both(peer, 1_024);
    goals.push(faster(
        "seal and open, 1 KiB",
        "the best peer",
        both("offwire"),
        best(both),
        1.4,
    ));
    goals
}

fn messages(results: &Results) -> Vec<Option<Goal>> {
    let trip = |peer: &str| results.value(peer, Key::new("trip", 100));
    let (measure, ours) = ("100-byte round trips", trip("offwire"));
    vec![
        faster(measure, "rustls 0.23", ours, rustls(trip), 1.8),
        faster(measure, "BoringSSL", ours, trip("boringssl"), 2.8),
        faster(measure, "OpenSSL", ours, openssl(trip), 4.0),
    ]
}

fn handshakes(results: &Results) -> Vec<Option<Goal>> {
    let mut goals = Vec::new();
    for kind in ["full", "resumed"] {
        for side in ["client", "server"] {
            let of = |peer: &str| results.value(peer, Key::of(kind, side));
            let (measure, ours) = (format!("{kind} handshake, {side}"), of("offwire"));
            let raw = of("rustls-0.23-unbuffered");
            goals.push(faster(&measure, "raw rustls 0.23", ours, raw, 0.98));
            goals.push(faster(&measure, "OpenSSL", ours, openssl(of), 2.0));
        }
    }
    goals
}

fn memory(results: &Results) -> Vec<Option<Goal>> {
    let mut goals = Vec::new();
    let chain = results.value("offwire", Key::new("certificates", 0));
    let bulk = "memory after 1 MiB each way";
    let with_pool = format!("{bulk} with a `BufferPool`, which is all connections' and apart");
    for (peer, measure, name, client, server) in [
        ("offwire", "memory-bulk", bulk, 3_328.0, 2_560.0),
        ("offwire-pool", "memory-bulk", &with_pool, 3_328.0, 2_560.0),
        (
            "offwire",
            "memory-released",
            "memory after `release()`",
            2_048.0,
            1_024.0,
        ),
    ] {
        for (side, most) in [("client", client), ("server", server)] {
            let value = results.value(peer, Key::of(measure, side));
            let copies = if side == "client" { 2.0 } else { 0.0 }; // decision 3
            let apart = value
                .zip(chain)
                .map(|(value, chain)| value - copies * chain);
            goals.push(apart.map(|value| Goal {
                measure: format!("{name}, {side}"),
                aim: format!("≤ {most} bytes, certificates apart"),
                reached: format!("{value:.0}"),
                met: Met::when(value <= most),
            }));
            let least = best(|peer| {
                let of = |measure| results.value(peer, Key::of(measure, side));
                of(measure).or_else(|| of("memory-bulk"))
            });
            goals.push(value.zip(least).map(|(value, least)| Goal {
                measure: format!("{name}, {side}"),
                aim: "less than any peer".into(),
                reached: format!("{value:.0}; the least: {least:.0}"),
                met: Met::when(value < least),
            }));
        }
    }
    for size in [100, 16_384] {
        let value = results.value("offwire", Key::new("allocated", size));
        goals.push(value.map(|value| Goal {
            measure: format!("bytes allocated by a round trip of {size}"),
            aim: "0".into(),
            reached: format!("{value:.0}"),
            met: Met::when(value == 0.0),
        }));
    }
    goals
}

fn ourselves(results: &Results) -> Vec<Option<Goal>> {
    let of = |peer, measure, size| results.value(peer, Key::new(measure, size));
    let flow = (
        of("offwire-stream-bio", "flow", 16_384),
        of("offwire", "flow", 16_384),
    );
    let check = (
        of("offwire", "check", 16_384),
        of("offwire-length", "check", 16_384),
    );
    let blocked = 64 << 20;
    let blocked = (
        of("offwire", "blocked", blocked),
        of("offwire-length", "blocked", blocked),
    );
    let (contents, length) = ("`RetryCheck::Contents`, unblocked bulk", "`Length`");
    let mut goals = vec![
        faster(
            "`Stream` over a BIO pair",
            "the bare engine",
            flow.0,
            flow.1,
            0.9,
        ),
        faster(contents, length, check.0, check.1, 0.99),
        faster(
            "`Contents`, 64 MiB blocked all the way",
            length,
            blocked.0,
            blocked.1,
            0.9,
        ),
    ];
    let idle = |count| of("offwire", "idle", count);
    goals.push(idle(1).zip(idle(100_000)).map(|(one, many)| Goal {
        measure: "bytes of an idle server, of 1 and of 100,000".into(),
        aim: "the same".into(),
        reached: format!("{one:.0}, {many:.0}"),
        met: Met::when(many <= one * 1.02),
    }));
    for size in [1_024, 16_384] {
        let measure = format!("crowd-{size}");
        let of = |peer, live| results.value(peer, Key::new(&measure, live));
        let name = format!("seal of {size} bytes, 10,000 connections in turn");
        for (peer, name) in [
            ("offwire", &name),
            ("offwire-pool", &format!("{name}, with a `BufferPool`")),
        ] {
            let (one, many) = (of(peer, 1), of(peer, 10_000));
            goals.push(faster(name, "the rate of one", many, one, 0.8));
        }
    }
    for (size, name) in [(1_024, "1 KiB"), (1 << 20, "1 MiB")] {
        let (ours, theirs) = (of("offwire", "https", size), of("nginx", "https", size));
        let measure = format!("`https_server`, {name}, requests by CPU second");
        goals.push(faster(&measure, "nginx", ours, theirs, 1.0));
    }
    goals
}
