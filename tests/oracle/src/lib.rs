//! Offwire and OpenSSL compared, call by call. See `README.md`.

extern crate alloc;

mod aftermath;
mod contexts;
mod difference;
mod duel;
mod encounter;
mod end;
mod explain;
mod fault;
mod finish;
mod judge;
mod ladder;
mod oracle;
mod outcome;
mod pattern;
mod plan;
mod record;
mod renegotiation;
mod session;
mod state;
mod step;
mod tally;
mod write;

pub use difference::Difference;
pub use encounter::Encounter;
pub use fault::Fault;
pub use oracle::{Failure, Oracle};
pub use plan::Plan;
pub use tally::Tally;
