//! Runs `offwire_corpus::early_data` under libFuzzer.

#![no_main]
#![forbid(unsafe_code)]

libfuzzer_sys::fuzz_target!(|input: &[u8]| offwire_corpus::early_data(input));
