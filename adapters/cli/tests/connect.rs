//! `offwire connect` and `offwire serve` with each other.

mod support;

use std::net::TcpListener;
use std::thread;

use offwire_stream::Stream;
use offwire_testkit::{Authority, Contexts, Identity, Kind};

use support::{File, Server, offwire, run};

#[test]
fn bytes_are_echoed_in_both_versions() {
    let server = Server::start(&[]);
    for (version, line) in [("1.2", "TLS 1.2"), ("1.3", "TLS 1.3")] {
        let ran = server
            .connect(&["--tls", version], b"hello\n")
            .expect(0, line);
        assert_eq!(ran.text(), "hello\n");
        server.connect(&["--tls", version], b"").expect(0, line);
    }
}

#[test]
fn megabytes_cross_both_ways_at_once() {
    let server = Server::start(&[]);
    let input: Vec<u8> = (0..8_000_000_u32).flat_map(u32::to_le_bytes).collect();
    for version in ["1.2", "1.3"] {
        let ran = server.connect(&["--tls", version], &input).expect(0, "");
        assert!(ran.stdout == input, "{} bytes came back", ran.stdout.len());
    }
}

#[test]
fn everything_is_shown_on_request() {
    let server = Server::start(&[]);
    for version in ["1.2", "1.3"] {
        let shown = server.connect(&["--tls", version, "--show"], b"hello\n");
        let shown = shown.expect(0, "Certificate 1 of 1");
        assert_eq!(shown.text(), "hello\n", "nothing of it is on stdout");
        for line in [
            &format!("    Protocol                        TLS {version}\n"),
            "    Names                           localhost",
            "    Key                             elliptic curve, 256 bits\n",
            "    Early data                      not offered\n",
            "    Encrypted Client Hello          not offered\n",
            "    Plaintext sealed, bytes         6\n",
            "    Plaintext opened, bytes         6\n",
        ] {
            assert!(
                shown.stderr.contains(line),
                "no {line:?} in {}",
                shown.stderr
            );
        }
    }
}

#[test]
fn keying_material_is_exported_on_request() {
    let server = Server::start(&[]);
    let args = ["--keymatexport", "EXPORTER-x", "--keymatexportlen", "7"];
    let shown = server
        .connect(&args, b"")
        .expect(0, "    Label: 'EXPORTER-x'\n");
    let (_, material) = shown.stderr.split_once("    Keying material: ").unwrap();
    let digits = material.lines().next().unwrap();
    assert_eq!(digits.len(), 14);
    assert!(digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
    // The server says the same of the same connection.
    let server = Server::start(&args);
    let shown = server.connect(&args, b"").expect(0, "");
    let (_, material) = shown
        .stderr
        .split_once("Keying material exporter:")
        .unwrap();
    let ours = format!("[1] Keying material exporter:{material}");
    server.interrupt().expect(0, &ours);
    let server = Server::start(&["--keymatexport", "master secret"]);
    assert_eq!(server.connect(&[], b"hello").expect(0, "").text(), "hello");
    server
        .connect(&["--keymatexport", "master secret"], b"")
        .expect(1, "is not one of TLS's own");
    server
        .connect(&["--keymatexportlen", "7"], b"")
        .expect(2, "--keymatexport");
    let endless = ["--keymatexport", "EXPORTER-x", "--keymatexportlen", "8161"];
    server.connect(&endless, b"").expect(2, "8161 is not in");
    let longest = ["--keymatexport", "EXPORTER-x", "--keymatexportlen", "8160"];
    server
        .connect(&longest, b"")
        .expect(0, "    Length: 8160 bytes\n");
}

#[test]
fn a_server_without_ech_is_not_talked_to() {
    let server = Server::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ech.bin");
    let path = file.to_str().unwrap();
    std::fs::write(&file, b"no list").unwrap();
    server
        .connect(&["--ech", path], b"")
        .expect(1, "cannot use the ECHConfigList");
    std::fs::write(&file, ech_config()).unwrap();
    server
        .connect(&["--ech", path], b"secret\n")
        .expect(5, "ServerRejectedEncryptedClientHello");
}

/// An ECHConfigList with the public name `localhost` and X25519's base point as its key.
fn ech_config() -> Vec<u8> {
    let vector = |bytes: &[u8]| {
        let length = u16::try_from(bytes.len()).expect("short").to_be_bytes();
        [&length, bytes].concat()
    };
    let mut key = [0; 32];
    key[0] = 9;
    let contents = [
        &[7, 0x00, 0x20][..],
        &vector(&key),
        &vector(&[0, 1, 0, 1]),
        &[64, 9],
        b"localhost",
        &[0, 0],
    ];
    vector(&[&[0xfe, 0x0d][..], &vector(&contents.concat())].concat())
}

#[test]
fn many_connections_are_served_at_once() {
    let server = Server::start(&[]);
    // Each stays open until its input ends, and none may wait for another.
    let open: Vec<_> = (0..20)
        .map(|_| {
            let certificate = server.certificate();
            let args = [
                "connect",
                &server.address(),
                "--ca",
                certificate.to_str().unwrap(),
            ];
            offwire(&args).spawn().unwrap()
        })
        .collect();
    assert_eq!(
        server.connect(&[], b"in between").expect(0, "").text(),
        "in between"
    );
    for child in open {
        let output = child.wait_with_output().unwrap(); // drops its stdin first
        assert!(output.status.success());
    }
}

#[test]
fn sessions_are_resumed() {
    let server = Server::start(&[]);
    for version in ["1.2", "1.3"] {
        let ran = server
            .connect(&["--tls", version, "--reconnect", "2"], b"last")
            .expect(0, "");
        assert_eq!(ran.text(), "last");
        let kinds: Vec<_> = ran
            .stderr
            .lines()
            .map(|line| line.rsplit(", ").next().unwrap())
            .collect();
        assert_eq!(kinds, ["full", "resumed", "resumed"]);
    }
}

#[test]
fn the_trace_shows_calls_and_records() {
    let server = Server::start(&[]);
    let ran = server
        .connect(&["--tls", "1.3", "--trace"], b"hello")
        .expect(0, "");
    for expected in [
        "handshake()    NeedRead",
        "──▶ handshake ",
        "◀── change_cipher_spec 1",
        "handshake()    Complete",
        "write(5)       Written(5)",
        "──▶ application_data 22",
        "◀── application_data 22",
        "Read(5)",
        "shutdown()     NeedWrite",
        "Closed",
    ] {
        assert!(
            ran.stderr.contains(expected),
            "no {expected:?} in:\n{}",
            ran.stderr
        );
    }
}

#[test]
fn certificates_are_verified() {
    let (server, other) = (Server::start(&[]), Server::start(&[]));
    let ran = server.connect_trusting(&other.certificate(), &[], b"secret");
    ran.expect(
        4,
        "certificate refused: the peer's certificate was issued by nobody trusted here",
    );
    let ran = server.connect(&["--server-name", "example.org"], b"secret");
    ran.expect(4, "not valid for the server's name");
    let ran = run(&mut offwire(&["connect", &server.address()]), b"secret");
    // With the system's roots, or on a system without any.
    assert!(matches!(ran.code, Some(4 | 1)), "{ran:?}");
    // The address is in the certificate, too.
    let (address, ca) = (format!("127.0.0.1:{}", server.port), server.certificate());
    let ca = ca.to_str().unwrap();
    run(&mut offwire(&["connect", &address, "--ca", ca]), b"").expect(0, "");
}

#[test]
fn files_identify_the_server() {
    let identity = Identity::server(Kind::EcdsaP256);
    let cert = File::new("cert.pem", identity.chain_pem());
    let key = File::new("key.pem", identity.key_pem());
    let ca = File::new("ca.pem", Authority::shared().pem());
    let server = Server::start(&["--cert", &cert.text(), "--key", &key.text()]);
    let ran = server.connect_trusting(&ca.path(), &["--server-name", "server.test"], b"hello");
    assert_eq!(ran.expect(0, "").text(), "hello");
}

#[test]
fn clients_are_asked_for_certificates() {
    let ca = File::new("ca.pem", Authority::shared().pem());
    let server = Server::start(&["--client-ca", &ca.text()]);
    let identity = Identity::client(Kind::EcdsaP256);
    let cert = File::new("cert.pem", identity.chain_pem());
    let key = File::new("key.pem", identity.key_pem());
    for version in ["1.2", "1.3"] {
        let args = [
            "--tls",
            version,
            "--cert",
            &cert.text(),
            "--key",
            &key.text(),
        ];
        assert_eq!(
            server.connect(&args, b"known").expect(0, "").text(),
            "known"
        );
        server
            .connect(&["--tls", version], b"unknown")
            .expect(5, "fatal alert");
    }
}

#[test]
fn a_key_log_is_written_and_warned_of() {
    let server = Server::start(&[]);
    let (log, certificate) = (File::new("keys.log", ""), server.certificate());
    let args = [
        "connect",
        &server.address(),
        "--ca",
        certificate.to_str().unwrap(),
    ];
    let ran = run(offwire(&args).env("SSLKEYLOGFILE", log.path()), b"hello");
    ran.expect(0, "warning: SSLKEYLOGFILE is set");
    let keys = std::fs::read_to_string(log.path()).unwrap();
    assert!(keys.contains("SERVER_TRAFFIC_SECRET_0"), "{keys}");
}

#[test]
fn truncation_has_its_own_exit_code() {
    for version in [
        offwire::ProtocolVersion::Tls12,
        offwire::ProtocolVersion::Tls13,
    ] {
        let contexts = Contexts::new().version(version);
        let (_, server) = contexts.build();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("localhost:{}", listener.local_addr().unwrap().port());
        let rude = thread::spawn(move || {
            let mut stream = Stream::accept(&server, listener.accept().unwrap().0);
            let _ = stream.read(&mut [0; 64]).unwrap();
            let _ = stream.write(b"half of i").unwrap();
            // Swallows the client's close_notify; the socket then ends without one of ours.
            while stream.read(&mut [0; 64]).unwrap() != offwire::Read::Closed {}
        });
        let ca = File::new("ca.pem", Authority::shared().pem());
        let ran = run(
            &mut offwire(&["connect", &address, "--ca", &ca.text()]),
            b"please",
        );
        assert_eq!(ran.expect(6, "truncated").text(), "half of i");
        rude.join().unwrap();
    }
}

#[test]
fn a_server_that_speaks_no_tls_is_an_error_of_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let other = thread::spawn(move || {
        let mut socket = listener.accept().unwrap().0;
        std::io::Write::write_all(&mut socket, b"SSH-2.0-OpenSSH\r\n").unwrap();
        std::io::copy(&mut socket, &mut std::io::sink()).unwrap();
    });
    run(&mut offwire(&["connect", &address]), b"").expect(5, "TLS failed");
    other.join().unwrap();
}
