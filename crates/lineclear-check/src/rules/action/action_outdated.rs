//! `action-outdated`: a version that should not be used any more.

use lineclear_catalog::Standing;
use lineclear_source::Severity;

use super::upgrade::upgrade;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/action-outdated.md`.
#[derive(Debug)]
pub(super) struct ActionOutdated;

static META: RuleMeta = RuleMeta {
    id: "action-outdated",
    summary: "a version of an action that should not be used any more",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: &[Dialect::GitHub],
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::Review,
    since: "0.1",
    page: page!("action-outdated"),
};

impl Rule for ActionOutdated {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for site in file.uses() {
            let standing = site.standing();
            let Standing::Outdated { newest, why: Some(why) } = standing else { continue };
            let message = format!("`{}@{}` is outdated: {why}", site.name, site.version);
            let is_newest = lineclear_catalog::Version::of(site.version).is_some_and(|version| version.major == newest);
            let fix = (report.wants_fixes() && !is_newest).then(|| upgrade(file, site, newest)).flatten();
            let finding = report.at(site.uses.span, message);
            if !is_newest {
                finding.help(format!("use version {newest}"));
            }
            finding.fix(fix);
        }
    }
}
