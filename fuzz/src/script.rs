//! Any text is read as a script of every language without a panic, and every place is one of the text.
#![no_main]

use lineclear_shell::{Language, Script};

libfuzzer_sys::fuzz_target!(|text: &str| {
    for language in [Language::Posix, Language::PowerShell, Language::Cmd] {
        let script = Script::read(text, language);
        for command in &script.commands {
            let words = command.words.iter().chain(command.redirects.iter().map(|redirect| &redirect.target));
            for word in words.chain(command.assignments.iter().map(|assignment| &assignment.value)) {
                assert!(text.get(word.span.clone()).is_some());
                assert!(word.parts.iter().all(|part| text.get(part.span()).is_some()));
            }
            let _ = command.program();
        }
    }
});
