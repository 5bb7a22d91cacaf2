//! The example `https_client` against a server of ours.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

#[path = "../examples/https_client.rs"]
#[allow(dead_code, reason = "its main is not called here")]
mod https_client;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::{env, fs, process, thread};

use offwire_blocking::{CloseNotify, TlsStream};
use offwire_testkit::{Authority, Contexts};

/// How the server of a test ends a connection.
#[derive(Clone, Copy)]
enum Ending {
    CloseNotify,
    Cut,
}

/// Fetches a page from a server that answers once with these bytes.
fn fetch(path: &str, answer: &'static [u8], ending: Ending) -> (Result<(), String>, Vec<u8>) {
    let (_, server) = Contexts::new().build();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = thread::spawn(move || {
        let socket = listener.accept().unwrap().0;
        let mut stream = TlsStream::accept(&server, socket).unwrap();
        let mut lines = BufReader::new(&mut stream).lines();
        let request = lines.next().unwrap().unwrap();
        while !lines.next().unwrap().unwrap().is_empty() {}
        stream.write_all(answer).unwrap();
        match ending {
            Ending::CloseNotify => drop(stream.shutdown(CloseNotify::Ours).unwrap()),
            Ending::Cut => {}
        }
        request
    });
    let ca = authority();
    let mut page = Vec::new();
    let url = format!("https://127.0.0.1:{port}{path}");
    let fetched = https_client::fetch(&ca, &url, &mut page).map_err(|error| error.to_string());
    let expected = if path.is_empty() { "/" } else { path };
    assert_eq!(serving.join().unwrap(), format!("GET {expected} HTTP/1.0"));
    fs::remove_file(ca).unwrap();
    (fetched, page)
}

/// A file of its own with the certificate to trust.
fn authority() -> PathBuf {
    let thread = thread::current();
    let name = thread.name().unwrap_or("main").to_owned();
    let ca = env::temp_dir().join(format!("offwire-blocking-{}-{name}.pem", process::id()));
    fs::write(&ca, Authority::shared().pem()).unwrap();
    ca
}

#[test]
fn a_page_with_a_length_is_printed() {
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more";
    let (fetched, page) = fetch("/page?x=1", answer, Ending::CloseNotify);
    assert_eq!(fetched, Ok(()));
    assert_eq!(page, b"hello");
}

#[test]
fn a_page_without_a_length_ends_with_close_notify() {
    let answer = b"HTTP/1.0 200 OK\r\nServer: test\r\n\r\nto the end";
    let (fetched, page) = fetch("", answer, Ending::CloseNotify);
    assert_eq!(fetched, Ok(()));
    assert_eq!(page, b"to the end");
}

#[test]
fn a_page_that_is_cut_off_is_an_error() {
    let answer = b"HTTP/1.0 200 OK\r\n\r\nto the e";
    let (fetched, _) = fetch("/", answer, Ending::Cut);
    assert!(fetched.unwrap_err().contains("close_notify"));
}

#[test]
fn a_status_that_is_no_success_is_told() {
    let answer = b"HTTP/1.0 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    let (fetched, _) = fetch("/nothing", answer, Ending::CloseNotify);
    assert!(fetched.unwrap_err().contains("404 Not Found"));
}
