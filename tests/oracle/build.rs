//! Builds the judge, a small C program, against the OpenSSL that `openssl-sys` has built from source.

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

fn main() -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), Box<dyn core::error::Error>> {
    println!("cargo:rerun-if-changed=judge/judge.c");
    let openssl = env::var("DEP_OPENSSL_ROOT")?;
    let openssl = Path::new(&openssl);
    let judge = Path::new(&env::var("OUT_DIR")?).join("judge");
    let status = cc::Build::new()
        .opt_level(2)
        .include(openssl.join("include"))
        .try_get_compiler()?
        .to_command()
        .args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE"])
        .arg("judge/judge.c")
        .arg(openssl.join("lib/libssl.a"))
        .arg(openssl.join("lib/libcrypto.a"))
        .args(["-lpthread", "-ldl", "-o"])
        .arg(&judge)
        .status()?;
    if !status.success() {
        return Err("the judge does not compile".into());
    }
    fs::metadata(&judge)?;
    println!("cargo:rustc-env=JUDGE={}", judge.display());
    Ok(())
}
