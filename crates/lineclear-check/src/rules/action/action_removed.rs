//! `action-removed`: a version that does not work any more.

use lineclear_catalog::Standing;
use lineclear_source::Severity;

use super::upgrade::upgrade;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/action-removed.md`.
#[derive(Debug)]
pub(super) struct ActionRemoved;

static META: RuleMeta = RuleMeta {
    id: "action-removed",
    summary: "a version of an action that does not work any more",
    severity: Severity::Error,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: &[Dialect::GitHub],
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::Review,
    since: "0.1",
    page: page!("action-removed"),
};

impl Rule for ActionRemoved {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for site in file.uses() {
            // `v3-node20` is the old action for servers of one's own, which have the old service.
            if site.reference().is_none_or(|reference| reference.ends_with("-node20")) {
                continue;
            }
            let Standing::Removed { newest, why } = site.standing() else {
                continue;
            };
            let message = format!("`{}@{}` fails: {why}", site.name, site.version);
            let fix = report.wants_fixes().then(|| upgrade(file, site, newest)).flatten();
            report.at(site.uses.span, message).help(format!("use version {newest}")).fix(fix);
        }
    }
}
