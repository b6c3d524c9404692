//! `dependabot-execution`: Dependabot may run what packages bring along.

use lineclear_source::Severity;

use super::update::updates;

use crate::{Activity, Dialect, Edit, File, FileKind, Fix, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/dependabot-execution.md`.
#[derive(Debug)]
pub(super) struct DependabotExecution;

static META: RuleMeta = RuleMeta {
    id: "dependabot-execution",
    summary: "Dependabot may run what packages bring along",
    severity: Severity::Warning,
    group: Group::Security,
    activity: Activity::Default,
    dialects: &[Dialect::GitHub],
    files: &[FileKind::Dependabot],
    repair: Repair::Review,
    since: "0.1",
    page: page!("dependabot-execution"),
};

impl Rule for DependabotExecution {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for update in updates(file) {
            let Some((_, span)) = update.text("insecure-external-code-execution").filter(|(word, _)| *word == "allow")
            else {
                continue;
            };
            let fix = report
                .wants_fixes()
                .then(|| Fix::review("let no code of packages run", vec![Edit::replace(span, "deny")]));
            report
                .at(span, "an update may run the code of packages, with the passwords of the registries at hand")
                .help("write `deny`, or take the registries away from this entry")
                .fix(fix);
        }
    }
}
