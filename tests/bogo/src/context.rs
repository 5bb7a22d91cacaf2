//! From flags to engines: rustls's configuration for each connection, over what the connections of
//! a test share.

use alloc::sync::Arc;

use offwire::rustls::client::{Resumption, Tls12Resumption};
use offwire::rustls::crypto::aws_lc_rs::Ticketer;
use offwire::rustls::pki_types::{DnsName, ServerName};
use offwire::rustls::server::ProducesTickets;
use offwire::rustls::{ClientConfig, DistinguishedName, ServerConfig};
use offwire::{
    Client, ClientHello, Completion, EarlyData, Engine, Exporter, Server, Settings, WriteMode,
};

use crate::compression;
use crate::credential::Credentials;
use crate::ech;
use crate::failure::Failure;
use crate::flags::{Flags, Setting, Switch, TestFlags};
use crate::provider::{provider, versions};
use crate::sessions::{Clock, ServerSessions, Sessions};
use crate::verifier::Verifier;

/// The early data that a server takes, in bytes: BoringSSL's limit, which a test exceeds by one.
const MAX_EARLY_DATA: u32 = 14_336;

/// What the connections of a test share.
pub(crate) struct Context {
    pub(crate) credentials: Arc<Credentials>,
    pub(crate) verifier: Arc<Verifier>,
    pub(crate) clock: Arc<Clock>,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) server_sessions: Arc<ServerSessions>,
    /// None if some connection takes early data: rustls takes it only with sessions that it keeps.
    ticketer: Option<Arc<dyn ProducesTickets>>,
}

impl Context {
    pub(crate) fn new(flags: &TestFlags) -> Result<Self, Failure> {
        let takes_early_data = [&flags.initial, &flags.resume]
            .into_iter()
            .any(|flags| flags.has(Switch::EnableEarlyData));
        let ticketer = if takes_early_data {
            None
        } else {
            Some(Ticketer::new().map_err(|error| unusable(&error))?)
        };
        let flags = &flags.initial;
        let provider = provider(flags)?;
        let hints = root_hints(flags)?;
        Ok(Self {
            credentials: Arc::new(Credentials::load(flags, &provider)?),
            verifier: Verifier::new(flags, &provider, hints)?,
            clock: Arc::default(),
            sessions: Sessions::new(),
            server_sessions: ServerSessions::new(),
            ticketer,
        })
    }

    /// An engine in the client's role.
    pub(crate) fn connect(&self, flags: &Flags) -> Result<Engine, Failure> {
        let provider = provider(flags)?;
        let builder = ClientConfig::builder_with_provider(provider);
        let builder = match ech::mode(flags)? {
            Some(mode) => builder.with_ech(mode),
            None => builder.with_protocol_versions(&versions(flags)?),
        }
        .map_err(|error| unusable(&error))?;
        let mut config = builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::<Verifier>::clone(&self.verifier))
            .with_client_cert_resolver(Arc::<Credentials>::clone(&self.credentials));
        config.alpn_protocols = offered_alpn(flags)?;
        config.check_selected_alpn = !flags.has(Switch::AllowUnknownAlpn);
        config.max_fragment_size = max_fragment_size(flags)?;
        config.require_ems = flags.has(Switch::ExpectExtendedMasterSecret);
        config.enable_early_data = flags.has(Switch::EnableEarlyData);
        config.time_provider = Arc::<Clock>::clone(&self.clock);
        config.resumption = Resumption::store(Arc::<Sessions>::clone(&self.sessions));
        if flags.has(Switch::NoTicket) {
            config.resumption = config
                .resumption
                .tls12_resumption(Tls12Resumption::SessionIdOnly);
        }
        config.cert_compressors = compression::compressors(flags)?;
        config.cert_decompressors = compression::decompressors(flags)?;
        let name = match flags.value(Setting::HostName) {
            Some(name) => name,
            None => {
                config.enable_sni = false;
                "test"
            }
        };
        let name = DnsName::try_from(name.to_owned()).map_err(|error| unusable(&error))?;
        let client = Client::new(config).with_settings(settings(flags));
        Ok(client.connect(ServerName::DnsName(name))?)
    }

    /// A server for one connection; of the ClientHello it knows what [`offwire::Acceptor`] tells,
    /// if the flags ask for it.
    pub(crate) fn server(
        &self,
        flags: &Flags,
        hello: Option<&ClientHello>,
    ) -> Result<Server, Failure> {
        let builder = ServerConfig::builder_with_provider(provider(flags)?)
            .with_protocol_versions(&versions(flags)?)
            .map_err(|error| unusable(&error))?;
        let asks_for_certificate =
            flags.has(Switch::VerifyPeer) || flags.has(Switch::RequireClientCertificate);
        let builder = if asks_for_certificate {
            builder.with_client_cert_verifier(Arc::<Verifier>::clone(&self.verifier))
        } else {
            builder.with_no_client_auth()
        };
        let resolver = Arc::<Credentials>::clone(&self.credentials);
        let mut config = builder.with_cert_resolver(resolver);
        config.alpn_protocols = selected_alpn(flags, hello)?;
        let ordered = [Setting::Cipher, Setting::Tls13Cipher];
        config.ignore_client_order = flags.has(Switch::ServerPreference)
            || ordered.into_iter().any(|list| flags.value(list).is_some());
        config.max_fragment_size = max_fragment_size(flags)?;
        config.require_ems = flags.has(Switch::ExpectExtendedMasterSecret);
        config.time_provider = Arc::<Clock>::clone(&self.clock);
        config.session_storage = Arc::<ServerSessions>::clone(&self.server_sessions);
        if flags.has(Switch::NoTicket) {
            // In TLS 1.2 sessions then still have ids.
            config.send_tls13_tickets = 0;
        } else if let Some(ticketer) = &self.ticketer {
            config.ticketer = Arc::clone(ticketer);
        }
        if flags.has(Switch::EnableEarlyData) {
            config.max_early_data_size = MAX_EARLY_DATA;
            config.send_half_rtt_data = true;
        }
        config.cert_compressors = compression::compressors(flags)?;
        config.cert_decompressors = compression::decompressors(flags)?;
        Ok(Server::new(config).with_settings(settings(flags)))
    }
}

/// A write is done when it has left, as over a socket BIO.
fn settings(flags: &Flags) -> Settings {
    let mode = if flags.has(Switch::PartialWrite) {
        WriteMode::Partial
    } else {
        WriteMode::Whole
    };
    let exporter = if flags.value(Setting::ExportKeyingMaterial).is_some() {
        Exporter::Kept
    } else {
        Exporter::Dropped
    };
    let early_data = if flags.has(Switch::EnableEarlyData) {
        EarlyData::Replayable
    } else {
        EarlyData::Off
    };
    Settings::default()
        .completion(Completion::Sent)
        .write_mode(mode)
        .exporter(exporter)
        .danger_early_data(early_data)
}

/// rustls counts a record's header in.
fn max_fragment_size(flags: &Flags) -> Result<Option<usize>, Failure> {
    let plaintext: Option<usize> = flags.number(Setting::MaxSendFragment)?;
    Ok(plaintext.map(|plaintext| plaintext + 5))
}

/// The protocols that a client offers; each has its length before it.
fn offered_alpn(flags: &Flags) -> Result<Vec<Vec<u8>>, Failure> {
    let mut protocols = Vec::new();
    let mut rest = flags
        .value(Setting::AdvertiseAlpn)
        .unwrap_or_default()
        .as_bytes();
    while let Some((length, behind)) = rest.split_first() {
        let Some((protocol, behind)) = behind.split_at_checked(usize::from(*length)) else {
            return Err(Failure::Unimplemented(
                "a malformed list of ALPN".to_owned(),
            ));
        };
        protocols.push(protocol.to_vec());
        rest = behind;
    }
    Ok(protocols)
}

/// The protocol that a server selects: none if it declines or was offered none.
fn selected_alpn(flags: &Flags, hello: Option<&ClientHello>) -> Result<Vec<Vec<u8>>, Failure> {
    if let (Some(expected), Some(hello)) = (flags.value(Setting::ExpectAdvertisedAlpn), hello) {
        let offered: Vec<u8> = hello
            .alpn()
            .flat_map(|protocol| {
                let length = u8::try_from(protocol.len()).unwrap_or(u8::MAX);
                [&[length], protocol].concat()
            })
            .collect();
        if offered != expected.as_bytes() {
            return Err(Failure::Expectation("another list of ALPN".to_owned()));
        }
    }
    if flags.has(Switch::DeclineAlpn) {
        return Ok(Vec::new());
    }
    if flags.has(Switch::RejectAlpn) {
        return Ok(vec![b"none of the client's".to_vec()]);
    }
    Ok(flags
        .value(Setting::SelectAlpn)
        .filter(|protocol| !protocol.is_empty())
        .map(|protocol| vec![protocol.as_bytes().to_vec()])
        .unwrap_or_default())
}

/// The authorities that a server names when it asks for a certificate: names in hex, by commas.
fn root_hints(flags: &Flags) -> Result<Vec<DistinguishedName>, Failure> {
    match flags.value(Setting::UseClientCaList) {
        None | Some("<NULL>" | "<EMPTY>") => Ok(Vec::new()),
        Some(list) => list
            .split(',')
            .map(|name| unhex(name).map(DistinguishedName::from))
            .collect(),
    }
}

/// Bytes in hex.
pub(crate) fn unhex(text: &str) -> Result<Vec<u8>, Failure> {
    text.as_bytes()
        .chunks(2)
        .map(|digits| {
            let digits = core::str::from_utf8(digits).unwrap_or_default();
            u8::from_str_radix(digits, 16).map_err(|error| unusable(&error))
        })
        .collect()
}

fn unusable(error: &dyn core::fmt::Display) -> Failure {
    Failure::Unimplemented(error.to_string())
}
