//! Any text is read as `lineclear.toml` without a panic, with places that are in the text, and filled in by its preset.
#![no_main]

use lineclear_policy::{OfferedCheck, Policy};
use lineclear_source::{Source, Style, render};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let source = Source::new("lineclear.toml", text);
    let (policy, findings) = Policy::read(&source);
    let offered = ["CI / quality", "CI / smoke", "CI / docker-build"].map(|name| OfferedCheck {
        name: name.to_owned(),
        is_open: text.len().is_multiple_of(3),
        on_pull_requests: true,
        on_pushes: text.len().is_multiple_of(2),
    });
    let (filled, problems) = policy.expanded(&offered);
    for finding in findings.iter().chain(&problems) {
        render(finding, &source, Style::Plain);
    }
    filled.environment_cycles();
    filled.unreachable_environments();
});
