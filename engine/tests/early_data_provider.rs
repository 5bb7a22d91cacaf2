//! What early data asks of rustls's provider, shown by two that do otherwise.
//!
//! A rejected record is told by the zeros that AWS-LC and ring leave of what they cannot open; one
//! provider leaves it as it was. The server's answer is told by the length of an EndOfEarlyData; the
//! other provider pads.

extern crate alloc;

use alloc::sync::Arc;

use offwire::rustls::crypto::aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256;
use offwire::rustls::crypto::aws_lc_rs::{Ticketer, default_provider};
use offwire::rustls::crypto::cipher::{
    AeadKey, InboundOpaqueMessage, InboundPlainMessage, Iv, MessageDecrypter, MessageEncrypter,
    OutboundChunks, OutboundOpaqueMessage, OutboundPlainMessage, Tls13AeadAlgorithm,
    UnsupportedOperationError,
};
use offwire::rustls::crypto::{CipherSuiteCommon, CryptoProvider};
use offwire::rustls::version::TLS13;
use offwire::rustls::{
    ClientConfig, ConnectionTrafficSecrets, ContentType, Error as RustlsError, ServerConfig,
    SupportedCipherSuite, Tls13CipherSuite,
};
use offwire::{
    Client, EarlyData, EarlyDataStatus, Engine, Error, Handshake, Peer, Read, ReadEarlyData,
    Server, Settings, Write, WriteEarlyData,
};
use offwire_testkit::early_data::{Answer, early_contexts, with_session};
use offwire_testkit::{Authority, Identity, Kind, Suite};

/// AES-128-GCM of AWS-LC, but for one habit.
struct Odd {
    aws_lc: &'static dyn Tls13AeadAlgorithm,
    habit: Habit,
}

/// What a provider does otherwise.
#[derive(Clone, Copy)]
enum Habit {
    /// It leaves what it cannot open as it was.
    Untouched,
    /// It puts padding behind handshake messages (RFC 8446 section 5.4).
    Padded,
}

impl Tls13AeadAlgorithm for Odd {
    fn encrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageEncrypter> {
        let encrypter = self.aws_lc.encrypter(key, iv);
        match self.habit {
            Habit::Untouched => encrypter,
            Habit::Padded => Box::new(Padder(encrypter)),
        }
    }

    fn decrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageDecrypter> {
        let decrypter = self.aws_lc.decrypter(key, iv);
        match self.habit {
            Habit::Untouched => Box::new(Opener(decrypter)),
            Habit::Padded => decrypter,
        }
    }

    fn key_len(&self) -> usize {
        self.aws_lc.key_len()
    }

    fn extract_keys(
        &self,
        key: AeadKey,
        iv: Iv,
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        self.aws_lc.extract_keys(key, iv)
    }
}

struct Opener(Box<dyn MessageDecrypter>);

struct Padder(Box<dyn MessageEncrypter>);

impl MessageDecrypter for Opener {
    fn decrypt<'a>(
        &mut self,
        message: InboundOpaqueMessage<'a>,
        number: u64,
    ) -> Result<InboundPlainMessage<'a>, RustlsError> {
        let mut copy = message.payload.to_vec();
        let trial = InboundOpaqueMessage::new(message.typ, message.version, &mut copy);
        let _ = self.0.decrypt(trial, number)?;
        self.0.decrypt(message, number)
    }
}

impl MessageEncrypter for Padder {
    fn encrypt(
        &mut self,
        message: OutboundPlainMessage<'_>,
        number: u64,
    ) -> Result<OutboundOpaqueMessage, RustlsError> {
        if message.typ != ContentType::Handshake {
            return self.0.encrypt(message, number);
        }
        // The content type, and behind it zeros, of which the last stands where the type would.
        let mut padded = message.payload.to_vec();
        padded.extend([message.typ.into(), 0, 0, 0]);
        let message = OutboundPlainMessage {
            typ: ContentType::Unknown(0),
            version: message.version,
            payload: OutboundChunks::Single(&padded),
        };
        self.0.encrypt(message, number)
    }

    fn encrypted_payload_len(&self, payload_len: usize) -> usize {
        self.0.encrypted_payload_len(payload_len)
    }
}

/// Where a server has its sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sessions {
    Kept,
    InTickets,
}

/// The suite of a provider, by its algorithm.
fn provider(aead: &'static dyn Tls13AeadAlgorithm) -> CryptoProvider {
    let suite = TLS13_AES_128_GCM_SHA256.tls13().expect("of TLS 1.3");
    let suite = Tls13CipherSuite {
        common: CipherSuiteCommon { ..suite.common },
        aead_alg: aead,
        hkdf_provider: suite.hkdf_provider,
        quic: None,
    };
    CryptoProvider {
        cipher_suites: vec![SupportedCipherSuite::Tls13(Box::leak(Box::new(suite)))],
        ..default_provider()
    }
}

fn aws_lc() -> &'static dyn Tls13AeadAlgorithm {
    let suite = TLS13_AES_128_GCM_SHA256.tls13();
    suite.expect("of TLS 1.3").aead_alg
}

fn odd(habit: Habit) -> &'static dyn Tls13AeadAlgorithm {
    let aws_lc = aws_lc();
    Box::leak(Box::new(Odd { aws_lc, habit }))
}

fn padded() -> &'static dyn Tls13AeadAlgorithm {
    odd(Habit::Padded)
}

fn untouched() -> &'static dyn Tls13AeadAlgorithm {
    odd(Habit::Untouched)
}

/// A server that knows no session, and skips so many bytes; with tickets it takes no early data at all.
fn server(
    aead: &'static dyn Tls13AeadAlgorithm,
    limit: u32,
    switch: EarlyData,
    sessions: Sessions,
) -> Engine {
    let identity = Identity::server(Kind::EcdsaP256);
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider(aead)))
        .with_protocol_versions(&[&TLS13])
        .expect("a version for the suite")
        .with_no_client_auth()
        .with_single_cert(identity.chain().to_vec(), identity.key())
        .expect("the key of the certificate");
    config.max_early_data_size = limit;
    if sessions == Sessions::InTickets {
        config.ticketer = Ticketer::new().expect("random bytes");
    }
    let settings = Settings::default().danger_early_data(switch);
    Server::new(config).with_settings(settings).accept()
}

/// A client that has written so many records of early data with so many bytes each, for a session
/// that the server has forgotten.
fn client(records: usize, length: usize) -> Engine {
    let contexts = early_contexts(1 << 17, Settings::default()).suite(Suite::Aes128Gcm);
    let (client, _) = with_session(&contexts, Answer::ForgotSession);
    let mut client = client.connect(contexts.name()).expect("a client");
    for _ in 0..records {
        let written = client.write_early_data(&vec![7; length]);
        assert_eq!(written, Ok(WriteEarlyData::Written(length)));
    }
    client
}

fn carry(from: &mut Engine, to: &mut Engine) {
    let wire = from.take_outgoing();
    assert_eq!(to.feed(&wire), wire.len());
}

/// The server's handshake, and what it reads behind it.
fn serve(client: &mut Engine, server: &mut Engine) -> Result<Vec<u8>, Error> {
    for _ in 0..3 {
        let _ = server.handshake()?;
        carry(server, client);
        let _ = client.handshake().expect("the client goes on");
        carry(client, server);
    }
    assert_eq!(server.handshake(), Ok(Handshake::Complete));
    assert!(client.rejected_early_data() > 0);
    assert_eq!(client.write(b"late"), Ok(Write::Written(4)));
    carry(client, server);
    let mut buffer = [0; 100];
    let mut received = Vec::new();
    while let Read::Read(count) = server.read(&mut buffer)? {
        received.extend(buffer.iter().take(count));
    }
    assert_eq!(server.early_data(), EarlyDataStatus::Rejected);
    Ok(received)
}

/// Early data in five records against a server that skips at most 65,536 bytes of the wire.
fn five_records(
    (aead, switch, sessions): (&'static dyn Tls13AeadAlgorithm, EarlyData, Sessions),
) -> Result<Vec<u8>, Error> {
    let (mut client, mut server) = (client(5, 4_000), server(aead, 1 << 16, switch, sessions));
    carry(&mut client, &mut server);
    let served = serve(&mut client, &mut server);
    assert!(server.stats().wire_fed < 22_000);
    served
}

/// Whether that is how rustls tells that the limit was met.
fn is_undecryptable(served: &Result<Vec<u8>, Error>) -> bool {
    matches!(served, Err(Error::Peer(Peer::HandshakeUnverified(_))))
}

#[test]
fn a_little_is_skipped_all_the_same_and_nothing_waits_for_ever() {
    for aead in [aws_lc(), untouched()] {
        let (mut client, mut server) = (
            client(1, 50),
            server(aead, 1_000, EarlyData::Replayable, Sessions::Kept),
        );
        carry(&mut client, &mut server);
        assert_eq!(serve(&mut client, &mut server), Ok(b"late".to_vec()));
    }
}

/// Each record is counted again whenever more is shown to rustls, so the limit is met long before so
/// many bytes have come.
#[test]
fn records_that_are_not_left_as_zeros_are_counted_again_and_refused() {
    let skipped = five_records((aws_lc(), EarlyData::Replayable, Sessions::Kept));
    assert_eq!(skipped, Ok(b"late".to_vec()));
    let refused = five_records((untouched(), EarlyData::Replayable, Sessions::Kept));
    assert!(is_undecryptable(&refused), "{refused:?}");
}

/// rustls is then told of no early data at all, and has a limit of its own. Tickets switch early data
/// off as well, and leave the limit.
#[test]
fn a_server_whose_switch_is_off_skips_16_kib_whatever_its_configuration_says() {
    let refused = five_records((aws_lc(), EarlyData::Off, Sessions::Kept));
    assert!(is_undecryptable(&refused), "{refused:?}");
    let skipped = five_records((aws_lc(), EarlyData::Replayable, Sessions::InTickets));
    assert_eq!(skipped, Ok(b"late".to_vec()));
}

/// A client takes a padded EndOfEarlyData for another record: its early data was taken, and it is told
/// to write it again.
#[test]
fn a_client_whose_provider_pads_takes_an_acceptance_for_a_rejection() {
    for (aead, told, rejected) in [
        (aws_lc(), EarlyDataStatus::Accepted, 0),
        (padded(), EarlyDataStatus::Rejected, 5),
    ] {
        let contexts = early_contexts(1_000, Settings::default()).suite(Suite::Aes128Gcm);
        let (_, server) = contexts.build();
        let mut config = ClientConfig::builder_with_provider(Arc::new(provider(aead)))
            .with_protocol_versions(&[&TLS13])
            .expect("a version for the suite")
            .with_root_certificates(Authority::shared().roots())
            .with_no_client_auth();
        config.enable_early_data = true;
        let settings = Settings::default().danger_early_data(EarlyData::Replayable);
        let client = Client::new(config).with_settings(settings);
        let engines = || {
            let client = client.connect(contexts.name()).expect("a client");
            (client, server.accept())
        };

        let (mut first, mut second) = engines();
        for _ in 0..3 {
            let _ = first.read(&mut [0]).expect("a handshake, then tickets");
            carry(&mut first, &mut second);
            let _ = second.handshake().expect("a handshake");
            carry(&mut second, &mut first);
        }
        assert_eq!(first.read(&mut [0]), Ok(Read::NeedRead));

        let (mut client, mut server) = engines();
        let written = client.write_early_data(b"early");
        assert_eq!(written, Ok(WriteEarlyData::Written(5)));
        carry(&mut client, &mut server);
        let mut buffer = [0; 9];
        assert_eq!(
            server.read_early_data(&mut buffer),
            Ok(ReadEarlyData::Read(5))
        );
        carry(&mut server, &mut client);
        assert_eq!(client.handshake(), Ok(Handshake::Complete));
        assert_eq!(server.early_data(), EarlyDataStatus::Accepted);
        assert_eq!(client.early_data(), told);
        assert_eq!(client.rejected_early_data(), rejected);
    }
}
