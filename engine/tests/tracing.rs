//! What the feature `tracing` tells of a connection, and what it never does.

extern crate alloc;

use alloc::sync::Arc;
use core::fmt::{self, Write as _};
use core::sync::atomic::{AtomicU64, Ordering};
use std::sync::Mutex;

use offwire::{Engine, Error, KeyUpdate, ProtocolVersion, Read, Settings, Write, WriteEarlyData};
use offwire_testkit::early_data::{Answer, early_contexts, with_session};
use offwire_testkit::{Contexts, Pair, Side};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Writes down every event, and the beginning of every span, as one line.
#[derive(Clone, Default)]
struct Journal {
    lines: Arc<Mutex<Vec<String>>>,
    spans: Arc<AtomicU64>,
    entered: Arc<AtomicU64>,
}

impl Journal {
    fn write(&self, metadata: &Metadata<'_>, record: impl FnOnce(&mut Line)) {
        assert_eq!(metadata.target(), "offwire");
        let mut line = Line(String::new());
        record(&mut line);
        let Line(text) = line;
        let name = metadata.name();
        let text = if metadata.is_span() {
            format!("span {name}{text}")
        } else {
            text
        };
        self.lines
            .lock()
            .expect("no panic before")
            .push(text.trim().to_owned());
    }

    /// What was told while `work` was done.
    fn of(work: impl FnOnce()) -> Vec<String> {
        let journal = Self::default();
        tracing::subscriber::with_default(journal.clone(), work);
        let lines = journal.lines.lock().expect("no panic before").clone();
        assert!(journal.entered.load(Ordering::Relaxed) >= journal.spans.load(Ordering::Relaxed));
        lines
    }
}

/// The fields of an event.
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let Self(text) = self;
        let written = match field.name() {
            "message" => write!(text, " {value:?}"),
            name => write!(text, " {name}={value:?}"),
        };
        written.expect("a string takes all");
    }
}

impl Subscriber for Journal {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "offwire"
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        self.write(attributes.metadata(), |line| attributes.record(line));
        Id::from_u64(self.spans.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.write(event.metadata(), |line| event.record(line));
    }

    fn enter(&self, _: &Id) {
        self.entered.fetch_add(1, Ordering::Relaxed);
    }

    fn exit(&self, _: &Id) {}
}

fn count(lines: &[String], start: &str) -> usize {
    lines.iter().filter(|line| line.starts_with(start)).count()
}

#[test]
fn handshake_key_updates_tickets_and_closing_are_told() {
    let lines = Journal::of(|| {
        let mut pair = Pair::of(&Contexts::new().tickets(2));
        pair.handshake();
        assert_eq!(
            pair.exchange(Side::Server, b"behind the tickets"),
            b"behind the tickets"
        );
        pair.client.key_update(KeyUpdate::Both).expect("it is open");
        assert_eq!(pair.exchange(Side::Client, b"new keys"), b"new keys");
        assert_eq!(pair.exchange(Side::Server, b"as well"), b"as well");
        pair.close();
    });
    assert_eq!(count(&lines, "span handshake role=Client"), 1, "{lines:#?}");
    assert_eq!(count(&lines, "span handshake role=Server"), 1);
    let complete = "handshake complete version=TLS 1.3 cipher_suite=TLS_";
    assert_eq!(count(&lines, complete), 2, "{lines:#?}");
    assert_eq!(count(&lines, "session ticket received"), 2);
    assert_eq!(count(&lines, "KeyUpdate queued update=Both"), 1);
    assert_eq!(count(&lines, "KeyUpdate received update=Both"), 1);
    assert_eq!(count(&lines, "KeyUpdate queued update=Ours"), 1);
    assert_eq!(count(&lines, "KeyUpdate received update=Ours"), 1);
    assert_eq!(count(&lines, "alert queued alert=close_notify"), 2);
    assert_eq!(count(&lines, "close_notify received"), 2);
}

#[test]
fn failures_and_the_alerts_that_go_with_them_are_told() {
    let lines = Journal::of(|| {
        let mut pair = Pair::of(&Contexts::new());
        pair.handshake();
        pair.settle();
        let garbage = [
            23, 3, 3, 0, 17, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        ];
        assert_eq!(pair.server.feed(&garbage), garbage.len());
        assert!(pair.server.read(&mut [0; 9]).is_err());
        pair.settle();
        assert!(matches!(
            pair.client.read(&mut [0; 9]),
            Err(Error::Alert(_))
        ));
    });
    let bad = "connection failed error=a record could not be authenticated";
    assert_eq!(count(&lines, bad), 1, "{lines:#?}");
    assert_eq!(count(&lines, "alert queued alert=bad_record_mac"), 1);
    let told = "connection failed error=the peer sent the fatal alert bad_record_mac";
    assert_eq!(count(&lines, told), 1);
}

#[test]
fn limits_that_are_hit_are_told() {
    let least = Settings::default().outgoing_limit(1).incoming_limit(1);
    let lines = Journal::of(|| {
        let mut pair = Pair::of(&Contexts::new().settings(least));
        pair.handshake();
        pair.settle();
        assert_eq!(pair.client.write(&[1; 40_000]), Ok(Write::NeedWrite));
        let record = pair.client.take_outgoing();
        assert_eq!(pair.server.feed(&record), record.len());
        assert!(pair.server.feed(&[0; 10_000]) < 10_000);
        assert!(pair.server.feed_space().is_empty());
    });
    assert_eq!(count(&lines, "write blocked outgoing="), 1, "{lines:#?}");
    assert_eq!(count(&lines, "incoming queue full held="), 2, "{lines:#?}");
}

#[test]
fn a_blocked_write_of_early_data_is_told() {
    let lines = Journal::of(|| {
        let contexts = early_contexts(1 << 17, Settings::default().outgoing_limit(1));
        let (client, server) = with_session(&contexts, Answer::Accepts);
        let mut pair = Pair::new(&client, &server, &contexts);
        assert_eq!(
            pair.client.write_early_data(&[1; 40_000]),
            Ok(WriteEarlyData::NeedWrite)
        );
    });
    let told = "write of early data blocked outgoing=";
    assert_eq!(count(&lines, told), 1, "{lines:#?}");
}

/// Everything that is told of sessions, the secrets that their key log told, and the plaintext.
#[test]
fn nothing_secret_is_told() {
    #[derive(Debug, Default)]
    struct Secrets(Mutex<Vec<Vec<u8>>>);
    impl rustls::KeyLog for Secrets {
        fn log(&self, _: &str, _: &[u8], secret: &[u8]) {
            self.0
                .lock()
                .expect("no panic before")
                .push(secret.to_vec());
        }
    }
    let hex = |bytes: &[u8]| -> String { bytes.iter().map(|byte| format!("{byte:02x}")).collect() };
    for version in [ProtocolVersion::Tls12, ProtocolVersion::Tls13] {
        let secrets = Arc::new(Secrets::default());
        let lines = Journal::of(|| {
            let contexts = Contexts::new().version(version);
            let mut config = contexts.client_config();
            config.key_log = Arc::<Secrets>::clone(&secrets);
            let client = offwire::Client::new(config);
            let (_, server) = contexts.build();
            let mut pair = Pair::new(&client, &server, &contexts);
            pair.handshake();
            assert_eq!(pair.exchange(Side::Client, b"plaintext"), b"plaintext");
            read_garbage(&mut pair.client);
        });
        let told = lines.concat();
        assert!(!told.contains("plaintext"), "{told}");
        let secrets = secrets.0.lock().expect("no panic before");
        assert!(!secrets.is_empty());
        for secret in secrets.iter() {
            assert!(!told.contains(&hex(secret)), "{told}");
            assert!(!told.contains(&format!("{secret:?}")), "{told}");
        }
    }
}

fn read_garbage(engine: &mut Engine) {
    let _ = engine.feed(b"GET / HTTP/1.1");
    assert!(!matches!(engine.read(&mut [0; 9]), Ok(Read::Read(_))));
}
