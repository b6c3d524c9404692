//! Any bytes are read as a command file or a problem matcher file without a panic.
#![no_main]

use lineclear_command::{Matchers, parse_pairs, parse_paths};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    parse_pairs(data);
    parse_paths(data);
    if let Ok(text) = std::str::from_utf8(data) {
        let mut matchers = Matchers::default();
        if matchers.add(text).is_ok() {
            matchers.see("src/a.rs:1: error: x");
        }
    }
});
