//! `pull-request-types`: checks that look at the first commit of a pull request and at no other.

use lineclear_source::Severity;
use lineclear_workflow::{ActionRef, StepKind};

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/pull-request-types.md`.
#[derive(Debug)]
pub(super) struct PullRequestTypes;

static META: RuleMeta = RuleMeta {
    id: "pull-request-types",
    summary: "a check that does not run for later commits of a pull request",
    severity: Severity::Info,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("pull-request-types"),
};

impl Rule for PullRequestTypes {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(trigger) = file.workflow().and_then(|workflow| workflow.on.get("pull_request")) else { return };
        let Some(types) = &trigger.types else { return };
        let has = |name: &str| types.iter().find(|one| one.value == name);
        // Who listens to labels and texts, or to the end, is about something else than the code.
        const OF_CODE: [&str; 3] = ["opened", "reopened", "ready_for_review"];
        let Some(opened) = has("opened").filter(|_| types.iter().all(|one| OF_CODE.contains(&one.as_str()))) else {
            return;
        };
        // Without the code, it is about the pull request itself: a greeting, a label.
        let mut steps = file.steps().iter();
        let uses_code = steps.any(|site| match &site.step.kind {
            StepKind::Uses { uses, .. } => {
                matches!(&uses.value, ActionRef::Remote { owner, repo, .. } if owner == "actions" && repo == "checkout")
            }
            _ => false,
        });
        if uses_code {
            report
                .at(
                    opened.span,
                    "this looks at the code of a pull request when it is opened, and not at commits pushed to it later",
                )
                .help("add `synchronize`");
        }
    }
}
