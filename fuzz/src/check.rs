//! Any text is checked and repaired as every kind of file without a panic, and every place and every edit is one of the text.
//!
//! The first byte chooses the kind.
#![no_main]

use lineclear_check::{Checker, FileKind, Memory, Project, Safety, Settings, apply, repair};
use lineclear_source::{Source, Style, render};

const KINDS: [(FileKind, &str); 6] = [
    (FileKind::Workflow, ".github/workflows/fuzz.yml"),
    (FileKind::Action, "action.yml"),
    (FileKind::Dependabot, ".github/dependabot.yml"),
    (FileKind::Dockerfile, "Dockerfile"),
    (FileKind::Compose, "compose.yml"),
    (FileKind::Policy, "lineclear.toml"),
];

/// Repairing checks a text many times: longer ones would only be slow.
const LONGEST_REPAIRED: usize = 4096;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let Some(first) = text.chars().next() else { return };
    let (kind, path) = KINDS[first as usize % KINDS.len()];
    let text = &text[first.len_utf8()..];
    let settings = Settings { fixes: true, pedantic: true, ..Settings::default() };
    let checker = Checker::new(&settings);
    let memory = Memory::default();
    let project = Project::new(&memory);
    let source = Source::new(path, text);
    for finding in checker.check(source.clone(), kind, &project).findings {
        render(&finding.diagnostic, &source, Style::Plain);
        if let Some(fix) = finding.fix {
            apply(text, &fix.edits).expect("the edits of a fix are of the text, and apart");
        }
    }
    if text.len() <= LONGEST_REPAIRED {
        let repaired = repair(&checker, &source, kind, &project, Safety::Review);
        repair(&checker, &Source::new(path, repaired.text), kind, &project, Safety::Review);
    }
});
