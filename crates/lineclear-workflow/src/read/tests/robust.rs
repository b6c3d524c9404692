//! Input that nobody would write, and that someone sends.

use lineclear_source::Source;
use proptest::prelude::*;

use super::read;
use crate::{Action, Workflow};

#[test]
fn a_fault_in_every_line_is_counted_and_the_first_thousand_are_kept() {
    let jobs: String = (0..20_000).map(|at| format!("  j{at}: {{ needs: k{at}, colour: red }}\n")).collect();
    let diagnostics = read(&format!("on: push\njobs:\n{jobs}")).diagnostics;
    assert_eq!(diagnostics.len(), 1_001);
    let last = diagnostics.last().expect("there are findings");
    assert_eq!(last.message, "79001 more errors and 0 more warnings are not shown");
}

#[test]
fn deep_and_wide_files_are_read_without_a_deep_stack() {
    let deep = "[".repeat(2_000);
    assert!(read(&format!("on: push\njobs: {deep}")).has_errors());
    let wide = "1, ".repeat(200_000);
    assert!(read(&format!("on: push\njobs: {{ a: {{ runs-on: [{wide}] }} }}")).has_errors());
    let laughs: String = (1..30).map(|at| format!("  k{at}: &k{at} [*k{0}, *k{0}, *k{0}]\n", at - 1)).collect();
    assert!(read(&format!("on: push\nenv:\n  k0: &k0 [x]\n{laughs}jobs: {{}}\n")).has_errors());
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text: String) {
        let source = Source::new("w.yml", text);
        Workflow::read(&source);
        Action::read(&source);
    }

    /// Pieces of the language in any order and depth.
    #[test]
    fn no_yaml_makes_the_reader_panic(node in any_node()) {
        for source in [Source::new("w.yml", node.as_str()), Source::new("w.yml", format!("{{on: {node}, jobs: {{a: {node}}}}}"))] {
            let workflow = Workflow::read(&source);
            let action = Action::read(&source);
            for found in workflow.diagnostics.iter().chain(&action.diagnostics) {
                let end = found.span.map_or(0, |span| span.end as usize);
                prop_assert!(end <= source.text().len(), "{found:?} lies in the file");
            }
        }
    }
}

/// A node in flow style, made of words that the language knows.
fn any_node() -> impl Strategy<Value = String> {
    let scalar = prop::sample::select(vec![
        "~",
        "true",
        "1.5",
        "''",
        "text",
        "push",
        "'${{ github.ref }}'",
        "'${{ a'",
        "'${{ insert }}'",
        "./x",
        "a/b@c",
        "'0 0 * * *'",
        "'**/x'",
        "node20",
        "composite",
        "docker",
        "read",
        "max",
        "inherit",
        "\"a\\n${{ 'é' }}\\t${{ ( }}\"",
    ])
    .prop_map(str::to_owned);
    let key = prop::sample::select(vec![
        "on",
        "jobs",
        "push",
        "branches",
        "paths-ignore",
        "types",
        "schedule",
        "cron",
        "timezone",
        "workflow_dispatch",
        "workflow_call",
        "inputs",
        "secrets",
        "outputs",
        "type",
        "options",
        "default",
        "required",
        "a",
        "b",
        "needs",
        "if",
        "runs-on",
        "group",
        "labels",
        "strategy",
        "matrix",
        "include",
        "exclude",
        "container",
        "services",
        "image",
        "credentials",
        "env",
        "ports",
        "steps",
        "id",
        "name",
        "run",
        "uses",
        "with",
        "shell",
        "wait",
        "wait-all",
        "cancel",
        "parallel",
        "background",
        "concurrency",
        "queue",
        "permissions",
        "contents",
        "defaults",
        "environment",
        "url",
        "snapshot",
        "runs",
        "using",
        "main",
        "args",
        "pre-if",
        "value",
        "'${{ insert }}'",
        "'${{ x }}'",
    ]);
    scalar.prop_recursive(5, 40, 5, move |inner| {
        let list = prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(", ")));
        let pair = (key.clone(), inner).prop_map(|(key, value)| format!("{key}: {value}"));
        let map = prop::collection::vec(pair, 0..6).prop_map(|pairs| format!("{{{}}}", pairs.join(", ")));
        prop_oneof![list, map]
    })
}
