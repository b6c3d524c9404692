//! `absent-event-property`: what none of the events that start a workflow brings is always empty.

use lineclear_source::Severity;

use super::missing_name;
use crate::types::{Origin, events_with};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/absent-event-property.md`.
#[derive(Debug)]
pub(super) struct AbsentEventProperty;

static META: RuleMeta = RuleMeta {
    id: "absent-event-property",
    summary: "a part of the event that none of the triggers has",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::Review,
    since: "0.1",
    page: page!("absent-event-property"),
};

impl Rule for AbsentEventProperty {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for unknown in &file.typed().unknown {
            if unknown.object.origin != Origin::Event {
                continue;
            }
            let name = &unknown.name;
            let message = format!("no trigger of this workflow has `github.event.{name}`: this is always empty");
            let finding = missing_name::report(file, report, unknown, message);
            if unknown.has_fallback {
                finding.severity(Severity::Info);
            }
            let with: Vec<String> = events_with(name).take(4).map(|event| format!("`{event}`")).collect();
            if !with.is_empty() {
                finding.help(format!("it comes with {}", with.join(", ")));
            }
        }
    }
}
