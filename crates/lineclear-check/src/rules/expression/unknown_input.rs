//! `unknown-input`: an input that is not declared is always empty.

use lineclear_source::Severity;
use lineclear_workflow::Key;

use super::missing_name;
use crate::types::Origin;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/unknown-input.md`.
#[derive(Debug)]
pub(super) struct UnknownInput;

static META: RuleMeta = RuleMeta {
    id: "unknown-input",
    summary: "an input that the workflow or action does not declare",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::Review,
    since: "0.1",
    page: page!("unknown-input"),
};

impl Rule for UnknownInput {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for unknown in &file.typed().unknown {
            let (name, object) = (&unknown.name, &unknown.object);
            match object.origin {
                Origin::Inputs | Origin::EventInputs => {}
                _ => continue,
            }
            let site = file.expressions().get(unknown.site);
            let is_default = site.is_some_and(|site| matches!(site.place.key, Key::InputDefault(_)));
            let takes_inputs = |event| file.workflow().is_none_or(|workflow| workflow.on.get(event).is_some());
            if !takes_inputs("workflow_dispatch") && !takes_inputs("workflow_call") {
                report
                    .at(
                        unknown.span,
                        format!("no trigger of this workflow takes inputs: `inputs.{name}` is always empty"),
                    )
                    .help(format!("declare `{name}` at `on.workflow_dispatch.inputs` or `on.workflow_call.inputs`"));
            } else if is_default {
                let message = format!("there is no input `{name}` in front of this one: the default is always empty");
                missing_name::report(file, report, unknown, message);
            } else if file.action().is_some() {
                let message =
                    format!("there is no input `{name}`: this is empty, unless a caller passes it all the same");
                missing_name::report(file, report, unknown, message);
            } else {
                let message = format!("there is no input `{name}`: this is always empty");
                missing_name::report(file, report, unknown, message);
            }
        }
    }
}
