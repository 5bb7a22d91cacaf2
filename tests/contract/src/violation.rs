//! What must follow a violation of the protocol, whatever it is.

use offwire::{Alert, Error, Peer, ProtocolVersion, Read};
use offwire_testkit::{RawPeer, Side};

use crate::{feed, raw, read, read_outcome};

/// Data, then what `violation` makes, must give the data, then the error for ever, and its alert.
pub fn refused(
    role: Side,
    version: ProtocolVersion,
    expected: &Peer,
    alert: Alert,
    violation: impl FnOnce(&mut RawPeer) -> Vec<u8>,
) {
    let (mut peer, mut engine) = raw(role, version);
    peer.drain(&mut engine);
    feed(&mut engine, &peer.data(b"before"));
    let wire = violation(&mut peer);
    // More than the queue holds may have to follow what was read before.
    let taken = engine.feed(&wire);
    assert_eq!(read(&mut engine), Ok((Read::Read(6), b"before".to_vec())));
    engine.feed(&wire[taken..]);
    let error = Error::Peer(expected.clone());
    assert_eq!(error.alert(), Some(alert));
    for _ in 0..2 {
        assert_eq!(read_outcome(&mut engine), Err(error.clone()));
        assert_eq!(engine.write(b"data"), Err(error.clone()));
    }
    let opened = peer.drain(&mut engine);
    assert_eq!(opened.len(), 1, "the alert alone");
    assert_eq!(opened[0].alert(), Some((2, alert)));
}

/// `refused` for both roles and the given versions.
pub fn refused_by_both(
    versions: &[ProtocolVersion],
    expected: &Peer,
    alert: Alert,
    violation: impl Fn(&mut RawPeer) -> Vec<u8>,
) {
    for version in versions {
        for role in Side::BOTH {
            refused(role, *version, expected, alert, &violation);
        }
    }
}
