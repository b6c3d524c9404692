//! `unpinned-official-uses`: an action of the forge itself is named by a tag.

use lineclear_source::Severity;

use super::owners::Trusted;
use super::reference::{Firmness, remotes};
use super::unpinned_uses::report_loose;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/unpinned-official-uses.md`.
#[derive(Debug)]
pub(super) struct UnpinnedOfficialUses;

static META: RuleMeta = RuleMeta {
    id: "unpinned-official-uses",
    summary: "an action of the forge itself is named by a tag",
    severity: Severity::Info,
    group: Group::Security,
    activity: Activity::Pedantic,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::Safe,
    since: "0.1",
    page: page!("unpinned-official-uses"),
};

impl Rule for UnpinnedOfficialUses {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let is_loose = |firmness| matches!(firmness, Firmness::Version | Firmness::Name);
        let trusted = Trusted::of(file);
        for remote in remotes(file).filter(|remote| remote.is_official() && is_loose(remote.firmness())) {
            if !trusted.has(remote.owner) {
                report_loose(file, &remote, report);
            }
        }
    }
}
