//! What the program says beside the data: notes on stderr, tables on stdout.

use core::fmt;
use std::io::{self, Write};

use crate::exit::Failure;

/// Prints a line on stderr. That nobody can read it is no reason to stop.
pub(crate) fn note(line: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Prints `text` on stdout at once.
pub(crate) fn say(text: &str) -> Result<(), Failure> {
    pour(text.as_bytes())
}

/// Passes `bytes` to stdout at once.
pub(crate) fn pour(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()?;
    Ok(())
}

/// A number with its thousands apart.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// "1 byte", "2 bytes".
pub(crate) fn counted(number: u64, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{} {noun}s", grouped(number)),
    }
}

#[cfg(test)]
mod tests {
    use super::{counted, grouped};

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_000), "1,000");
        assert_eq!(grouped(67_108_864), "67,108,864");
    }

    #[test]
    fn one_is_not_plural() {
        assert_eq!(counted(1, "byte"), "1 byte");
        assert_eq!(counted(1_024, "byte"), "1,024 bytes");
    }
}
