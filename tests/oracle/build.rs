//! Builds OpenSSL from source, once, and two small C programs against it: the judge and the peer.

use core::error::Error;
use std::path::{Path, PathBuf};
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

fn build() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    // Not in OUT_DIR: clippy has another, and OpenSSL takes minutes.
    let native = out.ancestors().nth(4).ok_or("OUT_DIR is elsewhere")?;
    let openssl = openssl(&native.join("native"));
    compile("judge", &openssl, &out)?;
    compile("peer", &openssl, &out)
}

/// Where OpenSSL's headers and archives are: in a folder that has the release's name, but for its
/// `+`, which Makefiles need not get along with.
fn openssl(native: &Path) -> PathBuf {
    let release = openssl_src::version().replace('+', "-");
    let build = native.join(format!("openssl-{release}"));
    let install = build.join("install");
    if !install.join("lib/libssl.a").exists() {
        openssl_src::Build::new().out_dir(build).build();
    }
    install
}

/// Compiles a C program, and tells the crate where it is.
fn compile(name: &str, openssl: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    let source = format!("{name}/{name}.c");
    println!("cargo:rerun-if-changed={source}");
    let program = out.join(name);
    let status = cc::Build::new()
        .opt_level(2)
        .include(openssl.join("include"))
        .try_get_compiler()?
        .to_command()
        .args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE"])
        .arg(source)
        .arg(openssl.join("lib/libssl.a"))
        .arg(openssl.join("lib/libcrypto.a"))
        .args(["-lpthread", "-ldl", "-o"])
        .arg(&program)
        .status()?;
    if !status.success() {
        return Err(format!("the {name} does not compile").into());
    }
    fs::metadata(&program)?;
    let variable = name.to_uppercase();
    println!("cargo:rustc-env={variable}={}", program.display());
    Ok(())
}
