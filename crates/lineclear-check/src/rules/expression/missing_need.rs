//! `missing-need`: a job that is not in `needs` cannot be read.

use lineclear_source::Severity;

use super::missing_name;
use crate::types::Origin;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/missing-need.md`.
#[derive(Debug)]
pub(super) struct MissingNeed;

static META: RuleMeta = RuleMeta {
    id: "missing-need",
    summary: "`needs.x` where the job does not wait for `x`",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::Review,
    since: "0.1",
    page: page!("missing-need"),
};

impl Rule for MissingNeed {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for unknown in &file.typed().unknown {
            if unknown.object.origin != Origin::Needs {
                continue;
            }
            let name = &unknown.name;
            let own = file.expressions().get(unknown.site).and_then(|site| site.place.job);
            let (Some(workflow), Some(own)) = (file.workflow(), own) else { continue };
            match workflow.job(name) {
                Some(job) if std::ptr::eq(job, own) => {
                    report.at(unknown.span, format!("`needs.{name}` is this job itself: this is always empty"));
                }
                Some(job) => {
                    report
                        .at(unknown.span, format!("job `{name}` is not in `needs` of this job: this is always empty"))
                        .label(job.id.span, "the job is here")
                        .help(format!(
                            "add `{}` to `needs`; jobs that are needed only by way of others do not count",
                            job.id.value
                        ));
                }
                None => {
                    let message = format!("there is no job `{name}`: this is always empty");
                    missing_name::report(file, report, unknown, message);
                }
            }
        }
    }
}
