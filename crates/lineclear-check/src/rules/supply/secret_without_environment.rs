//! `secret-without-environment`: a job uses secrets that every branch can use.

use lineclear_source::Severity;

use super::deploy_secret_without_environment::{is_deploy, report_outside};

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/secret-without-environment.md`.
#[derive(Debug)]
pub(super) struct SecretWithoutEnvironment;

static META: RuleMeta = RuleMeta {
    id: "secret-without-environment",
    summary: "a job uses secrets that every branch can use",
    severity: Severity::Info,
    group: Group::Security,
    activity: Activity::Pedantic,
    dialects: &[Dialect::GitHub],
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("secret-without-environment"),
};

impl Rule for SecretWithoutEnvironment {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for job in file.jobs().iter().filter(|job| !is_deploy(job)) {
            report_outside(file, job, report, "job `{}` uses {}, which every workflow on every branch can use");
        }
    }
}
