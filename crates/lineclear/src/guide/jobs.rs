//! One workflow: what starts it, its jobs, and how to run them here.

use lineclear_workflow::{JobKind, RunsOn, StepsJob, Text, Workflow, WorkflowRef};

use super::words::{cell, code, codes, is_only_called, limits, permissions};

pub(super) fn section(workflow: &Workflow) -> String {
    let file = workflow.source.name();
    let short = file.strip_prefix(".github/workflows/").unwrap_or(file);
    let mut text = format!("\n### {}\n\n{}", workflow.display_name(), code(file));
    if let Some(description) = &workflow.description {
        text.push_str(&format!(": {}", description.value.trim()));
    }
    text.push_str("\n\n");
    for trigger in &workflow.on.events {
        let mut parts = Vec::new();
        for (name, filter) in [("branches", &trigger.branches), ("tags", &trigger.tags)] {
            if let Some(filter) = filter {
                let not = if filter.ignore { "not " } else { "" };
                parts.push(format!("{not}{name} {}", codes(filter.list.iter().map(|pattern| pattern.value.as_str()))));
            }
        }
        parts.extend(Some(limits(trigger)).filter(|limits| !limits.is_empty()));
        let inputs: Vec<&str> = trigger.inputs.iter().map(|input| input.name.value.as_str()).collect();
        if !inputs.is_empty() {
            parts.push(format!("inputs {}", codes(inputs.into_iter())));
        }
        parts.extend(trigger.schedule.iter().map(|entry| code(&entry.cron.value)));
        if !trigger.workflows.is_empty() {
            parts.push(format!("after {}", codes(trigger.workflows.iter().map(|name| name.value.as_str()))));
        }
        let parts = if parts.is_empty() { String::new() } else { format!(": {}", parts.join("; ")) };
        text.push_str(&format!("- on {}{parts}\n", code(&trigger.event.value)));
    }
    text.push_str(&format!("- token: {}\n", permissions(workflow.permissions.as_ref())));
    if let Some(concurrency) = &workflow.concurrency {
        text.push_str(&format!("- one at a time in the group {}\n", code(concurrency.group.raw())));
    }
    text.push_str("\n| Job | Needs | Runs on | At most | If | Environment | Here |\n|---|---|---|---|---|---|---|\n");
    for job in &workflow.jobs {
        let needs = codes(job.needs.iter().map(|need| need.value.as_str()));
        let condition = job.condition.as_ref().map(|condition| code(condition.raw())).unwrap_or_default();
        let name = job.name.as_ref().map(|name| format!(" {}", cell(name.raw()))).unwrap_or_default();
        let (machine, minutes, environment) = match &job.kind {
            JobKind::Steps(steps) => (machine(steps), minutes(steps), environment(steps)),
            JobKind::Call(call) => {
                let called = match &call.uses.value {
                    WorkflowRef::Local { path } => path.clone(),
                    WorkflowRef::Remote { owner, repo, path, reference } => {
                        format!("{owner}/{repo}/{path}@{reference}")
                    }
                };
                (format!("calls {}", code(&called)), String::new(), String::new())
            }
        };
        let here = if is_only_called(workflow) {
            "by its caller".to_owned()
        } else {
            let event = workflow.on.events.first().map_or("push", |trigger| trigger.event.value.as_str());
            let event = if event == "push" { String::new() } else { format!(" --event {event}") };
            code(&format!("lineclear run{event} -W {short} -j {}", job.id.value))
        };
        let id = code(&job.id.value);
        text.push_str(&format!(
            "| {id}{name} | {needs} | {machine} | {minutes} | {condition} | {environment} | {here} |\n"
        ));
    }
    text
}

fn machine(steps: &StepsJob) -> String {
    let labels: Vec<&str> = match &steps.runs_on {
        RunsOn::Labels(labels) => labels.value.iter().map(Text::raw).collect(),
        RunsOn::Group { group, labels, .. } => group.iter().chain(labels).map(Text::raw).collect(),
    };
    let container =
        steps.container.as_ref().map(|container| format!(" in {}", code(container.image.raw()))).unwrap_or_default();
    let services: Vec<&str> = steps.services.iter().map(|service| service.id.value.as_str()).collect();
    let services = if services.is_empty() { String::new() } else { format!(" with {}", codes(services.into_iter())) };
    format!("{}{container}{services}", codes(labels.into_iter()))
}

fn minutes(steps: &StepsJob) -> String {
    steps.timeout_minutes.as_ref().map_or_else(|| "6 h".to_owned(), |minutes| format!("{} min", cell(minutes.raw())))
}

fn environment(steps: &StepsJob) -> String {
    steps.environment.as_ref().map(|environment| code(environment.name.raw())).unwrap_or_default()
}
