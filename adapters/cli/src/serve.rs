//! `offwire serve`: a thread a connection, which echoes or speaks HTTP, until SIGINT.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::time::Duration;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::thread;

use offwire::{EarlyDataStatus, Handshake, Read, ReadEarlyData, Server, Shutdown, Write};
use offwire_stream::Stream;

use crate::args::{Export, Serve};
use crate::exit::{Failure, local};
use crate::facts;
use crate::http;
use crate::identity::Identity;
use crate::session::PLAINTEXT;
use crate::show;
use crate::socket::{Limit, Socket};
use crate::stop::{Admission, Connections, Phase};
use crate::terminal::{counted, note, say};
use crate::tls_config;

/// How long a peer may take for its handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How long open connections may take to end once the server is stopping.
const GOODBYE: Duration = Duration::from_secs(3);

/// How long to wait before the next `accept` when the system is out of descriptors or memory.
const RELIEF: Duration = Duration::from_millis(100);

/// What the server does with a connection.
#[derive(Clone, Copy, Debug)]
enum Service {
    Echo,
    Http,
}

/// What all connections have in common.
#[derive(Clone, Debug)]
struct Site {
    server: Server,
    service: Service,
    export: Export,
}

pub(crate) fn run(args: &Serve) -> Result<(), Failure> {
    let server = tls_config::server(args, identity(args)?)?;
    let unreachable =
        |error| Failure::Unreachable(format!("cannot listen on {}: {error}", args.listen));
    let listener = TcpListener::bind(args.listen).map_err(unreachable)?;
    let address = listener.local_addr().map_err(unreachable)?;
    let connections = Connections::default();
    stop_on_signal(&connections, address)?;
    say(&format!("listening on {address}\n"))?;

    let service = if args.http {
        Service::Http
    } else {
        Service::Echo
    };
    let export = args.export.clone();
    let site = Site {
        server,
        service,
        export,
    };
    accept(&listener, &connections, &site);
    drop(listener);
    connections.wait(GOODBYE);
    note(format_args!(
        "stopped after {}",
        counted(connections.admitted(), "connection")
    ));
    Ok(())
}

/// From files, or made on the spot.
fn identity(args: &Serve) -> Result<Identity, Failure> {
    if let (Some(cert), Some(key)) = (&args.cert, &args.key) {
        return Identity::from_files(cert, key);
    }
    let (identity, pem) = Identity::make()?;
    match &args.cert_out {
        Some(file) => write_certificate(file, &pem)?,
        None => note(format_args!(
            "made a certificate for localhost; --cert-out FILE writes it where clients find it"
        )),
    }
    Ok(identity)
}

fn write_certificate(file: &Path, pem: &str) -> Result<(), Failure> {
    let attempt = format!("cannot write the certificate to {}", file.display());
    fs::write(file, pem).map_err(local(&attempt))?;
    note(format_args!(
        "made a certificate for localhost, written to {}",
        file.display()
    ));
    Ok(())
}

/// Lets SIGINT stop the connections, then the loop that accepts them.
fn stop_on_signal(connections: &Connections, listening: SocketAddr) -> Result<(), Failure> {
    let connections = connections.clone();
    let wake = SocketAddr::new(reachable(listening.ip()), listening.port());
    let stop = move || {
        connections.stop();
        // Nothing but a connection ends a blocked `accept`.
        drop(TcpStream::connect(wake));
    };
    ctrlc::set_handler(stop).map_err(local("cannot handle SIGINT"))
}

/// The address under which a listener of this address is reached from here.
fn reachable(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        IpAddr::V4(_) | IpAddr::V6(_) => ip,
    }
}

/// Serves each connection in a thread of its own. Nothing a peer does ends the loop.
fn accept(listener: &TcpListener, connections: &Connections, site: &Site) {
    loop {
        let accepted = listener.accept();
        if connections.phase() == Phase::Stopping {
            return;
        }
        let started = accepted.and_then(|(socket, peer)| {
            let Some(admission) = connections.admit(&socket) else {
                return Ok(());
            };
            let site = site.clone();
            let serve = move || serve(&site, socket, peer, &admission);
            thread::Builder::new()
                .name(peer.to_string())
                .spawn(serve)
                .map(drop)
        });
        if let Err(error) = started {
            note(format_args!("cannot take a connection: {error}"));
            thread::sleep(RELIEF);
        }
    }
}

/// Serves one connection to its end and says how it went.
fn serve(site: &Site, socket: TcpStream, peer: SocketAddr, admission: &Admission) {
    let number = admission.number();
    let _ = socket.set_nodelay(true);
    let socket = Socket::new(socket, Limit::within(HANDSHAKE));
    let mut stream = Stream::accept(&site.server, socket);
    let result = early_data(&mut stream, number).and_then(|early| {
        handshake(&mut stream, number, peer)?;
        // Keying material that this peer cannot give is no reason not to serve it.
        match show::keying_material(stream.engine(), &site.export) {
            None => {}
            Some(Ok(material)) => note(format_args!("[{number}] {material}")),
            Some(Err(failure)) => {
                let message = failure.message().unwrap_or_default();
                note(format_args!("[{number}] {message}"));
            }
        }
        match site.service {
            Service::Echo => echo(&mut stream, &early, admission),
            Service::Http => http::serve(&mut stream, peer, early, admission),
        }
    });
    match result {
        Ok(summary) => note(format_args!("[{number}] closed cleanly: {summary}")),
        Err(failure) => {
            let message = failure.message().unwrap_or_default();
            note(format_args!("[{number}] {peer}: {message}"));
        }
    }
    let _ = stream.transport_mut().linger();
}

/// Reads early data, of which there is no more than was permitted.
fn early_data(stream: &mut Stream<Socket>, number: u64) -> Result<Vec<u8>, Failure> {
    let mut early = Vec::new();
    let mut plaintext = vec![0; PLAINTEXT];
    loop {
        match stream.read_early_data(&mut plaintext)? {
            ReadEarlyData::Read(n) => early.extend(plaintext.get(..n).unwrap_or_default()),
            ReadEarlyData::NeedRead | ReadEarlyData::NeedWrite => {}
            ReadEarlyData::Ended => break,
        }
    }
    match stream.engine().early_data() {
        EarlyDataStatus::NotOffered | EarlyDataStatus::Offered => {}
        EarlyDataStatus::Accepted => note(format_args!(
            "[{number}] early data: {} accepted, which may be a replay",
            counted(early.len() as u64, "byte")
        )),
        EarlyDataStatus::Rejected => note(format_args!("[{number}] early data: rejected")),
    }
    Ok(early)
}

fn handshake(stream: &mut Stream<Socket>, number: u64, peer: SocketAddr) -> Result<(), Failure> {
    while stream.handshake()? != Handshake::Complete {}
    if let Some(negotiated) = stream.engine().negotiated() {
        let proven = match negotiated.peer_certificates() {
            [] => "",
            _ => ", client certificate",
        };
        note(format_args!(
            "[{number}] {peer}: {}{proven}",
            facts::line(negotiated)
        ));
    }
    Ok(())
}

/// Sends every byte back, the early ones first, until the peer has closed its half.
fn echo(
    stream: &mut Stream<Socket>,
    early: &[u8],
    admission: &Admission,
) -> Result<String, Failure> {
    stream
        .transport_mut()
        .set_limit(Limit::None)
        .map_err(crate::exit::broken)?;
    let mut plaintext = vec![0; PLAINTEXT];
    write(stream, early)?;
    let mut echoed = early.len() as u64;
    loop {
        match stream.read(&mut plaintext)? {
            Read::Read(n) => {
                write(stream, plaintext.get(..n).unwrap_or_default())?;
                echoed += n as u64;
            }
            Read::NeedRead | Read::NeedWrite => {}
            Read::Closed => break,
            Read::Truncated if admission.phase() == Phase::Stopping => break,
            Read::Truncated => return Err(Failure::truncated()),
        }
    }
    close(stream)?;
    Ok(format!("{} echoed", counted(echoed, "byte")))
}

/// Writes all of it, on a socket that blocks.
pub(crate) fn write(stream: &mut Stream<Socket>, plaintext: &[u8]) -> Result<(), Failure> {
    loop {
        match stream.write(plaintext)? {
            Write::Written(_) => return Ok(()),
            Write::NeedRead | Write::NeedWrite => {}
        }
    }
}

/// Sends our close_notify, on a socket that blocks.
pub(crate) fn close(stream: &mut Stream<Socket>) -> Result<(), Failure> {
    loop {
        match stream.shutdown()? {
            Shutdown::Sent | Shutdown::Complete | Shutdown::Truncated => return Ok(()),
            Shutdown::NeedWrite => {}
        }
    }
}
