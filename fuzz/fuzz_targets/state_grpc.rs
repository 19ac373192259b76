#![no_main]

use everstep::testkit::fuzz;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::state_grpc(bytes));
