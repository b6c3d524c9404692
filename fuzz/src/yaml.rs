//! Any text is read as YAML without a panic, and every finding can be shown against it.
#![no_main]

use lineclear_source::{Source, Style, render};
use lineclear_yaml::{Limits, parse};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let source = Source::new("fuzz.yml", text);
    for finding in parse(&source, &Limits::default()).diagnostics {
        render(&finding, &source, Style::Plain);
    }
});
