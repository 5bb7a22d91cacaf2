//! What `connect --show` and `--keymatexport` say, on stderr: the connection as a readable
//! `openssl s_client` would show it.

use offwire::Engine;

use crate::args::{Connect, Export};
use crate::certificate;
use crate::exit::{Failure, local};
use crate::facts;
use crate::terminal::note;

/// How wide the names of facts are, in characters.
const NAMES: usize = 31;

/// What was negotiated, what became of what was offered beside it, and the peer's certificates.
pub(crate) fn connection(engine: &Engine, offered: &Connect) {
    let Some(negotiated) = engine.negotiated() else {
        return;
    };
    let mut rows = facts::negotiated(negotiated);
    rows.push(("Early data", facts::early_data(engine.early_data()).into()));
    // rustls completes no handshake whose encrypted ClientHello the server has not accepted.
    let ech = match offered.ech {
        Some(_) => "offered and accepted",
        None => "not offered",
    };
    rows.push(("Encrypted Client Hello", ech.into()));
    table("Negotiated", rows);
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

/// Exports the keying material that was asked for, if any was, and tells it in the words of
/// `openssl s_client -keymatexport`.
pub(crate) fn keying_material(
    engine: &Engine,
    asked_for: &Export,
) -> Option<Result<String, Failure>> {
    let label = asked_for.keymatexport.as_deref()?;
    let length = asked_for.keymatexportlen;
    let mut out = vec![0; usize::from(length)];
    let exported = engine
        .export_keying_material(&mut out, label.as_bytes(), None)
        .map_err(local("cannot export keying material"));
    Some(exported.map(|()| {
        format!(
            "Keying material exporter:\n    Label: '{}'\n    Length: {length} bytes\n    \
             Keying material: {}",
            label.escape_debug(),
            facts::hex(&out).to_uppercase()
        )
    }))
}

fn table(title: &str, facts: Vec<(&'static str, String)>) {
    note(format_args!("{title}"));
    for (name, value) in facts {
        note(format_args!("    {name:<NAMES$} {value}"));
    }
}
