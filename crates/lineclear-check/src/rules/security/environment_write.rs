//! `environment-write`: an outsider's text gets into the variables or the `PATH` of later steps.

use lineclear_source::Severity;
use lineclear_workflow::Key;

use super::command_files::{Write, writes};
use super::passing::{is_cleaned, of_local};
use super::taint::{Flows, Viewpoint};
use super::trust::{Guard, Reach, guard_of};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, ScriptSite, page};

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
            for target in FILES.iter().filter(|target| raw.contains(**target)) {
                for write in writes(script.script(), target) {
                    check_write(file, flows, script, target, &write, report);
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

fn check_write<'a>(
    file: &File<'a>,
    flows: Flows<'_, 'a>,
    script: &ScriptSite<'a>,
    target: &str,
    write: &Write<'_>,
    report: &mut Report<'_>,
) {
    let from = Viewpoint { job: script.site.job, step: Some(script.site.step) };
    let range = write.command.span.clone();
    let span = script.span_of(range.clone());
    let is_set = |name: &&str| !FILES.contains(name) && !name.starts_with("GITHUB_OUTPUT");
    let is_cleaned = script.raw().get(range.clone()).is_some_and(is_cleaned);
    let mut names = write.variables().filter(is_set).filter(|_| !is_cleaned);
    let taint = names.find_map(|name| of_local(flows, script.text, from, name, range.start));
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
    if !write.reads_file() {
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
