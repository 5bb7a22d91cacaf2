//! `measure FILE HTTPS_SERVER ROUNDS` measures and writes it down; `report FILE DOCS` prints what was
//! measured against the goals, and writes tables and plots into the documentation.

extern crate alloc;

mod goals;
mod machine;
mod plots;
mod report;
mod run;
mod servers;
mod svg;
mod tables;

fn main() -> Result<(), offwire_peers::Problem> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["measure", file, https_server, rounds] => {
            run::all(file.as_ref(), https_server.as_ref(), rounds.parse()?)
        }
        ["report", file, docs] => report::write(file.as_ref(), docs.as_ref()),
        _ => Err("usage: offwire-peers measure FILE HTTPS_SERVER ROUNDS | report FILE DOCS".into()),
    }
}
