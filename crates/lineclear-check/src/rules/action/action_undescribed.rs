//! `action-undescribed`: an action without name or description.

use lineclear_source::Severity;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/action-undescribed.md`.
#[derive(Debug)]
pub(super) struct ActionUndescribed;

static META: RuleMeta = RuleMeta {
    id: "action-undescribed",
    summary: "an action without a name or description",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("action-undescribed"),
};

impl Rule for ActionUndescribed {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(action) = file.action() else { return };
        let is_blank = |text: &Option<String>| text.as_ref().is_none_or(|text| text.trim().is_empty());
        let missing = match (is_blank(&action.name), is_blank(&action.description)) {
            (true, true) => "`name` and `description`",
            (true, false) => "`name`",
            (false, true) => "`description`",
            (false, false) => return,
        };
        report.whole(format!("the action has no {missing}")).help("both are required in an action's metadata");
    }
}
