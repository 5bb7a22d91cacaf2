//! The baseline: instructions of each operation, as a file and in comparison.

use alloc::collections::BTreeMap;
use core::fmt::Write as _;

use crate::Problem;

/// A count may differ by this many per cent.
const TOLERANCE: u64 = 2;

const HEADER: &str = "operation\tinstructions";

/// Twice the bytes may take twice the work, and a little.
const HELLOS: [&str; 2] = ["hello-16384", "hello-32768"];

/// How the file is written anew.
const RENEW: &str = "cargo run --release --locked -p offwire-instructions -- renew";

/// Instructions of each operation, by name.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Baseline(BTreeMap<String, u64>);

impl Baseline {
    pub(crate) fn parse(text: &str) -> Result<Self, Problem> {
        let mut lines = text.lines();
        if lines.next() != Some(HEADER) {
            return Err("the baseline does not begin with its header".into());
        }
        let entries = lines.map(|line| {
            let (name, count) = line.split_once('\t').ok_or("a line without a tab")?;
            Ok((name.to_owned(), count.parse()?))
        });
        entries.collect::<Result<_, Problem>>().map(Self)
    }

    pub(crate) fn insert(&mut self, name: &str, instructions: u64) {
        self.0.insert(name.to_owned(), instructions);
    }

    pub(crate) fn to_text(&self) -> String {
        let mut text = format!("{HEADER}\n");
        for (name, count) in &self.0 {
            let _ = writeln!(text, "{name}\t{count}");
        }
        text
    }

    /// A table of all counts, and whether each of them is within the tolerance.
    pub(crate) fn compare(&self, counted: &Self) -> (String, Result<(), String>) {
        let mut report = format!(
            "{:<16}{:>10}{:>10}{:>9}\n",
            "operation", "baseline", "now", ""
        );
        let mut bad = Vec::new();
        for (name, now) in &counted.0 {
            let Some(before) = self.0.get(name) else {
                bad.push(format!("{name} has no baseline. Write it: {RENEW}"));
                continue;
            };
            #[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
            let change = (*now as f64 / *before as f64 - 1.0) * 100.0;
            let _ = writeln!(report, "{name:<16}{before:>10}{now:>10}{change:>+8.2}%");
            if now.abs_diff(*before) * 100 <= before * TOLERANCE {
                continue;
            }
            bad.push(if now > before {
                format!("{name} takes more instructions than before. Find out why; if it is worth it, write the baseline anew and say so: {RENEW}")
            } else {
                format!("{name} takes fewer instructions than before: good. Keep it so, write the baseline anew: {RENEW}")
            });
        }
        if let (Some(short), Some(long)) = (counted.0.get(HELLOS[0]), counted.0.get(HELLOS[1]))
            && long * 10 > short * 22
        {
            bad.push(format!("{} takes more than 2.2 times the instructions of {}: a byte is worked on again and again", HELLOS[1], HELLOS[0]));
        }
        let missing = self.0.keys().filter(|name| !counted.0.contains_key(*name));
        bad.extend(
            missing.map(|name| format!("{name} was not counted. Write the baseline anew: {RENEW}")),
        );
        let verdict = if bad.is_empty() {
            Ok(())
        } else {
            Err(bad.join("\n"))
        };
        (report, verdict)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(instructions: u64) -> Baseline {
        let mut baseline = Baseline::default();
        baseline.insert("seal", instructions);
        baseline
    }

    #[test]
    fn two_per_cent_either_way_pass_and_more_does_not() {
        let verdict = |now| of(1000).compare(&of(now)).1;
        for now in [980, 1000, 1020] {
            assert_eq!(verdict(now), Ok(()), "{now}");
        }
        assert!(verdict(1021).unwrap_err().contains("more instructions"));
        assert!(verdict(979).unwrap_err().contains("fewer instructions"));
    }

    #[test]
    fn twice_the_hello_takes_no_more_than_twice_the_work() {
        let of = |long| {
            let mut counted = Baseline::default();
            counted.insert(HELLOS[0], 1000);
            counted.insert(HELLOS[1], long);
            counted
        };
        assert_eq!(of(2200).compare(&of(2200)).1, Ok(()));
        let verdict = of(2201).compare(&of(2201)).1;
        assert!(verdict.unwrap_err().contains("again and again"));
    }

    #[test]
    fn an_operation_that_only_one_of_the_two_has_fails() {
        let empty = Baseline::default();
        assert!(of(1).compare(&empty).1.is_err());
        assert!(empty.compare(&of(1)).1.is_err());
    }

    #[test]
    fn what_is_written_is_read_back() {
        assert_eq!(Baseline::parse(&of(7).to_text()).unwrap(), of(7));
    }
}
