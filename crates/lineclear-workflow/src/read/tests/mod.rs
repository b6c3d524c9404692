//! What reading a file reports, as a table: `line:column severity code message` for each finding.
//!
//! One file for each part of the language. `UPDATE_EXPECT=1` writes what is reported now into the tables.

mod action;
mod expression;
mod file;
mod job;
mod robust;
mod step;
mod trigger;

use expect_test::Expect;
use lineclear_source::Source;

use crate::*;

fn findings(source: &Source, diagnostics: &[lineclear_source::Diagnostic]) -> String {
    let mut text = String::new();
    for found in diagnostics {
        let place = found.span.map_or("-".to_owned(), |span| source.position(span.start).to_string());
        let severity = if found.is_error() { "error" } else { "warning" };
        text += &format!("{place} {severity} {} {}\n", found.code, found.message);
    }
    text
}

fn read(yaml: &str) -> Read<Workflow> {
    Workflow::read(&Source::new("w.yml", yaml))
}

fn check_read(yaml: &str, expected: Expect) {
    let source = Source::new("w.yml", yaml);
    expected.assert_eq(&findings(&source, &Workflow::read(&source).diagnostics));
}

/// Checks what stands under `on`, in a workflow that is otherwise in order.
fn check_on(on: &str, expected: Expect) {
    check_read(&format!("on:{on}\njobs: {{ a: {{ runs-on: x, steps: [run: 'true'] }} }}\n"), expected);
}

/// Checks the lines of one job; `steps` and `runs-on` are there.
fn check_job(job: &str, expected: Expect) {
    check_read(&format!("on: push\njobs:\n  a:\n    runs-on: x\n    steps: [run: 'true']\n{job}"), expected);
}

/// Checks a sequence of steps, which begin in the first column.
fn check_steps(steps: &str, expected: Expect) {
    check_read(&format!("on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n{steps}"), expected);
}

fn check_action(yaml: &str, expected: Expect) {
    let source = Source::new("action.yml", yaml);
    expected.assert_eq(&findings(&source, &Action::read(&source).diagnostics));
}

fn accept(yaml: &str) -> Workflow {
    let read = read(yaml);
    assert_eq!(findings(&Source::new("w.yml", yaml), &read.diagnostics), "");
    read.model.expect("a file without findings has a model")
}
