//! What the secrets, keys and IVs of application data are made of: which direction they protect and
//! how many KeyUpdates came before, over and over.

use crate::pair::Side;

/// Bytes that tell one key from every other.
const PATTERN: usize = 8;

/// What the keys of one side's application data are made of, the first bytes of its key and of its
/// IV being the first of these: four that name the side, and the number of its KeyUpdates so far in
/// the other four, most significant first (always 0 in TLS 1.2).
#[must_use]
pub fn filling(sender: Side, generation: u32) -> [u8; PATTERN] {
    let side = match sender {
        Side::Client => b"clnt",
        Side::Server => b"serv",
    };
    let mut filling = [0; PATTERN];
    for (byte, with) in filling
        .iter_mut()
        .zip(side.iter().chain(&generation.to_be_bytes()))
    {
        *byte = *with;
    }
    filling
}

/// Whose key, and of which generation, begins with these bytes.
pub(super) fn read(bytes: &[u8]) -> Option<(Side, u32)> {
    let (side, rest) = bytes.split_first_chunk::<4>()?;
    let side = match side {
        b"clnt" => Side::Client,
        b"serv" => Side::Server,
        _ => return None,
    };
    let (generation, _) = rest.split_first_chunk::<4>()?;
    Some((side, u32::from_be_bytes(*generation)))
}

/// Writes the filling over and over.
pub(super) fn fill(output: &mut [u8], filling: [u8; PATTERN]) {
    for (byte, with) in output.iter_mut().zip(filling.iter().cycle()) {
        *byte = *with;
    }
}
