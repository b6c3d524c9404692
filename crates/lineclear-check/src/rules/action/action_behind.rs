//! `action-behind`: a newer major version is out.

use lineclear_catalog::Standing;
use lineclear_source::Severity;

use super::upgrade::upgrade;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/action-behind.md`.
#[derive(Debug)]
pub(super) struct ActionBehind;

static META: RuleMeta = RuleMeta {
    id: "action-behind",
    summary: "an action of which a newer major version is out",
    severity: Severity::Info,
    group: Group::Correctness,
    activity: Activity::Pedantic,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::Review,
    since: "0.1",
    page: page!("action-behind"),
};

impl Rule for ActionBehind {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for site in file.uses() {
            let standing = site.standing();
            let Standing::Outdated { newest, why: None } = standing else { continue };
            let message = format!("`{}@{}` is behind: version {newest} is out", site.name, site.version);
            let fix = report.wants_fixes().then(|| upgrade(file, site, newest)).flatten();
            report.at(site.uses.span, message).help(format!("use version {newest}")).fix(fix);
        }
    }
}
