//! Event × branch → jobs.

use std::collections::BTreeSet;

use lineclear_workflow::{PatternSet, Patterns, Trigger, Workflow};

use super::words::{cell, code, codes, is_only_called, job_names, limits};

/// One row: an event, on a branch or tag as far as filters tell them apart.
struct Row {
    event: String,
    place: String,
    /// `workflow: job, job`, with what else limits it.
    starts: Vec<String>,
}

/// The table of what starts what.
pub(super) fn table(workflows: &[&Workflow]) -> String {
    let mut rows: Vec<Row> = Vec::new();
    for event in events(workflows) {
        match event.as_str() {
            "push" => {
                by_place(workflows, &event, "branch", &mut rows);
                by_place(workflows, &event, "tag", &mut rows);
            }
            "pull_request" | "pull_request_target" | "merge_group" => by_place(workflows, &event, "branch", &mut rows),
            _ => rows.push(Row {
                starts: starts(workflows, &event, &|_| true),
                place: details(workflows, &event),
                event,
            }),
        }
    }
    rows.retain(|row| !row.starts.is_empty());
    if rows.is_empty() {
        return "No event starts a workflow here.\n".to_owned();
    }
    let mut text = String::from("| Event | Where | Workflows and their jobs |\n|---|---|---|\n");
    for Row { event, place, starts } in rows {
        text.push_str(&format!("| {} | {place} | {} |\n", code(&event), starts.join("<br>")));
    }
    text
}

/// All events, in the order in which people think of them.
fn events(workflows: &[&Workflow]) -> Vec<String> {
    const FIRST: [&str; 6] =
        ["push", "pull_request", "pull_request_target", "merge_group", "schedule", "workflow_dispatch"];
    let all: BTreeSet<&str> = workflows
        .iter()
        .flat_map(|workflow| workflow.on.events.iter().map(|trigger| trigger.event.value.as_str()))
        .collect();
    let first = FIRST.iter().filter(|event| all.contains(**event)).map(|event| (*event).to_owned());
    let rest = all
        .iter()
        .filter(|event| !FIRST.contains(event) && **event != "workflow_call")
        .map(|event| (*event).to_owned());
    first.chain(rest).collect()
}

/// Rows for each branch or tag that some filter names, and one for all others.
fn by_place(workflows: &[&Workflow], event: &str, kind: &str, rows: &mut Vec<Row>) {
    let is_tag = kind == "tag";
    let mut names: BTreeSet<String> = BTreeSet::new();
    for trigger in workflows.iter().filter_map(|workflow| workflow.on.get(event)) {
        let filter = if is_tag { &trigger.tags } else { &trigger.branches };
        names.extend(
            filter.iter().flat_map(|filter| &filter.list).map(|name| name.value.trim_start_matches('!').to_owned()),
        );
    }
    let runs_on = |place: Option<&str>| {
        let takes = |trigger: &Trigger| {
            let (own, other) =
                if is_tag { (&trigger.tags, &trigger.branches) } else { (&trigger.branches, &trigger.tags) };
            match (own, other) {
                (Some(filter), _) => includes(filter, place),
                // A filter of the one kind leaves out the other.
                (None, Some(_)) if event == "push" => false,
                (None, _) => true,
            }
        };
        starts(workflows, event, &takes)
    };
    let others = runs_on(None);
    let mut named: Vec<(String, Vec<String>)> =
        names.into_iter().map(|name| (name.clone(), runs_on(Some(&name)))).collect();
    named.sort_by_key(|(name, _)| (name != "main" && name != "master", name.clone()));
    for (name, starts) in named.into_iter().filter(|(_, starts)| *starts != others) {
        rows.push(Row { event: event.to_owned(), place: format!("{kind} {}", code(&name)), starts });
    }
    // A push of a tag starts what filters by nothing; that row says so only where it is not the same as for branches.
    let is_only = rows.last().is_none_or(|row| row.event != event || !row.place.contains(kind));
    let place = match (is_tag, event, is_only) {
        (true, _, true) => "any tag",
        (true, _, false) => "other tags",
        (false, "push", true) => "any branch",
        (false, "push", false) => "other branches",
        (false, _, true) => "to any branch",
        (false, _, false) => "to other branches",
    };
    rows.push(Row { event: event.to_owned(), place: place.to_owned(), starts: others });
}

/// Whether a filter takes a name that it, or another, holds; a pattern stands for what it matches.
fn includes(filter: &Patterns, place: Option<&str>) -> bool {
    match place {
        Some(name) => {
            let set = PatternSet::new(filter).0;
            set.includes(name) || !filter.ignore && filter.list.iter().any(|pattern| pattern.value == name)
        }
        // What no filter names is taken by those that take away, and by patterns for everything.
        None => filter.ignore || PatternSet::new(filter).0.includes("any-other-name"),
    }
}

/// The workflows that an event starts, with their jobs.
fn starts(workflows: &[&Workflow], event: &str, takes: &dyn Fn(&Trigger) -> bool) -> Vec<String> {
    let mut starts = Vec::new();
    for workflow in workflows.iter().filter(|workflow| !is_only_called(workflow)) {
        let Some(trigger) = workflow.on.get(event).filter(|trigger| takes(trigger)) else { continue };
        let limits = limits(trigger);
        let limits = if limits.is_empty() { String::new() } else { format!(" ({limits})") };
        starts.push(format!(
            "**{}**: {}{limits}",
            cell(workflow.display_name()),
            cell(&job_names(workflow).join(", "))
        ));
    }
    starts
}

/// What more there is to say of an event without branches.
fn details(workflows: &[&Workflow], event: &str) -> String {
    let triggers = || workflows.iter().filter_map(|workflow| workflow.on.get(event));
    match event {
        "schedule" => {
            let times = triggers().flat_map(|trigger| &trigger.schedule).map(|entry| match &entry.timezone {
                Some(zone) => format!("{} ({})", entry.cron.value, zone.value),
                None => format!("{} (UTC)", entry.cron.value),
            });
            times.map(|time| code(&time)).collect::<Vec<_>>().join(", ")
        }
        "workflow_dispatch" => "by hand".to_owned(),
        "workflow_run" => {
            let followed: BTreeSet<&str> =
                triggers().flat_map(|trigger| &trigger.workflows).map(|name| name.value.as_str()).collect();
            format!("after {}", codes(followed.into_iter()))
        }
        _ => String::new(),
    }
}
