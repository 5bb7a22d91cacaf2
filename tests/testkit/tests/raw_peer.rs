//! The raw peer understands the engine and is understood, with every version, suite and role.

use offwire::ProtocolVersion::{Tls12, Tls13};
use offwire::{Alert, Error, KeyUpdate, Read, Write};
use offwire_testkit::{
    ContentType, Contexts, Opened, RawPeer, Side, Suite, messages, read_available,
};

#[test]
fn both_directions_work_with_every_version_suite_and_role() {
    for version in [Tls12, Tls13] {
        for suite in Suite::ALL {
            for role in Side::BOTH {
                let contexts = Contexts::new().version(version).suite(suite);
                let (mut peer, mut engine) = RawPeer::facing(role, &contexts);
                let tickets = peer.drain(&mut engine);
                assert!(
                    tickets
                        .iter()
                        .all(|record| record.content_type == ContentType::HANDSHAKE)
                );
                for round in 0..3 {
                    let text = [round; 100];
                    let record = peer.data(&text);
                    assert_eq!(engine.feed(&record), record.len());
                    let mut received = Vec::new();
                    assert_eq!(
                        read_available(&mut engine, &mut received),
                        Ok(Read::NeedRead)
                    );
                    assert_eq!(received, text);
                    assert_eq!(engine.write(&text), Ok(Write::Written(100)));
                    let opened = peer.drain(&mut engine);
                    let content_type = ContentType::APPLICATION_DATA;
                    assert_eq!(
                        opened,
                        [Opened {
                            content_type,
                            plaintext: text.to_vec()
                        }]
                    );
                }
            }
        }
    }
}

#[test]
fn it_follows_and_makes_key_updates() {
    let (mut peer, mut engine) = RawPeer::facing(Side::Client, &Contexts::new().version(Tls13));
    for _ in 0..3 {
        engine.key_update(KeyUpdate::Ours).unwrap();
        assert_eq!(engine.write(b"new key"), Ok(Write::Written(7)));
        let opened = peer.drain(&mut engine);
        assert_eq!(opened[0].plaintext, messages::key_update(0));
        assert_eq!(opened[1].plaintext, b"new key");
        let wire = [peer.key_update(0), peer.data(b"new key")].concat();
        assert_eq!(engine.feed(&wire), wire.len());
        let mut received = Vec::new();
        assert_eq!(
            read_available(&mut engine, &mut received),
            Ok(Read::NeedRead)
        );
        assert_eq!(received, b"new key");
    }
}

#[test]
fn it_opens_the_alert_of_an_engine_that_failed() {
    for version in [Tls12, Tls13] {
        let (mut peer, mut engine) =
            RawPeer::facing(Side::Client, &Contexts::new().version(version));
        let record = peer.seal(ContentType::ALERT, &[1, 0, 0]);
        assert_eq!(engine.feed(&record), record.len());
        let error = read_available(&mut engine, &mut Vec::new()).unwrap_err();
        assert_eq!(error.alert(), Some(Alert::DECODE_ERROR));
        assert_eq!(
            peer.drain(&mut engine)[0].alert(),
            Some((2, Alert::DECODE_ERROR))
        );
        let fatal = peer.seal(ContentType::ALERT, &messages::fatal(Alert::INTERNAL_ERROR));
        assert_eq!(engine.feed(&fatal), fatal.len(), "discarded");
        assert_eq!(engine.write(b"data"), Err(error));
    }
}

#[test]
fn it_sends_alerts_that_the_engine_tells() {
    let (mut peer, mut engine) = RawPeer::facing(Side::Server, &Contexts::new());
    let alert = peer.seal(ContentType::ALERT, &messages::fatal(Alert::ACCESS_DENIED));
    engine.feed(&alert);
    let error = read_available(&mut engine, &mut Vec::new()).unwrap_err();
    assert_eq!(error, Error::Alert(Alert::ACCESS_DENIED));
}
