//! What `connect --show` and `--keymatexport` say, on stderr: the connection as a readable
//! `openssl s_client` would show it.

use offwire::Engine;

use crate::certificate;
use crate::exit::{Failure, local};
use crate::facts;
use crate::terminal::note;

/// How wide the names of facts are, in characters.
const NAMES: usize = 31;

/// What was negotiated, and the peer's certificates.
pub(crate) fn connection(engine: &Engine) {
    let Some(negotiated) = engine.negotiated() else {
        return;
    };
    table("Negotiated", facts::negotiated(negotiated));
    let chain = negotiated.peer_certificates();
    for (number, der) in (1..).zip(chain) {
        let title = format!("Certificate {number} of {}", chain.len());
        table(&title, certificate::facts(der));
    }
}

/// What has passed.
pub(crate) fn counters(engine: &Engine) {
    table("Counters", facts::counters(&engine.stats()));
}

/// Exports keying material and shows it, in the words of `openssl s_client -keymatexport`.
pub(crate) fn keying_material(engine: &Engine, label: &str, length: usize) -> Result<(), Failure> {
    let mut out = vec![0; length];
    engine
        .export_keying_material(&mut out, label.as_bytes(), None)
        .map_err(local("cannot export keying material"))?;
    note(format_args!("Keying material exporter:"));
    note(format_args!("    Label: '{}'", label.escape_debug()));
    note(format_args!("    Length: {length} bytes"));
    let material = facts::hex(&out).to_uppercase();
    note(format_args!("    Keying material: {material}"));
    Ok(())
}

fn table(title: &str, facts: Vec<(&'static str, String)>) {
    note(format_args!("{title}"));
    for (name, value) in facts {
        note(format_args!("    {name:<NAMES$} {value}"));
    }
}
