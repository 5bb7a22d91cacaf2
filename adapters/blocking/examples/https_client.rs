//! Prints the page at an address: `https_client --ca FILE https://HOST[:PORT]/path`.
//!
//! FILE holds the certificates to trust, as PEM. What stands here for an HTTP client asks with
//! HTTP/1.0 and understands `Content-Length`.

use core::error::Error;
use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::ExitCode;

use offwire::Client;
use offwire::rustls::pki_types::pem::PemObject;
use offwire::rustls::pki_types::{CertificateDer, ServerName};
use offwire::rustls::{ClientConfig, RootCertStore};
use offwire_blocking::{CloseNotify, TlsStream};

const USAGE: &str = "usage: https_client --ca FILE https://HOST[:PORT]/path";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["--ca", ca, url] | [url, "--ca", ca] => fetch(Path::new(ca), url, &mut io::stdout()),
        _ => Err(USAGE.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("https_client: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Writes the body of the page into `into`.
pub(crate) fn fetch(ca: &Path, url: &str, into: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let url = Url::parse(url).ok_or(USAGE)?;
    let socket = TcpStream::connect((url.host, url.port))?;
    let name = ServerName::try_from(url.host)?.to_owned();
    let mut stream = TlsStream::connect(&client(ca)?, name, socket)?;
    write!(
        stream,
        "GET {} HTTP/1.0\r\nHost: {}\r\nConnection: close\r\n\r\n",
        url.path, url.authority
    )?;
    stream.flush()?;

    let mut answer = BufReader::new(&mut stream);
    let mut status = String::new();
    answer.read_line(&mut status)?;
    let length = content_length(&mut answer)?;
    match length {
        Some(length) => {
            let copied = io::copy(&mut answer.take(length), into)?;
            if copied < length {
                return Err(format!("only {copied} of {length} bytes arrived").into());
            }
        }
        // Without a length only close_notify tells the end from a cut: a cut is an error here.
        None => drop(io::copy(&mut answer, into)?),
    }
    into.flush()?;
    // The page is here; what the server still says does not matter.
    let _ = stream.shutdown(CloseNotify::Ours);
    match status.split(' ').nth(1) {
        Some("200") => Ok(()),
        _ => Err(format!("the server answers {:?}", status.trim_end()).into()),
    }
}

/// A client that trusts the certificates of this file and nobody else.
fn client(ca: &Path) -> Result<Client, Box<dyn Error>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca)? {
        roots.add(certificate?)?;
    }
    let config = ClientConfig::builder().with_root_certificates(roots);
    Ok(Client::new(config.with_no_client_auth()))
}

/// Reads the header up to the empty line; returns the body's length, if it is told.
fn content_length(answer: &mut impl BufRead) -> io::Result<Option<u64>> {
    let mut length = None;
    loop {
        let mut line = String::new();
        answer.read_line(&mut line)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.trim().parse().ok();
            }
            Some(_) => {}
            None if line.trim_end().is_empty() => return Ok(length),
            None => return Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

/// The parts of an address.
struct Url<'a> {
    authority: &'a str,
    host: &'a str,
    port: u16,
    path: &'a str,
}

impl<'a> Url<'a> {
    fn parse(url: &'a str) -> Option<Self> {
        let rest = url.strip_prefix("https://")?;
        let (authority, path) = match rest.find('/') {
            Some(slash) => rest.split_at(slash),
            None => (rest, "/"),
        };
        let (host, port) = match authority.rsplit_once(':') {
            // The last colon of an IPv6 address in brackets is no port's.
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
            _ => (authority, 443),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        (!host.is_empty()).then_some(Self {
            authority,
            host,
            port,
            path,
        })
    }
}
