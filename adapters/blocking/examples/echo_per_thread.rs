//! Sends back what it receives: `echo_per_thread --cert FILE --key FILE ADDRESS:PORT`.
//!
//! A thread for each connection, and two halves of it for `io::copy`.

use core::error::Error;
use std::env;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread;

use offwire::Server;
use offwire::rustls::ServerConfig;
use offwire::rustls::pki_types::pem::PemObject;
use offwire::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use offwire_blocking::TlsStream;

const USAGE: &str = "usage: echo_per_thread --cert FILE --key FILE ADDRESS:PORT";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ended = match arguments.as_slice() {
        ["--cert", cert, "--key", key, address] => serve(cert, key, address),
        _ => Err(USAGE.into()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("echo_per_thread: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(cert: &str, key: &str, address: &str) -> Result<(), Box<dyn Error>> {
    let chain = CertificateDer::pem_file_iter(cert)?.collect::<Result<Vec<_>, _>>()?;
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::from_pem_file(key)?)?;
    let server = Server::new(config);
    let listener = TcpListener::bind(address)?;
    eprintln!("listening on {}", listener.local_addr()?);
    for socket in listener.incoming() {
        let (server, socket) = (server.clone(), socket?);
        thread::spawn(move || {
            if let Err(error) = echo(&server, socket) {
                eprintln!("a connection failed: {error}");
            }
        });
    }
    Ok(())
}

/// Serves one connection until the client closes its half, then closes ours.
fn echo(server: &Server, socket: TcpStream) -> io::Result<()> {
    let (mut reader, mut writer) = TlsStream::accept(server, socket)?.split()?;
    io::copy(&mut reader, &mut writer)?;
    writer.shutdown()
}
