//! The ClientHello: put together from its records, and what the engine itself reads in it.
//!
//! rustls's unbuffered server tells nobody what the client asked for. It checks every field; what is
//! read here only has to be right in messages that it accepts.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;

use rustls::pki_types::DnsName;

use crate::alert::AlertLevel;
use crate::negotiated::ProtocolVersion;
use crate::record::{HEADER, LARGEST_INCOMING_RECORD, extend_message};
use crate::tls::fields::Fields;

/// The longest message that rustls puts together.
const MAX_MESSAGE: usize = 65_535;

const WARNING: u8 = AlertLevel::Warning as u8;

/// `server_name(0)` (RFC 6066 section 3).
const SERVER_NAME: u16 = 0;

/// `early_data(42)` (RFC 8446 section 4.2).
const EARLY_DATA: u16 = 42;

/// `supported_versions(43)` (RFC 8446 section 4.2).
const SUPPORTED_VERSIONS: u16 = 43;

/// The first handshake message of a client, from bytes that arrive in any pieces, in records of any
/// length. Warnings before it are passed over, as rustls passes over a few of them.
#[derive(Default)]
pub(super) struct Assembly {
    awaited: Awaited,
    /// What has come of the handshake message.
    message: Vec<u8>,
}

/// What the next byte belongs to.
enum Awaited {
    /// A record's header, of which so many bytes are there.
    Header([u8; HEADER], usize),
    /// A handshake record's content, of which so many bytes are missing.
    Content(usize),
    /// An alert, of which so many bytes are there.
    Alert([u8; HEADER + ALERT], usize),
}

/// Bytes of an alert (RFC 8446 section 6).
const ALERT: usize = 2;

impl Default for Awaited {
    fn default() -> Self {
        Self::Header([0; HEADER], 0)
    }
}

/// What bytes came to.
pub(super) enum Assembled<'a> {
    /// The message is not whole yet.
    Incomplete,
    /// It is there to its last byte, or is too long to be waited for.
    Whole(Vec<u8>),
    /// What came of the message is followed by something else: what was `seen` of it, and the rest of the
    /// bytes.
    Junk {
        message: Vec<u8>,
        seen: Vec<u8>,
        rest: &'a [u8],
    },
}

impl Assembly {
    /// Reads on. After anything but `Incomplete` it is spent.
    pub(super) fn read<'a>(&mut self, bytes: &'a [u8]) -> Assembled<'a> {
        let mut rest = bytes;
        while let Some((first, behind)) = rest.split_first() {
            match &mut self.awaited {
                Awaited::Header(header, length) => {
                    if let Some(byte) = header.get_mut(*length) {
                        *byte = *first;
                    }
                    *length += 1;
                    rest = behind;
                    match *header.get(..*length).unwrap_or_default() {
                        [22, major, minor, high, low]
                            if is_version([major, minor]) && is_permitted([high, low]) =>
                        {
                            let length = u16::from_be_bytes([high, low]);
                            self.awaited = Awaited::Content(length.into());
                        }
                        [21, major, minor, 0, 2]
                            if is_version([major, minor]) && self.message.is_empty() =>
                        {
                            let alert = [21, major, minor, 0, 2, 0, 0];
                            self.awaited = Awaited::Alert(alert, HEADER);
                        }
                        [21 | 22] | [21 | 22, 3 | 0 | 0xfe] => {}
                        [21 | 22, major, minor] | [22, major, minor, _] | [21, major, minor, 0]
                            if is_version([major, minor]) => {}
                        ref seen => return junk(&mut self.message, seen, rest),
                    }
                }
                Awaited::Alert(alert, length) => {
                    if let Some(byte) = alert.get_mut(*length) {
                        *byte = *first;
                    }
                    *length += 1;
                    rest = behind;
                    match *alert {
                        _ if *length < alert.len() => {}
                        [.., WARNING, _] => {
                            self.awaited = Awaited::default();
                        }
                        ref seen => return junk(&mut self.message, seen, rest),
                    }
                }
                Awaited::Content(missing) => {
                    let (content, behind) = rest.split_at(rest.len().min(*missing));
                    *missing -= content.len();
                    if *missing == 0 {
                        self.awaited = Awaited::default();
                    }
                    extend_message(&mut self.message, content);
                    rest = behind;
                    if self.is_whole() {
                        return Assembled::Whole(mem::take(&mut self.message));
                    }
                }
            }
        }
        Assembled::Incomplete
    }

    /// Whether the message is there to its last byte, or is too long to be waited for.
    fn is_whole(&self) -> bool {
        match self.message[..] {
            [_, high, middle, low, ref body @ ..] => {
                let length = u32::from_be_bytes([0, high, middle, low]) as usize;
                length > MAX_MESSAGE || body.len() >= length
            }
            _ => false,
        }
    }
}

/// What is neither a record of the handshake nor a warning before it.
fn junk<'a>(message: &mut Vec<u8>, seen: &[u8], rest: &'a [u8]) -> Assembled<'a> {
    Assembled::Junk {
        message: mem::take(message),
        seen: seen.into(),
        rest,
    }
}

/// Whether a record before the ServerHello may have this version. "It MUST be ignored for all purposes"
/// (RFC 8446 section 5.1); rustls refuses what is neither a TLS version nor another that it knows.
const fn is_version(version: [u8; 2]) -> bool {
    matches!(version, [3, _] | [0, 2] | [0xfe, 0xfc | 0xfd | 0xff])
}

/// Whether a handshake record may have this length.
fn is_permitted(length: [u8; 2]) -> bool {
    (1..=LARGEST_INCOMING_RECORD - HEADER).contains(&usize::from(u16::from_be_bytes(length)))
}

/// What a server's handshake needs to know of a ClientHello.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// The server's name, in lower case.
    pub(super) server_name: Option<Box<str>>,
    pub(super) early_data: EarlyDataOffer,
}

/// What a ClientHello offers to do at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum EarlyDataOffer {
    #[default]
    Nothing,
    EarlyData,
}

impl Asked {
    /// Reads a message with its header. In a malformed one, which rustls refuses, what stands before the
    /// fault is found.
    pub(super) fn by(message: &[u8]) -> Self {
        let mut asked = Self::default();
        let Some(mut extensions) = Fields::client_hello_extensions(message) else {
            return asked;
        };
        while let Some((extension, content)) = extensions.extension() {
            match extension {
                SERVER_NAME => asked.server_name = server_name(content),
                EARLY_DATA => asked.early_data = EarlyDataOffer::EarlyData,
                _ => {}
            }
        }
        asked
    }
}

/// The host name of a ServerNameList: it has one at most, and no other type of name is defined (RFC
/// 6066 section 3). An address is no name.
fn server_name(content: &[u8]) -> Option<Box<str>> {
    const HOST_NAME: [u8; 1] = [0];

    let mut list = Fields(Fields(content).vector::<2>()?);
    if *list.array()? != HOST_NAME {
        return None;
    }
    let name = DnsName::try_from(list.vector::<2>()?).ok()?;
    // As rustls shows it to a certificate resolver.
    Some(name.to_lowercase_owned().as_ref().to_owned().into())
}

/// The versions that a ClientHello offers and the engine speaks: those of its extension
/// `supported_versions` (RFC 8446 section 4.2.1), or TLS 1.2 if it has none. `None` if the message
/// cannot be decoded.
pub(super) fn offered_versions(message: &[u8]) -> Option<Vec<ProtocolVersion>> {
    let mut extensions = Fields::client_hello_extensions(message)?;
    while !extensions.0.is_empty() {
        let (extension, content) = extensions.extension()?;
        if extension == SUPPORTED_VERSIONS {
            let versions = Fields(content).vector::<1>()?.as_chunks::<2>().0;
            let spoken = versions.iter().filter_map(|version| match version {
                [3, 3] => Some(ProtocolVersion::Tls12),
                [3, 4] => Some(ProtocolVersion::Tls13),
                _ => None,
            });
            return Some(spoken.collect());
        }
    }
    Some(Vec::from([ProtocolVersion::Tls12]))
}

#[cfg(test)]
mod tests {
    use alloc::boxed::Box;
    use alloc::vec;
    use alloc::vec::Vec;

    use super::{Asked, Assembled, Assembly, EarlyDataOffer};
    use crate::tls::acceptor::HelloReader;

    const EARLY_DATA: (u16, &[u8]) = (42, &[]);

    fn vector<const N: usize>(content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len()).unwrap().to_be_bytes();
        [&length[4 - N..], content].concat()
    }

    /// A ServerNameList of this entry.
    fn name(kind: u8, host: &[u8]) -> Vec<u8> {
        vector::<2>(&[&[kind], &vector::<2>(host)[..]].concat())
    }

    /// A ClientHello with these extensions behind those that every one needs.
    fn hello(more: &[(u16, &[u8])]) -> Vec<u8> {
        let schemes: (u16, &[u8]) = (13, &[0, 2, 4, 3]);
        let groups: (u16, &[u8]) = (10, &[0, 2, 0, 29]);
        let versions: (u16, &[u8]) = (43, &[2, 3, 4]);
        let extensions: Vec<u8> = [schemes, groups, versions]
            .iter()
            .chain(more)
            .flat_map(|(number, content)| {
                [&number.to_be_bytes()[..], &vector::<2>(content)].concat()
            })
            .collect();
        let body = [
            &[3, 3][..],
            &[7; 32],
            &vector::<1>(&[]),
            &vector::<2>(&[0x13, 1]),
            &vector::<1>(&[0]),
            &vector::<2>(&extensions),
        ];
        [&[1][..], &vector::<3>(&body.concat())].concat()
    }

    /// The name that rustls finds in a message that it accepts.
    fn by_rustls(message: &[u8]) -> Option<Option<Box<str>>> {
        let records = message
            .chunks(1 << 14)
            .flat_map(|content| [&[22, 3, 1][..], &vector::<2>(content)].concat());
        let records: Vec<u8> = records.collect();
        match HelloReader::default().read(&records) {
            Ok(hello) => hello.map(|hello| hello.server_name().map(Box::from)),
            Err(_) => None,
        }
    }

    #[test]
    fn the_name_asked_for_is_the_one_that_rustls_finds() {
        let two = [name(0, b"a.test"), name(0, b"b.test")].concat();
        let cases = [
            (name(0, b"server.test"), Some(Some("server.test"))),
            (name(0, b"SERVER.Test"), Some(Some("server.test"))),
            (name(0, b"127.0.0.1"), Some(None)),
            (name(0, b"::1"), Some(None)),
            (name(0, b"not a name"), None),
            (name(0, b"\xff\xfe"), None),
            (name(0, b""), None),
            (name(1, b"server.test"), None),
            (vector::<2>(&[]), None),
            (two, None),
        ];
        for (content, expected) in cases {
            let message = hello(&[(0, &content)]);
            let found = by_rustls(&message);
            let expected = expected.map(|name| name.map(Box::from));
            assert_eq!(found, expected, "{content:?}");
            if let Some(found) = found {
                assert_eq!(Asked::by(&message).server_name, found, "{content:?}");
            }
        }
        assert_eq!(Asked::by(&hello(&[])), Asked::default());
    }

    #[test]
    fn warnings_before_it_are_passed_over_and_other_alerts_are_not() {
        let message = hello(&[EARLY_DATA]);
        let record = [&[22, 3, 1][..], &vector::<2>(&message)].concat();
        let assembled = |alert: [u8; 2]| {
            let bytes = [&[21, 3, 1, 0, 2][..], &alert, &record].concat();
            let mut assembly = Assembly::default();
            for byte in &bytes {
                match assembly.read(&[*byte]) {
                    Assembled::Incomplete => {}
                    Assembled::Whole(whole) => return Some(whole),
                    Assembled::Junk { seen, .. } => {
                        assert_eq!(seen, bytes[..7]);
                        return None;
                    }
                }
            }
            panic!("neither the one nor the other");
        };
        assert_eq!(assembled([1, 90]), Some(message.clone())); // user_canceled
        assert_eq!(assembled([1, 112]), Some(message.clone())); // unrecognized_name
        assert_eq!(assembled([1, 0]), Some(message)); // close_notify
        assert_eq!(assembled([2, 40]), None); // handshake_failure, and fatal
        assert_eq!(assembled([3, 90]), None);
    }

    #[test]
    fn early_data_is_found_wherever_it_stands() {
        let name = name(0, b"server.test");
        for more in [
            vec![EARLY_DATA, (0, &name[..])],
            vec![(0, &name), EARLY_DATA],
        ] {
            let asked = Asked::by(&hello(&more));
            assert_eq!(asked.early_data, EarlyDataOffer::EarlyData);
            assert_eq!(asked.server_name.as_deref(), Some("server.test"));
        }
    }

    #[test]
    fn a_message_with_another_byte_names_what_rustls_finds_in_it() {
        let name = name(0, b"server.test");
        let message = hello(&[(0, &name), (0xfafa, &[1, 2, 3]), EARLY_DATA]);
        let mut accepted = 0;
        for at in 0..message.len() {
            for flip in 1..=u8::MAX {
                let mut changed = message.clone();
                changed[at] ^= flip;
                if let Some(found) = by_rustls(&changed) {
                    accepted += 1;
                    assert_eq!(Asked::by(&changed).server_name, found, "{at} {flip}");
                }
            }
        }
        assert!(accepted > 1_000, "{accepted}");
    }
}
