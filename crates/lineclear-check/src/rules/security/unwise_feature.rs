//! `unwise-feature`: a feature that is hard to use without a hole.

use lineclear_source::Severity;
use lineclear_workflow::{JobKind, StepKind, Text};

use crate::uses::is_of_repository;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/unwise-feature.md`.
#[derive(Debug)]
pub(super) struct UnwiseFeature;

static META: RuleMeta = RuleMeta {
    id: "unwise-feature",
    summary: "a feature that is hard to use without a hole",
    severity: Severity::Info,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("unwise-feature"),
};

impl Rule for UnwiseFeature {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for site in file.steps() {
            match &site.step.kind {
                StepKind::Uses { uses, with } if is_of_repository(&uses.value, "actions/setup-python") => {
                    if let Some((name, _)) =
                        with.iter().find(|(name, _)| name.value.eq_ignore_ascii_case("pip-install"))
                    {
                        report
                            .at(name.span, "`pip-install` installs into the machine's own Python, whatever versions it finds that day")
                            .help("install into an environment of its own, from a file with hashes: `pip install --require-hashes -r requirements.txt`");
                    }
                }
                StepKind::Run { shell: Some(shell), .. } => check_shell(shell, report),
                _ => {}
            }
        }
        let of_workflow = file.workflow().and_then(|workflow| workflow.defaults.as_ref());
        let of_jobs = file.jobs().iter().filter_map(|job| match &job.kind {
            JobKind::Steps(steps) => steps.defaults.as_ref(),
            JobKind::Call(_) => None,
        });
        for defaults in of_workflow.into_iter().chain(of_jobs) {
            if let Some(shell) = &defaults.shell {
                check_shell(shell, report);
            }
        }
    }
}

fn check_shell(shell: &Text, report: &mut Report<'_>) {
    let program = shell.raw().split_ascii_whitespace().next().unwrap_or_default();
    if matches!(program.to_ascii_lowercase().as_str(), "cmd" | "cmd.exe") {
        report
            .at(shell.span(), "`cmd` has no quotes that keep a variable from being read as code")
            .help("use `shell: pwsh`, or `shell: bash`");
    }
}
