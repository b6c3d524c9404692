//! `short-commit`: an action is named by the first digits of a commit.

use lineclear_source::Severity;

use super::reference::{Firmness, remotes};

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/short-commit.md`.
#[derive(Debug)]
pub(super) struct ShortCommit;

static META: RuleMeta = RuleMeta {
    id: "short-commit",
    summary: "an action is named by the first digits of a commit",
    severity: Severity::Error,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("short-commit"),
};

impl Rule for ShortCommit {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for remote in remotes(file).filter(|remote| remote.firmness() == Firmness::ShortCommit) {
            let (name, reference) = (remote.name(), remote.reference);
            report
                .at(
                    remote.reference_span(file.source()),
                    format!("`{name}@{reference}` is a commit cut short: it is refused, because more than one commit may begin so"),
                )
                .help("write all 40 digits of the commit");
        }
    }
}
