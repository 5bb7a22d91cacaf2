//! What the flags expect of a connection, compared with what the engine says of it.

use core::fmt::Debug;

use offwire::rustls::client::EchMode;
use offwire::rustls::pki_types::CertificateDer;
use offwire::rustls::pki_types::pem::PemObject;
use offwire::{Engine, HandshakeKind, Negotiated, ProtocolVersion};

use crate::context::{Context, unhex};
use crate::credential::decode;
use crate::early;
use crate::ech;
use crate::exchange::{Turn, is_tls13};
use crate::failure::Failure;
use crate::flags::{Flags, Setting, Switch};

/// Checks what was agreed on, once the handshake is complete.
pub(crate) fn after_handshake(
    engine: &Engine,
    context: &Context,
    flags: &Flags,
    turn: Turn,
) -> Result<(), Failure> {
    let Some(negotiated) = engine.negotiated() else {
        return Err(Failure::Broken(
            "a complete handshake agreed on nothing".to_owned(),
        ));
    };
    parameters(negotiated, flags, turn)?;
    names(negotiated, flags)?;
    sessions(negotiated, context, flags, turn)?;
    encrypted_client_hello(flags)?;
    early::check(engine, flags, turn)?;
    certificates(negotiated, context, flags)
}

/// Checks what shows only later: the tickets of a TLS 1.3 client.
pub(crate) fn after_exchange(
    engine: &Engine,
    context: &Context,
    flags: &Flags,
    turn: Turn,
) -> Result<(), Failure> {
    if flags.has(Switch::ImplicitHandshake) {
        after_handshake(engine, context, flags, turn)?;
    }
    if flags.has(Switch::Server) || !is_tls13(engine) {
        return Ok(());
    }
    let expected = !flags.has(Switch::ExpectNoSession) && !flags.has(Switch::ShimShutsDown);
    equal(
        "a ticket came",
        engine.stats().tickets_received > 0,
        expected,
    )?;
    if !expected {
        return Ok(());
    }
    equal(
        "the ticket permits early data",
        context.sessions.early_data() > 0,
        flags.has(Switch::ExpectTicketSupportsEarlyData),
    )
}

/// Version, cipher suite, group, and the kind of handshake.
fn parameters(negotiated: &Negotiated, flags: &Flags, turn: Turn) -> Result<(), Failure> {
    let version: u16 = match negotiated.version() {
        ProtocolVersion::Tls12 => 0x0303,
        ProtocolVersion::Tls13 => 0x0304,
    };
    if let Some(expected) = flags.number(Setting::ExpectVersion)? {
        equal("the version", version, expected)?;
    }
    if let Some(expected) = flags.number(Setting::ExpectCipher)? {
        equal(
            "the cipher suite",
            negotiated.cipher_suite().code(),
            expected,
        )?;
    }
    if let Some(expected) = flags.number(Setting::ExpectCurve)? {
        equal(
            "the group",
            negotiated.group().map(|group| group.code()),
            Some(expected),
        )?;
    }
    let kind = negotiated.kind();
    let resumes = turn == Turn::Resumption && !flags.has(Switch::ExpectSessionMiss);
    equal("resumption", kind == HandshakeKind::Resumed, resumes)?;
    // Of a resumption it is not told whether there was a HelloRetryRequest.
    if flags.has(Switch::ExpectHelloRetryRequest) && kind != HandshakeKind::Resumed {
        equal(
            "the kind of handshake",
            kind,
            HandshakeKind::FullWithHelloRetryRequest,
        )?;
    }
    if flags.has(Switch::ExpectNoHelloRetryRequest)
        && kind == HandshakeKind::FullWithHelloRetryRequest
    {
        return Err(Failure::Expectation("a HelloRetryRequest".to_owned()));
    }
    Ok(())
}

/// Application protocol and server name.
fn names(negotiated: &Negotiated, flags: &Flags) -> Result<(), Failure> {
    let alpn = if flags.has(Switch::Server) {
        flags.value(Setting::SelectAlpn)
    } else {
        flags.value(Setting::ExpectAlpn)
    };
    let alpn = alpn.filter(|protocol| !protocol.is_empty());
    equal(
        "the application protocol",
        negotiated.alpn(),
        alpn.map(str::as_bytes),
    )?;
    if let Some(name) = flags.value(Setting::ExpectServerName) {
        equal("the server name", negotiated.server_name(), Some(name))?;
    }
    Ok(())
}

/// Whether a session was kept. A client of TLS 1.2 keeps every new one that the server lets it
/// resume; a server that was not resumed keeps those that have ids.
fn sessions(
    negotiated: &Negotiated,
    context: &Context,
    flags: &Flags,
    turn: Turn,
) -> Result<(), Failure> {
    let tls12 = negotiated.version() == ProtocolVersion::Tls12;
    if !flags.has(Switch::Server) && tls12 && negotiated.kind() != HandshakeKind::Resumed {
        let kept = context.sessions.kept() > 0;
        equal("a session", kept, !flags.has(Switch::ExpectNoSession))?;
    }
    if turn == Turn::Resumption {
        return Ok(());
    }
    let kept = context.server_sessions.kept() > 0;
    if flags.has(Switch::ExpectSessionId) {
        equal("a session by id", kept, true)?;
    }
    // In TLS 1.2 rustls keeps a session by its id even if it sends a ticket.
    if flags.has(Switch::ExpectNoSessionId) && !tls12 {
        equal("a session by id", kept, false)?;
    }
    Ok(())
}

/// rustls fails a handshake in which the server does not accept the ClientHello that was encrypted:
/// a complete handshake accepted what was offered.
fn encrypted_client_hello(flags: &Flags) -> Result<(), Failure> {
    let accepted =
        !flags.has(Switch::Server) && matches!(ech::mode(flags)?, Some(EchMode::Enable(_)));
    let expected = flags.has(Switch::ExpectEchAccept);
    equal("the encrypted ClientHello", accepted, expected)
}

/// The peer's certificates, and which of ours was chosen.
fn certificates(negotiated: &Negotiated, context: &Context, flags: &Flags) -> Result<(), Failure> {
    let peer = negotiated.peer_certificates();
    if flags.has(Switch::ExpectNoPeerCertificate) {
        equal("certificates", peer.len(), 0)?;
    } else if !flags.has(Switch::Server) || flags.has(Switch::RequireClientCertificate) {
        equal("certificates came", peer.is_empty(), false)?;
    }
    if let Some(path) = flags.value(Setting::ExpectPeerCertFile) {
        let expected = CertificateDer::pem_file_iter(path)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| Failure::Unimplemented(error.to_string()))?;
        equal("the certificates", peer, &expected)?;
    }
    let seen = context.verifier.seen();
    if flags.has(Switch::ExpectVerifyResult) {
        // Without a certificate there was nothing to refuse.
        let accepted = seen.accepted.unwrap_or(true);
        equal("accepted", accepted, !flags.has(Switch::VerifyFail))?;
    }
    if let Some(text) = flags.value(Setting::ExpectOcspResponse) {
        equal("the OCSP response", seen.ocsp_response, decode(text)?)?;
    }
    if let Some(expected) = flags.number(Setting::ExpectPeerSignatureAlgorithm)? {
        equal("the signature", seen.scheme.map(u16::from), Some(expected))?;
    }
    if let Some(expected) = flags.number(Setting::ExpectSelectedCredential)? {
        equal(
            "our credential",
            context.credentials.last().index,
            Some(expected),
        )?;
    }
    if let Some(list) = flags.value(Setting::ExpectClientCaList) {
        let expected = list.split(',').map(unhex).collect::<Result<Vec<_>, _>>()?;
        let authorities = context.credentials.last().authorities;
        equal("the authorities", authorities, expected)?;
    }
    Ok(())
}

pub(crate) fn equal<T: Debug + PartialEq>(
    what: &str,
    actual: T,
    expected: T,
) -> Result<(), Failure> {
    if actual == expected {
        return Ok(());
    }
    Err(Failure::Expectation(format!(
        "{what}: {actual:?}, expected {expected:?}"
    )))
}
