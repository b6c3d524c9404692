//! `environment-write`: an outsider's text gets into the variables or the `PATH` of later steps.

use lineclear_source::{Severity, Span};
use lineclear_workflow::{Key, Text};

use super::execution::commands;
use super::passing::{of_local, variables_of};
use super::taint::{Flows, Viewpoint};
use super::trust::{Guard, Reach, guard_of};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/environment-write.md`.
#[derive(Debug)]
pub(super) struct EnvironmentWrite;

static META: RuleMeta = RuleMeta {
    id: "environment-write",
    summary: "an outsider's text gets into the variables or the `PATH` of later steps",
    severity: Severity::Error,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("environment-write"),
};

/// The files, and what they set.
const FILES: &[&str] = &["GITHUB_ENV", "GITHUB_PATH"];

impl Rule for EnvironmentWrite {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let flows = Flows::new(file);
        check_objects(file, flows, report);
        for script in file.scripts() {
            let raw = script.raw();
            let from = Viewpoint { job: script.site.job, step: Some(script.site.step) };
            for target in FILES.iter().filter(|target| raw.contains(**target)) {
                for write in writes(script.text, target) {
                    check_write(file, flows, from, script.text, target, &write, report);
                }
            }
        }
    }
}

/// Reports variables whose names are somebody else's, too: `env: ${{ fromJSON(…) }}`.
fn check_objects<'a>(file: &File<'a>, flows: Flows<'_, 'a>, report: &mut Report<'_>) {
    for site in file.expressions().iter().filter(|site| site.place.key == Key::EnvObject) {
        let from = Viewpoint { job: site.place.job, step: site.place.step };
        let Some(taint) = flows.of(site.expr.root(), from) else { continue };
        let Some(reach) = flows.reach(&taint, from).filter(|reach| *reach >= Reach::ReadOnly) else { continue };
        let message = format!(
            "`{}` becomes the variables of each script, names and all: `LD_PRELOAD` or `NODE_OPTIONS` too",
            taint.origin
        );
        let severity = if reach == Reach::Privileged { Severity::Error } else { Severity::Warning };
        report.at(site.span(), message).severity(severity).help("take single values from it: `env: { NAME: … }`");
    }
}

/// A line that writes to one of the files.
struct Write<'t> {
    /// Its place in the script.
    at: usize,
    span: Span,
    line: &'t str,
}

/// The lines that write to the file.
fn writes<'t>(script: &'t Text, target: &'t str) -> impl Iterator<Item = Write<'t>> {
    let mut offset = 0;
    script.raw().split_inclusive('\n').filter_map(move |line| {
        let start = offset;
        offset += line.len();
        let text = line.trim_end();
        let begin = text.len() - text.trim_start().len();
        let is_write = text.contains(target)
            && (text.contains(">>")
                || text.contains("tee ")
                || text.contains("Out-File")
                || text.contains("Add-Content"));
        let is_write = is_write && !text.trim_start().starts_with('#');
        is_write.then(|| Write {
            at: start,
            span: script.scalar.span_of(start + begin..start + text.len()),
            line: text,
        })
    })
}

fn check_write<'a>(
    file: &File<'a>,
    flows: Flows<'_, 'a>,
    from: Viewpoint<'a>,
    script: &'a Text,
    target: &str,
    write: &Write<'_>,
    report: &mut Report<'_>,
) {
    let Write { at, span, line } = *write;
    let written = line.split(">>").next().unwrap_or(line);
    let is_set = |name: &&str| !FILES.contains(name) && !name.starts_with("GITHUB_OUTPUT");
    let taint = variables_of(written).filter(is_set).find_map(|name| of_local(flows, script, from, name, at));
    let what = if target == "GITHUB_PATH" { "the `PATH`" } else { "the variables" };
    if let Some((taint, reach)) = taint.and_then(|taint| flows.reach(&taint, from).map(|reach| (taint, reach))) {
        // Who calls an action may hand an outsider's text on, and cannot see from outside where it goes.
        if reach < Reach::ReadOnly && file.action().is_none() {
            return;
        }
        let message = format!(
            "`{}` gets into {what} of later steps: with a line break in it, it sets any variable, `LD_PRELOAD` or `NODE_OPTIONS` too",
            taint.origin
        );
        let severity = match reach {
            Reach::Privileged => Severity::Error,
            _ if reach < Reach::ReadOnly => Severity::Info,
            _ => Severity::Warning,
        };
        report.at(span, message).severity(severity).help("use the value in this step only, or hand it on as an output");
        return;
    }
    // What a command prints in a run that outsiders start may be theirs: a file of an artifact, a commit's message.
    let Some(workflow) = file.workflow() else { return };
    let reads_file = commands(written).any(|(_, command)| {
        ["cat ", "$(cat ", "$(<", "git log", "git show", "jq ", "head ", "tail "]
            .iter()
            .any(|word| command.contains(word))
    });
    if !reads_file || written.contains("<<") {
        return;
    }
    let events = ["pull_request_target", "workflow_run", "issue_comment"];
    let open = events
        .iter()
        .find(|event| workflow.on.get(event).is_some() && guard_of(event, from.job, from.step) < Guard::Trusted);
    if let Some(event) = open {
        let message = format!(
            "what a command reads gets into {what} of later steps in a run for `{event}`: with a line break in it, it sets any variable"
        );
        report
            .at(span, message)
            .severity(Severity::Warning)
            .help("check what was read before it is written: `[[ $value =~ ^[0-9]+$ ]]`");
    }
}
