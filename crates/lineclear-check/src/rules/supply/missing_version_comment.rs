//! `missing-version-comment`: a pinned action has no comment that says its version.

use lineclear_source::Severity;

use super::reference::{Firmness, firmness, remotes};

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/missing-version-comment.md`.
#[derive(Debug)]
pub(super) struct MissingVersionComment;

static META: RuleMeta = RuleMeta {
    id: "missing-version-comment",
    summary: "a pinned action has no comment that says its version",
    severity: Severity::Info,
    group: Group::Security,
    activity: Activity::Pedantic,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("missing-version-comment"),
};

impl Rule for MissingVersionComment {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for remote in remotes(file).filter(|remote| remote.firmness() == Firmness::Commit) {
            let source = file.source();
            // A branch in the comment is the truth about a commit that has no version.
            let names_branch = || {
                let comment = remote.comment(source).map_or("", |(_, comment)| comment);
                let word = comment.trim_start_matches('#').split_whitespace().next();
                word.is_some_and(|word| firmness(word) == Firmness::Branch)
            };
            if remote.commented_version(source).is_none() && !names_branch() {
                report
                    .at(
                        remote.reference_span(source),
                        format!("nothing says which version of `{}` this commit is", remote.name()),
                    )
                    .help(
                        "add the version as a comment: `# v1.2.3`; tools that update dependencies keep it up to date",
                    );
            }
        }
    }
}
