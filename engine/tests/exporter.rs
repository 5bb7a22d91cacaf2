//! Keying material: the same on both sides, the same as rustls's own, and nothing without asking.

extern crate alloc;

use alloc::sync::Arc;

use allocation_counter::measure;
use offwire::rustls::{ClientConnection, ConnectionCommon, ServerConnection, SideData};
use offwire::{
    Client, Engine, Error, Exporter, Handshake, HandshakeKind, Misuse, ProtocolVersion, Server,
    Settings,
};
use offwire_testkit::{Contexts, Pair, Side, Suite};

const VERSIONS: [ProtocolVersion; 2] = [ProtocolVersion::Tls12, ProtocolVersion::Tls13];
const LABEL: &[u8] = b"EXPORTER-test";

fn kept() -> Settings {
    Settings::default().exporter(Exporter::Kept)
}

fn contexts(version: ProtocolVersion) -> Contexts {
    Contexts::new().version(version).settings(kept())
}

fn exported(engine: &Engine, label: &[u8], context: Option<&[u8]>, length: usize) -> Vec<u8> {
    let mut out = vec![0; length];
    let done = engine.export_keying_material(&mut out, label, context);
    assert_eq!(done, Ok(()));
    out
}

/// Completes the handshake of an engine with a connection of rustls's.
fn meet<S: SideData>(engine: &mut Engine, peer: &mut ConnectionCommon<S>) {
    while peer.is_handshaking() || !matches!(engine.handshake(), Ok(Handshake::Complete)) {
        assert!(engine.handshake().is_ok());
        let mut wire = &engine.take_outgoing()[..];
        while !wire.is_empty() {
            peer.read_tls(&mut wire).expect("memory has bytes");
            peer.process_new_packets().expect("the peer goes on");
        }
        let mut wire = Vec::new();
        while peer.wants_write() {
            peer.write_tls(&mut wire).expect("memory takes all");
        }
        assert_eq!(engine.feed(&wire), wire.len());
    }
}

/// Compares a number of exports of both, of an empty label too, which rustls takes as well.
fn agree<S: SideData>(engine: &Engine, peer: &ConnectionCommon<S>) {
    let longest = vec![0x5a; 249];
    for label in [LABEL, b"", b"l", &longest] {
        for context in [None, Some(&[][..]), Some(b"c"), Some(&[7; 65_535])] {
            for length in [1, 32, 48, 100, 8_160] {
                let theirs = peer.export_keying_material(vec![0; length], label, context);
                let theirs = theirs.expect("rustls exports");
                assert_eq!(exported(engine, label, context, length), theirs);
            }
        }
    }
}

#[test]
fn both_roles_export_what_rustls_exports() {
    for (suite, version) in Suite::ALL
        .into_iter()
        .flat_map(|s| VERSIONS.map(|v| (s, v)))
    {
        for contexts in [
            contexts(version).suite(suite),
            contexts(version).suite(suite).hello_retry(),
            contexts(version).suite(suite).max_fragment_size(33),
        ] {
            let (client, server) = contexts.build();

            let mut engine = client.connect(contexts.name()).expect("a client");
            let config = Arc::new(contexts.server_config());
            let mut peer = ServerConnection::new(config).expect("a server");
            meet(&mut engine, &mut peer);
            agree(&engine, &peer);

            let mut engine = server.accept();
            let config = Arc::new(contexts.client_config());
            let mut peer = ClientConnection::new(config, contexts.name()).expect("a client");
            meet(&mut engine, &mut peer);
            agree(&engine, &peer);
        }
    }
}

#[test]
fn a_resumed_session_exports_too_and_no_connection_what_another_does() {
    for version in VERSIONS {
        let contexts = contexts(version);
        let (client, server) = contexts.build();
        let mut seen = Vec::new();
        for _ in 0..3 {
            let mut pair = Pair::new(&client, &server, &contexts);
            pair.handshake();
            pair.settle();
            // Tickets of TLS 1.3 come with the first read.
            let _ = pair.client.read(&mut [0; 9]).expect("it lives");
            let ours = exported(&pair.client, LABEL, None, 32);
            assert_eq!(ours, exported(&pair.server, LABEL, None, 32));
            assert!(!seen.contains(&ours), "{version}");
            seen.push(ours);
            let kind = pair.client.negotiated().expect("complete").kind();
            assert_eq!(kind == HandshakeKind::Resumed, seen.len() > 1, "{version}");
        }
    }
}

#[test]
fn label_context_and_length_all_count() {
    for version in VERSIONS {
        let mut pair = Pair::of(&contexts(version));
        pair.handshake();
        let export = |label, context| exported(&pair.client, label, context, 32);
        let first = export(LABEL, Some(b"context"));
        assert_ne!(first, export(b"EXPORTER-tesu", Some(b"context")));
        assert_ne!(first, export(LABEL, Some(b"contexu")));
        let differ = export(LABEL, None) != export(LABEL, Some(b""));
        assert_eq!(
            differ,
            version == ProtocolVersion::Tls12,
            "RFC 5705 section 4"
        );
    }
}

#[test]
fn the_channel_binding_is_the_export_that_the_rfc_names() {
    for version in VERSIONS {
        let mut pair = Pair::of(&contexts(version));
        pair.handshake();
        let binding = pair.client.channel_binding().expect("it is kept");
        assert_eq!(pair.server.channel_binding(), Ok(binding));
        let named = exported(&pair.client, b"EXPORTER-Channel-Binding", Some(b""), 32);
        assert_eq!(named, binding);
    }
}

#[test]
fn it_lasts_until_a_fatal_error() {
    let mut pair = Pair::of(&contexts(ProtocolVersion::Tls13));
    let refused = Err(Misuse::ExportInHandshake.into());
    assert_eq!(pair.client.channel_binding(), refused);
    assert_eq!(pair.client.handshake(), Ok(Handshake::NeedWrite));
    assert_eq!(pair.client.channel_binding(), refused);
    pair.handshake();
    let binding = pair.client.channel_binding();
    assert!(binding.is_ok());
    pair.client.release();
    pair.client
        .key_update(offwire::KeyUpdate::Both)
        .expect("open");
    assert_eq!(pair.exchange(Side::Client, b"hello"), b"hello");
    pair.close();
    assert_eq!(pair.client.channel_binding(), binding);
    assert_eq!(pair.server.channel_binding(), binding);

    let mut pair = Pair::of(&contexts(ProtocolVersion::Tls13));
    pair.handshake();
    pair.settle();
    assert_eq!(pair.server.feed(&[23, 3, 3, 0, 1, 0]), 6);
    let error = pair.server.read(&mut [0; 9]).expect_err("no record");
    assert_eq!(pair.server.channel_binding(), Err(error));
}

#[test]
fn without_asking_nothing_is_kept() {
    for version in VERSIONS {
        let mut pair = Pair::of(&Contexts::new().version(version));
        pair.handshake();
        for engine in [&pair.client, &pair.server] {
            let refused = Err(Error::Misuse(Misuse::ExporterDropped));
            assert_eq!(engine.channel_binding(), refused);
        }
    }
}

#[test]
fn arguments_out_of_range_change_nothing() {
    for version in VERSIONS {
        let mut pair = Pair::of(&contexts(version));
        pair.handshake();
        let mut out = vec![9; 8_161];
        let mut misuse = |length, label: &[u8], context: Option<&[u8]>| {
            let space = out.get_mut(..length).expect("there is space");
            match pair.client.export_keying_material(space, label, context) {
                Err(Error::Misuse(misuse)) => {
                    assert!(out.iter().all(|byte| *byte == 9));
                    Some(misuse)
                }
                outcome => {
                    assert_eq!(outcome, Ok(()));
                    out.fill(9);
                    None
                }
            }
        };
        assert_eq!(misuse(0, LABEL, None), Some(Misuse::ExportLength));
        assert_eq!(misuse(8_161, LABEL, None), Some(Misuse::ExportLength));
        assert_eq!(misuse(8_160, LABEL, None), None);
        assert_eq!(misuse(9, b"", None), None);
        assert_eq!(misuse(9, &[1; 250], None), Some(Misuse::ExportLabel));
        assert_eq!(misuse(9, &[1; 249], None), None);
        for reserved in [&b"master secret"[..], b"key expansion", b"client finished"] {
            assert_eq!(misuse(9, reserved, None), Some(Misuse::ExportLabel));
        }
        assert_eq!(misuse(9, LABEL, Some(&[0; 65_535])), None);
        let long = misuse(9, LABEL, Some(&[0; 65_536]));
        assert_eq!(long, Some(Misuse::ExportContext));
    }
}

/// What `Exporter::Kept` says of its price.
#[test]
fn what_it_costs_is_known() {
    let cost = |side, version, settings| {
        let contexts = Contexts::new().version(version).settings(settings);
        let (client, server): (Client, Server) = contexts.build();
        let mut pair = Pair::new(&client, &server, &contexts);
        pair.handshake();
        assert_eq!(pair.exchange(Side::Client, &[1; 100]), [1; 100]);
        assert_eq!(pair.exchange(Side::Server, &[1; 100]), [1; 100]);
        let Pair { client, server, .. } = pair;
        let engine = match side {
            Side::Client => client,
            Side::Server => server,
        };
        -measure(|| drop(engine)).bytes_current
    };
    for version in VERSIONS {
        for side in [Side::Client, Side::Server] {
            let more = cost(side, version, kept()) - cost(side, version, Settings::default());
            // rustls's client keeps its configuration for tickets, so its copy stays as well.
            let most = match (version, side) {
                (ProtocolVersion::Tls13, Side::Client) => 720,
                _ => 128,
            };
            assert!((1..=most).contains(&more), "{version} {side:?}: {more}");
        }
    }
}
