//! `absent-event-property`: what none of the events that start a workflow brings is always empty.

use lineclear_source::Severity;

use super::missing_name;
use crate::types::{Origin, Unknown, events_with};
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
            let name = &unknown.name;
            if unknown.object.origin == Origin::Fixed("github") && is_of_pull_requests(name) {
                look_at_branch(unknown, report);
            }
            if unknown.object.origin != Origin::Event {
                continue;
            }
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

/// Whether this is a property of `github` in the runs of pull requests only.
pub(super) fn is_of_pull_requests(name: &str) -> bool {
    name.eq_ignore_ascii_case("head_ref") || name.eq_ignore_ascii_case("base_ref")
}

fn look_at_branch(unknown: &Unknown, report: &mut Report<'_>) {
    let name = &unknown.name;
    let message = format!("no trigger of this workflow is a pull request: `github.{name}` is always empty");
    let finding = report.at(unknown.span, message);
    if unknown.has_fallback {
        finding.severity(Severity::Info);
    }
    finding.help("the branch that was pushed to is `github.ref_name`");
}
