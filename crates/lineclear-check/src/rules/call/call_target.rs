//! `call-target`: a called workflow that is not there, cannot be called, or has errors.

use lineclear_source::Severity;
use lineclear_workflow::{Read, Workflow, WorkflowRef};

use super::called::{Called, calls};
use crate::{Activity, Dialect, File, FileKind, Group, Lookup, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/call-target.md`.
#[derive(Debug)]
pub(super) struct CallTarget;

static META: RuleMeta = RuleMeta {
    id: "call-target",
    summary: "a called workflow that is not there, cannot be called, or has errors",
    severity: Severity::Error,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("call-target"),
};

impl Rule for CallTarget {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for (_, call) in calls(file) {
            let called = Called::find(file.project(), None, &call.uses.value);
            let span = call.uses.span;
            match &called.found {
                Lookup::Found(read) => {
                    if let Some(message) = fault(&called.name, read) {
                        report.at(span, message);
                    }
                }
                Lookup::Unreadable => {
                    report.at(span, format!("`{}` is no workflow that could be read", called.name));
                }
                // Without its own file the project shows nothing at all.
                Lookup::Missing if file.project().exists(file.path()) => {
                    let WorkflowRef::Local { path } = &call.uses.value else { continue };
                    let list = file.project().list();
                    let workflows =
                        list.iter().map(String::as_str).filter(|name| name.starts_with(".github/workflows/"));
                    let message = match lineclear_source::suggest(path, workflows) {
                        Some(near) => format!("there is no workflow `{path}`; did you mean `./{near}`?"),
                        None => format!("there is no workflow `{path}`"),
                    };
                    report.at(span, message);
                }
                Lookup::Missing | Lookup::Elsewhere => {}
            }
        }
    }
}

/// Why the workflow cannot be called, if it cannot.
fn fault(name: &str, read: &Read<Workflow>) -> Option<String> {
    let workflow = read.model.as_ref()?;
    let can_be_called = workflow.on.get("workflow_call").is_some();
    // A fault in `on` may be what hides the event.
    let hidden = read.diagnostics.iter().any(|found| found.is_error() && found.code == "event-unknown");
    if !can_be_called && !hidden {
        return Some(format!("`{name}` cannot be called: it has no `on: workflow_call`"));
    }
    let first = read.diagnostics.iter().find(|found| found.is_error())?;
    let line = first.span.map_or(1, |span| workflow.source.position(span.start).line);
    Some(format!("`{name}` has an error in line {line}, so this workflow does not start: {}", first.message))
}
