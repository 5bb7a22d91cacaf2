//! The whole run: times, then memory.

use core::cell::RefCell;
use std::path::Path;

use offwire::{BufferPool, Engine, RetryCheck};
use offwire_peers::{Problem, Wire};

use crate::servers::Server;
use offwire_peers::child::{Files, Process};
use offwire_peers::driver::{Job, progress, rounded, run};
use offwire_peers::extra::{self, Crowd};
use offwire_peers::measure::time;
use offwire_peers::measured::{Measured, write};
use offwire_peers::order::{Answer, Measure, Order, Suite, Version};
use offwire_peers::peer::Connection;
use offwire_peers::peers::offwire::{Offwire, Pooling};
use offwire_peers::peers::raw;
use offwire_peers::peers::rustls_buffered::Buffered;
use offwire_peers::peers::rustls_next::Next;
use offwire_peers::peers::rustls_unbuffered::Unbuffered;
use offwire_peers::peers::s2n::S2n;
use offwire_peers::plan::{Peer, SIZES, times, weights};

/// Live connections that take turns.
const CROWD: usize = 10_000;

/// The peers that are processes.
struct Processes {
    openssl: RefCell<Process>,
    openssl_pair: RefCell<Process>,
    boringssl: RefCell<Process>,
    weigh: RefCell<Process>,
}

/// Measures everything, and writes it to a file. `https_server`: the example of that name, as it was built.
pub(crate) fn all(file: &Path, https_server: &Path, rounds: usize) -> Result<(), Problem> {
    let files = Files::new()?;
    let weigh = std::env::current_exe()?.with_file_name("weigh");
    let processes = Processes {
        openssl: files.native(env!("OPENSSL").as_ref(), "wire")?.into(),
        openssl_pair: files.native(env!("OPENSSL").as_ref(), "pair")?.into(),
        boringssl: files.native(env!("BORINGSSL").as_ref(), "wire")?.into(),
        weigh: Process::start(&weigh, &[])?.into(),
    };
    let (mut jobs, processes_ref) = (Vec::new(), &processes);
    for order in times() {
        for peer in Peer::ALL {
            jobs.push(job(peer.name(), order.measure.name(), order, move || {
                carry_out(peer, order, processes_ref)
            }));
        }
    }
    jobs.extend(extras());
    let mut results = run(&mut jobs, rounds)?;
    drop(jobs);
    results.extend(crowd(rounds)?);
    results.extend(serve(&files, https_server, rounds)?);
    weigh_all(&processes, &mut results)?;
    write(file, &results)
}

/// How one of many connections writes.
type Turn<'a, C> = dyn FnMut(&mut C, &[u8], &mut Wire) -> Result<(), Problem> + 'a;

/// Connections that take turns. Not among the other measures: so many live ones make the allocator,
/// and with it every handshake, slower.
fn crowd(rounds: usize) -> Result<Vec<Measured>, Problem> {
    progress(format_args!("connecting {CROWD} clients, twice"));
    let crowds = (
        RefCell::new(Crowd::new::<Offwire>(CROWD)?),
        RefCell::new(Crowd::new::<Buffered>(CROWD)?),
    );
    let (mut jobs, crowds_ref) = (Vec::new(), &crowds);
    for (size, live) in [(1_024, 1), (1_024, CROWD), (16_384, 1), (16_384, CROWD)] {
        let order = order_of(live, CROWD);
        let name = format!("crowd-{size}");
        let seal = move |turn: &mut Turn<'_, Engine>| {
            let spent = crowds_ref.0.borrow_mut().seal(size, live, CROWD, turn)?;
            Ok(Answer::One(spent))
        };
        jobs.push(job(Peer::Offwire.name(), &name, order, move || {
            seal(&mut |engine, plaintext, wire| Connection::write(engine, plaintext, wire))
        }));
        jobs.push(job("offwire-released", &name, order, move || {
            seal(&mut |engine, plaintext, wire| {
                Connection::write(engine, plaintext, wire)?;
                engine.release();
                Ok(())
            })
        }));
        jobs.push(job(Peer::OffwirePool.name(), &name, order, move || {
            let mut pool = BufferPool::new(1);
            seal(&mut |engine, plaintext, wire| {
                engine.borrow_buffers(&mut pool);
                Connection::write(engine, plaintext, wire)?;
                engine.return_buffers(&mut pool);
                Ok(())
            })
        }));
        jobs.push(job(Peer::Rustls.name(), &name, order, move || {
            let mut crowd = crowds_ref.1.borrow_mut();
            let spent = crowd.seal(size, live, CROWD, |connection, plaintext, wire| {
                connection.write(plaintext, wire)
            })?;
            Ok(Answer::One(spent))
        }));
    }
    run(&mut jobs, rounds)
}

/// Web servers, whose CPU time for a request is measured.
fn serve(files: &Files, program: &Path, rounds: usize) -> Result<Vec<Measured>, Problem> {
    let mut jobs = Vec::new();
    for (size, requests) in [(1_024, 8_000), (1 << 20, 160)] {
        let servers = [
            ("offwire", Server::offwire(files, program, size)?),
            ("nginx", Server::nginx(files, size)?),
        ];
        for (name, mut server) in servers {
            let ask = move || server.ask(requests).map(Answer::One);
            jobs.push(job(name, "https", order_of(size, requests), ask));
        }
    }
    run(&mut jobs, rounds)
}

fn job<'a>(
    peer: &str,
    measure: &str,
    order: Order,
    run: impl FnMut() -> Result<Answer, Problem> + 'a,
) -> Job<'a> {
    let (peer, measure, run) = (peer.into(), measure.into(), Box::new(run));
    Job {
        peer,
        measure,
        order,
        run,
    }
}

/// Of a measure that is not a peer's: what its answer is divided by, and what its size says.
fn order_of(size: usize, count: usize) -> Order {
    let (version, suite) = (Version::Tls13, Suite::Aes128);
    Order {
        measure: Measure::Seal,
        version,
        suite,
        size,
        count,
    }
}

fn extras<'a>() -> Vec<Job<'a>> {
    let one = |answer: Result<u64, Problem>| answer.map(Answer::One);
    let message = order_of(extra::MESSAGE, 512);
    let blocked = order_of(extra::BLOCKED, 1);
    let mut jobs = vec![
        job("offwire", "flow", message, move || {
            one(extra::flow_bare(512))
        }),
        job("offwire-stream-bio", "flow", message, move || {
            one(extra::flow_stream(RetryCheck::Contents, 512))
        }),
        job("offwire-stream-bio-length", "flow", message, move || {
            one(extra::flow_stream(RetryCheck::Length, 512))
        }),
        job("raw-apart", "open", message, move || {
            one(raw::open_apart(extra::MESSAGE, 512))
        }),
        job("offwire", "open-exact", message, move || {
            one(extra::open_exact(512))
        }),
        job("offwire", "check", message, move || {
            one(extra::seal_with(RetryCheck::Contents, extra::MESSAGE, 512))
        }),
        job("offwire-length", "check", message, move || {
            one(extra::seal_with(RetryCheck::Length, extra::MESSAGE, 512))
        }),
        job("offwire", "blocked", blocked, move || {
            one(extra::blocked(RetryCheck::Contents))
        }),
        job("offwire-length", "blocked", blocked, move || {
            one(extra::blocked(RetryCheck::Length))
        }),
    ];
    for size in SIZES {
        let (record, count) = (size.min(16_384), ((16 << 20) / size).min(20_000));
        let times = count * (size / record);
        let carry = move || one(raw::carry(record, times));
        jobs.push(job("copy", "open", order_of(size, count), carry));
    }
    jobs
}

fn carry_out(peer: Peer, order: Order, processes: &Processes) -> Result<Answer, Problem> {
    match peer {
        Peer::Offwire => time::<Offwire>(order),
        Peer::OffwirePool => time::<Pooling>(order),
        Peer::Raw => raw::time(order),
        Peer::Rustls => time::<Buffered>(order),
        Peer::RustlsUnbuffered => time::<Unbuffered>(order),
        Peer::RustlsNext => time::<Next>(order),
        Peer::S2n => time::<S2n>(order),
        Peer::Openssl => processes.openssl.borrow_mut().ask(&order.to_string()),
        Peer::OpensslPair => processes.openssl_pair.borrow_mut().ask(&order.to_string()),
        Peer::Boringssl => processes.boringssl.borrow_mut().ask(&order.to_string()),
    }
}

/// Memory is the same every time: no rounds.
fn weigh_all(processes: &Processes, results: &mut Vec<Measured>) -> Result<(), Problem> {
    for peer in Peer::ALL {
        for order in weights(peer) {
            progress(format_args!("weighing: {order} of {}", peer.name()));
            let answer = match peer {
                Peer::Openssl => processes.openssl.borrow_mut().ask(&order.to_string()),
                Peer::Boringssl => processes.boringssl.borrow_mut().ask(&order.to_string()),
                // What hangs from a BIO pair is the transport.
                Peer::Raw | Peer::OpensslPair => Ok(Answer::Impossible),
                Peer::Offwire
                | Peer::OffwirePool
                | Peer::Rustls
                | Peer::RustlsUnbuffered
                | Peer::RustlsNext
                | Peer::S2n => {
                    let line = format!("{} {order}", peer.name());
                    processes.weigh.borrow_mut().ask(&line)
                }
            }?;
            results.extend(weighed(peer, order, answer));
        }
    }
    Ok(())
}

/// A result in bytes that is the same every time, still without its peer and its value.
fn result(side: &str, order: Order) -> Measured {
    Measured {
        peer: String::new(),
        measure: order.measure.name().into(),
        version: order.version.name().into(),
        suite: order.suite.name().into(),
        size: order.size,
        side: side.into(),
        value: 0.0,
        unit: "bytes".into(),
        spread: 0.0,
        rounds: 1,
        calibration: 0.0,
    }
}

fn weighed(peer: Peer, order: Order, answer: Answer) -> Vec<Measured> {
    let sides = match answer {
        Answer::Impossible => vec![],
        Answer::One(value) => vec![("both", value)],
        Answer::Sides(client, server) => vec![("client", client), ("server", server)],
    };
    let (size, share) = match order.measure {
        Measure::Idle => (order.count, 1),
        Measure::Allocated => (order.size, order.count),
        Measure::Seal
        | Measure::Open
        | Measure::Trip
        | Measure::Full
        | Measure::Resumed
        | Measure::MemoryMessage
        | Measure::MemoryBulk
        | Measure::MemoryReleased
        | Measure::Certificates => (order.size, 1),
    };
    let each = sides.into_iter().map(|(side, value)| Measured {
        peer: peer.name().into(),
        size,
        #[expect(
            clippy::cast_precision_loss,
            reason = "bytes of a process are far below 2^53"
        )]
        value: rounded(value as f64 / share as f64),
        ..result(side, order)
    });
    each.collect()
}
