//! `expression-in-script`: a value becomes part of a script, and nothing says that it has no quotes in it.

use lineclear_expr::{Expr, NodeKind, Reference, Segment};
use lineclear_source::Severity;
use lineclear_workflow::{InputKind, StepKind};

use super::environment_fix::{Reader, reader_of, reader_of_input, through_environment};
use super::relay::code_input;
use super::taint::{Flows, Viewpoint};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/expression-in-script.md`.
#[derive(Debug)]
pub(super) struct ExpressionInScript;

static META: RuleMeta = RuleMeta {
    id: "expression-in-script",
    summary: "a value becomes part of a script, and nothing says that it has no quotes in it",
    severity: Severity::Info,
    group: Group::Security,
    activity: Activity::Pedantic,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::Safe,
    since: "0.1",
    page: page!("expression-in-script"),
};

impl Rule for ExpressionInScript {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for script in file.scripts() {
            let from = Viewpoint { job: script.site.job, step: Some(script.site.step) };
            check_code(file, script.text, from, &|| reader_of(script.shell, script.language, from), report);
        }
        for site in file.steps() {
            let StepKind::Uses { uses, with } = &site.step.kind else { continue };
            let from = Viewpoint { job: site.job, step: Some(site.step) };
            for (name, value) in with {
                if let Some(code) = code_input(&uses.value, &name.value) {
                    check_code(file, value, from, &|| reader_of_input(code), report);
                }
            }
        }
    }
}

fn check_code<'a>(
    file: &File<'a>,
    text: &'a lineclear_workflow::Text,
    from: Viewpoint<'a>,
    reader: &dyn Fn() -> Option<Reader>,
    report: &mut Report<'_>,
) {
    let flows = Flows::new(file);
    let is_found = |expr: &&'a Expr| has_free_text(file, expr, from) && flows.of(expr.root(), from).is_none();
    let found: Vec<&Expr> = text.template.expressions().into_iter().filter(is_found).collect();
    if found.is_empty() {
        return;
    }
    let fix = report
        .wants_fixes()
        .then(reader)
        .flatten()
        .and_then(|reader| through_environment(file, text, from, reader, &found));
    for expr in found {
        report
            .at(
                text.scalar.span_of(expr.root().span().range()),
                format!(
                    "`{}` becomes part of the script: a quote or `$` in it is read as code",
                    lineclear_source::shortened(expr.text().trim(), 60)
                ),
            )
            .help("pass it through `env`, and use the variable in quotes")
            .fix(fix.clone());
    }
}

/// Whether the expression's value may be any text. What secrets do in a script is the matter of another rule.
fn has_free_text(file: &File<'_>, expr: &Expr, from: Viewpoint<'_>) -> bool {
    let root = expr.root();
    if matches!(root.kind(), NodeKind::Compare { .. } | NodeKind::Not(_)) {
        return false;
    }
    root.references().iter().any(|reference| is_free(file, reference, from))
}

fn is_free(file: &File<'_>, reference: &Reference<'_>, from: Viewpoint<'_>) -> bool {
    let name = match reference.path.first() {
        Some(Segment::Name(name)) => *name,
        _ => return !matches!(reference.context, "runner" | "job" | "strategy" | "secrets"),
    };
    match reference.context {
        "vars" => true,
        "env" => !is_fixed_variable(file, name, from),
        // The result and the conclusion are one of four words.
        "steps" | "needs" | "jobs" => super::trust::is_in(reference, "outputs"),
        "inputs" => {
            let of_workflow =
                file.workflow().into_iter().flat_map(|workflow| &workflow.on.events).flat_map(|event| &event.inputs);
            let of_action = file.action().into_iter().flat_map(|action| &action.inputs);
            of_workflow
                .chain(of_action)
                .filter(|input| input.name.value.eq_ignore_ascii_case(name))
                .any(|input| input.kind == InputKind::String)
        }
        // Values that stand in the file are the author's own.
        "matrix" => from
            .job
            .and_then(|job| job.strategy.as_ref())
            .and_then(|strategy| strategy.matrix.as_ref())
            .is_some_and(|matrix| matches!(matrix, lineclear_workflow::TextTree::Scalar(_))),
        "github" => {
            matches!(name, "event") && reference.path.len() > 1 && super::payload::payload(reference, false).is_some()
        }
        _ => false,
    }
}

/// Whether a variable of the file has a value that stands there.
fn is_fixed_variable(file: &File<'_>, name: &str, from: Viewpoint<'_>) -> bool {
    use super::taint::value_in;
    let of_job = from.job.and_then(|job| match &job.kind {
        lineclear_workflow::JobKind::Steps(steps) => steps.env.as_ref(),
        lineclear_workflow::JobKind::Call(_) => None,
    });
    let of_workflow = file.workflow().and_then(|workflow| workflow.env.as_ref());
    let envs = [from.step.and_then(|step| step.env.as_ref()), of_job, of_workflow];
    let value = envs.into_iter().find_map(|env| value_in(env, name));
    value.is_some_and(|value| value.template.as_literal().is_some())
}
