//! Measures, and writes what was measured down: `measure FILE`. Then [`report`] makes tables and
//! plots of it.

fn main() -> Result<(), offwire_peers::Problem> {
    let mut arguments = std::env::args().skip(1);
    let words: Vec<String> = arguments.by_ref().collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["measure", file, rounds] => run::all(file.as_ref(), rounds.parse()?),
        _ => Err("usage: offwire-peers measure FILE ROUNDS".into()),
    }
}

mod run;
