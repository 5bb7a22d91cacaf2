//! Carries measures of memory out, on an allocator that tells what it has handed out to Rust and to
//! C alike. Reads lines of a peer's name and an order, answers each with a line.

use std::io::{BufRead, Write, stdin, stdout};

use offwire_peers::Problem;
use offwire_peers::order::{Answer, Order};
use offwire_peers::peers::offwire::{Offwire, Pooling};
use offwire_peers::peers::rustls_buffered::Buffered;
use offwire_peers::peers::rustls_next::Next;
use offwire_peers::peers::rustls_unbuffered::Unbuffered;
use offwire_peers::peers::s2n::S2n;
use offwire_peers::plan::Peer;
use offwire_peers::weigh::{Balance, weigh};
use tikv_jemalloc_ctl::thread::{allocatedp, deallocatedp};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> Result<(), Problem> {
    for line in stdin().lock().lines() {
        let line = line?;
        let (peer, order) = line.split_once(' ').ok_or("a line is too short")?;
        let answer = carry_out(peer.parse()?, order.parse()?)?;
        let mut out = stdout().lock();
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

fn carry_out(peer: Peer, order: Order) -> Result<Answer, Problem> {
    match peer {
        Peer::Offwire => weigh::<Offwire>(order, balance),
        Peer::OffwirePool => weigh::<Pooling>(order, balance),
        Peer::Rustls => weigh::<Buffered>(order, balance),
        Peer::RustlsUnbuffered => weigh::<Unbuffered>(order, balance),
        Peer::RustlsNext => weigh::<Next>(order, balance),
        Peer::S2n => weigh::<S2n>(order, balance),
        Peer::Raw | Peer::Openssl | Peer::OpensslPair | Peer::Boringssl => Ok(Answer::Impossible),
    }
}

fn balance() -> Result<Balance, Problem> {
    let complaint = |error: tikv_jemalloc_ctl::Error| format!("no balance: {error}");
    Ok(Balance {
        allocated: allocatedp::read().map_err(complaint)?.get(),
        freed: deallocatedp::read().map_err(complaint)?.get(),
    })
}
