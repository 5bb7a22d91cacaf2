//! What a connection costs in bytes: the engine itself and everything on the heap that goes with
//! it, the peer's certificates apart. The four figures are promised in `docs/architecture.md`.

use allocation_counter::measure;
use offwire::{Engine, ProtocolVersion, Read, Write};
use offwire_testkit::{Contexts, Pair, Side};

/// Bytes of a key that is expanded: AWS-LC allocates it with `malloc`, unseen by Rust's allocator,
/// and puts its size before it.
const EXPANDED_KEY: usize = size_of::<aws_lc_sys::EVP_AEAD_CTX>() + size_of::<usize>();

/// Bytes of the connection with expanded keys, after an echo of 100 bytes each way, and after
/// `release`.
struct Cost {
    in_use: usize,
    released: usize,
}

#[test]
fn a_server_connection_costs_at_most_2560_bytes_and_1024_released() {
    for version in [ProtocolVersion::Tls12, ProtocolVersion::Tls13] {
        let cost = cost_of(Side::Server, version);
        assert!(
            cost.in_use <= 2560,
            "{version}: {} bytes in use",
            cost.in_use
        );
        assert!(
            cost.released <= 1024,
            "{version}: {} bytes released",
            cost.released
        );
    }
}

#[test]
fn a_client_connection_costs_at_most_3328_bytes_and_2048_released() {
    for version in [ProtocolVersion::Tls12, ProtocolVersion::Tls13] {
        let cost = cost_of(Side::Client, version);
        assert!(
            cost.in_use <= 3328,
            "{version}: {} bytes in use",
            cost.in_use
        );
        assert!(
            cost.released <= 2048,
            "{version}: {} bytes released",
            cost.released
        );
    }
}

#[test]
fn release_gives_a_full_connection_back_and_it_goes_on() {
    let contexts = Contexts::new();
    for released in [Side::Client, Side::Server] {
        let mut pair = Pair::of(&contexts);
        pair.handshake();
        let bulk = vec![7; 1 << 20];
        assert_eq!(pair.exchange(Side::Client, &bulk), bulk);
        assert_eq!(pair.exchange(Side::Server, &bulk), bulk);
        let freed = measure(|| pair.engine(released).release());
        assert!(freed.bytes_current < -16_384, "{freed:?}");
        assert_eq!(pair.exchange(Side::Client, b"again"), b"again");
        assert_eq!(pair.exchange(Side::Server, b"again"), b"again");
    }
}

#[test]
fn release_keeps_what_still_waits() {
    let mut pair = Pair::of(&Contexts::new());
    pair.handshake();
    assert_eq!(
        pair.engine(Side::Client).write(b"waiting"),
        Ok(Write::Written(7))
    );
    pair.engine(Side::Client).release();
    pair.settle_towards(Side::Server);
    pair.engine(Side::Server).release();
    let mut one = [0];
    assert_eq!(pair.engine(Side::Server).read(&mut one), Ok(Read::Read(1)));
    pair.engine(Side::Server).release();
    let mut rest = [0; 10];
    assert_eq!(pair.engine(Side::Server).read(&mut rest), Ok(Read::Read(6)));
    assert_eq!(&rest[..6], b"aiting");
}

/// Measures one side of a connection.
fn cost_of(side: Side, version: ProtocolVersion) -> Cost {
    let measured = |release: fn(&mut Engine)| {
        // The contexts outlive the connection: what it shares with others is not its own.
        let contexts = Contexts::new().version(version);
        let (client, server) = contexts.build();
        let mut pair = Pair::new(&client, &server, &contexts);
        pair.handshake();
        assert_eq!(pair.exchange(Side::Client, &[1; 100]), [1; 100]);
        assert_eq!(pair.exchange(Side::Server, &[2; 100]), [2; 100]);
        let certificates = certificate_bytes(pair.engine(side));
        release(pair.engine(side));
        let Pair { client, server, .. } = pair;
        let engine = match side {
            Side::Client => client,
            Side::Server => server,
        };
        let freed = measure(|| drop(engine)).bytes_current;
        let heap = usize::try_from(-freed).expect("a drop frees");
        size_of::<Engine>() + heap - certificates
    };
    Cost {
        in_use: measured(|_| {}) + 2 * EXPANDED_KEY,
        released: measured(Engine::release),
    }
}

/// Bytes of the peer's certificates and of the list of them. rustls keeps a copy of its own for a
/// TLS 1.3 client's tickets, as `docs/decisions` tells.
fn certificate_bytes(engine: &Engine) -> usize {
    let negotiated = engine.negotiated().expect("the handshake is complete");
    let chain = negotiated.peer_certificates();
    let bytes = chain
        .iter()
        .map(|certificate| size_of_val(certificate) + certificate.len());
    let bytes: usize = bytes.sum();
    match negotiated.version() {
        ProtocolVersion::Tls12 => bytes,
        ProtocolVersion::Tls13 => 2 * bytes,
    }
}
