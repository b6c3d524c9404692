//! `action-input-missing`: an action without an input that it needs fails.

use lineclear_source::Severity;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/action-input-missing.md`.
#[derive(Debug)]
pub(super) struct ActionInputMissing;

static META: RuleMeta = RuleMeta {
    id: "action-input-missing",
    summary: "an input that the action needs is not given",
    severity: Severity::Error,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("action-input-missing"),
};

impl Rule for ActionInputMissing {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for site in file.uses() {
            if !site.has_all_inputs() {
                continue;
            }
            let Some(interface) = site.interface(file.project()) else { continue };
            let missing: Vec<String> = interface
                .inputs()
                .filter(|input| input.is_required && site.input(input.name).is_none())
                .map(|input| format!("`{}`", input.name))
                .collect();
            if missing.is_empty() {
                continue;
            }
            let (inputs, is) = if missing.len() == 1 { ("input", "is") } else { ("inputs", "are") };
            let names = missing.join(" and ");
            let finding =
                report.at(site.uses.span, format!("`{}` needs the {inputs} {names}, which {is} not given", site.name));
            finding.help(format!("add {names} under `with`"));
            // The runner hands on an empty text; most scripts in JavaScript refuse it, others may not.
            if !interface.is_javascript() && !site.uses.value.is_own() {
                finding.severity(Severity::Warning);
            }
        }
    }
}
