//! `template-injection`: text that somebody else chose becomes part of a script.

use lineclear_expr::Expr;
use lineclear_shell::{Command, Language, Part, Word};
use lineclear_source::Severity;
use lineclear_workflow::{ActionRef, Env, Job, JobKind, Key, StepKind, Text, TextTree, Workflow, WorkflowRef};

use super::environment_fix::{Reader, reader_of, reader_of_input, through_environment};
use super::relay::code_input;
use super::taint::{Flows, Taint, Viewpoint};
use super::trust::Reach;
use crate::{Activity, Dialect, File, FileKind, Fix, Group, Repair, Report, Rule, RuleMeta, ScriptSite, page};

/// Manual and tests: `docs/rules/template-injection.md`.
#[derive(Debug)]
pub(super) struct TemplateInjection;

static META: RuleMeta = RuleMeta {
    id: "template-injection",
    summary: "text that somebody else chose becomes part of a script",
    severity: Severity::Error,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::Safe,
    since: "0.1",
    page: page!("template-injection"),
};

impl Rule for TemplateInjection {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let flows = Flows::new(file);
        for script in file.scripts() {
            let from = Viewpoint { job: script.site.job, step: Some(script.site.step) };
            let reader = || reader_of(script.shell, script.language, from);
            check_code(file, flows, script.text, from, &reader, report);
            check_evaluated(flows, script, from, report);
        }
        for site in file.steps() {
            let StepKind::Uses { uses, with } = &site.step.kind else { continue };
            let from = Viewpoint { job: site.job, step: Some(site.step) };
            for (name, value) in with {
                if value.template.as_literal().is_some() {
                    continue;
                }
                if let Some(code) = code_input(&uses.value, &name.value) {
                    check_code(file, flows, value, from, &|| reader_of_input(code), report);
                } else if let ActionRef::Local { path } | ActionRef::SameRepository { path } = &uses.value {
                    check_local_action(file, flows, path, &name.value, value, from, report);
                }
            }
        }
        check_containers(file, flows, report);
        for job in file.jobs() {
            if let JobKind::Call(call) = &job.kind
                && let WorkflowRef::Local { path } = &call.uses.value
            {
                for (name, value) in &call.with {
                    if let TextTree::Scalar(value) = value {
                        check_call(file, flows, path, &name.value, value, job, report);
                    }
                }
            }
        }
    }
}

/// Reports the words of `docker create` that somebody else chooses: an option is enough to mount the machine's disk.
fn check_containers<'a>(file: &File<'a>, flows: Flows<'_, 'a>, report: &mut Report<'_>) {
    let is_word = |key: Key<'_>| matches!(key, Key::Options | Key::Entrypoint | Key::Command | Key::Image);
    for site in file.expressions().iter().filter(|site| is_word(site.place.key)) {
        let from = Viewpoint { job: site.place.job, step: None };
        let Some(taint) = flows.of(site.expr.root(), from) else { continue };
        let Some(reach) = flows.reach(&taint, from).filter(|reach| *reach >= Reach::ReadOnly) else { continue };
        let what = if site.place.key == Key::Image { "the image" } else { "the options" };
        let message = format!(
            "{} becomes part of {what} of a container: anyone's text decides what it may do",
            shown(site.expr, &taint)
        );
        report
            .at(site.span(), message)
            .severity(severity(reach))
            .help("write what the container needs down, or choose between fixed texts: `github.event_name == 'push' && 'a' || 'b'`");
    }
}

/// Reports the expressions of a script that hold text of somebody else.
fn check_code<'a>(
    file: &File<'a>,
    flows: Flows<'_, 'a>,
    text: &'a Text,
    from: Viewpoint<'a>,
    reader: &dyn Fn() -> Option<Reader>,
    report: &mut Report<'_>,
) {
    if text.template.as_literal().is_some() {
        return;
    }
    let found = tainted(flows, text, from);
    let fix: Option<Fix> = if found.is_empty() || !report.wants_fixes() {
        None
    } else {
        let wanted: Vec<&Expr> = found.iter().map(|(expr, _, _)| *expr).collect();
        reader().and_then(|reader| through_environment(file, text, from, reader, &wanted))
    };
    for (expr, taint, reach) in found {
        let message = format!("{} becomes part of the script: {}", shown(expr, &taint), whose(&taint, reach));
        report
            .at(text.scalar.span_of(expr.root().span().range()), message)
            .severity(severity(reach))
            .help("pass the value through `env`, and use the variable in quotes: its text is then never read as code")
            .fix(fix.clone());
    }
}

/// Reports variables of the step that a shell inside of the shell reads as code: `eval "$TITLE"`.
fn check_evaluated<'a>(flows: Flows<'_, 'a>, site: &ScriptSite<'a>, from: Viewpoint<'a>, report: &mut Report<'_>) {
    let Some(Env::Names(names)) = &site.site.step.env else { return };
    if site.language != Some(Language::Posix) || !site.has_any(&["eval", "sh -"]) {
        return;
    }
    for (name, value) in names {
        let Some((_, taint, reach)) = tainted(flows, value, from).into_iter().max_by_key(|(_, _, reach)| *reach) else {
            continue;
        };
        for command in &site.script().commands {
            for part in evaluated(command).iter().flat_map(|word| &word.parts) {
                if !matches!(part, Part::Variable { name: it, .. } if it == name.raw()) {
                    continue;
                }
                let message = format!(
                    "`{}`, which holds `{}`, is read as code by another shell: {}",
                    name.raw(),
                    taint.origin,
                    whose(&taint, reach)
                );
                report
                    .at(site.span_of(part.span()), message)
                    .severity(severity(reach))
                    .help("call the command without `eval`, or let the inner shell expand the variable: `bash -c 'echo \"$NAME\"'`");
            }
        }
    }
}

/// The words of the command that it reads as a script.
fn evaluated(command: &Command) -> &[Word] {
    match command.program() {
        Some(("eval", arguments)) => arguments,
        Some(("bash" | "sh" | "dash" | "zsh", arguments)) => {
            let option = arguments.iter().position(|word| {
                word.text.starts_with('-') && !word.text.starts_with("--") && word.text.ends_with('c')
            });
            // What stands behind the script are its arguments.
            option.and_then(|at| arguments.get(at + 1..at + 2)).unwrap_or_default()
        }
        _ => &[],
    }
}

fn tainted<'a>(flows: Flows<'_, 'a>, text: &'a Text, from: Viewpoint<'a>) -> Vec<(&'a Expr, Taint, Reach)> {
    let one = |expr: &'a Expr| {
        let taint = flows.of(expr.root(), from)?;
        let reach = flows.reach(&taint, from)?;
        Some((expr, taint, reach))
    };
    text.template.expressions().into_iter().filter_map(one).collect()
}

/// Reports an argument of a local action that the action makes part of a script.
fn check_local_action<'a>(
    file: &File<'a>,
    flows: Flows<'_, 'a>,
    path: &str,
    input: &str,
    value: &'a Text,
    from: Viewpoint<'a>,
    report: &mut Report<'_>,
) {
    let Some((taint, reach)) = worth_following(flows, value, from) else { return };
    let Some(read) = file.project().action(path).found() else { return };
    let Some(action) = &read.model else { return };
    let lineclear_workflow::Runs::Composite { steps } = &action.runs else { return };
    if steps.iter().any(|step| runs_input(&step.kind, input)) {
        report_argument(value, input, &format!("./{path}"), &taint, reach, report);
    }
}

/// Reports an argument of a local workflow that the workflow makes part of a script.
fn check_call<'a>(
    file: &File<'a>,
    flows: Flows<'_, 'a>,
    path: &str,
    input: &str,
    value: &'a Text,
    job: &'a Job,
    report: &mut Report<'_>,
) {
    let from = Viewpoint { job: Some(job), step: None };
    let Some((taint, reach)) = worth_following(flows, value, from) else { return };
    let Some(read) = file.project().workflow(path).found() else { return };
    let Some(called) = &read.model else { return };
    if calls_with(called, input) {
        report_argument(value, input, path, &taint, reach, report);
    }
}

fn worth_following<'a>(flows: Flows<'_, 'a>, value: &'a Text, from: Viewpoint<'a>) -> Option<(Taint, Reach)> {
    let (_, taint, reach) = tainted(flows, value, from).into_iter().max_by_key(|(_, _, reach)| *reach)?;
    (reach > Reach::Callers).then_some((taint, reach))
}

fn report_argument(value: &Text, input: &str, callee: &str, taint: &Taint, reach: Reach, report: &mut Report<'_>) {
    let message = format!(
        "`{}` becomes part of a script in `{callee}` as its input `{input}`: {}",
        taint.origin,
        whose(taint, reach)
    );
    report
        .at(value.span(), message)
        .severity(severity(reach))
        .help(format!("in `{callee}`, pass `inputs.{input}` through `env`, and use the variable in quotes"));
}

fn calls_with(workflow: &Workflow, input: &str) -> bool {
    workflow.jobs.iter().any(|job| match &job.kind {
        JobKind::Steps(steps) => steps.steps.iter().any(|step| runs_input(&step.kind, input)),
        JobKind::Call(_) => false,
    })
}

/// Whether a step of a called file makes the input part of a script.
fn runs_input(step: &StepKind, input: &str) -> bool {
    let names = |text: &Text| {
        text.template.expressions().iter().any(|expr| {
            expr.root().references().iter().any(|reference| {
                reference.context == "inputs"
                    && matches!(reference.path.first(), Some(lineclear_expr::Segment::Name(name)) if name.eq_ignore_ascii_case(input))
            })
        })
    };
    match step {
        StepKind::Run { script, .. } => names(script),
        StepKind::Uses { uses, with } => {
            with.iter().any(|(name, value)| code_input(&uses.value, &name.value).is_some() && names(value))
        }
        StepKind::Parallel { steps } => steps.iter().any(|step| runs_input(&step.kind, input)),
        _ => false,
    }
}

fn shown(expr: &Expr, taint: &Taint) -> String {
    let text = expr.text().trim();
    if taint.is_direct || taint.origin == text {
        format!("`{}`", taint.origin)
    } else {
        format!("`{}`, which holds `{}`,", lineclear_source::shortened(text, 60), taint.origin)
    }
}

fn severity(reach: Reach) -> Severity {
    match reach {
        Reach::Privileged => Severity::Error,
        Reach::ReadOnly => Severity::Warning,
        Reach::Writers | Reach::Callers => Severity::Info,
    }
}

/// Who can do what with it.
fn whose(taint: &Taint, reach: Reach) -> &'static str {
    use super::payload::ChosenBy;
    match (reach, taint.chosen_by) {
        (Reach::Privileged, _) => "anyone can run commands with the job's secrets and token",
        (Reach::ReadOnly, ChosenBy::Merged) => "whoever wrote a merged commit can run commands in the job",
        (Reach::ReadOnly, _) => "anyone whose text gets that far can run commands in the job",
        (Reach::Callers, _) => "whoever calls decides what runs, and quotes in the text break the script",
        (Reach::Writers, _) => "quotes and `$( )` in it are read as code",
    }
}
