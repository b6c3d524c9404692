//! `action-input-deprecated`: an input that will go.

use lineclear_source::Severity;

use crate::{Activity, Dialect, File, FileKind, Group, Interface, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/action-input-deprecated.md`.
#[derive(Debug)]
pub(super) struct ActionInputDeprecated;

static META: RuleMeta = RuleMeta {
    id: "action-input-deprecated",
    summary: "an input that the action will not have for long",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("action-input-deprecated"),
};

impl Rule for ActionInputDeprecated {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for site in file.uses() {
            if site.with.is_empty() {
                continue;
            }
            let Some(interface) = site.interface(file.project()) else { continue };
            for (key, _) in site.with {
                let Some(parameter) = interface.input(&key.value) else { continue };
                let Some(hint) = parameter.deprecation else { continue };
                let message = format!("the input `{}` of `{}` is deprecated", key.value, site.name);
                let finding = report.at(key.span, message);
                match interface {
                    Interface::Facts(_) if !hint.is_empty() => {
                        finding.help(format!("use `{hint}` instead"));
                    }
                    Interface::Facts(_) => {
                        finding.help("leave it out");
                    }
                    Interface::Metadata(_) => {
                        finding.help(format!("the action says: {}", hint.trim()));
                    }
                }
            }
        }
    }
}
