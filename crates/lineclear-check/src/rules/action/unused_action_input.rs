//! `unused-action-input`: an input that the action does not read.

use lineclear_expr::Segment;
use lineclear_source::Severity;
use lineclear_workflow::Runs;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/unused-action-input.md`.
#[derive(Debug)]
pub(super) struct UnusedActionInput;

static META: RuleMeta = RuleMeta {
    id: "unused-action-input",
    summary: "an input that a composite action declares and does not read",
    severity: Severity::Info,
    group: Group::Correctness,
    activity: Activity::Pedantic,
    dialects: Dialect::ALL,
    files: &[FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("unused-action-input"),
};

impl Rule for UnusedActionInput {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(action) = file.action() else { return };
        if !matches!(action.runs, Runs::Composite { .. }) || action.inputs.is_empty() {
            return;
        }
        let mut unread: Vec<_> = action.inputs.iter().collect();
        for site in file.expressions() {
            for reference in site.expr.root().references() {
                if reference.context != "inputs" {
                    continue;
                }
                match reference.path.first() {
                    Some(Segment::Name(name)) => unread.retain(|input| !input.name.value.eq_ignore_ascii_case(name)),
                    // All of them, or one that only an evaluation can tell.
                    _ => return,
                }
            }
        }
        for input in unread {
            report
                .at(input.name.span, format!("the input `{}` is declared and never read", input.name.value))
                .help("read it as `${{ inputs.… }}`, or take it away");
        }
    }
}
