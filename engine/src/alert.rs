//! Alerts: the peer's last word and ours (RFC 8446 section 6, RFC 5246 section 7.2).

use core::fmt;

/// A TLS alert description, as registered by IANA.
///
/// Compare it with the constants, or take the number with [`Alert::code`]. [`fmt::Display`] gives
/// the registered name, or the number of one that has no name here.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Alert(u8);

macro_rules! alerts {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal;)*) => {
        impl Alert {
            $($(#[$doc])* pub const $name: Self = Self($code);)*

            /// The registered name, or `None` for a number that is not registered.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($code => Some($text),)*
                    _ => None,
                }
            }
        }
    };
}

alerts! {
    /// The sender will send no more data (RFC 8446 section 6.1).
    CLOSE_NOTIFY = 0, "close_notify";
    /// A message came that may not come now.
    UNEXPECTED_MESSAGE = 10, "unexpected_message";
    /// A record could not be authenticated.
    BAD_RECORD_MAC = 20, "bad_record_mac";
    /// A record was longer than permitted.
    RECORD_OVERFLOW = 22, "record_overflow";
    /// No acceptable set of parameters.
    HANDSHAKE_FAILURE = 40, "handshake_failure";
    /// A certificate was corrupt or its signature wrong.
    BAD_CERTIFICATE = 42, "bad_certificate";
    /// A certificate of an unsupported type.
    UNSUPPORTED_CERTIFICATE = 43, "unsupported_certificate";
    /// A certificate was revoked.
    CERTIFICATE_REVOKED = 44, "certificate_revoked";
    /// A certificate has expired or is not yet valid.
    CERTIFICATE_EXPIRED = 45, "certificate_expired";
    /// Something else is wrong with a certificate.
    CERTIFICATE_UNKNOWN = 46, "certificate_unknown";
    /// A field was out of range or inconsistent.
    ILLEGAL_PARAMETER = 47, "illegal_parameter";
    /// The certificate's issuer is not trusted.
    UNKNOWN_CA = 48, "unknown_ca";
    /// The certificate is valid but access is denied.
    ACCESS_DENIED = 49, "access_denied";
    /// A message could not be decoded.
    DECODE_ERROR = 50, "decode_error";
    /// A signature or Finished could not be verified.
    DECRYPT_ERROR = 51, "decrypt_error";
    /// The protocol version is not supported.
    PROTOCOL_VERSION = 70, "protocol_version";
    /// The parameters are not secure enough.
    INSUFFICIENT_SECURITY = 71, "insufficient_security";
    /// An error that has nothing to do with the peer.
    INTERNAL_ERROR = 80, "internal_error";
    /// An inappropriate downgrade (RFC 7507).
    INAPPROPRIATE_FALLBACK = 86, "inappropriate_fallback";
    /// The handshake is being cancelled by the user.
    USER_CANCELED = 90, "user_canceled";
    /// Renegotiation is refused; a warning (RFC 5246 section 7.2.2).
    NO_RENEGOTIATION = 100, "no_renegotiation";
    /// A required extension is missing.
    MISSING_EXTENSION = 109, "missing_extension";
    /// An extension that may not stand here.
    UNSUPPORTED_EXTENSION = 110, "unsupported_extension";
    /// No server of that name (RFC 6066).
    UNRECOGNIZED_NAME = 112, "unrecognized_name";
    /// The stapled OCSP response is invalid.
    BAD_CERTIFICATE_STATUS_RESPONSE = 113, "bad_certificate_status_response";
    /// The pre-shared key identity is unknown.
    UNKNOWN_PSK_IDENTITY = 115, "unknown_psk_identity";
    /// A client certificate is required.
    CERTIFICATE_REQUIRED = 116, "certificate_required";
    /// No common application protocol (RFC 7301).
    NO_APPLICATION_PROTOCOL = 120, "no_application_protocol";
    /// Encrypted Client Hello is required.
    ENCRYPTED_CLIENT_HELLO_REQUIRED = 121, "encrypted_client_hello_required";
}

impl Alert {
    /// The alert with the given number.
    #[must_use]
    pub const fn from_code(code: u8) -> Self {
        Self(code)
    }

    /// The alert's number on the wire.
    #[must_use]
    pub const fn code(self) -> u8 {
        self.0
    }
}

impl fmt::Display for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "alert {}", self.0),
        }
    }
}

impl fmt::Debug for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Alert({}: {self})", self.0)
    }
}

/// The level byte of an alert on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AlertLevel {
    /// Closure alerts, and in TLS 1.2 whatever need not end the connection.
    Warning = 1,
    /// The connection ends.
    Fatal = 2,
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::Alert;

    #[test]
    fn an_alert_is_shown_by_its_registered_name() {
        assert_eq!(Alert::CLOSE_NOTIFY.to_string(), "close_notify");
        assert_eq!(Alert::from_code(20), Alert::BAD_RECORD_MAC);
        assert_eq!(Alert::from_code(20).code(), 20);
    }

    #[test]
    fn an_unregistered_alert_is_shown_by_its_number() {
        assert_eq!(Alert::from_code(199).to_string(), "alert 199");
        assert_eq!(Alert::from_code(199).name(), None);
    }
}
