//! `offwire demo`, the help, and what is wrong with a command line.

mod support;

use support::{File, offwire, run};

#[test]
fn the_demo_succeeds_and_shows_what_happened() {
    let ran = run(&mut offwire(&["demo"]), b"").expect(0, "");
    let text = ran.text();
    for expected in [
        "TLS 1.3",
        "X25519MLKEM768",
        "offwire-demo",
        "handshake()  NeedWrite",
        "handshake()  Complete",
        "write(14)    Written(14)",
        "read(64)     Read(14)",
        "──▶ handshake",
        "change_cipher_spec 1 ◀──",
        "64 MiB in",
        "MiB/s",
        "Records sealed",
        "67,108,878",
        "Every byte was right, and both sides closed cleanly.",
    ] {
        assert!(text.contains(expected), "no {expected:?} in:\n{text}");
    }
    // No terminal, no progress bar.
    assert_eq!(ran.stderr, "");
}

#[test]
fn the_tables_of_the_demo_are_aligned() {
    let ran = run(&mut offwire(&["demo", "--mebibytes", "1"]), b"").expect(0, "");
    let rungs = ran.text().lines().filter(|line| line.contains('│'));
    for line in rungs {
        let bars: Vec<_> = line
            .chars()
            .enumerate()
            .filter(|(_, c)| *c == '│')
            .map(|(at, _)| at)
            .collect();
        assert_eq!(bars, [27, 72], "{line}");
    }
}

#[test]
fn a_key_log_is_written_and_warned_of() {
    let log = File::new("keys.log", "");
    let mut command = offwire(&["demo", "--mebibytes", "1"]);
    let ran = run(command.env("SSLKEYLOGFILE", log.path()), b"");
    ran.expect(0, "warning: SSLKEYLOGFILE is set");
    let keys = std::fs::read_to_string(log.path()).unwrap();
    assert!(keys.contains("CLIENT_TRAFFIC_SECRET_0"), "{keys}");
}

#[test]
fn exit_codes_are_in_the_help_of_every_command() {
    for args in [
        &["--help"][..],
        &["demo", "--help"],
        &["connect", "-h"],
        &["serve", "--help"],
    ] {
        let ran = run(&mut offwire(args), b"").expect(0, "");
        assert!(ran.text().contains("6  truncation"), "{}", ran.text());
    }
}

#[test]
fn wrong_arguments_have_their_own_exit_code() {
    for args in [
        &["connect"][..],
        &["connect", "localhost"],
        &["connect", "localhost:1", "--tls", "1.1"],
        &["connect", "localhost:1", "--cert", "a.pem"],
        &["connect", "localhost:1", "--server-name", "not a name"],
        &["serve", "--listen", "nowhere"],
        &["demo", "argument"],
    ] {
        run(&mut offwire(args), b"").expect(2, "error:");
    }
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let file = File::new("empty.pem", "no certificate\n");
    let empty = file.text();
    let ran = run(
        &mut offwire(&["connect", "localhost:1", "--ca", &empty]),
        b"",
    );
    ran.expect(1, "empty.pem: there is none in it");
    let ran = run(
        &mut offwire(&["serve", "--cert", &empty, "--key", "/missing.pem"]),
        b"",
    );
    ran.expect(1, "empty.pem");
}

#[test]
fn a_peer_that_cannot_be_reached_has_its_own_exit_code() {
    // Port 1 of loopback: nobody listens there.
    run(&mut offwire(&["connect", "127.0.0.1:1"]), b"").expect(3, "cannot connect to 127.0.0.1:1");
}
