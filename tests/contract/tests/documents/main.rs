//! The documents against the sources: what they name exists, and what exists is named.

mod matrix;
mod readme;
mod sources;
mod state_machine;
