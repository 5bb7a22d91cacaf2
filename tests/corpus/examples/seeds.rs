//! Writes the seed corpora of the fuzzers: `cargo run -p offwire-corpus --example seeds -- fuzz/corpus`.

use std::path::PathBuf;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let folder = PathBuf::from(
        env::args_os()
            .nth(1)
            .unwrap_or_else(|| "fuzz/corpus".into()),
    );
    for seed in offwire_corpus::seeds::all() {
        let folder = folder.join(seed.target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(seed.file), seed.bytes)?;
    }
    Ok(())
}
