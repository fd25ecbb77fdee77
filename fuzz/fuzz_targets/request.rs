//! Does the target `request` hold for what a fuzzer finds?

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| groundrun_fuzz_tests::request(bytes));
