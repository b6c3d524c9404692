//! Any bytes are read as a request to the engine's door without a panic, and what is passed on stays within the job.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| lineclear_engine_door::fuzzing::request(data));
