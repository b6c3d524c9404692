//! `missing-permissions`: nothing limits the token of a job.

use lineclear_source::Severity;
use lineclear_workflow::{Job, JobKind};

use super::needed_scopes::Needed;

use crate::{Activity, Dialect, Edit, File, FileKind, Fix, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/missing-permissions.md`.
#[derive(Debug)]
pub(super) struct MissingPermissions;

static META: RuleMeta = RuleMeta {
    id: "missing-permissions",
    summary: "nothing limits the token of a job",
    severity: Severity::Warning,
    group: Group::Security,
    activity: Activity::Default,
    dialects: &[Dialect::GitHub],
    files: &[FileKind::Workflow],
    repair: Repair::Review,
    since: "0.1",
    page: page!("missing-permissions"),
};

impl Rule for MissingPermissions {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(workflow) = file.workflow().filter(|workflow| workflow.permissions.is_none()) else { return };
        // A workflow that is only called has what its caller gives.
        let is_only_called = workflow.on.events.iter().all(|trigger| trigger.event.value == "workflow_call");
        let open: Vec<(usize, &Job)> = workflow
            .jobs
            .iter()
            .enumerate()
            .filter(|(_, job)| job.permissions.is_none() && !(is_only_called && matches!(job.kind, JobKind::Steps(_))))
            .collect();
        let Some((_, first)) = open.first() else { return };
        if is_only_called {
            return;
        }
        let message = if open.len() == workflow.jobs.len() {
            "nothing says what the token of this workflow may do: by the repository's settings it may write everything"
                .to_owned()
        } else {
            let names: Vec<String> = open.iter().map(|(_, job)| format!("`{}`", job.id.value)).collect();
            let noun = if open.len() == 1 { "job" } else { "jobs" };
            format!(
                "nothing says what the token of {noun} {} may do: by the repository's settings it may write everything",
                names.join(", ")
            )
        };
        let fix = report.wants_fixes().then(|| {
            let needed = file.needed_scopes();
            let edits: Option<Vec<Edit>> =
                open.iter().map(|(index, job)| needed.get(*index).and_then(|needed| add(file, job, needed))).collect();
            edits.map(|edits| Fix::review("add the least `permissions`", edits))
        });
        let finding = report.at(first.id.span, message);
        finding
            .help("add `permissions: { contents: read }` to the workflow, and what more a job needs to that job")
            .fix(fix.flatten());
    }
}

fn add(file: &File<'_>, job: &Job, needed: &Needed) -> Option<Edit> {
    let least = needed.least()?;
    let scopes: Vec<String> = least.iter().map(|(scope, access)| format!("{scope}: {}", access.as_str())).collect();
    let is_flow = file.source().slice(job.body).starts_with('{');
    let entry = match (scopes.is_empty(), is_flow) {
        (true, _) => "permissions: {}".to_owned(),
        (false, true) => format!("permissions: {{ {} }}", scopes.join(", ")),
        (false, false) => format!("permissions:\n  {}", scopes.join("\n  ")),
    };
    Some(Edit::add_first_entry(file.source(), job.body, &entry))
}
