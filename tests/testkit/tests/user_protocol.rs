//! A protocol of a user's own, property-tested over TLS: requests and responses behind their length.
//! It needs no socket, thread or clock; cuts and room of the transport vary, and the engines' settings.

use offwire_testkit::{Contexts, Pair, Side, strategy};
use proptest::prelude::*;

/// The protocol under test: a length in four bytes, then as many bytes.
fn frame(message: &[u8]) -> Vec<u8> {
    let len = u32::try_from(message.len()).expect("a message of less than 4 GiB");
    [&len.to_be_bytes()[..], message].concat()
}

/// Takes the first message off what was received, once it is whole.
fn deframe(received: &mut Vec<u8>) -> Option<Vec<u8>> {
    let len = u32::from_be_bytes(received.get(..4)?.try_into().ok()?) as usize;
    let message = received.get(4..4 + len)?.to_vec();
    received.drain(..4 + len);
    Some(message)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 50, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn every_request_is_answered_in_order(
        requests in prop::collection::vec(strategy::payload(40_000), 1..4),
        (version, suite, settings) in (strategy::version(), strategy::suite(), strategy::settings()),
        (cuts, capacity) in (strategy::cuts(), 100..50_000_usize),
    ) {
        let contexts = Contexts::new().version(version).suite(suite).settings(settings);
        let mut pair = Pair::of(&contexts).cuts(cuts).capacity(capacity).recording();
        for request in requests {
            let mut response = deframe(&mut pair.exchange(Side::Client, &frame(&request))).unwrap();
            response.reverse(); // the service: it answers with the request, backwards
            let answer = deframe(&mut pair.exchange(Side::Server, &frame(&response)));
            prop_assert_eq!(answer, Some(request.into_iter().rev().collect()), "{}", pair);
        }
        pair.close();
    }
}
