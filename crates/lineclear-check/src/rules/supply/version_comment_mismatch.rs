//! `version-comment-mismatch`: the comment says one version, and another one runs.

use lineclear_source::Severity;

use super::reference::{Firmness, Remote, remotes};

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/version-comment-mismatch.md`.
#[derive(Debug)]
pub(super) struct VersionCommentMismatch;

static META: RuleMeta = RuleMeta {
    id: "version-comment-mismatch",
    summary: "the version in the comment is not the one that is pinned",
    severity: Severity::Warning,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("version-comment-mismatch"),
};

impl Rule for VersionCommentMismatch {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let mut seen: Vec<(Remote<'_>, &str)> = Vec::new();
        for remote in remotes(file).filter(|remote| remote.firmness() == Firmness::Commit) {
            let Some((span, version)) = remote.commented_version(file.source()) else { continue };
            let repository = remote.repository();
            let locked = file.project().locked(&repository, version);
            if let Some(locked) = locked.filter(|locked| !locked.commit.eq_ignore_ascii_case(remote.reference)) {
                report
                    .at(span, format!("`{version}` of `{repository}` is another commit than the one that is pinned"))
                    .help(format!(
                        "`lineclear.lock` has `{version}` at `{}`: pin that, or mend the comment",
                        locked.commit
                    ));
                continue;
            }
            let same_repository = |other: &Remote<'_>| other.owner == remote.owner && other.repo == remote.repo;
            let clash = seen.iter().find(|(other, said)| {
                same_repository(other)
                    && if other.reference == remote.reference {
                        !are_compatible(said, version)
                    } else {
                        is_exact(version) && *said == version
                    }
            });
            if let Some((other, said)) = clash {
                let message = if other.reference == remote.reference {
                    format!(
                        "this commit of `{repository}` is called `{version}` here and `{said}` elsewhere in this file"
                    )
                } else {
                    format!("`{version}` of `{repository}` is this commit here and another one elsewhere in this file")
                };
                let label = format!("here it is `{}`, said to be `{said}`", short(other.reference));
                report
                    .at(span, message)
                    .label(other.span, label)
                    .help("look up which commit the version has, and mend the other");
            } else {
                seen.push((remote, version));
            }
        }
    }
}

/// Whether both may name the same commit: `v4` and `v4.2.2`.
fn are_compatible(one: &str, other: &str) -> bool {
    let parts = |version: &'_ str| -> Vec<String> {
        version.trim_start_matches(['v', 'V']).split('.').map(str::to_owned).collect()
    };
    parts(one).iter().zip(parts(other).iter()).all(|(a, b)| a == b)
}

/// Whether it names one release: such a tag is not moved. `v4` and `v4.2` are.
fn is_exact(version: &str) -> bool {
    version.split('.').count() >= 3
}

fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}
