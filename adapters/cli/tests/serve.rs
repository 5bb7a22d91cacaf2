//! `offwire serve`: HTTP, peers that misbehave, and its end.

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;

use support::{Content, File, Server, offwire, responses, run};

const GET: &[u8] = b"GET /<page> HTTP/1.1\r\nHost: localhost\r\n\r\n";

#[test]
fn http_shows_the_connection_and_keeps_it() {
    let server = Server::start(&["--http"]);
    for (version, line) in [("1.2", "TLS 1.2"), ("1.3", "TLS 1.3")] {
        let args = ["--tls", version, "--alpn", "h2,http/1.1"];
        let ran = server
            .connect(&args, &[GET, GET].concat())
            .expect(0, "ALPN http/1.1");
        let responses = responses(&ran.stdout, Content::Sent);
        assert_eq!(responses.len(), 2);
        for (head, content) in &responses {
            assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
            assert!(head.contains("Connection: keep-alive\r\n"), "{head}");
            assert!(content.starts_with("<!DOCTYPE html>"), "{content}");
            assert!(content.ends_with("</html>\n"), "{content}");
            assert!(
                content.contains(line) && content.contains("localhost"),
                "{content}"
            );
            assert!(content.contains("GET /&lt;page&gt; HTTP/1.1"), "{content}");
        }
    }
}

#[test]
fn http_answers_head_without_content_and_bodies_are_skipped() {
    let server = Server::start(&["--http"]);
    let head = b"HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let ran = server
        .connect(&[], &[&head[..], head].concat())
        .expect(0, "");
    assert_eq!(responses(&ran.stdout, Content::Omitted).len(), 2);

    let post = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n12345";
    let ran = server
        .connect(&[], &[&post[..], GET].concat())
        .expect(0, "");
    assert_eq!(responses(&ran.stdout, Content::Sent).len(), 2);
}

#[test]
fn http_answers_requests_that_begin_in_early_data() {
    let server = Server::start(&["--http", "--early-data", "1000"]);
    let (begun, rest) = GET.split_at(7);
    let text = core::str::from_utf8(GET).unwrap();
    let file = File::new(
        "early-request.txt",
        format!("{text}{}", begun.escape_ascii()),
    );
    let path = file.text();
    let early = ["--tls", "1.3", "--reconnect", "1", "--early-data", &path];
    let ran = server.connect(&early, rest).expect(0, "written, accepted");
    assert_eq!(responses(&ran.stdout, Content::Sent).len(), 2, "{ran:?}");
}

#[test]
fn http_refuses_what_is_no_request_and_closes() {
    let server = Server::start(&["--http"]);
    for (request, status) in [
        (&b"nonsense\r\n\r\n"[..], "HTTP/1.1 400 Bad Request"),
        (
            b"PRI * HTTP/2.0\r\n\r\n",
            "HTTP/1.1 505 HTTP Version Not Supported",
        ),
        (
            &[b'a'; 20_000],
            "HTTP/1.1 431 Request Header Fields Too Large",
        ),
        (b"GET / HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK"),
    ] {
        let ran = server.connect(&[], &[request, GET].concat());
        let responses = responses(&ran.stdout, Content::Sent);
        assert_eq!(responses.len(), 1, "{ran:?}");
        assert!(responses[0].0.starts_with(status), "{}", responses[0].0);
        assert!(
            responses[0].0.contains("Connection: close\r\n"),
            "{}",
            responses[0].0
        );
    }
}

#[test]
fn alpn_without_a_common_protocol_is_refused() {
    let server = Server::start(&["--http"]);
    server
        .connect(&["--alpn", "h2"], b"")
        .expect(5, "no_application_protocol");
}

#[test]
fn bad_peers_do_not_stop_the_server() {
    let server = Server::start(&[]);
    let silent = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    for junk in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &[0; 100],
        &[22, 3, 1, 0xff, 0xff],
        &[22],
        b"",
    ] {
        let mut socket = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
        socket.write_all(junk).unwrap();
        socket.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).unwrap();
        // An alert or nothing.
        assert!(matches!(answer.first(), None | Some(21)), "{answer:?}");
    }
    assert_eq!(
        server.connect(&[], b"still here").expect(0, "").text(),
        "still here"
    );
    drop(silent);
}

#[test]
#[cfg(unix)]
fn a_key_log_is_written_and_warned_of() {
    let log = File::new("keys.log", "");
    let server = Server::start_with(&[], |command| {
        command.env("SSLKEYLOGFILE", log.path());
    });
    server.connect(&[], b"hello").expect(0, "");
    server
        .interrupt()
        .expect(0, "warning: SSLKEYLOGFILE is set");
    let keys = std::fs::read_to_string(log.path()).unwrap();
    assert!(keys.contains("CLIENT_TRAFFIC_SECRET_0"), "{keys}");
}

#[test]
#[cfg(unix)]
fn sigint_closes_every_connection_and_ends_the_server() {
    let server = Server::start(&[]);
    let certificate = server.certificate();
    let args = [
        "connect",
        &server.address(),
        "--ca",
        certificate.to_str().unwrap(),
    ];
    let mut client = offwire(&args).spawn().unwrap();
    // Its input stays open; the server ends the connection.
    let mut stdin = client.stdin.take().unwrap();
    stdin.write_all(b"hello").unwrap();
    let mut echoed = [0; 5];
    client
        .stdout
        .as_mut()
        .unwrap()
        .read_exact(&mut echoed)
        .unwrap();
    assert_eq!(&echoed, b"hello");
    let silent = TcpStream::connect(("127.0.0.1", server.port)).unwrap();

    let ran = server.interrupt().expect(0, "stopped after");
    assert!(
        ran.stderr.contains("closed cleanly: 5 bytes echoed"),
        "{}",
        ran.stderr
    );
    let output = client.wait_with_output().unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    drop((stdin, silent));
}

#[test]
fn an_address_in_use_is_an_error() {
    let server = Server::start(&[]);
    let address = format!("127.0.0.1:{}", server.port);
    run(&mut offwire(&["serve", "--listen", &address]), b"")
        .expect(3, "cannot listen on 127.0.0.1");
}
