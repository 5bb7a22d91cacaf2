//! A certificate in words.

use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::public_key::PublicKey;
use x509_parser::time::ASN1Time;

use crate::facts::{hex, sha256};

/// The facts of a certificate, name by name. Nothing in it is unescaped from the peer.
pub(crate) fn facts(der: &[u8]) -> Vec<(&'static str, String)> {
    let mut facts = match X509Certificate::from_der(der) {
        Ok((_, certificate)) => parsed(&certificate),
        // A raw public key (RFC 7250), or what only the verifier understood.
        Err(error) => vec![("Not X.509", error.to_string().escape_debug().to_string())],
    };
    facts.push(("Fingerprint", format!("sha256 {}", sha256(der))));
    facts
}

fn parsed(certificate: &X509Certificate<'_>) -> Vec<(&'static str, String)> {
    let escaped = |text: String| text.escape_debug().to_string();
    vec![
        ("Subject", escaped(certificate.subject().to_string())),
        ("Issuer", escaped(certificate.issuer().to_string())),
        ("Names", names(certificate)),
        ("Valid from", time(certificate.validity().not_before)),
        ("Valid until", time(certificate.validity().not_after)),
        ("Key", key(certificate)),
        ("Signature", signature(certificate)),
        ("Authority", authority(certificate).into()),
        ("Serial number", hex(certificate.raw_serial())),
    ]
}

/// The names that it is valid for.
fn names(certificate: &X509Certificate<'_>) -> String {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else {
        return "none".into();
    };
    let names = extension.value.general_names.iter().map(|name| match name {
        GeneralName::DNSName(name) => name.escape_debug().to_string(),
        GeneralName::IPAddress(bytes) => address(bytes),
        GeneralName::RFC822Name(name) | GeneralName::URI(name) => name.escape_debug().to_string(),
        GeneralName::OtherName(..)
        | GeneralName::X400Address(_)
        | GeneralName::DirectoryName(_)
        | GeneralName::EDIPartyName(_)
        | GeneralName::RegisteredID(_)
        | GeneralName::Invalid(..) => name.to_string().escape_debug().to_string(),
    });
    names.collect::<Vec<_>>().join(", ")
}

fn address(bytes: &[u8]) -> String {
    if let Ok(octets) = <[u8; 4]>::try_from(bytes) {
        core::net::Ipv4Addr::from(octets).to_string()
    } else if let Ok(octets) = <[u8; 16]>::try_from(bytes) {
        core::net::Ipv6Addr::from(octets).to_string()
    } else {
        format!("address {}", hex(bytes))
    }
}

fn time(time: ASN1Time) -> String {
    let time = time.to_datetime();
    let (hour, minute, second) = time.to_hms();
    format!(
        "{:04}-{:02}-{:02} {hour:02}:{minute:02}:{second:02} UTC",
        time.year(),
        u8::from(time.month()),
        time.day()
    )
}

fn key(certificate: &X509Certificate<'_>) -> String {
    let information = certificate.public_key();
    match information.parsed() {
        Ok(PublicKey::RSA(key)) => format!("RSA, {} bits", key.key_size()),
        Ok(PublicKey::EC(point)) => format!("elliptic curve, {} bits", point.key_size()),
        Ok(_) | Err(_) => match information.algorithm.algorithm.to_id_string().as_str() {
            "1.3.101.112" => "Ed25519".into(),
            "1.3.101.113" => "Ed448".into(),
            other => format!("algorithm {other}"),
        },
    }
}

/// How the issuer has signed it, by the names of RFC 5758, RFC 8017 and RFC 8410.
fn signature(certificate: &X509Certificate<'_>) -> String {
    let algorithm = certificate.signature_algorithm.algorithm.to_id_string();
    let name = match algorithm.as_str() {
        "1.2.840.10045.4.3.2" => "ecdsa-with-SHA256",
        "1.2.840.10045.4.3.3" => "ecdsa-with-SHA384",
        "1.2.840.10045.4.3.4" => "ecdsa-with-SHA512",
        "1.2.840.113549.1.1.10" => "rsassaPss",
        "1.2.840.113549.1.1.11" => "sha256WithRSAEncryption",
        "1.2.840.113549.1.1.12" => "sha384WithRSAEncryption",
        "1.2.840.113549.1.1.13" => "sha512WithRSAEncryption",
        "1.3.101.112" => "Ed25519",
        "1.3.101.113" => "Ed448",
        _ => return format!("algorithm {algorithm}"),
    };
    name.into()
}

fn authority(certificate: &X509Certificate<'_>) -> &'static str {
    if certificate.is_ca() {
        "yes, it may issue certificates"
    } else {
        "no"
    }
}

#[cfg(test)]
mod tests {
    use offwire_testkit::{Authority, Identity, Kind};

    use super::facts;

    fn value(facts: &[(&'static str, String)], name: &str) -> String {
        let found = facts.iter().find(|(of, _)| *of == name);
        found.unwrap().1.clone()
    }

    #[test]
    fn every_kind_of_certificate_is_told_in_words() {
        for (kind, key, signature) in [
            (
                Kind::EcdsaP256,
                "elliptic curve, 256 bits",
                "ecdsa-with-SHA256",
            ),
            (Kind::Rsa, "RSA, 2048 bits", "ecdsa-with-SHA256"),
            (Kind::Ed25519, "Ed25519", "ecdsa-with-SHA256"),
        ] {
            let identity = Identity::server(kind);
            let facts = facts(&identity.chain()[0]);
            assert_eq!(value(&facts, "Key"), key);
            assert_eq!(value(&facts, "Signature"), signature);
            assert_eq!(value(&facts, "Authority"), "no");
            assert!(value(&facts, "Names").starts_with("localhost"), "{facts:?}");
            assert!(
                value(&facts, "Valid from").ends_with(" 00:00:00 UTC"),
                "{facts:?}"
            );
        }
        let facts = facts(Authority::shared().certificate());
        assert_eq!(value(&facts, "Authority"), "yes, it may issue certificates");
        assert_eq!(value(&facts, "Subject"), value(&facts, "Issuer"));
    }

    #[test]
    fn what_is_no_certificate_is_said_to_be_none() {
        let facts = facts(b"\x1b[31mno certificate");
        assert_eq!(facts[0].0, "Not X.509");
        assert!(!facts[0].1.contains('\x1b'));
    }
}
