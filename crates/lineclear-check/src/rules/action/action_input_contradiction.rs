//! `action-input-contradiction`: an input that is required and has a default.

use lineclear_source::Severity;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/action-input-contradiction.md`.
#[derive(Debug)]
pub(super) struct ActionInputContradiction;

static META: RuleMeta = RuleMeta {
    id: "action-input-contradiction",
    summary: "an input that is required and has a default",
    severity: Severity::Info,
    group: Group::Correctness,
    activity: Activity::Pedantic,
    dialects: Dialect::ALL,
    files: &[FileKind::Action, FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("action-input-contradiction"),
};

impl Rule for ActionInputContradiction {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        if let Some(call) = file.workflow().and_then(|workflow| workflow.on.get("workflow_call")) {
            for input in call.inputs.iter().filter(|input| input.required) {
                let Some(default) = &input.default else { continue };
                let message = format!("the input `{}` is required: its default is never used", input.name.value);
                report
                    .at(default.span(), message)
                    .label(input.name.span, "the input")
                    .help("take `required: true` away, or the default");
            }
        }
        let Some(action) = file.action() else { return };
        for input in action.inputs.iter().filter(|input| input.required) {
            let Some(default) = &input.default else { continue };
            report
                .at(
                    input.name.span,
                    format!(
                        "the input `{}` is required and has a default: one of both never matters",
                        input.name.value
                    ),
                )
                .label(default.span(), "the default")
                .help("take `required: true` away, or the default");
        }
    }
}
