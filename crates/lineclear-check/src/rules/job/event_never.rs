//! `event-never`: a condition on an event that does not start the workflow.

use lineclear_source::Severity;
use lineclear_workflow::{Key, Workflow};

use super::comparison::{Compared, How, visit};
use crate::{Activity, Dialect, ExpressionSite, File, FileKind, Form, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/event-never.md`.
#[derive(Debug)]
pub(super) struct EventNever;

static META: RuleMeta = RuleMeta {
    id: "event-never",
    summary: "a condition on an event that does not start the workflow",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("event-never"),
};

impl Rule for EventNever {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(workflow) = file.workflow() else { return };
        let is_called = workflow.on.get("workflow_call").is_some();
        // An event that could not be read is missing here.
        if is_called || workflow.on.events.is_empty() || !file.source().text().contains("event_name") {
            return;
        }
        for site in file.expressions().iter().filter(|site| site.expr.text().contains("event_name")) {
            visit(site.expr.root(), &mut |compared| check_one(workflow, site, compared, report));
        }
    }
}

fn check_one(workflow: &Workflow, site: &ExpressionSite<'_>, compared: Compared<'_>, report: &mut Report<'_>) {
    let Compared { name, text, literal, how, decides, .. } = compared;
    let events = || workflow.on.events.iter().map(|trigger| trigger.event.as_str());
    let is_there = match how {
        How::Equal | How::NotEqual => events().any(|event| event.eq_ignore_ascii_case(text)),
        How::StartsWith => {
            events().any(|event| event.get(..text.len()).is_some_and(|start| start.eq_ignore_ascii_case(text)))
        }
    };
    if !name.eq_ignore_ascii_case("event_name") || is_there || text.is_empty() {
        return;
    }
    // `pull-request` was meant to be one of the events; `workflow_dispatch` in a workflow without it was not.
    let near = lineclear_source::suggest(text, events())
        .filter(|near| near.replace('-', "_") == text.replace('-', "_").to_ascii_lowercase() || !is_event(text));
    let message = match (how, near) {
        (How::NotEqual, None) => return,
        (How::NotEqual, Some(near)) => {
            format!("this is always true: no event is called `{text}`; did you mean `{near}`?")
        }
        (_, Some(near)) => format!("this is never true: no event is called `{text}`; did you mean `{near}`?"),
        (_, None) => format!("this is never true: `{text}` does not start this workflow"),
    };
    // Outside of conditions it is often one line for all of a repository's workflows.
    if matches!(site.place.key, Key::CancelInProgress | Key::ConcurrencyGroup) && near.is_none() {
        return;
    }
    let is_condition = decides && site.form == Form::Condition;
    let severity = if is_condition || near.is_some() { Severity::Warning } else { Severity::Info };
    let finding = report.at(site.span_of(literal), message);
    finding.severity(severity).label(workflow.on.span, "the events that do");
}

fn is_event(text: &str) -> bool {
    const OFTEN: [&str; 12] = [
        "push",
        "pull_request",
        "pull_request_target",
        "pull_request_review",
        "workflow_dispatch",
        "workflow_run",
        "repository_dispatch",
        "schedule",
        "release",
        "issues",
        "issue_comment",
        "merge_group",
    ];
    OFTEN.iter().any(|event| event.eq_ignore_ascii_case(text))
}
