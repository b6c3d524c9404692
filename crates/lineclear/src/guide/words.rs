//! Words that the parts of the guide share.

use lineclear_workflow::{JobKind, Permissions, Trigger, Workflow};

/// Text in a cell of a table.
pub(super) fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

pub(super) fn code(text: &str) -> String {
    format!("`{}`", cell(text).replace('`', "'"))
}

/// "`a`, `b`"
pub(super) fn codes<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    texts.map(code).collect::<Vec<_>>().join(", ")
}

/// Whether only other workflows start it.
pub(super) fn is_only_called(workflow: &Workflow) -> bool {
    !workflow.on.events.is_empty() && workflow.on.events.iter().all(|trigger| trigger.event.value == "workflow_call")
}

/// What limits a trigger beside branches and tags: paths, activity types.
pub(super) fn limits(trigger: &Trigger) -> String {
    let mut parts = Vec::new();
    if let Some(types) = &trigger.types {
        parts.push(format!("types {}", codes(types.iter().map(|kind| kind.value.as_str()))));
    }
    if let Some(paths) = &trigger.paths {
        let word = if paths.ignore { "not for changes of only" } else { "only for changes of" };
        parts.push(format!("{word} {}", codes(paths.list.iter().map(|path| path.value.as_str()))));
    }
    parts.join("; ")
}

pub(super) fn permissions(permissions: Option<&Permissions>) -> String {
    match permissions {
        None => "what the repository's settings say".to_owned(),
        Some(Permissions::ReadAll(_)) => "read everything".to_owned(),
        Some(Permissions::WriteAll(_)) => "write everything".to_owned(),
        Some(Permissions::Scopes(scopes)) if scopes.value.is_empty() => "none".to_owned(),
        Some(Permissions::Scopes(scopes)) => scopes
            .value
            .iter()
            .map(|(scope, access)| format!("`{}: {}`", scope.value, access.value.as_str()))
            .collect::<Vec<_>>()
            .join(", "),
    }
}

/// What the forge calls a job in lists of checks: its name, or its id, with its matrix left open.
pub(super) fn job_names(workflow: &Workflow) -> Vec<String> {
    workflow
        .jobs
        .iter()
        .map(|job| {
            let name = job.name.as_ref().map_or(job.id.value.as_str(), |name| name.raw());
            let has_matrix = job.strategy.as_ref().is_some_and(|strategy| strategy.matrix.is_some());
            match &job.kind {
                JobKind::Call(_) => format!("{name} / …"),
                JobKind::Steps(_) if has_matrix && !name.contains("${{") => format!("{name} (…)"),
                JobKind::Steps(_) => name.to_owned(),
            }
        })
        .collect()
}
