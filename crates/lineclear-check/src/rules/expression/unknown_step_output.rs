//! `unknown-step-output`: an output that the action does not give is always empty.

use lineclear_source::{Severity, suggest};

use super::missing_name;
use crate::types::{Origin, OutputsKnown};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/unknown-step-output.md`.
#[derive(Debug)]
pub(super) struct UnknownStepOutput;

static META: RuleMeta = RuleMeta {
    id: "unknown-step-output",
    summary: "an output that the action of a step does not have",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::Review,
    since: "0.1",
    page: page!("unknown-step-output"),
};

impl Rule for UnknownStepOutput {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for unknown in &file.typed().unknown {
            let Origin::StepOutputs { step, known } = &unknown.object.origin else { continue };
            // An action that makes names of its own outputs (from a list of filters, say) declares a few only.
            let is_slip = || suggest(&unknown.name, unknown.object.names()).is_some();
            if *known == OutputsKnown::Declared && !is_slip() {
                continue;
            }
            let message =
                format!("the action of step `{step}` gives no output `{}`: this is always empty", unknown.name);
            let severity = match known {
                OutputsKnown::All | OutputsKnown::Usual => Severity::Warning,
                OutputsKnown::Declared => Severity::Info,
            };
            missing_name::report(file, report, unknown, message).severity(severity);
        }
    }
}
