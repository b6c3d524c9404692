//! `unpinned-uses`: an action or workflow of somebody else is named by a tag or branch, which can be moved.

use lineclear_source::Severity;

use super::owners::Trusted;
use super::reference::{Firmness, Remote, remotes};

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/unpinned-uses.md`.
#[derive(Debug)]
pub(super) struct UnpinnedUses;

static META: RuleMeta = RuleMeta {
    id: "unpinned-uses",
    summary: "an action or workflow of somebody else is named by a tag or branch, which can be moved",
    severity: Severity::Warning,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::Safe,
    since: "0.1",
    page: page!("unpinned-uses"),
};

impl Rule for UnpinnedUses {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let trusted = Trusted::of(file);
        for remote in remotes(file) {
            let firmness = remote.firmness();
            let is_loose = match firmness {
                Firmness::Commit | Firmness::ShortCommit => false,
                Firmness::Branch => true,
                Firmness::Version | Firmness::Name => !remote.is_official(),
            };
            if is_loose && !takes_tags_only(&remote) && !trusted.has(remote.owner) {
                report_loose(file, &remote, report);
            }
        }
    }
}

/// Says that `remote` is named by what can be moved, and how it would be pinned.
pub(super) fn report_loose(file: &File<'_>, remote: &Remote<'_>, report: &mut Report<'_>) {
    let (name, reference) = (remote.name(), remote.reference);
    let message = match remote.firmness() {
        Firmness::Branch => {
            format!(
                "`{name}@{reference}` follows the moving branch `{reference}`: each run takes what was pushed there last"
            )
        }
        _ => format!(
            "`{name}@{reference}` is not pinned to a commit: whoever can move `{reference}` decides what runs here"
        ),
    };
    let commit = remote.commit(file, report.wants_fixes());
    let fix = commit.as_ref().filter(|_| report.wants_fixes()).and_then(|commit| remote.pin(file.source(), commit));
    let help = match &commit {
        Some(commit) => format!("write `{name}@{} # {}`", commit.commit, commit.reference),
        None => {
            format!("write the commit that you have read, with the name as a comment: `{name}@<commit> # {reference}`")
        }
    };
    report.at(remote.reference_span(file.source()), message).help(help).fix(fix);
}

/// Workflows that prove who built an artifact, and refuse to be called by a commit: the tag is part of the proof.
fn takes_tags_only(remote: &Remote<'_>) -> bool {
    remote.owner == "slsa-framework" && remote.repo == "slsa-github-generator" && remote.firmness() == Firmness::Version
}
