//! The ladder shows who called what and which records crossed, as text and as a picture.

extern crate alloc;

use alloc::sync::Arc;
use std::path::Path;

use offwire::rustls::NamedGroup;
use offwire::rustls::client::WebPkiServerVerifier;
use offwire::{ProtocolVersion, Settings, Write};
use offwire_testkit::strategy::explained;
use offwire_testkit::{Authority, Contexts, Cuts, Kind, Ladder, Pair, Side, Usage};
use proptest::test_runner::TestCaseError;

/// Contexts whose every record has the same length in every process: Ed25519 signatures and X25519
/// shares have one length each, and so has a chain that Ed25519 signed.
fn stable() -> (Contexts, Pair) {
    let authority = Authority::with_key(Kind::Ed25519);
    let contexts = Contexts::new()
        .version(ProtocolVersion::Tls13)
        .group(NamedGroup::X25519)
        .tickets(0)
        .server_identity(authority.issue(Kind::Ed25519, Usage::Server))
        .settings(Settings::default().outgoing_limit(0));
    let mut config = contexts.client_config();
    config
        .dangerous()
        .set_certificate_verifier(verifier(&authority, &contexts));
    let client = offwire::Client::new(config).with_settings(Settings::default().outgoing_limit(0));
    let (_, server) = contexts.build();
    let pair = Pair::new(&client, &server, &contexts);
    (contexts, pair)
}

fn verifier(
    authority: &Authority,
    contexts: &Contexts,
) -> Arc<dyn offwire::rustls::client::danger::ServerCertVerifier> {
    let provider = contexts.client_config().crypto_provider().clone();
    WebPkiServerVerifier::builder_with_provider(authority.roots(), provider)
        .build()
        .expect("an authority")
}

/// A handshake, a write that blocks and is repeated, and what the server reads of it.
fn blocked_write() -> Ladder {
    let (_, pair) = stable();
    let mut pair = pair.recording();
    let (plaintext, mut received) = ([7; 20_000], Vec::new());
    while pair.on(Side::Client).write(&plaintext) != Ok(Write::Written(20_000)) {
        pair.settle_towards(Side::Server);
        let _ = pair
            .on(Side::Server)
            .read_available(&mut received)
            .expect("the server reads");
        pair.settle_towards(Side::Client);
    }
    pair.settle_towards(Side::Server);
    let _ = pair
        .on(Side::Server)
        .read_available(&mut received)
        .expect("the server reads");
    assert_eq!(received, plaintext);
    pair.close();
    pair.ladder()
}

#[test]
fn the_picture_in_the_documentation_is_what_the_ladder_draws() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/images/ladder.svg");
    let drawn = blocked_write().to_svg();
    if std::env::var_os("OFFWIRE_DRAW").is_some() {
        std::fs::write(&path, &drawn).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap();
    assert!(
        kept == drawn,
        "docs/images/ladder.svg is out of date; run this test with OFFWIRE_DRAW=1.\n{}",
        blocked_write()
    );
}

#[test]
fn calls_stand_at_their_side_and_records_between_them() {
    let mut pair = Pair::of(&Contexts::new().tickets(0));
    pair.handshake();
    let mut pair = Pair::of_engines(pair.client, pair.server).recording();
    let _ = pair.on(Side::Client).write(b"hello").unwrap();
    pair.step_towards(Side::Server);
    let _ = pair.on(Side::Server).read(&mut [0; 99]).unwrap();
    let text = pair.ladder().to_string();
    let rows: Vec<_> = text.lines().skip(2).map(str::trim).collect();
    assert!(rows[0].starts_with("write(5)        Written(5)"), "{text}");
    assert!(rows[1].contains("│ ──▶ application_data 22  "), "{text}");
    assert!(rows[2].contains("  application_data 22 ──▶ │"), "{text}");
    assert!(rows[3].ends_with("│ read(99)        Read(5)"), "{text}");
    assert_eq!(rows.len(), 4, "{text}");
}

#[test]
fn a_record_that_was_cut_is_told_by_its_bytes() {
    let mut pair = Pair::of(&Contexts::new().tickets(0));
    pair.handshake();
    let mut pair = Pair::of_engines(pair.client, pair.server)
        .cuts(Cuts::Bytes(20))
        .recording();
    let _ = pair.on(Side::Server).write(b"hello").unwrap();
    pair.settle_towards(Side::Client);
    let text = pair.ladder().to_string();
    assert!(
        text.contains("application_data 22 [1–20 of 27] ◀──"),
        "{text}"
    );
    assert!(
        text.contains("◀── application_data 22 [21–27 of 27]"),
        "{text}"
    );
}

#[test]
fn a_pair_that_does_not_record_has_an_empty_ladder() {
    let mut pair = Pair::of(&Contexts::new());
    pair.handshake();
    assert!(pair.ladder().is_empty());
}

/// The message of the panic that this ends in.
fn panic_of(run: impl FnOnce()) -> String {
    let panic = std::panic::catch_unwind(core::panic::AssertUnwindSafe(run))
        .expect_err("it does not go on");
    panic.downcast_ref::<String>().expect("a message").clone()
}

#[test]
fn a_driver_that_gives_up_shows_the_ladder_of_a_recording_pair() {
    type Driver = (&'static str, fn(&mut Pair));
    let drivers: [Driver; 3] = [
        ("handshake", |pair| pair.handshake()),
        ("write(2)", |pair| drop(pair.exchange(Side::Client, b"hi"))),
        ("shutdown", |pair| {
            pair.handshake();
            pair.to_client.set_capacity(0);
            pair.close();
        }),
    ];
    for (call, drive) in drivers {
        let fresh = || {
            let mut pair = Pair::of(&Contexts::new().version(ProtocolVersion::Tls12));
            if call != "shutdown" {
                // The ClientHello arrives; the answer never does.
                pair.to_client.set_capacity(0);
            }
            pair
        };
        let recorded = panic_of(|| drive(&mut fresh().recording()));
        assert!(recorded.contains("bytes outgoing"), "{recorded}");
        let rung = |line: &&str| line.trim_start().starts_with(call);
        let (rungs, wire) = (recorded.lines().filter(rung).count(), " handshake ");
        assert!(rungs > 0 && recorded.contains(wire), "{call}: {recorded}");
        let silent = panic_of(|| drive(&mut fresh()));
        assert!(silent.contains("bytes outgoing"), "{silent}");
        assert_eq!(silent.lines().count(), 1, "{silent}");
    }
}

#[test]
fn a_property_that_fails_or_panics_shows_its_ladder_and_one_that_holds_does_not() {
    type Body = fn(&mut Pair) -> Result<(), TestCaseError>;
    let on = |body: Body| {
        explained(Pair::of(&Contexts::new()), |pair| {
            pair.exchange(Side::Client, b"hi");
            body(pair)
        })
    };
    assert!(on(|_| Ok(())).is_ok());
    let failures: [Body; 2] = [
        |_| Err(TestCaseError::fail("a broken rule")),
        |_| panic!("a broken rule"),
    ];
    for failure in failures {
        let message = on(failure).unwrap_err().to_string();
        assert!(message.contains("a broken rule"), "{message}");
        assert!(message.contains("write(2)        Written(2)"), "{message}");
        assert!(message.contains(" application_data "), "{message}");
    }
}
