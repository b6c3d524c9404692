//! `linux-only`: containers, services and Docker actions run on Linux alone.

use lineclear_catalog::Platform;
use lineclear_source::{Severity, Span};
use lineclear_workflow::{Action, ActionRef, Job, Runs, StepKind};

use super::machine::{Machine, Platforms};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/linux-only.md`.
#[derive(Debug)]
pub(super) struct LinuxOnly;

static META: RuleMeta = RuleMeta {
    id: "linux-only",
    summary: "containers, services and Docker actions on Windows or macOS",
    severity: Severity::Error,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("linux-only"),
};

impl Rule for LinuxOnly {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for (job, steps) in file.step_jobs() {
            let Some(platforms) = Machine::of(job).and_then(|machine| machine.platforms()) else { continue };
            if platforms.is_only(Platform::Linux) {
                continue;
            }
            // An expression may give no image on the other systems.
            let container = steps.container.as_ref().filter(|it| it.image.template.as_literal().is_some());
            if let Some(container) = container {
                found("a job's container runs", container.image.span(), platforms, false, report);
            }
            if let Some(service) = steps.services.iter().find(|it| it.container.image.template.as_literal().is_some()) {
                found("services run", service.id.span, platforms, false, report);
            }
            check_steps(file, job, platforms, report);
        }
    }
}

fn check_steps(file: &File<'_>, job: &Job, platforms: Platforms, report: &mut Report<'_>) {
    for site in file.steps().iter().filter(|site| site.job.is_some_and(|of| std::ptr::eq(of, job))) {
        let StepKind::Uses { uses, .. } = &site.step.kind else { continue };
        let is_docker = |action: &Action| matches!(action.runs, Runs::Docker { .. });
        let uses_docker = match &uses.value {
            ActionRef::Docker { .. } => true,
            ActionRef::Local { path } | ActionRef::SameRepository { path } => {
                file.project().action(path).found().and_then(|read| read.model.as_ref().map(is_docker)).unwrap_or(false)
            }
            ActionRef::Remote { .. } => {
                let text = file.source().slice(uses.span).trim_matches(['\'', '"']);
                let found = file.project().remote_action(text).found();
                found.and_then(|read| read.model.as_ref().map(is_docker)).unwrap_or(false)
            }
        };
        if uses_docker {
            found("Docker actions run", uses.span, platforms, site.step.condition.is_some(), report);
        }
    }
}

fn found(what: &str, span: Span, platforms: Platforms, is_conditional: bool, report: &mut Report<'_>) {
    let names = platforms.names_without(Platform::Linux);
    if !platforms.has(Platform::Linux) {
        report.at(span, format!("{what} on Linux only, and this job runs on {names}"));
    } else if !is_conditional {
        report
            .at(span, format!("{what} on Linux only, and this job also runs on {names}"))
            .severity(Severity::Warning)
            .help("move what needs it into a job of its own");
    }
}
