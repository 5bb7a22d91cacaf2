//! Builds OpenSSL and BoringSSL from source, once, and `native/peer.c` against each.

use core::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs};

fn main() -> ExitCode {
    println!("cargo:rerun-if-changed=native/peer.c");
    println!("cargo:rerun-if-changed=native/transport.h");
    println!("cargo:rerun-if-changed=build.rs");
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    // Not in OUT_DIR: clippy has another, and the libraries take minutes.
    let native = out
        .ancestors()
        .nth(4)
        .ok_or("OUT_DIR is elsewhere")?
        .join("native");
    let openssl = openssl(&native.join("openssl"));
    peer("openssl", &openssl, &out)?;
    let boringssl = boringssl(&native.join("boringssl"))?;
    peer("boringssl", &boringssl, &out)?;
    Ok(())
}

/// A library: where its headers and its two archives are.
struct Library {
    include: PathBuf,
    ssl: PathBuf,
    crypto: PathBuf,
}

fn openssl(out: &Path) -> Library {
    let lib = out.join("install/lib");
    if !lib.join("libssl.a").exists() {
        openssl_src::Build::new().out_dir(out).build();
    }
    Library {
        include: out.join("install/include"),
        ssl: lib.join("libssl.a"),
        crypto: lib.join("libcrypto.a"),
    }
}

fn boringssl(out: &Path) -> Result<Library, Box<dyn Error>> {
    let source = source_of("boring-sys")?.join("deps/boringssl");
    let build = out.join("build");
    if !build.join("libssl.a").exists() {
        cmake::Config::new(&source)
            .profile("Release")
            .define("CMAKE_C_FLAGS_RELEASE", "-O3 -DNDEBUG")
            .define("CMAKE_CXX_FLAGS_RELEASE", "-O3 -DNDEBUG")
            .out_dir(out)
            .build_target("ssl")
            .build();
    }
    Ok(Library {
        include: source.join("include"),
        ssl: build.join("libssl.a"),
        crypto: build.join("libcrypto.a"),
    })
}

/// Where Cargo has put the source of a package of the lock file.
fn source_of(package: &str) -> Result<PathBuf, Box<dyn Error>> {
    let output = Command::new(env::var("CARGO")?)
        .args(["metadata", "--format-version=1", "--locked"])
        .args(["--all-features", "--manifest-path"])
        .arg(Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("Cargo.toml"))
        .output()?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let text = |value: &serde_json::Value, name| value.get(name)?.as_str().map(str::to_owned);
    let packages = metadata
        .get("packages")
        .and_then(|packages| packages.as_array());
    let mut packages = packages.ok_or("no packages")?.iter();
    let found = packages.find(|found| text(found, "name").as_deref() == Some(package));
    let manifest = found.and_then(|found| text(found, "manifest_path"));
    let manifest = PathBuf::from(manifest.ok_or("the package is not in the lock file")?);
    Ok(manifest.parent().ok_or("no folder")?.to_path_buf())
}

/// Compiles the C program against a library, and tells the crate where it is.
fn peer(name: &str, library: &Library, out: &Path) -> Result<(), Box<dyn Error>> {
    let object = out.join(format!("{name}.o"));
    let program = out.join(format!("peer-{name}"));
    run(cc::Build::new()
        .opt_level(2)
        .include(&library.include)
        .try_get_compiler()?
        .to_command()
        .args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE"])
        .args(["-c", "native/peer.c", "-o"])
        .arg(&object))?;
    // BoringSSL is C++.
    run(cc::Build::new()
        .cpp(true)
        .try_get_compiler()?
        .to_command()
        .arg(&object)
        .args([&library.ssl, &library.crypto])
        .args([
            "-lpthread",
            "-ldl",
            "-Wl,--wrap=malloc",
            "-Wl,--wrap=calloc",
        ])
        .args(["-Wl,--wrap=realloc", "-Wl,--wrap=free", "-o"])
        .arg(&program))?;
    fs::metadata(&program)?;
    let variable = name.to_uppercase();
    println!("cargo:rustc-env={variable}={}", program.display());
    Ok(())
}

fn run(command: &mut Command) -> Result<(), Box<dyn Error>> {
    if command.status()?.success() {
        Ok(())
    } else {
        let program = command.get_program().display();
        Err(format!("{program} has failed").into())
    }
}
