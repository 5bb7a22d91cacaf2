//! The poll is told exactly what the engine waits for, and only when that has changed.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

extern crate alloc;

mod support;

use std::io::{self, ErrorKind};

use mio::{Interest, Poll, Token};
use offwire::{Handshake, Read, Settings, Shutdown, Write};
use offwire_mio::{Error, TlsSource};

use support::VERSIONS;
use support::end::Plan;
use support::simulated::{Simulated, Told};

const TOKEN: Token = Token(7);
const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);

/// Two sources that have shaken hands, unregistered, with so much room between them.
fn open_pair(
    version: offwire::ProtocolVersion,
    capacity: usize,
) -> (TlsSource<Simulated>, TlsSource<Simulated>) {
    let plan = Plan {
        version,
        capacity,
        settings: Settings::default(),
        up: b"",
        down: b"",
    };
    let (client, server) = plan.ends();
    let (mut client, mut server) = (client.source, server.source);
    loop {
        let outcomes = (client.handshake().unwrap(), server.handshake().unwrap());
        if outcomes == (Handshake::Complete, Handshake::Complete) {
            break;
        }
    }
    assert_eq!(client.read(&mut [0; 8]).unwrap(), Read::NeedRead); // tickets
    (client, server)
}

fn told(source: &mut TlsSource<Simulated>) -> Vec<Told> {
    core::mem::take(&mut source.transport_mut().told)
}

#[test]
fn a_blocked_write_is_waited_for_as_long_as_it_is_blocked() {
    let poll = Poll::new().unwrap();
    let registry = poll.registry();
    for version in VERSIONS {
        let (mut client, mut server) = open_pair(version, 3_000);
        client.register(registry, TOKEN).unwrap();
        assert_eq!(
            told(&mut client),
            [Told::Registered(TOKEN, Interest::READABLE)]
        );
        client.reregister(registry, TOKEN).unwrap();
        assert_eq!(told(&mut client), [], "nothing has changed");

        let plaintext = [7; 5_000];
        assert_eq!(client.write(&plaintext).unwrap(), Write::NeedWrite);
        client.reregister(registry, TOKEN).unwrap();
        assert_eq!(told(&mut client), [Told::Reregistered(TOKEN, BOTH)]);
        assert_eq!(client.registered(), Some(BOTH));
        assert_eq!(client.write(&plaintext).unwrap(), Write::NeedWrite);
        client.reregister(registry, TOKEN).unwrap();
        assert_eq!(told(&mut client), [], "it is still blocked");

        assert_eq!(server.read(&mut [0; 5_000]).unwrap(), Read::NeedRead);
        assert_eq!(client.write(&plaintext).unwrap(), Write::Written(5_000));
        client.reregister(registry, TOKEN).unwrap();
        assert_eq!(
            told(&mut client),
            [Told::Reregistered(TOKEN, Interest::READABLE)]
        );
        assert_eq!(server.read(&mut [0; 5_000]).unwrap(), Read::Read(5_000));
    }
}

/// The known bug that is tested as `rustls_359_…`, in the events of a poll.
#[test]
fn what_a_full_transport_left_behind_is_waited_for_and_no_event_is_lost() {
    let poll = Poll::new().unwrap();
    let registry = poll.registry();
    for version in VERSIONS {
        let (mut client, mut server) = open_pair(version, 3_000);
        client.register(registry, TOKEN).unwrap();
        let (request, mut buffer, mut blocked) = ([7; 16_000], [0; 16_385], 0);
        let mut arrived = Read::NeedRead;
        while client.write(&request).unwrap() != Write::Written(16_000) {
            blocked += 1;
            client.reregister(registry, TOKEN).unwrap();
            assert_eq!(client.registered(), Some(BOTH), "output waits");
            assert!(!client.transport_mut().take_event(), "nothing has moved");
            arrived = server.read(&mut buffer).unwrap();
            assert!(client.transport_mut().take_event(), "there is room");
        }
        assert!(blocked >= 5, "blocked {blocked} times");
        client.reregister(registry, TOKEN).unwrap();
        assert_eq!(client.registered(), Some(Interest::READABLE));
        if arrived == Read::NeedRead {
            arrived = server.read(&mut buffer).unwrap();
        }
        assert_eq!(arrived, Read::Read(16_000));

        assert_eq!(client.read(&mut buffer).unwrap(), Read::NeedRead);
        assert_eq!(server.write(b"answer").unwrap(), Write::Written(6));
        assert!(client.transport_mut().take_event(), "the answer is there");
        assert_eq!(client.read(&mut buffer).unwrap(), Read::Read(6));
    }
}

#[test]
fn reads_are_served_while_a_write_is_blocked_and_the_reverse() {
    for version in VERSIONS {
        let (mut client, mut server) = open_pair(version, 3_000);
        let plaintext = [7; 5_000];
        assert_eq!(client.write(&plaintext).unwrap(), Write::NeedWrite);
        assert_eq!(server.write(b"the other way").unwrap(), Write::Written(13));
        assert_eq!(client.peek(&mut [0; 64]).unwrap(), Read::Read(13));
        assert_eq!(client.read(&mut [0; 64]).unwrap(), Read::Read(13));
        assert_eq!(client.read(&mut [0; 64]).unwrap(), Read::NeedRead);
        assert_eq!(client.engine().committed(), 5_000);

        // A record that has not arrived whole does not keep the server from writing.
        assert_eq!(server.read(&mut [0; 64]).unwrap(), Read::NeedRead);
        assert_eq!(server.write(b"again").unwrap(), Write::Written(5));
        assert_eq!(client.read(&mut [0; 64]).unwrap(), Read::Read(5));
        assert_eq!(client.write(&plaintext).unwrap(), Write::Written(5_000));
        assert_eq!(server.read(&mut [0; 5_000]).unwrap(), Read::Read(5_000));
    }
}

#[test]
fn a_source_that_waits_for_nothing_leaves_the_poll_and_comes_back() {
    let poll = Poll::new().unwrap();
    let registry = poll.registry();
    for version in VERSIONS {
        let (mut client, mut server) = open_pair(version, 3_000);
        server.register(registry, TOKEN).unwrap();
        assert_eq!(client.shutdown().unwrap(), Shutdown::Sent);
        assert_eq!(server.read(&mut [0; 64]).unwrap(), Read::Closed);
        told(&mut server);
        server.reregister(registry, TOKEN).unwrap();
        assert_eq!(told(&mut server), [Told::Deregistered]);
        server.reregister(registry, TOKEN).unwrap();
        assert_eq!((told(&mut server), server.registered()), (vec![], None));

        // The half that is left still blocks, and is then waited for.
        assert_eq!(server.write(&[7; 5_000]).unwrap(), Write::NeedWrite);
        server.reregister(registry, TOKEN).unwrap();
        assert_eq!(
            told(&mut server),
            [Told::Registered(TOKEN, Interest::WRITABLE)]
        );
        server.deregister(registry).unwrap();
        assert_eq!(told(&mut server), [Told::Deregistered]);
    }
}

#[test]
fn a_new_token_is_told() {
    let poll = Poll::new().unwrap();
    let (mut client, _server) = open_pair(VERSIONS[1], 3_000);
    client.register(poll.registry(), TOKEN).unwrap();
    client.reregister(poll.registry(), Token(8)).unwrap();
    let expected = [
        Told::Registered(TOKEN, Interest::READABLE),
        Told::Reregistered(Token(8), Interest::READABLE),
    ];
    assert_eq!(told(&mut client), expected);
}

#[test]
fn registering_twice_or_not_at_all_is_an_error_that_changes_nothing() {
    let poll = Poll::new().unwrap();
    let registry = poll.registry();
    let kind = |result: io::Result<()>| result.unwrap_err().kind();
    let (mut client, _server) = open_pair(VERSIONS[1], 3_000);
    assert_eq!(
        kind(client.reregister(registry, TOKEN)),
        ErrorKind::NotFound
    );
    assert_eq!(kind(client.deregister(registry)), ErrorKind::NotFound);
    client.register(registry, TOKEN).unwrap();
    assert_eq!(
        kind(client.register(registry, TOKEN)),
        ErrorKind::AlreadyExists
    );
    assert_eq!(
        told(&mut client),
        [Told::Registered(TOKEN, Interest::READABLE)]
    );
    client.deregister(registry).unwrap();
    client.register(registry, TOKEN).unwrap();
    assert_eq!(client.registered(), Some(Interest::READABLE));
}

#[test]
fn a_source_becomes_a_stream_and_back_in_the_middle_of_a_write() {
    let (mut client, mut server) = open_pair(VERSIONS[1], 3_000);
    assert_eq!(client.write(&[7; 5_000]).unwrap(), Write::NeedWrite);
    let mut client = TlsSource::from_stream(client.into_stream());
    assert_eq!(server.read(&mut [0; 5_000]).unwrap(), Read::NeedRead);
    let error = client.write(&[7; 4_999]).unwrap_err();
    assert!(
        matches!(error, Error::Tls(offwire::Error::Misuse(_))),
        "{error:?}"
    );
    assert_eq!(client.write(&[7; 5_000]).unwrap(), Write::Written(5_000));
    assert_eq!(server.read(&mut [0; 5_000]).unwrap(), Read::Read(5_000));
}
