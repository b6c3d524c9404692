//! Any text is read as a Dockerfile without a panic, every finding can be shown against it, and every place is one of the text.
#![no_main]

use lineclear_dockerfile::{Dockerfile, InstructionKind};
use lineclear_source::{Source, Style, render};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let source = Source::new("Dockerfile", text);
    let (dockerfile, findings) = Dockerfile::read(&source);
    for finding in &findings {
        render(finding, &source, Style::Plain);
    }
    for stage in &dockerfile.stages {
        assert!(dockerfile.lineage(stage).count() <= dockerfile.stages.len());
        let _ = dockerfile.needed_by(stage);
        for instruction in &stage.instructions {
            assert!(text.get(instruction.span.range()).is_some());
            assert!(text.get(instruction.keyword.span().range()).is_some());
            if let InstructionKind::Run(run) = &instruction.kind
                && let Some(script) = run.script()
            {
                assert!(text.get(script.span().range()).is_some());
            }
        }
    }
});
