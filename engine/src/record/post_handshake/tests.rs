//! Every message and alert that may come after the handshake, by version and role.

use alloc::vec;
use alloc::vec::Vec;

use super::{Notice, PostHandshake, Request, key_update_message};
use crate::alert::Alert;
use crate::error::{Error, Flood, Peer};
use crate::negotiated::ProtocolVersion::{self, Tls12, Tls13};
use crate::outcome::KeyUpdate;
use crate::tls::secrets::Role::{self, Client, Server};

const ALL: [(ProtocolVersion, Role); 4] = [
    (Tls12, Client),
    (Tls12, Server),
    (Tls13, Client),
    (Tls13, Server),
];

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(body.len()).unwrap().to_be_bytes();
    let mut message = vec![kind, 0, high, low];
    message.extend_from_slice(body);
    message
}

/// The messages acted upon, in words.
fn receive(
    post: &mut PostHandshake,
    content: &[u8],
    side: (ProtocolVersion, Role),
) -> Result<Vec<Vec<u8>>, Error> {
    let mut requests = Vec::new();
    post.handshake(content, side, |request| {
        requests.push(match request {
            Request::KeyUpdate(KeyUpdate::Ours) => b"ours".to_vec(),
            Request::KeyUpdate(KeyUpdate::Both) => b"both".to_vec(),
            Request::Ticket(body) => body.to_vec(),
            Request::Renegotiate => b"renegotiate".to_vec(),
        });
        Ok(())
    })?;
    Ok(requests)
}

fn receive_fresh(content: &[u8], side: (ProtocolVersion, Role)) -> Result<Vec<Vec<u8>>, Error> {
    receive(&mut PostHandshake::default(), content, side)
}

#[test]
fn each_side_accepts_its_own_messages_only() {
    for side in ALL {
        for kind in 0..=255 {
            let expected = match (side, kind) {
                ((Tls13, Client), 4) => Ok(vec![vec![]]),
                ((Tls12, Client), 0) => Ok(vec![]),
                ((Tls12, Server), 1) => Ok(vec![b"renegotiate".to_vec()]),
                ((Tls13, _), 24) => Err(Peer::Malformed.into()),
                _ => Err(Peer::UnexpectedHandshake.into()),
            };
            assert_eq!(
                receive_fresh(&message(kind, b""), side),
                expected,
                "{side:?} {kind}"
            );
        }
    }
}

#[test]
fn a_key_update_requests_zero_or_one() {
    for side in [(Tls13, Client), (Tls13, Server)] {
        let ours = key_update_message(KeyUpdate::Ours);
        let both = key_update_message(KeyUpdate::Both);
        assert_eq!(receive_fresh(&ours, side), Ok(vec![b"ours".to_vec()]));
        assert_eq!(receive_fresh(&both, side), Ok(vec![b"both".to_vec()]));
        let refused = receive_fresh(&message(24, &[2]), side);
        assert_eq!(refused, Err(Peer::IllegalParameter.into()));
        let refused = receive_fresh(&message(24, &[0, 0]), side);
        assert_eq!(refused, Err(Peer::Malformed.into()));
    }
}

#[test]
fn a_key_update_is_the_last_message_of_its_record() {
    let mut content = message(24, &[0]);
    content.extend(message(4, b"ticket"));
    assert_eq!(
        receive_fresh(&content, (Tls13, Client)),
        Err(Peer::Interleaved.into())
    );
    let mut content = message(4, b"ticket");
    content.extend(message(24, &[0]));
    assert_eq!(
        receive_fresh(&content, (Tls13, Client)),
        Ok(vec![b"ticket".to_vec(), b"ours".to_vec()])
    );
}

#[test]
fn a_message_may_be_split_anywhere_but_not_interrupted() {
    let content = message(4, b"ticket");
    for cut in 1..content.len() {
        let mut post = PostHandshake::default();
        let side = (Tls13, Client);
        assert_eq!(
            receive(&mut post, &content[..cut], side),
            Ok(vec![]),
            "{cut}"
        );
        assert_eq!(post.application_data(1), Err(Peer::Interleaved));
        assert_eq!(post.alert(&[1, 0], Tls13), Err(Peer::Interleaved.into()));
        assert_eq!(
            receive(&mut post, &content[cut..], side),
            Ok(vec![b"ticket".to_vec()])
        );
        assert_eq!(post.application_data(1), Ok(()));
    }
}

#[test]
fn what_may_not_come_is_refused_by_its_header() {
    for side in ALL {
        let refused = receive_fresh(&[11, 0, 255, 255], side);
        assert_eq!(refused, Err(Peer::UnexpectedHandshake.into()), "{side:?}");
    }
    let refused = receive_fresh(&[24, 0, 255, 255], (Tls13, Server));
    assert_eq!(refused, Err(Peer::Malformed.into()));
}

#[test]
fn what_is_kept_is_not_printed() {
    let mut post = PostHandshake::default();
    assert_eq!(
        receive(&mut post, &[4, 0, 1, 0, 77, 77], (Tls13, Client)),
        Ok(vec![])
    );
    let shown = alloc::format!("{post:?}");
    assert_eq!(shown, "PostHandshake { partial: 6, .. }");
}

#[test]
fn a_long_message_in_records_of_one_byte_is_put_together() {
    let body: Vec<u8> = (0..=255).cycle().take(65_535).collect();
    let mut post = PostHandshake::default();
    let side = (Tls13, Client);
    let mut content = vec![4, 0, 255, 255];
    content.extend_from_slice(&body);
    let (last, all) = content.split_last().unwrap();
    for byte in all {
        assert_eq!(receive(&mut post, &[*byte], side), Ok(vec![]));
    }
    assert_eq!(receive(&mut post, &[*last], side), Ok(vec![body]));
    assert!(post.partial.is_empty());
}

#[test]
fn what_follows_a_joined_message_is_kept() {
    let mut post = PostHandshake::default();
    let side = (Tls13, Client);
    let content = [message(4, b"one"), message(4, b"two"), message(4, b"three")].concat();
    assert_eq!(receive(&mut post, &content[..3], side), Ok(vec![]));
    let (middle, end) = content[3..].split_at(14);
    assert_eq!(
        receive(&mut post, middle, side),
        Ok(vec![b"one".to_vec(), b"two".to_vec()])
    );
    assert_eq!(receive(&mut post, end, side), Ok(vec![b"three".to_vec()]));
}

#[test]
fn a_message_of_more_than_65535_bytes_is_refused_by_its_header() {
    let side = (Tls13, Client);
    assert_eq!(receive_fresh(&[4, 0, 255, 255], side), Ok(vec![]));
    assert_eq!(
        receive_fresh(&[4, 1, 0, 0], side),
        Err(Peer::Malformed.into())
    );
}

#[test]
fn handshake_and_alert_records_may_not_be_empty() {
    for side in ALL {
        assert_eq!(receive_fresh(b"", side), Err(Peer::EmptyRecord.into()));
        let empty = PostHandshake::default().alert(b"", side.0);
        assert_eq!(empty, Err(Peer::EmptyRecord.into()));
    }
}

#[test]
fn alerts_mean_what_their_version_says() {
    let alert = |version, level, code| PostHandshake::default().alert(&[level, code], version);
    for code in 0..=255_u8 {
        let fatal = Err(Error::Alert(Alert::from_code(code)));
        let (warning12, any13) = match code {
            0 => (Ok(Notice::CloseNotify), Ok(Notice::CloseNotify)),
            90 => (Ok(Notice::Warning), Ok(Notice::Warning)),
            _ => (Ok(Notice::Warning), fatal.clone()),
        };
        assert_eq!(alert(Tls12, 1, code), warning12, "{code}");
        assert_eq!(alert(Tls12, 2, code), fatal, "{code}");
        assert_eq!(alert(Tls13, 1, code), any13, "{code}");
        assert_eq!(alert(Tls13, 2, code), any13, "{code}");
        for level in [0, 3, 255] {
            assert_eq!(
                alert(Tls13, level, code),
                Err(Peer::IllegalParameter.into())
            );
        }
    }
}

#[test]
fn an_alert_has_two_bytes() {
    for content in [&[1][..], &[1, 0, 0], &[2, 20, 1, 0]] {
        let refused = PostHandshake::default().alert(content, Tls13);
        assert_eq!(refused, Err(Peer::Malformed.into()));
    }
}

#[test]
fn floods_are_limited_and_application_data_begins_anew() {
    let mut post = PostHandshake::default();
    for _ in 0..3 {
        for _ in 0..32 {
            assert_eq!(post.application_data(0), Ok(()));
            receive(&mut post, &message(24, &[1]), (Tls13, Client)).unwrap();
            receive(&mut post, &message(4, b""), (Tls13, Client)).unwrap();
            receive(&mut post, &message(0, b""), (Tls12, Client)).unwrap();
        }
        for _ in 0..4 {
            assert_eq!(post.alert(&[1, 90], Tls13), Ok(Notice::Warning));
        }
        let flood = |flood| Err(Peer::Flood(flood).into());
        assert_eq!(
            post.application_data(0),
            Err(Peer::Flood(Flood::EmptyRecords))
        );
        assert_eq!(
            post.alert(&[1, 90], Tls13),
            Err(Peer::Flood(Flood::Warnings).into())
        );
        let update = receive(&mut post, &message(24, &[1]), (Tls13, Client));
        assert_eq!(update, flood(Flood::KeyUpdates));
        let ticket = receive(&mut post, &message(4, b""), (Tls13, Client));
        assert_eq!(ticket, flood(Flood::Tickets));
        let hello_request = receive(&mut post, &message(0, b""), (Tls12, Client));
        assert_eq!(hello_request, flood(Flood::Renegotiations));
        assert_eq!(post.application_data(1), Ok(()));
    }
}
