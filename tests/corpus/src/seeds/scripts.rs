//! Scripts of the `records` target, by hand: what the target's bytes mean stands there.

use super::{Seeds, seed};

/// Content types, as the target reads them.
const DATA: u8 = 0;
const HANDSHAKE: u8 = 3;
const ALERT: u8 = 5;
const CHANGE_CIPHER_SPEC: u8 = 6;
const ANY: u8 = 7;

/// Feeds up to 20,000 bytes.
const DELIVER: [u8; 4] = [184, 0xf0, 0x4e, 0x20];

/// Reads into a buffer for a whole record.
const READ: [u8; 4] = [200, 0xf0, 0x40, 0x01];

/// Every script, for either version and role.
pub(super) fn records() -> Seeds {
    let mut seeds = Seeds::new();
    for (name, script) in orderly().into_iter().chain(irregular()) {
        for connection in 0..4 {
            let bytes = seed(connection << 3, connection, &script);
            seeds.push((format!("{name}-{connection}"), bytes));
        }
    }
    seeds
}

/// Each call of the target in an orderly session.
fn orderly() -> Vec<(&'static str, Vec<u8>)> {
    let data = [0, 0, 5, b'h', b'e', b'l', b'l', b'o', 0];
    let large = [0, 0, 0xf0, 0x40, 0x00, 1, 2, 3, 0];
    let padded = [0, 0, 2, b'o', b'k', 0xf0, 40];
    let fatal = [0, 5, 2, 2, 80, 0];
    let warning = [0, 5, 2, 1, 90, 0];
    let empty = [0, 0, 0, 0];
    let fragments = [0, 3, 2, 4, 0, 0, 0, 3, 3, 0, 4, 1, 0];
    let (deliver, read, close, answer) = (DELIVER, READ, [168], [255]);
    let (ticket, update, ours, write) = ([160, 40], [128, 1], [232, 1], [216, 9]);
    let parts: [(&str, Vec<&[u8]>); 9] = [
        (
            "data",
            vec![
                &data, &padded, &deliver, &read, &read, &close, &deliver, &read,
            ],
        ),
        (
            "large",
            vec![&large, &deliver, &deliver, &read, &large, &read, &data],
        ),
        (
            "updates",
            vec![
                &update, &data, &update, &deliver, &read, &write, &answer, &ours, &write,
            ],
        ),
        (
            "tickets",
            vec![&ticket, &ticket, &data, &deliver, &read, &[240]],
        ),
        ("fatal", vec![&data, &fatal, &data, &deliver, &read]),
        (
            "warning",
            vec![&warning, &warning, &data, &deliver, &read, &warning],
        ),
        ("empty", vec![&empty, &data, &empty, &deliver, &read]),
        ("fragments", vec![&fragments, &data, &deliver, &read]),
        (
            "shutdown",
            vec![
                &data,
                &[224],
                &answer,
                &data,
                &deliver,
                &read,
                &close,
                &deliver,
                &[224],
            ],
        ),
    ];
    let script = |(name, parts): (&'static str, Vec<&[u8]>)| (name, parts.concat());
    parts.into_iter().map(script).collect()
}

/// A record of at most 64 bytes.
fn record(content_type: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap_or(u8::MAX);
    [&[0, content_type, length], content, &[0]].concat()
}

/// A record of so many bytes.
fn long(content_type: u8, length: u16) -> Vec<u8> {
    let [high, low] = length.to_be_bytes();
    [&[0, content_type, 0xf0, high, low], &[1; 64][..], &[0]].concat()
}

/// Each with data before it and behind it.
fn irregular() -> Vec<(&'static str, Vec<u8>)> {
    let data = record(DATA, b"around");
    let around = |(name, fault): (&'static str, Vec<u8>)| {
        (
            name,
            [&data, &fault, &data, &DELIVER[..], &DELIVER].concat(),
        )
    };
    let all = floods().into_iter().chain(faults());
    all.map(around).collect()
}

/// As many as may come in a row, then data, and then one too many.
fn floods() -> Vec<(&'static str, Vec<u8>)> {
    let flood = |each: &[u8], most: usize| {
        let data = record(DATA, b"between");
        [
            &each.repeat(most),
            &DELIVER[..],
            &data,
            &each.repeat(most + 1),
        ]
        .concat()
    };
    vec![
        ("flood-updates", flood(&[128, 0], 32)),
        ("flood-warnings", flood(&record(ALERT, &[1, 90]), 4)),
        ("flood-empty", flood(&record(DATA, &[]), 32)),
        ("flood-tickets", flood(&[160, 9], 32)),
        (
            "flood-hello-requests",
            flood(&record(HANDSHAKE, &[0; 4]), 32),
        ),
    ]
}

/// A ticket of one byte.
fn ticket(extensions: &[u8]) -> Vec<u8> {
    let fields = [0, 0, 0, 9, 1, 2, 3, 4, 1, 7, 0, 1, 90];
    let length = u8::try_from(fields.len() + extensions.len()).unwrap_or(u8::MAX);
    record(
        HANDSHAKE,
        &[&[4, 0, 0, length], &fields[..], extensions].concat(),
    )
}

/// Two bytes of data and so much padding.
fn padded(padding: u16) -> Vec<u8> {
    let [high, low] = padding.to_be_bytes();
    vec![0, DATA, 2, b'o', b'k', 0xf0, 0xf0, high, low]
}

/// Records that may not come, or only just.
fn faults() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        (
            "length-data",
            [long(DATA, 16_384), long(DATA, 16_385)].concat(),
        ),
        ("length-wire", long(DATA, 18_500)),
        ("length-padding", [padded(16_382), padded(16_383)].concat()),
        ("all-zeros", vec![0, ANY, 0, 0, 0xf0, 9]),
        ("type-ccs", record(CHANGE_CIPHER_SPEC, &[1])),
        ("type-unknown", vec![0, ANY, 24, 1, 9, 0]),
        ("type-outside", vec![0, DATA, 1, 9, 0xfc, 22]),
        ("version", vec![0, DATA, 1, 9, 0xf8, 3, 1]),
        ("alert-level", record(ALERT, &[3, 90])),
        ("alert-long", record(ALERT, &[1, 90, 0])),
        ("alert-empty", record(ALERT, &[])),
        ("alert-close-fatal", record(ALERT, &[2, 0])),
        ("message-empty", record(HANDSHAKE, &[])),
        (
            "message-interrupted",
            [record(HANDSHAKE, &[4, 0, 0]), record(DATA, b"between")].concat(),
        ),
        ("message-unknown", record(HANDSHAKE, &[8, 0, 0, 0])),
        ("update-malformed", record(HANDSHAKE, &[24, 0, 0, 2])),
        ("update-value", record(HANDSHAKE, &[24, 0, 0, 1, 2])),
        ("update-not-last", record(HANDSHAKE, &[24, 0, 0, 1, 0, 24])),
        ("update-then-old-key", record(HANDSHAKE, &[24, 0, 0, 1, 0])),
        ("ticket-short", ticket(&[])),
        ("ticket", [ticket(&[0, 0]), ticket(&[0, 1, 0])].concat()),
        ("key-changed-alone", vec![180]),
        ("junk", vec![176, 6, 23, 3, 3, 0, 1, 0]),
        ("junk-header", vec![176, 5, 23, 3, 3, 0x7f, 0xff]),
    ]
}
