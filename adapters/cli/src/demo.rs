//! `offwire demo`: a client and a server over loopback, and what the engine did meanwhile.

use core::fmt::Write as _;
use core::net::Ipv4Addr;
use std::net::{TcpListener, TcpStream};
use std::thread;

use indicatif::ProgressBar;
use offwire::rustls::pki_types::ServerName;
use offwire::{Client, Completion, Engine, Negotiated, Server, Settings, Stats};
use offwire_stream::Stream;

use crate::args::Demo;
use crate::exit::{Failure, local};
use crate::facts;
use crate::identity::Identity;
use crate::ladder::{Notes, Side, Tracer};
use crate::session::{Session, drive};
use crate::terminal::say;
use crate::tls_config::{demo_client, demo_server};
use crate::transfer::{Connection, Received, close, expect_closed, progress, receive, send};

/// The first bytes each way, before the bulk.
const FROM_CLIENT: &[u8] = b"Hello, server.";
const FROM_SERVER: &[u8] = b"Hello, client.";

/// What one end has to report.
struct Report {
    negotiated: Negotiated,
    stats: Stats,
    sent_sha256: String,
    received: Received,
}

/// What both ends need.
struct Plan {
    notes: Notes,
    mebibytes: u64,
    progress: ProgressBar,
}

pub(crate) fn run(args: &Demo) -> Result<(), Failure> {
    let (client, server) = contexts()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(unreachable)?;
    let address = listener.local_addr().map_err(unreachable)?;
    // The connection waits in the listener's queue until it is accepted.
    let near = TcpStream::connect(address).map_err(unreachable)?;
    let (far, _) = listener.accept().map_err(unreachable)?;
    for socket in [&near, &far] {
        socket
            .set_nodelay(true)
            .map_err(local("cannot set up the socket"))?;
    }
    say(&format!("A client and a server over TCP on {address}\n\n"))?;

    let plan = Plan {
        notes: Notes::default(),
        mebibytes: args.mebibytes,
        progress: progress(args.mebibytes << 21),
    };
    let (client, server) = thread::scope(|scope| {
        let server = scope.spawn(|| serve(&server, far, &plan));
        let client = connect(&client, near, &plan);
        let gone = || Err(Failure::Local("the server's thread ended".into()));
        (client, server.join().unwrap_or_else(|_| gone()))
    });
    plan.progress.finish_and_clear();
    say(&format!(
        "The first calls, their outcomes, and the records that crossed (type, bytes)\n{}\n",
        plan.notes
    ))?;
    let (client, server) = both(client, server)?;
    say(&tables(&client, &server)?)?;
    verify("client", &client, &server)?;
    verify("server", &server, &client)?;
    say("Every byte was right, and both sides closed cleanly.\n")
}

/// A certificate made on the spot, a server that has it and a client that trusts it.
fn contexts() -> Result<(Client, Server), Failure> {
    let (identity, _) = Identity::make()?;
    let trusted = identity.chain.first().cloned();
    let trusted = trusted.ok_or_else(|| Failure::Local("no certificate was made".into()))?;
    let settings = Settings::default().completion(Completion::Sent);
    let client = demo_client(trusted)?.with_settings(settings);
    Ok((client, demo_server(identity)?.with_settings(settings)))
}

fn connect(client: &Client, socket: TcpStream, plan: &Plan) -> Result<Report, Failure> {
    let name = ServerName::try_from("localhost").map_err(local("cannot name the server"))?;
    let engine = client.connect(name)?;
    let mut session = Session::new(engine, Tracer::Noted(Side::Client, plan.notes.clone()));
    drive(&mut session, &socket, Session::handshake)?;
    drive(&mut session, &socket, |session| session.write(FROM_CLIENT))?;
    expect(&mut session, &socket, FROM_SERVER)?;

    let mut connection = stream(session.into_engine(), &socket)?;
    let sent_sha256 = send(&mut connection, plan.mebibytes)?;
    let received = receive(&mut connection, plan.mebibytes, &plan.progress)?;
    close(&mut connection)?;
    expect_closed(&mut connection)?;
    report(&connection, sent_sha256, received)
}

fn serve(server: &Server, socket: TcpStream, plan: &Plan) -> Result<Report, Failure> {
    let engine = server.accept();
    let mut session = Session::new(engine, Tracer::Noted(Side::Server, plan.notes.clone()));
    drive(&mut session, &socket, Session::handshake)?;
    expect(&mut session, &socket, FROM_CLIENT)?;
    drive(&mut session, &socket, |session| session.write(FROM_SERVER))?;

    let mut connection = stream(session.into_engine(), &socket)?;
    let received = receive(&mut connection, plan.mebibytes, &plan.progress)?;
    let sent_sha256 = send(&mut connection, plan.mebibytes)?;
    expect_closed(&mut connection)?;
    close(&mut connection)?;
    report(&connection, sent_sha256, received)
}

/// Reads the other side's first bytes.
fn expect(session: &mut Session, socket: &TcpStream, expected: &[u8]) -> Result<(), Failure> {
    let mut plaintext = [0; 64];
    let read = drive(session, socket, |session| session.read(&mut plaintext))?;
    match read.and_then(|n| plaintext.get(..n)) {
        Some(arrived) if arrived == expected => Ok(()),
        Some(_) => Err(Failure::Corrupt(
            "the first bytes are not those that were sent".into(),
        )),
        None => Err(Failure::truncated()),
    }
}

fn stream(engine: Engine, socket: &TcpStream) -> Result<Connection<'_>, Failure> {
    let queued = |_| Failure::Local("the engine runs under the wrong settings".into());
    Stream::from_parts(engine, socket).map_err(queued)
}

fn report(
    connection: &Connection<'_>,
    sent_sha256: String,
    received: Received,
) -> Result<Report, Failure> {
    let engine = connection.engine();
    let missing = || Failure::Tls("nothing was negotiated".into());
    let negotiated = engine.negotiated().cloned().ok_or_else(missing)?;
    Ok(Report {
        negotiated,
        stats: engine.stats(),
        sent_sha256,
        received,
    })
}

/// Both reports, or the failure that explains the other one.
fn both(
    client: Result<Report, Failure>,
    server: Result<Report, Failure>,
) -> Result<(Report, Report), Failure> {
    match (client, server) {
        (Ok(client), Ok(server)) => Ok((client, server)),
        (Err(Failure::Truncated(_) | Failure::Broken(_)), Err(cause)) => Err(cause),
        (Err(failure), _) | (Ok(_), Err(failure)) => Err(failure),
    }
}

fn verify(name: &str, receiver: &Report, sender: &Report) -> Result<(), Failure> {
    if receiver.received.sha256 == sender.sent_sha256 {
        return Ok(());
    }
    Err(Failure::Corrupt(format!(
        "what reached the {name} has another SHA-256 than what was sent"
    )))
}

fn tables(client: &Report, server: &Report) -> Result<String, Failure> {
    let mut text = String::new();
    draw(&mut text, client, server).map_err(local("cannot draw the tables"))?;
    Ok(text)
}

fn draw(text: &mut String, client: &Report, server: &Report) -> core::fmt::Result {
    writeln!(text, "Negotiated, as the client sees it")?;
    for (name, value) in facts::negotiated(&client.negotiated) {
        writeln!(text, "  {name:<22} {value}")?;
    }

    writeln!(text, "\nTransferred")?;
    for (way, sent, received) in [
        ("client to server", &client.sent_sha256, &server.received),
        ("server to client", &server.sent_sha256, &client.received),
    ] {
        let (mebibytes, rate) = (received.bytes >> 20, received.mebibytes_per_second());
        let seconds = received.took.as_secs_f64();
        writeln!(
            text,
            "  {way:<22} {mebibytes} MiB in {seconds:.3} s, {rate:.0} MiB/s"
        )?;
        writeln!(text, "  {:<22} {sent}", "  sha256 when sent")?;
        writeln!(text, "  {:<22} {}", "  sha256 on arrival", received.sha256)?;
    }

    writeln!(
        text,
        "\n{:<32} {:>14} {:>14}",
        "Counters", "client", "server"
    )?;
    let (client, server) = (
        facts::counters(&client.stats),
        facts::counters(&server.stats),
    );
    for ((name, client), (_, server)) in client.iter().zip(&server) {
        writeln!(text, "  {name:<30} {client:>14} {server:>14}")?;
    }
    writeln!(text)
}

fn unreachable(error: std::io::Error) -> Failure {
    Failure::Unreachable(format!("no loopback connection: {error}"))
}
