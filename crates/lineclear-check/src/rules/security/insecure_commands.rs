//! `insecure-commands`: whatever a step prints may set variables of later steps.

use lineclear_source::Severity;
use lineclear_workflow::{Env, JobKind, Text};

use crate::{Activity, Content, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/insecure-commands.md`.
#[derive(Debug)]
pub(super) struct InsecureCommands;

static META: RuleMeta = RuleMeta {
    id: "insecure-commands",
    summary: "whatever a step prints may set variables of later steps",
    severity: Severity::Error,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("insecure-commands"),
};

/// All of the variables begin so.
const PREFIX: &str = "ACTIONS_ALLOW_UNSECURE_";

impl Rule for InsecureCommands {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        if !file.source().text().contains(PREFIX) {
            return;
        }
        if let Content::Workflow(workflow) = file.content() {
            check_env(workflow.env.as_ref(), report);
        }
        for job in file.jobs() {
            if let JobKind::Steps(steps) = &job.kind {
                check_env(steps.env.as_ref(), report);
            }
        }
        for site in file.steps() {
            check_env(site.step.env.as_ref(), report);
        }
        for script in file.scripts() {
            check_script(script.text, report);
        }
    }
}

fn check_env(env: Option<&Env>, report: &mut Report<'_>) {
    let Some(Env::Names(names)) = env else { return };
    for (name, value) in names {
        if effect(name.raw()).is_some() && !matches!(value.raw(), "false" | "0" | "") {
            found(name.raw(), name.span(), report);
        }
    }
}

/// A script that writes the variable for later steps.
fn check_script(script: &Text, report: &mut Report<'_>) {
    let mut offset = 0;
    for line in script.raw().split_inclusive('\n') {
        if line.contains("GITHUB_ENV")
            && let Some(at) = line.find(PREFIX)
        {
            let length = line.get(at..).map_or(0, |rest| {
                rest.find(|letter: char| !letter.is_ascii_uppercase() && letter != '_').unwrap_or(rest.len())
            });
            if let Some(name) = line.get(at..at + length) {
                found(name, script.scalar.span_of(offset + at..offset + at + length), report);
            }
        }
        offset += line.len();
    }
}

fn effect(name: &str) -> Option<&'static str> {
    match name {
        "ACTIONS_ALLOW_UNSECURE_COMMANDS" => {
            Some("whatever a step prints may set variables and the `PATH` of later steps, text of outsiders too")
        }
        "ACTIONS_ALLOW_UNSECURE_STOPCOMMAND_TOKENS" => {
            Some("text that a step prints can guess the word that switches commands on again")
        }
        _ => None,
    }
}

fn found(name: &str, span: lineclear_source::Span, report: &mut Report<'_>) {
    if let Some(effect) = effect(name) {
        report
            .at(span, format!("`{name}` is set: {effect}"))
            .help("take it away, and write `NAME=value` to the file `$GITHUB_ENV`, or a folder to `$GITHUB_PATH`");
    }
}
