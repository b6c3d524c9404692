//! Any text is read as a workflow and as an action without a panic, and every finding can be shown against it.
#![no_main]

use lineclear_source::{Source, Style, render};
use lineclear_workflow::{Action, Workflow};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let source = Source::new("fuzz.yml", text);
    for finding in Workflow::read(&source).diagnostics.iter().chain(&Action::read(&source).diagnostics) {
        render(finding, &source, Style::Plain);
    }
});
