//! `shell-platform`: a shell that the machine does not have.

use lineclear_catalog::Platform;
use lineclear_source::Severity;
use lineclear_workflow::{Job, JobKind, RunDefaults, StepKind, Text};

use super::machine::{Choice, Machine, Platforms, choices};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/shell-platform.md`.
#[derive(Debug)]
pub(super) struct ShellPlatform;

static META: RuleMeta = RuleMeta {
    id: "shell-platform",
    summary: "a shell that the machine does not have",
    severity: Severity::Error,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("shell-platform"),
};

impl Rule for ShellPlatform {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let of_workflow = file.workflow().and_then(|workflow| workflow.defaults.as_ref());
        let of_workflow = of_workflow.and_then(|defaults| defaults.shell.as_ref());
        let mut seen_default = false;
        for (job, steps) in file.step_jobs() {
            let of_job = steps.defaults.as_ref().and_then(|defaults: &RunDefaults| defaults.shell.as_ref());
            let default = of_job.or(of_workflow.filter(|_| !seen_default));
            let own = file.steps().iter().filter(|site| site.job.is_some_and(|of| std::ptr::eq(of, job)));
            let own = own.filter_map(|site| match &site.step.kind {
                StepKind::Run { shell: Some(shell), .. } => Some((shell, site.step.condition.is_some())),
                _ => None,
            });
            let mut platforms = None;
            for (shell, is_conditional) in own.chain(default.map(|shell| (shell, false))) {
                if shell.raw().len() <= 2 * "powershell".len() || shell.template.as_literal().is_none() {
                    let platforms = *platforms.get_or_insert_with(|| platforms_of(job));
                    let Some(platforms) = platforms else { break };
                    let is_conditional = is_conditional || job.condition.is_some();
                    check_shell(shell, job, platforms, is_conditional, report);
                }
            }
            seen_default |= of_job.is_none();
        }
    }
}

/// Where the steps run: a container is Linux.
fn platforms_of(job: &Job) -> Option<Platforms> {
    let JobKind::Steps(steps) = &job.kind else { return None };
    match &steps.container {
        Some(container) if container.image.template.as_literal().is_some() => Some(Platforms::LINUX),
        Some(_) => None,
        None => Machine::of(job)?.platforms(),
    }
}

fn check_shell(shell: &Text, job: &Job, platforms: Platforms, is_conditional: bool, report: &mut Report<'_>) {
    let label = choices(shell, job);
    // With several of either, the matrix may pair them well.
    if label.choices.len() > 1 && !platforms.is_one() {
        return;
    }
    label.choices.iter().for_each(|choice| check_choice(choice, platforms, is_conditional, report));
}

fn check_choice(choice: &Choice<'_>, platforms: Platforms, is_conditional: bool, report: &mut Report<'_>) {
    let shell = &*choice.text;
    if shell.eq_ignore_ascii_case("sh") && platforms.is_only(Platform::Windows) {
        let message = "`sh` is meant for Linux and macOS: on Windows it is what happens to be installed";
        report
            .at(choice.span, message)
            .severity(Severity::Info)
            .help("use `bash`, which all of GitHub's machines have");
        return;
    }
    if !["cmd", "powershell"].iter().any(|known| known.eq_ignore_ascii_case(shell)) {
        return;
    }
    let help = if shell.eq_ignore_ascii_case("cmd") { "use `bash`" } else { "use `pwsh`, which runs everywhere" };
    if !platforms.has(Platform::Windows) {
        let names = platforms.names_without(Platform::Windows);
        report.at(choice.span, format!("`{shell}` exists on Windows only, and this job runs on {names}")).help(help);
    } else if !platforms.is_one() && !is_conditional {
        let names = platforms.names_without(Platform::Windows);
        let message = format!("`{shell}` exists on Windows only, and this job also runs on {names}");
        report.at(choice.span, message).severity(Severity::Warning).help(help);
    }
}
