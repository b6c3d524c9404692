//! `command-in-env`: a command in `env`, which is never run.

use lineclear_source::Severity;
use lineclear_workflow::Env;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/command-in-env.md`.
#[derive(Debug)]
pub(super) struct CommandInEnv;

static META: RuleMeta = RuleMeta {
    id: "command-in-env",
    summary: "a command in `env`, which is never run",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("command-in-env"),
};

impl Rule for CommandInEnv {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        if memchr::memmem::find(file.source().text().as_bytes(), b"$(").is_none() {
            return;
        }
        let Some(workflow) = file.workflow() else { return };
        let check = |env: &Option<Env>, report: &mut Report<'_>| {
            let Some(Env::Names(names)) = env else { return };
            for (name, value) in names {
                let text = value.raw();
                let Some(at) = text.find("$(").filter(|_| !text.trim().contains('\n')) else { continue };
                let inside = text.get(at + 2..).and_then(|rest| rest.split_once(')')).map(|(inside, _)| inside);
                // `$(Name)` is a property of MSBuild or a variable of a pipeline; `$((` is arithmetic in a text for a shell.
                let Some(inside) = inside.filter(|inside| {
                    inside.contains(' ') || inside.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
                }) else {
                    continue;
                };
                if inside.is_empty() || file.source().text().contains(&format!("eval \"${}", name.raw())) {
                    continue;
                }
                report
                    .at(
                        value.scalar.span_of(at..at + 3 + inside.len()),
                        format!("`{}` gets the text `$({inside})`: no shell ever runs it", name.raw()),
                    )
                    .help(format!(
                        "run it in a step and write the result: `echo \"{}=$({inside})\" >> \"$GITHUB_ENV\"`",
                        name.raw()
                    ));
            }
        };
        check(&workflow.env, report);
        for (_, steps) in file.step_jobs() {
            check(&steps.env, report);
        }
        for site in file.steps() {
            check(&site.step.env, report);
        }
    }
}
