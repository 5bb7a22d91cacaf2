//! Runs this program under callgrind and reads what it wrote.
//!
//! The format: <https://valgrind.org/docs/manual/cl-format.html>. Only what is needed of it.

use std::collections::HashMap;
use std::env::temp_dir;
use std::fs;
use std::path::Path;
use std::process::{Command, id};

use crate::Problem;

/// Every global function of AWS-LC begins with it, followed by the version.
const AWS_LC: &str = "aws_lc_";

/// Rust's mangled names: the legacy scheme and the v0 scheme.
const RUST: [&str; 2] = ["_ZN", "_R"];

/// Instructions that `count` operations take, those of AWS-LC and of what it calls apart.
pub(crate) fn count(program: &Path, operation: &str, count: u64) -> Result<u64, Problem> {
    let file = temp_dir().join(format!("offwire-callgrind-{}.out", id()));
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--demangle=no", "--collect-atstart=no"])
        .args(["--toggle-collect=*offwire_instructions*measured*"])
        // One name a function, whole: the reader below needs no table.
        .args(["--compress-strings=no", "--compress-pos=no"])
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(program)
        .args(["run", operation, &count.to_string()])
        .output()
        .map_err(|error| format!("valgrind does not start ({error}): apt-get install valgrind"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{operation} failed under callgrind:\n{said}").into());
    }
    let text = fs::read_to_string(&file)?;
    fs::remove_file(&file)?;
    outside_aws_lc(&text)
}

/// Adds up everything that was counted and subtracts what Rust's calls into AWS-LC took, whatever
/// those called in turn.
///
/// Inside AWS-LC many functions have no prefix, so the way in is what is recognised.
fn outside_aws_lc(text: &str) -> Result<u64, Problem> {
    let mut total: u64 = 0;
    let mut inside: HashMap<&str, u64> = HashMap::new();
    let (mut function, mut callee) = ("", "");
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(name) = line.strip_prefix("fn=") {
            function = name;
        } else if let Some(name) = line.strip_prefix("cfn=") {
            callee = name;
        } else if line.starts_with("calls=") {
            let cost = cost(lines.next().unwrap_or_default())?;
            if callee.starts_with(AWS_LC) && is_rust(function) {
                *inside.entry(callee).or_default() += cost;
            }
        } else if line.starts_with(|first: char| first.is_ascii_digit()) {
            total += cost(line)?;
        }
    }
    let inside: u64 = inside.values().sum();
    if inside == 0 || inside >= total {
        return Err(format!("of {total} instructions {inside} are AWS-LC's: the names of its functions have changed, or nothing was collected").into());
    }
    Ok(total - inside)
}

fn is_rust(function: &str) -> bool {
    RUST.iter().any(|prefix| function.starts_with(prefix))
}

/// The second number of a line: instructions. The first one is a position.
fn cost(line: &str) -> Result<u64, Problem> {
    let number = line.split_ascii_whitespace().nth(1);
    Ok(number.ok_or("a line without a cost")?.parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
events: Ir

fn=_ZN7offwire5write17h0E
0 100
cfn=aws_lc_0_47_0_EVP_AEAD_CTX_seal_scatter
calls=3 0
0 5000
cfn=memcpy
calls=1 0
0 30

fn=aws_lc_0_47_0_EVP_AEAD_CTX_seal_scatter
0 1000
cfn=aead_aes_gcm_seal_scatter
calls=3 0
0 4000

fn=aead_aes_gcm_seal_scatter
0 1000
cfn=aws_lc_0_47_0_aesni_gcm_encrypt
calls=3 0
0 3000

fn=aws_lc_0_47_0_aesni_gcm_encrypt
0 3000

fn=memcpy
0 30
";

    #[test]
    fn what_is_called_from_rust_into_aws_lc_is_subtracted_once() {
        assert_eq!(outside_aws_lc(FILE).unwrap(), 130);
    }

    #[test]
    fn a_file_without_aws_lc_is_refused() {
        let renamed = FILE.replace("aws_lc_", "other_");
        assert!(outside_aws_lc(&renamed).is_err());
    }
}
