//! `vulnerable-action`: a version with a known hole.

use lineclear_catalog::Grade;
use lineclear_source::Severity;

use super::upgrade::raise;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/vulnerable-action.md`.
#[derive(Debug)]
pub(super) struct VulnerableAction;

static META: RuleMeta = RuleMeta {
    id: "vulnerable-action",
    summary: "a version of an action with a known hole",
    severity: Severity::Error,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::Review,
    since: "0.1",
    page: page!("vulnerable-action"),
};

impl Rule for VulnerableAction {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let advisories = file.project().files().advisories();
        for site in file.uses() {
            let Some(reference) = site.reference() else { continue };
            for advisory in advisories.of(&site.name, reference, Some(site.version)) {
                let id = advisory.alias.as_ref().unwrap_or(&advisory.id);
                let message = format!("`{}@{}` has a known hole: {} ({id})", site.name, site.version, advisory.summary);
                let fix = report
                    .wants_fixes()
                    .then(|| advisory.fixed.as_deref().and_then(|fixed| raise(file, site, fixed)))
                    .flatten();
                let finding = report.at(site.uses.span, message);
                if advisory.grade < Grade::High {
                    finding.severity(Severity::Warning);
                }
                match &advisory.fixed {
                    Some(fixed) => {
                        finding.help(format!("version {fixed} and later ones are without it: {}", advisory.id))
                    }
                    None => finding.help(format!("see {}", advisory.id)),
                };
                finding.fix(fix);
            }
        }
    }
}
