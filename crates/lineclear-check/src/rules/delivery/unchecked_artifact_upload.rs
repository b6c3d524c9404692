//! `unchecked-artifact-upload`: an upload that finds no files succeeds.

use lineclear_source::Severity;
use lineclear_workflow::StepKind;

use crate::uses::{input, is_action};
use crate::{Activity, Dialect, Edit, File, FileKind, Fix, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/unchecked-artifact-upload.md`.
#[derive(Debug)]
pub(super) struct UncheckedArtifactUpload;

static META: RuleMeta = RuleMeta {
    id: "unchecked-artifact-upload",
    summary: "an upload that finds no files succeeds",
    severity: Severity::Info,
    group: Group::Delivery,
    activity: Activity::Pedantic,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::Review,
    since: "0.1",
    page: page!("unchecked-artifact-upload"),
};

impl Rule for UncheckedArtifactUpload {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for site in file.steps() {
            let StepKind::Uses { uses, with } = &site.step.kind else { continue };
            if !is_action(&uses.value, "actions/upload-artifact") || input(with, "if-no-files-found").is_some() {
                continue;
            }
            // Reports of what failed may be missing.
            let after_failure = site.step.condition.as_ref().is_some_and(|condition| {
                ["failure()", "always()", "cancelled()"].iter().any(|word| condition.raw().contains(word))
            });
            let Some(path) = with.iter().find(|(key, _)| key.value == "path").filter(|_| !after_failure) else {
                continue;
            };
            let fix = report.wants_fixes().then(|| {
                let edit =
                    Edit::add_entry_after(file.source(), path.0.span, path.1.span(), "if-no-files-found: error")?;
                Some(Fix::review("add `if-no-files-found: error`", vec![edit]))
            });
            report
                .at(
                    uses.span,
                    "this upload succeeds without files, too: that there are none is noticed by whoever needs them",
                )
                .help("add `if-no-files-found: error`")
                .fix(fix.flatten());
        }
    }
}
