//! The runner's flags: which there are, and which were given for a connection.
//!
//! A flag that is not named here makes the test *unimplemented*: a shim that ignored it would pass
//! tests it did not take.
//!
//! Some flags are known and change nothing, since what they ask for is done anyway. By rustls:
//! `-no-tls1`, `-no-tls11`, `-enable-ocsp-stapling`, `-permute-extensions`, `-use-ticket-callback`,
//! `-use-old-client-cert-callback`. By the engine: `-renegotiate-ignore`. By the shim, which trusts
//! every chain: `-trust-cert`.
//!
//! Of `-expect-early-data-reason` only `accept` is told from the others: the engine tells no reason.
//! One expectation is not checked here: `-expect-ticket-renewal`. rustls keeps a TLS 1.2 session
//! anew after each resumption, with the renewed ticket or with the old one, and does not tell
//! which. `-expect-no-session-id` is checked in TLS 1.3 only: in TLS 1.2 rustls keeps a session by
//! its id even if it sends a ticket.

use core::str::FromStr;

use crate::failure::Failure;

macro_rules! flags {
    ($(#[$doc:meta])* $type:ident: $($name:ident = $text:literal,)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum $type { $($name,)* }

        impl $type {
            fn named(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

flags! {
    /// A flag without a value.
    Switch:
    AllowUnknownAlpn = "allow-unknown-alpn-protos",
    Async = "async",
    CheckCloseNotify = "check-close-notify",
    DeclineAlpn = "decline-alpn",
    EchGrease = "enable-ech-grease",
    EnableEarlyData = "enable-early-data",
    ExpectAcceptEarlyData = "expect-accept-early-data",
    ExpectEchAccept = "expect-ech-accept",
    ExpectExtendedMasterSecret = "expect-extended-master-secret",
    ExpectHelloRetryRequest = "expect-hrr",
    ExpectNoHelloRetryRequest = "expect-no-hrr",
    ExpectNoOfferEarlyData = "expect-no-offer-early-data",
    ExpectNoPeerCertificate = "expect-no-peer-cert",
    ExpectNoSession = "expect-no-session",
    ExpectNoSessionId = "expect-no-session-id",
    ExpectRejectEarlyData = "expect-reject-early-data",
    ExpectSessionId = "expect-session-id",
    ExpectSessionMiss = "expect-session-miss",
    ExpectTicketRenewal = "expect-ticket-renewal",
    ExpectTicketSupportsEarlyData = "expect-ticket-supports-early-data",
    ExpectVerifyResult = "expect-verify-result",
    HandshakeTwice = "handshake-twice",
    ImplicitHandshake = "implicit-handshake",
    InstallCertCompression = "install-cert-compression-algs",
    InstallDdosCallback = "install-ddos-callback",
    Ipv6 = "ipv6",
    KeyUpdate = "key-update",
    KeyUpdateBeforeRead = "key-update-before-read",
    MustMatchIssuer = "must-match-issuer",
    NewX509Credential = "new-x509-credential",
    NoOpExtraHandshake = "no-op-extra-handshake",
    NoTicket = "no-ticket",
    NoTls10 = "no-tls1",
    NoTls11 = "no-tls11",
    NoTls12 = "no-tls12",
    NoTls13 = "no-tls13",
    OcspStapling = "enable-ocsp-stapling",
    PartialWrite = "partial-write",
    PeekThenRead = "peek-then-read",
    PermuteExtensions = "permute-extensions",
    ReadWithUnfinishedWrite = "read-with-unfinished-write",
    RejectAlpn = "reject-alpn",
    RenegotiateIgnore = "renegotiate-ignore",
    RequireClientCertificate = "require-any-client-certificate",
    Server = "server",
    ServerPreference = "server-preference",
    ShimShutsDown = "shim-shuts-down",
    ShimWritesFirst = "shim-writes-first",
    TicketCallback = "use-ticket-callback",
    UseCustomVerifyCallback = "use-custom-verify-callback",
    UseEarlyCallback = "use-early-callback",
    UseExportContext = "use-export-context",
    UseOldClientCertCallback = "use-old-client-cert-callback",
    VerifyFail = "verify-fail",
    VerifyPeer = "verify-peer",
    WriteDifferentRecordSizes = "write-different-record-sizes",
}

flags! {
    /// A flag with a value.
    Setting:
    AdvertiseAlpn = "advertise-alpn",
    CertFile = "cert-file",
    Cipher = "cipher",
    Curves = "curves",
    EchConfigList = "ech-config-list",
    ExpectAdvertisedAlpn = "expect-advertised-alpn",
    ExpectAlpn = "expect-alpn",
    ExpectCipher = "expect-cipher",
    ExpectClientCaList = "expect-client-ca-list",
    ExpectCurve = "expect-curve-id",
    ExpectEarlyDataReason = "expect-early-data-reason",
    ExpectOcspResponse = "expect-ocsp-response",
    ExpectPeerCertFile = "expect-peer-cert-file",
    ExpectPeerSignatureAlgorithm = "expect-peer-signature-algorithm",
    ExpectSelectedCredential = "expect-selected-credential",
    ExpectServerName = "expect-server-name",
    ExpectVersion = "expect-version",
    ExportContext = "export-context",
    ExportKeyingMaterial = "export-keying-material",
    ExportLabel = "export-label",
    HostName = "host-name",
    InstallOneCertCompression = "install-one-cert-compression-alg",
    KeyFile = "key-file",
    MaxSendFragment = "max-send-fragment",
    MaxVersion = "max-version",
    MinVersion = "min-version",
    OcspResponse = "ocsp-response",
    Port = "port",
    ReadSize = "read-size",
    RepeatShimInitialWrite = "repeat-shim-initial-write",
    ResumeCount = "resume-count",
    ResumptionDelay = "resumption-delay",
    SelectAlpn = "select-alpn",
    ShimId = "shim-id",
    ShimInitialWrite = "shim-initial-write",
    SigningPreference = "signing-prefs",
    Tls13Cipher = "tls13-ciphers",
    TrustCert = "trust-cert",
    UseClientCaList = "use-client-ca-list",
    VerifyPreference = "verify-prefs",
}

/// One flag as it was given.
#[derive(Clone, Debug)]
pub(crate) enum Given {
    Switch(Switch),
    Setting(Setting, String),
}

/// The flags of one connection, in the order in which they were given.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flags(Vec<Given>);

/// The flags of a test: those of its first connection, those of the connections that resume, and
/// those of what such a connection becomes once its early data was rejected.
#[derive(Debug, Default)]
pub(crate) struct TestFlags {
    pub(crate) initial: Flags,
    pub(crate) resume: Flags,
    pub(crate) retry: Flags,
}

/// What restricts a flag, and to which of [`TestFlags`] in their order.
const PREFIXES: [(&str, [bool; 3]); 3] = [
    ("on-initial-", [true, false, false]),
    ("on-resume-", [false, true, false]),
    ("on-retry-", [false, false, true]),
];

impl TestFlags {
    /// Reads the command line. A flag that is not known is [`Failure::Unimplemented`].
    pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let mut flags = Self::default();
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            let unknown = || Failure::Unimplemented(argument.clone());
            let name = argument.strip_prefix('-').ok_or_else(unknown)?;
            let ([to_initial, to_resume, to_retry], name) = PREFIXES
                .into_iter()
                .find_map(|(prefix, to)| Some((to, name.strip_prefix(prefix)?)))
                .unwrap_or(([true; 3], name));
            let given = if let Some(switch) = Switch::named(name) {
                Given::Switch(switch)
            } else {
                let setting = Setting::named(name).ok_or_else(unknown)?;
                Given::Setting(setting, arguments.next().ok_or_else(unknown)?)
            };
            for (taken, flags) in [
                (to_initial, &mut flags.initial),
                (to_resume, &mut flags.resume),
                (to_retry, &mut flags.retry),
            ] {
                if taken {
                    flags.0.push(given.clone());
                }
            }
        }
        Ok(flags)
    }
}

impl Flags {
    /// Whether the flag was given.
    pub(crate) fn has(&self, wanted: Switch) -> bool {
        self.0
            .iter()
            .any(|given| matches!(given, Given::Switch(switch) if *switch == wanted))
    }

    /// All values of a flag, in order.
    pub(crate) fn all(&self, wanted: Setting) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(move |given| match given {
            Given::Setting(setting, value) if *setting == wanted => Some(value.as_str()),
            Given::Setting(..) | Given::Switch(_) => None,
        })
    }

    /// The last value of a flag.
    pub(crate) fn value(&self, wanted: Setting) -> Option<&str> {
        self.all(wanted).last()
    }

    /// The last value of a flag as a number.
    pub(crate) fn number<T: FromStr>(&self, wanted: Setting) -> Result<Option<T>, Failure> {
        self.value(wanted).map(|value| number(value)).transpose()
    }

    /// All values of a flag as numbers, in order.
    pub(crate) fn numbers<T: FromStr>(&self, wanted: Setting) -> Result<Vec<T>, Failure> {
        self.all(wanted).map(|value| number(value)).collect()
    }

    /// Every flag in order: credentials are described by the flags behind the one that begins them.
    pub(crate) fn in_order(&self) -> impl Iterator<Item = &Given> {
        self.0.iter()
    }
}

/// A value that must be a number.
pub(crate) fn number<T: FromStr>(value: &str) -> Result<T, Failure> {
    value
        .parse()
        .map_err(|_| Failure::Unimplemented(format!("the number {value:?}")))
}
