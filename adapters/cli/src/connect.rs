//! `offwire connect`: reaches the server, shakes hands, resumes if asked to, then hands over to the
//! two directions.

use core::time::Duration;
use std::fs;
use std::io::ErrorKind;
use std::net::{Shutdown, TcpStream};
use std::time::Instant;

use offwire::rustls::pki_types::ServerName;
use offwire::{Client, Completion, EarlyDataStatus, Read};
use offwire_stream::Stream;

use crate::args::{Connect, server_name};
use crate::duplex;
use crate::exit::{Failure, local};
use crate::facts;
use crate::ladder::Tracer;
use crate::session::{Early, Session};
use crate::show;
use crate::terminal::{counted, note};
use crate::tls_config;
use crate::wire::Wire;

/// How long a connection that is made for its ticket alone waits for the server to close.
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) fn run(args: &Connect) -> Result<(), Failure> {
    let client = tls_config::client(args)?;
    let name = match &args.server_name {
        Some(name) => name.clone(),
        None => server_name(&args.address.host).map_err(Failure::Local)?,
    };
    for _ in 0..args.reconnect {
        fetch_ticket(args, &client, name.clone())?;
    }
    let first = match &args.early_data {
        Some(file) => {
            let attempt = format!("cannot read {}", file.display());
            fs::read(file).map_err(local(&attempt))?
        }
        None => Vec::new(),
    };
    let (session, socket, early) = open(args, &client, name, &first)?;
    if let Some(material) = show::keying_material(session.engine(), &args.export) {
        note(format_args!("{}", material?));
    }
    if args.show {
        show::connection(session.engine(), args);
    }
    let rest = first.get(early..).unwrap_or_default();
    let (session, end) = duplex::run(session, &socket, rest.to_vec());
    if args.show {
        show::counters(session.engine());
    }
    end
}

/// Connects, offers `first` as early data and shakes hands. Returns also how much of it the server
/// has accepted.
fn open(
    args: &Connect,
    client: &Client,
    name: ServerName<'static>,
    first: &[u8],
) -> Result<(Session, TcpStream, usize), Failure> {
    let address = &args.address;
    let unreachable = |error| Failure::Unreachable(format!("cannot connect to {address}: {error}"));
    let socket = TcpStream::connect((address.host.as_str(), address.port)).map_err(unreachable)?;
    socket
        .set_nodelay(true)
        .map_err(local("cannot set up the socket"))?;

    let tracer = match args.trace {
        true => Tracer::Live(Instant::now()),
        false => Tracer::Off,
    };
    let settings = client.settings().completion(Completion::Sent);
    let engine = client.clone().with_settings(settings).connect(name)?;
    let mut session = Session::new(engine, tracer);
    let mut wire = Wire::new(&socket).map_err(local("cannot set up the socket"))?;
    let early = send_early(&mut session, &mut wire, first)?;
    wire.drive(&mut session, Session::handshake)?;
    wire.finish().map_err(local("cannot set up the socket"))?;
    let accepted = early.saturating_sub(session.rejected_early_data());
    if let Some(negotiated) = session.engine().negotiated() {
        note(format_args!(
            "connected to {address}: {}",
            facts::line(negotiated)
        ));
    }
    if !first.is_empty() {
        note(format_args!(
            "early data: {} of {} written, {}",
            counted(early as u64, "byte"),
            first.len(),
            match session.engine().early_data() {
                EarlyDataStatus::NotOffered => "since no session permits it",
                EarlyDataStatus::Offered => "the answer is not known",
                EarlyDataStatus::Accepted => "accepted",
                EarlyDataStatus::Rejected => "rejected: they are written again",
            }
        ));
    }
    Ok((session, socket, accepted))
}

/// Writes as much of `first` as goes as early data.
fn send_early(session: &mut Session, wire: &mut Wire<'_>, first: &[u8]) -> Result<usize, Failure> {
    let mut written = 0;
    while let Some(rest @ [_, ..]) = first.get(written..) {
        match wire.drive(session, |session| session.write_early_data(rest))? {
            Early::Open(n) => written += n,
            Early::Ended(n) => return Ok(written + n),
        }
    }
    Ok(written)
}

/// Holds a connection without data, so that the server can hand out its session tickets.
fn fetch_ticket(args: &Connect, client: &Client, name: ServerName<'static>) -> Result<(), Failure> {
    let (session, socket, _) = open(args, client, name, &[])?;
    socket
        .set_read_timeout(Some(PATIENCE))
        .map_err(local("cannot set up the socket"))?;
    let queued = |_| Failure::Local("the engine runs under the wrong settings".into());
    let mut stream = Stream::from_parts(session.into_engine(), &socket).map_err(queued)?;
    // The tickets of TLS 1.3 come behind the handshake: what the server sends until it has seen
    // our close_notify includes them.
    let _ = stream.shutdown()?;
    let mut plaintext = [0; 4_096];
    loop {
        match stream.read(&mut plaintext) {
            Ok(Read::Read(_)) => {}
            // A server that does not close, or not cleanly: what it had to give has arrived.
            Ok(Read::Closed | Read::Truncated | Read::NeedRead | Read::NeedWrite) => break,
            Err(offwire_stream::Error::Transport(error)) if is_end(error.kind()) => break,
            Err(error) => return Err(error.into()),
        }
    }
    let _ = socket.shutdown(Shutdown::Both);
    Ok(())
}

fn is_end(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::TimedOut | ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted
    )
}
