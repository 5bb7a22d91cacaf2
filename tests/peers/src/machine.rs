//! What the numbers were measured on: the processor and the versions, nothing that names a machine.

use std::fs;
use std::process::Command;

use offwire_peers::Problem;

/// One paragraph.
pub(crate) fn description() -> Result<String, Problem> {
    let processor = fs::read_to_string("/proc/cpuinfo")?;
    let field = |name: &str| {
        let mut lines = processor.lines().filter(|line| line.starts_with(name));
        lines
            .next()
            .and_then(|line| line.split(": ").nth(1))
            .unwrap_or("?")
    };
    let count = processor
        .lines()
        .filter(|line| line.starts_with("processor"))
        .count();
    let vector = ["vaes", "vpclmulqdq", "avx512f"].map(|flag| {
        let has = field("flags").split(' ').any(|each| each == flag);
        if has { flag } else { "" }
    });
    let nginx = Command::new("nginx").arg("-V").output()?;
    let nginx = String::from_utf8_lossy(&nginx.stderr).into_owned();
    let after = |word: &str| {
        let rest = nginx.split(word).nth(1).unwrap_or_default();
        rest.split_whitespace().next().unwrap_or("?").to_owned()
    };
    Ok(format!(
        "{} (family {}, model {}; {}), {count} of its cores in a virtual machine, Linux, glibc with its \
         default `memcpy` settings. rustls {} and {}, aws-lc-rs {}, OpenSSL {}, BoringSSL of `boring-sys` {}, \
         s2n-tls {}; nginx {} with OpenSSL {}.",
        field("model name"),
        field("cpu family"),
        field("model\t"),
        vector.join(" ").trim(),
        version("rustls", 0),
        version("rustls", 1),
        version("aws-lc-rs", 0),
        version("openssl-src", 0).split('+').nth(1).unwrap_or("?"),
        version("boring-sys", 0),
        version("s2n-tls", 0),
        after("nginx/"),
        after("OpenSSL "),
    ))
}

/// The version of a package of the lock file; of several, the one at that place.
fn version(package: &str, place: usize) -> &'static str {
    let lock = include_str!("../Cargo.lock");
    let name = format!("name = \"{package}\"");
    let mut packages = lock
        .split("[[package]]")
        .filter(|text| text.lines().any(|line| line == name));
    let found = packages.nth(place).unwrap_or_default();
    let line = found
        .lines()
        .find_map(|line| line.strip_prefix("version = "));
    line.unwrap_or("?").trim_matches('"')
}
