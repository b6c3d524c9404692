//! `deploy-without-rollback`: a failed deployment stays as it is.

use lineclear_source::Severity;
use lineclear_workflow::Job;

use crate::rules::deeds::Deed;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/deploy-without-rollback.md`.
#[derive(Debug)]
pub(super) struct DeployWithoutRollback;

static META: RuleMeta = RuleMeta {
    id: "deploy-without-rollback",
    summary: "a failed deployment stays as it is",
    severity: Severity::Info,
    group: Group::Delivery,
    activity: Activity::Pedantic,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("deploy-without-rollback"),
};

impl Rule for DeployWithoutRollback {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(workflow) = file.workflow() else { return };
        let mut seen: Vec<&Job> = Vec::new();
        for done in file.deeds().iter().filter(|done| done.deed == Deed::Deploy && done.command.is_some()) {
            let Some(job) = done.site.job.filter(|job| !seen.iter().any(|one| std::ptr::eq(*one, *job))) else {
                continue;
            };
            seen.push(job);
            let text = workflow.source.text();
            let goes_back =
                ["rollback", "rollout undo", "--atomic", "roll-back", "revert"].iter().any(|word| text.contains(word));
            if !goes_back {
                report
                    .at(done.span, format!("job `{}` deploys, and nothing goes back if that fails: what is live is then neither old nor new", job.id.value))
                    .help("add a step with `if: failure()` that deploys the version before, or use `helm --atomic`");
            }
        }
    }
}
