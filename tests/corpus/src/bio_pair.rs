//! Any calls on a BIO pair, against two bounded queues.
//!
//! The input: two bytes of capacities, then a byte a call and its lengths.

use crate::bio_model::{Call, Checked};
use crate::script::Script;

/// The most bytes of one call.
const MOST: usize = 4_000;

pub(crate) fn run(input: &[u8]) {
    let mut script = Script::new(input);
    let mut pair = Checked::new([script.length(3_000), script.length(3_000)]);
    while !script.is_empty() {
        let byte = script.byte();
        pair.call(usize::from(byte & 1), &call(byte >> 1, &mut script));
    }
}

/// The call that a number below 128 and the script's next lengths stand for.
fn call(number: u8, script: &mut Script<'_>) -> Call {
    match number {
        0..32 => Call::Read(script.length(MOST)),
        32..64 => Call::Write(script.length(MOST)),
        64..72 => Call::WriteVectored(script.length(MOST), script.length(MOST)),
        72..87 => Call::Nread(script.length(MOST)),
        87 => Call::Nread0,
        88..103 => Call::Nwrite(script.length(MOST)),
        103 => Call::Nwrite0,
        104..110 => Call::Shutdown,
        110..116 => Call::Reset,
        116..122 => Call::ResetRequest,
        122..127 => Call::Flush,
        127.. => Call::Drop,
    }
}
