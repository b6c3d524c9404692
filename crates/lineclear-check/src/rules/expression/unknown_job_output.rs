//! `unknown-job-output`: an output that a job does not have is always empty.

use lineclear_source::Severity;

use super::missing_name;
use crate::types::Origin;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/unknown-job-output.md`.
#[derive(Debug)]
pub(super) struct UnknownJobOutput;

static META: RuleMeta = RuleMeta {
    id: "unknown-job-output",
    summary: "an output that a needed job, or a called workflow, does not have",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::Review,
    since: "0.1",
    page: page!("unknown-job-output"),
};

impl Rule for UnknownJobOutput {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for unknown in &file.typed().unknown {
            let Origin::JobOutputs(job) = &unknown.object.origin else { continue };
            let message = format!("job `{job}` has no output `{}`: this is always empty", unknown.name);
            let finding = missing_name::report(file, report, unknown, message);
            if unknown.object.properties.is_empty() {
                finding.help(format!("declare it in `outputs` of job `{job}`, or of the workflow that it calls"));
            }
        }
    }
}
