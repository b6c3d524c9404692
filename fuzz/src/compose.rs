//! Any text is read as a compose file, alone and laid upon itself, without a panic, and every finding can be shown against it.
#![no_main]

use lineclear_compose::{Compose, Stack, interpolation};
use lineclear_source::{Source, Style, render};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let source = Source::new("compose.yml", text);
    let (compose, findings) = Compose::read(&source);
    for finding in &findings {
        render(finding, &source, Style::Plain);
    }
    let _ = interpolation::with_defaults(text);
    let Some(compose) = compose else { return };
    let stack = Stack::of(&[&compose, &compose]);
    for service in &stack.services {
        for port in &service.ports {
            assert!(port.origin < stack.files.len());
            assert!(text.get(port.span.range()).is_some());
            let _ = (port.published_range(), port.is_local());
        }
        assert!(service.mounts.iter().all(|mount| text.get(mount.source_span.range()).is_some()));
        assert!(service.environment.iter().all(|variable| text.get(variable.value_span.range()).is_some()));
    }
});
