//! Runs `offwire_corpus::server_feed` under libFuzzer.

#![no_main]
#![forbid(unsafe_code)]

libfuzzer_sys::fuzz_target!(|input: &[u8]| offwire_corpus::server_feed(input));
