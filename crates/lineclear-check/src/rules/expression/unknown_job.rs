//! `unknown-job`: an output of a workflow that reads a job which is not there is always empty.

use lineclear_source::Severity;

use super::missing_name;
use crate::types::Origin;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/unknown-job.md`.
#[derive(Debug)]
pub(super) struct UnknownJob;

static META: RuleMeta = RuleMeta {
    id: "unknown-job",
    summary: "an output of a called workflow reads a job that it does not have",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::Review,
    since: "0.1",
    page: page!("unknown-job"),
};

impl Rule for UnknownJob {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for unknown in &file.typed().unknown {
            if unknown.object.origin == Origin::Jobs {
                let message = format!("this workflow has no job `{}`: the output is always empty", unknown.name);
                missing_name::report(file, report, unknown, message);
            }
        }
    }
}
