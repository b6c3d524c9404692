//! `budget-without-severity`: a number of findings that is accepted, of no severity.

use lineclear_source::Severity;

use crate::Content;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/budget-without-severity.md`.
#[derive(Debug)]
pub(super) struct BudgetWithoutSeverity;

static META: RuleMeta = RuleMeta {
    id: "budget-without-severity",
    summary: "a `scan` of a gate that names no severity",
    severity: Severity::Warning,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Policy],
    repair: Repair::None,
    since: "0.1",
    page: page!("budget-without-severity"),
};

impl Rule for BudgetWithoutSeverity {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Content::Policy(policy) = file.content() else { return };
        if policy.scan.block.as_ref().is_some_and(|block| !block.value.is_empty()) {
            return;
        }
        for gate in &policy.gates {
            let Some(scan) = gate.scan.as_ref().filter(|scan| scan.block.is_empty()) else { continue };
            let span = scan.budget.as_ref().map_or(scan.span, |budget| budget.span);
            let message = match &scan.budget {
                Some(budget) => format!("a budget of {} findings of no severity lets every finding pass", budget.value),
                None => "`scan` names no severity: no finding ever blocks".to_owned(),
            };
            report
                .at(span, message)
                .help("write `block = [\"critical\", \"high\"]` beside it, or in `[scan]` for all gates");
        }
    }
}
