//! `latest-from-branch`: any branch may become `latest`.

use super::order::{conditions, is_tags_only};
use lineclear_source::Severity;
use lineclear_workflow::StepKind;

use crate::rules::deeds::Deed;
use crate::uses::input;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/latest-from-branch.md`.
#[derive(Debug)]
pub(super) struct LatestFromBranch;

static META: RuleMeta = RuleMeta {
    id: "latest-from-branch",
    summary: "any branch may become `latest`",
    severity: Severity::Warning,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("latest-from-branch"),
};

impl Rule for LatestFromBranch {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(workflow) = file.workflow() else { return };
        let Some(push) = workflow.on.get("push").filter(|push| !is_tags_only(push)) else { return };
        let any_branch = match &push.branches {
            None => push.tags.is_none(),
            Some(branches) => {
                branches.ignore
                    || branches
                        .list
                        .iter()
                        .any(|pattern| pattern.value.contains('*') && !pattern.value.starts_with("release"))
            }
        };
        if !any_branch {
            return;
        }
        for done in file.deeds().iter().filter(|done| done.deed == Deed::PushImage) {
            if !conditions(workflow, done).is_empty() || done.is_conditional {
                continue;
            }
            let span = match &done.site.step.kind {
                StepKind::Uses { with, .. } => input(with, "tags").and_then(|tags| {
                    let at = tags.raw().find(":latest")?;
                    let ends = tags
                        .raw()
                        .get(at + 7..)?
                        .chars()
                        .next()
                        .is_none_or(|char| matches!(char, '\n' | ',' | ' ' | '\r'));
                    ends.then(|| tags.scalar.span_of(at + 1..at + 7))
                }),
                _ => done.command.and_then(|(script, command)| {
                    let script = file.scripts().get(script)?;
                    let words = &script.script().commands.get(command)?.words;
                    words
                        .iter()
                        .find(|word| word.text.ends_with(":latest"))
                        .map(|word| script.span_of(word.span.clone()))
                }),
            };
            if let Some(span) = span {
                report
                    .at(span, "a push to any branch becomes `latest`: whoever pulls it gets work in progress")
                    .label(push.event.span, "starts for every branch")
                    .help("push `latest` from the main branch only: `branches: [main]`, or an `if` on `github.ref`");
            }
        }
    }
}
