//! `ignored-scan`: what a scanner finds changes nothing.

use lineclear_expr::Segment;
use lineclear_shell::Connector;
use lineclear_source::Severity;
use lineclear_source::Span;
use lineclear_workflow::StepKind;

use crate::rules::deeds::{Deed, Done};
use crate::uses::{input, is_action};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/ignored-scan.md`.
#[derive(Debug)]
pub(super) struct IgnoredScan;

static META: RuleMeta = RuleMeta {
    id: "ignored-scan",
    summary: "what a scanner finds changes nothing",
    severity: Severity::Warning,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("ignored-scan"),
};

impl Rule for IgnoredScan {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for done in file.deeds().iter().filter(|done| done.deed == Deed::Scan) {
            let step = done.site.step;
            let Some((span, how)) = lets_go(file, done) else { continue };
            if is_read(file, done) {
                continue;
            }
            let name = step.name.as_ref().map(|name| name.raw());
            let what = name.map_or_else(|| "this scan".to_owned(), |name| format!("scan `{name}`"));
            report
                .at(span, format!("whatever {what} finds, the job succeeds: {how}"))
                .help("let it fail from a severity on, or give the step an `id` and let a later step judge `steps.<id>.outcome` or the report");
        }
    }
}

/// How a scan is kept from failing the job, and where that is written.
fn lets_go<'a>(file: &File<'a>, done: &Done<'a>) -> Option<(Span, &'static str)> {
    let step = done.site.step;
    if let Some(text) = step.continue_on_error.as_ref().filter(|text| text.raw() == "true") {
        return Some((text.span(), "`continue-on-error` is true"));
    }
    if let StepKind::Uses { with, .. } = &step.kind {
        let set = |key: &str, value: &str| input(with, key).filter(|text| text.raw() == value);
        if let Some(text) = set("exit-code", "0") {
            return Some((text.span(), "`exit-code` is 0"));
        }
        return set("fail-build", "false")
            .or(set("soft_fail", "true"))
            .map(|text| (text.span(), "it is told not to fail"));
    }
    let (script, command) = done.command?;
    let script = file.scripts().get(script)?;
    let commands = &script.script().commands;
    let own = commands.get(command)?;
    let flag = own.words.windows(2).find(|pair| {
        matches!(pair, [first, second] if first.text == "--exit-code" && second.text == "0" || second.text == "--exit-zero" || second.text == "--exit-code=0")
    });
    if let Some([_, word]) = flag {
        return Some((script.span_of(word.span.clone()), "its exit code is always 0"));
    }
    let next = commands.get(command + 1).filter(|_| own.connector == Connector::Or)?;
    let (program, rest) = next.program()?;
    let goes_on = match program {
        "true" | ":" | "echo" => next.connector != Connector::And,
        "exit" => rest.first().is_some_and(|word| word.text == "0"),
        _ => false,
    };
    // What is repaired right away was not ignored.
    let repairs = script.raw().contains("audit fix");
    (goes_on && !repairs).then(|| (script.span_of(next.span.clone()), "its exit code is thrown away"))
}

/// Whether a later text names the step's outcome, or a file that the scan wrote.
fn is_read(file: &File<'_>, done: &Done<'_>) -> bool {
    let step = done.site.step;
    let by_outcome = step.id.as_ref().is_some_and(|id| {
        file.expressions().iter().any(|site| {
            site.expr.root().references().iter().any(|reference| {
                reference.context == "steps" && matches!(reference.path.first(), Some(Segment::Name(name)) if name.eq_ignore_ascii_case(&id.value))
            })
        })
    });
    let written = outputs(file, done);
    let is_named = |text: &str| written.iter().any(|name| text.contains(name.as_str()));
    let later = file.steps().iter().filter(|site| {
        site.index > done.site.index && site.job.map(|job| job.id.span) == done.site.job.map(|job| job.id.span)
    });
    by_outcome
        || done.command.is_some_and(|(script, command)| {
            let Some(site) = file.scripts().get(script) else { return false };
            let commands = &site.script().commands;
            commands.get(command).is_some_and(|own| own.inside.is_some())
                || commands.iter().skip(command + 2).any(|other| other.words.iter().any(|word| is_named(&word.text)))
        })
        || later.into_iter().any(|site| match &site.step.kind {
            StepKind::Run { script, .. } => is_named(script.raw()),
            StepKind::Uses { uses, with } => {
                let only_keeps = is_action(&uses.value, "actions/upload-artifact");
                let uploads = is_action(&uses.value, "github/codeql-action/upload-sarif");
                uploads || (!only_keeps && with.iter().any(|(_, value)| is_named(value.raw())))
            }
            _ => false,
        })
}

/// The files that the scan writes.
fn outputs(file: &File<'_>, done: &Done<'_>) -> Vec<String> {
    if let StepKind::Uses { with, .. } = &done.site.step.kind {
        return ["output", "output-file", "sarif_file"]
            .iter()
            .filter_map(|key| input(with, key))
            .map(|text| text.raw().to_owned())
            .collect();
    }
    let Some((script, command)) = done.command else { return Vec::new() };
    let Some(script) = file.scripts().get(script) else { return Vec::new() };
    let Some(own) = script.script().commands.get(command) else { return Vec::new() };
    let by_flag = own.words.windows(2).filter_map(|pair| match pair {
        [flag, value]
            if matches!(
                flag.text.as_str(),
                "-o" | "--output" | "--output-file" | "--sarif-file-output" | "--json-file-output"
            ) =>
        {
            Some(value.text.clone())
        }
        _ => None,
    });
    let redirected = own.redirects.iter().map(|redirect| redirect.target.text.clone());
    by_flag.chain(redirected).filter(|name| name.len() > 1 && name != "/dev/null").collect()
}
