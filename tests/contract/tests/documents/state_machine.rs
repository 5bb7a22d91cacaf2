//! `docs/state-machine.md` against the code: its states are the variants of the enums, its arrows
//! the moves that engines make.

use alloc::collections::{BTreeMap, BTreeSet};

use offwire::{Engine, KeyUpdate, Settings};
use offwire_contract::early::{Answer, early_pair, write_early_all};
use offwire_contract::{VERSIONS, WRITE_MODES, feed, noise, quiet, sent};
use offwire_testkit::{Pair, Random, Side};

use crate::sources::{text, variants};

/// The enums: the heading of each diagram, its name in an engine's `Debug`, its enum and its file.
pub(crate) const MACHINES: [(&str, &str, &str, &str); 3] = [
    ("## The phase", "phase", "Phase", "engine/src/phase.rs"),
    (
        "## The write half",
        "write_half",
        "WriteHalf",
        "engine/src/half.rs",
    ),
    (
        "## The read half",
        "read_half",
        "ReadHalf",
        "engine/src/half.rs",
    ),
];

pub(crate) type Arrows = BTreeSet<(String, String)>;

/// The arrows of the diagram below a heading.
pub(crate) fn drawn(heading: &str) -> Arrows {
    let page = text("docs/state-machine.md");
    let (_, behind) = page.split_once(&format!("{heading}\n")).unwrap();
    let (_, diagram) = behind.split_once("```mermaid\n").unwrap();
    let (diagram, _) = diagram.split_once("```").unwrap();
    let arrows = diagram.lines().filter_map(|line| {
        let (from, to) = line.trim().split_once(" --> ")?;
        let to = to.split(':').next().unwrap();
        Some((from.to_owned(), to.trim().to_owned()))
    });
    arrows.collect()
}

pub(crate) fn states(arrows: &Arrows) -> BTreeSet<String> {
    let ends = arrows.iter().flat_map(|(from, to)| [from, to]);
    ends.filter(|state| *state != "[*]").cloned().collect()
}

/// The state that an engine's `Debug` shows for one of its fields.
fn state(engine: &Engine, field: &str) -> String {
    let shown = format!("{engine:?}");
    let (_, behind) = shown.split_once(&format!(" {field}: ")).unwrap();
    let name = behind.split(|c: char| !c.is_ascii_alphanumeric());
    name.into_iter().next().unwrap().to_owned()
}

/// Does one thing that moves an engine, or the bytes between two.
fn act(pair: &mut Pair, side: Side, random: &mut Random) {
    let len = [0, 1, 500, 100_000][random.below(4)];
    match random.below(16) {
        0..=2 => drop(pair.engine(side).write(&noise(len))),
        3 => drop(pair.engine(side).handshake()),
        4 | 5 => drop(pair.engine(side).read(&mut vec![0; 17_000])),
        6 if random.below(3) == 0 => drop(pair.engine(side).shutdown()),
        7 if random.below(12) == 0 => pair.engine(side).feed_eof(),
        8 if random.below(12) == 0 => drop(pair.engine(side).feed(b"GET / HTTP/1.1\r\n\r\n")),
        9 => drop(pair.engine(side).key_update(KeyUpdate::Both)),
        10 | 11 => drop(pair.engine(side).write_early_data(&noise(len))),
        12 => drop(pair.engine(side).read_early_data(&mut vec![0; 17_000])),
        13 => drop(pair.engine(side).read(&mut [])),
        14 if random.below(8) == 0 => drop(pair.engine(side).rejected_early_data()),
        _ => drop(pair.step_towards(side)),
    }
}

/// The moves of both ends through many random sessions, by field.
fn seen() -> BTreeMap<&'static str, Arrows> {
    let mut seen: BTreeMap<&'static str, Arrows> = BTreeMap::new();
    for seed in 0..400 {
        let mut random = Random::new(seed);
        let version = VERSIONS[random.below(2)];
        let mode = WRITE_MODES[random.below(2)];
        let settings = [sent(), Settings::default()][random.below(2)].write_mode(mode);
        let mut pair = match seed % 3 {
            0 => Pair::of(&quiet(version).settings(settings)),
            1 => early_pair(Answer::Accepts, 120_000, settings),
            _ => early_pair(Answer::ForgotSession, 120_000, settings),
        };
        if seed % 3 == 2 {
            // Early data that is written, so that a blocked write may come behind it.
            let (_, wire) = write_early_all(&mut pair.client, b"early").unwrap();
            feed(&mut pair.server, &wire);
        }
        if random.below(2) == 0 {
            pair.handshake();
        }
        for _ in 0..80 {
            let side = Side::BOTH[random.below(2)];
            let before = fields(&mut pair);
            act(&mut pair, side, &mut random);
            for ((field, before), (_, after)) in before.into_iter().zip(fields(&mut pair)) {
                if before != after {
                    seen.entry(field).or_default().insert((before, after));
                }
            }
        }
    }
    seen
}

fn fields(pair: &mut Pair) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    for side in Side::BOTH {
        for (_, field, _, _) in MACHINES {
            all.push((field, state(pair.engine(side), field)));
        }
    }
    all
}

#[test]
fn the_states_drawn_are_the_variants_of_the_enums() {
    for (heading, _, name, file) in MACHINES {
        assert_eq!(states(&drawn(heading)), variants(file, name), "{name}");
    }
}

#[test]
fn the_arrows_drawn_are_the_moves_that_engines_make() {
    let seen = seen();
    for (heading, field, name, _) in MACHINES {
        let mut arrows = drawn(heading);
        arrows.retain(|(from, to)| from != "[*]" && to != "[*]");
        assert_eq!(seen[field], arrows, "{name}");
    }
}

#[test]
fn every_machine_begins_where_it_is_drawn_to() {
    let (client, server) = quiet(VERSIONS[0]).build();
    let client = client.connect("localhost".try_into().unwrap()).unwrap();
    for (heading, field, _, _) in MACHINES {
        let begins = ("[*]".to_owned(), state(&client, field));
        assert!(drawn(heading).contains(&begins), "{begins:?}");
        assert_eq!(state(&server.accept(), field), begins.1);
    }
}
