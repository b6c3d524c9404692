//! `artifact-of-other-run`: a job delivers an artifact of whichever run was last.

use lineclear_source::Severity;
use lineclear_workflow::StepKind;

use crate::rules::deeds::Deed;
use crate::uses::{input, is_action};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/artifact-of-other-run.md`.
#[derive(Debug)]
pub(super) struct ArtifactOfOtherRun;

static META: RuleMeta = RuleMeta {
    id: "artifact-of-other-run",
    summary: "a job delivers an artifact of whichever run was last",
    severity: Severity::Warning,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("artifact-of-other-run"),
};

impl Rule for ArtifactOfOtherRun {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for site in file.steps() {
            let StepKind::Uses { uses, with } = &site.step.kind else { continue };
            let Some(job) = site.job else { continue };
            if !is_action(&uses.value, "dawidd6/action-download-artifact") {
                continue;
            }
            if ["run_id", "commit", "pr", "run_number"].iter().any(|key| input(with, key).is_some()) {
                continue;
            }
            let delivery = file.deeds().iter().find(|done| {
                let delivers = done.deed.is_publication() || matches!(done.deed, Deed::Deploy | Deed::Promote);
                delivers && done.is_in(job) && done.site.index > site.index
            });
            if let Some(delivery) = delivery {
                report
                    .at(uses.span, format!("job `{}` {} what the last run of another workflow left: another commit, perhaps a pull request's", job.id.value, delivery.deed.verb()))
                    .label(delivery.span, "goes out here")
                    .help("name the run by `run_id`, or the commit by `commit: ${{ github.sha }}`");
            }
        }
    }
}
