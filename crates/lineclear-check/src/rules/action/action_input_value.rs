//! `action-input-value`: a value that the action does not understand.

use lineclear_source::Severity;

use super::input_form::form_of;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/action-input-value.md`.
#[derive(Debug)]
pub(super) struct ActionInputValue;

static META: RuleMeta = RuleMeta {
    id: "action-input-value",
    summary: "a value that the action does not understand",
    severity: Severity::Error,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("action-input-value"),
};

impl Rule for ActionInputValue {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for site in file.uses().iter().filter(|site| !site.with.is_empty() && site.reference().is_some()) {
            for (key, value) in site.with {
                let Some(form) = form_of(&site.name, &key.value) else { continue };
                let Some(literal) = value.template.as_literal().map(|_| value.raw().trim()) else { continue };
                if literal.is_empty() || form.takes(literal) {
                    continue;
                }
                let (wanted, meant) = form.wanted(literal);
                let message = format!("`{}` of `{}` takes {wanted}, not `{literal}`", key.value, site.name);
                let finding = report.at(value.span(), message);
                if let Some(meant) = meant {
                    finding.help(format!("did you mean `{meant}`?"));
                }
            }
        }
    }
}
