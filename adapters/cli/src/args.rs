//! The command line: commands, options, and what of them can be checked without a network.

use core::fmt;
use core::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum, value_parser};
use offwire::Exporter;
use offwire::rustls::pki_types::ServerName;

use crate::exit::AFTER_HELP;

/// TLS sessions from the command line, on the Offwire engine.
#[derive(Debug, Parser)]
#[command(name = "offwire", version, after_help = AFTER_HELP)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Hold a session with itself over loopback, and show how the engine works
    ///
    /// A client and a server meet on a TCP connection, with a certificate that is made on the spot
    /// and verified. 64 MiB go each way and are checked by their SHA-256. Then it shows what was
    /// negotiated, the first calls with their outcomes and records, the counters and the rates.
    Demo(Demo),
    /// Connect stdin and stdout to a TLS server
    ///
    /// Both directions run at once. At the end of stdin our half is closed with close_notify, and
    /// what the peer still sends is printed until it closes too.
    Connect(Connect),
    /// Serve TLS: echo every byte, or show each connection's facts over HTTP
    ///
    /// Runs until SIGINT (Ctrl-C), which closes every connection and ends with exit code 0. It knows
    /// no Encrypted Client Hello: rustls 0.23 has the client's side of it alone.
    Serve(Serve),
}

/// The options of `demo`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Demo {
    /// How many MiB to send each way
    #[arg(long, value_name = "MIB", default_value_t = 64, hide = true)]
    pub(crate) mebibytes: u64,
}

/// The options of `connect`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Connect {
    /// The server, e.g. `example.org:443` or `[::1]:4433`
    #[arg(value_name = "HOST:PORT")]
    pub(crate) address: Address,
    /// Trust the certificates of this PEM file instead of the system's roots
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// Ask for this name and verify it, instead of HOST
    #[arg(long, value_name = "NAME", value_parser = server_name)]
    pub(crate) server_name: Option<ServerName<'static>>,
    /// Offer this application protocol; repeat it, or separate several with commas
    #[arg(long, value_name = "PROTOCOL", value_delimiter = ',', value_parser = alpn)]
    pub(crate) alpn: Vec<String>,
    /// Speak this version only
    #[arg(long, value_name = "VERSION")]
    pub(crate) tls: Option<Version>,
    /// Present this certificate chain (PEM) if the server asks
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) cert: Option<PathBuf>,
    /// The private key of --cert (PEM)
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(crate) key: Option<PathBuf>,
    /// Connect and close N times before, to resume the session
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) reconnect: u32,
    /// Send the bytes of FILE first, as early data if a session permits it (see --reconnect). Early
    /// data can be replayed by whoever records it
    #[arg(long, value_name = "FILE")]
    pub(crate) early_data: Option<PathBuf>,
    /// Show every call, its outcome and the records that cross, live on stderr
    #[arg(long)]
    pub(crate) trace: bool,
    /// Show all that was negotiated and the certificates, then the counters at the end, on stderr
    #[arg(long)]
    pub(crate) show: bool,
    #[command(flatten)]
    pub(crate) export: Export,
    /// Hide the server's name in an Encrypted Client Hello, by this ECHConfigList (PEM or DER); the
    /// connection fails if the server cannot read it. Only clients can: `serve` has no such option
    #[arg(long, value_name = "FILE", conflicts_with = "tls")]
    pub(crate) ech: Option<PathBuf>,
}

/// The options of `serve`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Serve {
    /// The address to listen on; port 0 picks a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4433")]
    pub(crate) listen: SocketAddr,
    /// The server's certificate chain (PEM); without it one is made for localhost
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) cert: Option<PathBuf>,
    /// The private key of --cert (PEM)
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(crate) key: Option<PathBuf>,
    /// Answer HTTP/1.1 requests with a page of the connection's facts
    #[arg(long)]
    pub(crate) http: bool,
    /// Ask for a client certificate issued by an authority of this PEM file, and refuse clients
    /// without one
    #[arg(long, value_name = "FILE")]
    pub(crate) client_ca: Option<PathBuf>,
    /// Accept up to BYTES of early data and echo or answer them; sessions are then kept in memory.
    /// Early data can be replayed by whoever records it
    #[arg(
        long,
        value_name = "BYTES",
        default_value_t = 0,
        hide_default_value = true
    )]
    pub(crate) early_data: u32,
    #[command(flatten)]
    pub(crate) export: Export,
    /// Write the certificate that was made, as PEM, so that clients can trust it
    #[arg(long, value_name = "FILE", conflicts_with = "cert")]
    pub(crate) cert_out: Option<PathBuf>,
}

/// The keying material that `connect` and `serve` show of each connection.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Export {
    /// Export keying material with this label and show it on stderr
    #[arg(long, value_name = "LABEL")]
    pub(crate) keymatexport: Option<String>,
    /// Export so many bytes, 1 to 8160
    #[arg(
        long,
        value_name = "N",
        default_value_t = 20,
        value_parser = value_parser!(u16).range(1..=8_160),
        requires = "keymatexport"
    )]
    pub(crate) keymatexportlen: u16,
}

impl Export {
    /// Whether the engine has to keep what it exports from.
    pub(crate) fn exporter(&self) -> Exporter {
        match self.keymatexport {
            Some(_) => Exporter::Kept,
            None => Exporter::Dropped,
        }
    }
}

/// A protocol version on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Version {
    #[value(name = "1.2")]
    Tls12,
    #[value(name = "1.3")]
    Tls13,
}

/// A host, by name or address, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// Without the brackets of an IPv6 address.
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl core::str::FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (host, port) = text.rsplit_once(':').ok_or("HOST:PORT is expected")?;
        let port = port
            .parse()
            .map_err(|_| format!("'{port}' is not a port"))?;
        let bare = match host.strip_prefix('[') {
            Some(rest) => rest.strip_suffix(']').ok_or("a ']' is missing")?,
            None if host.contains(':') => return Err("write an IPv6 address as [ADDR]:PORT".into()),
            None => host,
        };
        server_name(bare)?;
        Ok(Self {
            host: bare.into(),
            port,
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') {
            write!(f, "[{host}]:{port}")
        } else {
            write!(f, "{host}:{port}")
        }
    }
}

/// A DNS name or an address that a certificate can be checked against.
pub(crate) fn server_name(text: &str) -> Result<ServerName<'static>, String> {
    ServerName::try_from(text.to_owned())
        .map_err(|_| format!("'{text}' is neither a DNS name nor an address"))
}

/// RFC 7301 section 3.1: `opaque ProtocolName<1..2^8-1>`.
fn alpn(text: &str) -> Result<String, String> {
    match text.len() {
        1..=255 => Ok(text.into()),
        _ => Err("a protocol's name has 1 to 255 bytes".into()),
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;

    use clap::CommandFactory;

    use super::{Address, Args};

    /// The page for newcomers.
    const PAGE: &str = include_str!("../../../docs/command-line.md");

    #[test]
    fn the_page_names_every_option_and_no_other() {
        let command = Args::command();
        let options = command
            .get_subcommands()
            .flat_map(|sub| sub.get_arguments());
        let shown = options.filter(|option| !option.is_hide_set());
        let known: BTreeSet<&str> = shown.filter_map(|option| option.get_long()).collect();
        let is_letter = |c: char| c.is_ascii_lowercase() || c == '-';
        let named = PAGE.split("--").skip(1).map(|behind| {
            let end = behind.find(|c| !is_letter(c)).unwrap_or(behind.len());
            behind[..end].trim_matches('-')
        });
        // Cargo's, and the page's word for this list.
        let others = ["", "help", "path", "release"];
        let named: BTreeSet<&str> = named.filter(|name| !others.contains(name)).collect();
        assert_eq!(named, known);
    }

    #[test]
    fn the_definition_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn addresses_are_split() {
        let parsed: Address = "example.org:443".parse().unwrap();
        assert_eq!((parsed.host.as_str(), parsed.port), ("example.org", 443));
        let parsed: Address = "[::1]:4433".parse().unwrap();
        assert_eq!((parsed.host.as_str(), parsed.port), ("::1", 4433));
        assert_eq!(parsed.to_string(), "[::1]:4433");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "example.org",
            "example.org:",
            "::1:443",
            "[::1:443",
            "a b:443",
            ":443",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }
}
