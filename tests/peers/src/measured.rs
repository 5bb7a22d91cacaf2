//! The measured file: one line of JSON for each result.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::Problem;

/// One result: a peer, a measure with its parameters, and the median of its rounds.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a line of the file")]
pub struct Measured {
    /// Whose it is: [`crate::plan::Peer::name`], or a variant of Offwire.
    pub peer: String,
    /// What was measured: [`crate::order::Measure::name`], or one of [`crate::extra`].
    pub measure: String,
    /// The version of TLS.
    pub version: String,
    /// The AEAD.
    pub suite: String,
    /// Bytes of a write; connections, where they are counted; else 0.
    pub size: usize,
    /// `both`, `client` or `server`.
    pub side: String,
    /// The median of the rounds: nanoseconds of CPU for one operation at the run's median speed, or
    /// bytes for one connection or operation.
    pub value: f64,
    /// `ns` or `bytes`.
    pub unit: String,
    /// The distance between the quartiles of the rounds, as a share of the median.
    pub spread: f64,
    /// How many rounds.
    pub rounds: usize,
    /// The median of what the calibration took around these rounds, in nanoseconds.
    pub calibration: f64,
}

/// Reads a measured file.
///
/// # Errors
/// If it cannot be read or is none.
pub fn read(file: &Path) -> Result<Vec<Measured>, Problem> {
    let text = fs::read_to_string(file)?;
    let lines = text.lines().map(serde_json::from_str);
    Ok(lines.collect::<Result<_, _>>()?)
}

/// Writes a measured file.
///
/// # Errors
/// If it cannot be written.
pub fn write(file: &Path, results: &[Measured]) -> Result<(), Problem> {
    let lines = results.iter().map(serde_json::to_string);
    let lines: Vec<String> = lines.collect::<Result<_, _>>()?;
    Ok(fs::write(file, lines.join("\n") + "\n")?)
}

/// The median and the quartiles.
#[must_use]
pub fn quartiles(values: &mut [f64]) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| {
        let (last, quarter) = (
            values.len().saturating_sub(1),
            quarter * values.len().saturating_sub(1),
        );
        let (below, rest) = (quarter / 4, quarter % 4);
        let share = [0.0, 0.25, 0.5, 0.75].get(rest).copied().unwrap_or(0.0);
        let at = |index: usize| values.get(index.min(last)).copied().unwrap_or(f64::NAN);
        at(below) + (at(below + 1) - at(below)) * share
    })
}

#[cfg(test)]
mod tests {
    use super::quartiles;

    #[test]
    fn quartiles_lie_between_values() {
        assert_eq!(quartiles(&mut [5.0, 1.0, 3.0, 2.0, 4.0]), [2.0, 3.0, 4.0]);
        assert_eq!(quartiles(&mut [4.0, 2.0]), [2.5, 3.0, 3.5]);
    }
}
