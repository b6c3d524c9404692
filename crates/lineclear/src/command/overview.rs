//! `lineclear` alone: what is here, and what to type next.

use std::fmt::Write as _;
use std::path::Path;

use lineclear_source::Style;
use lineclear_workflow::{Job, JobKind, Patterns, Trigger, Workflow};

use crate::exit::Exit;
use crate::local_event::Checkout;
use crate::output;
use crate::workflow_files::{self, FOLDER, WorkflowFile};

/// Most names that a line lists.
const MAX_LISTED: usize = 12;

/// Prints the repository's workflows.
pub(crate) fn run() -> Exit {
    let here = match std::env::current_dir() {
        Ok(here) => here,
        Err(error) => {
            output::complain(&format!("error: this folder cannot be used: {error}"));
            return Exit::BadInput;
        }
    };
    let root = Checkout::find(&here).root;
    match workflow_files::read(&root, &[]) {
        Ok(files) if files.is_empty() => output::print(&nothing_here(&root)),
        Ok(files) => {
            let style = output::stdout_style();
            output::print(&overview(&files, super::history::last_run(style).as_deref(), style));
        }
        Err(sentence) => {
            output::complain(&format!("error: {sentence}"));
            return Exit::BadInput;
        }
    }
    Exit::Success
}

fn overview(files: &[WorkflowFile], last_run: Option<&str>, style: Style) -> String {
    let mut text = match files.len() {
        1 => format!("1 workflow in {FOLDER}\n"),
        count => format!("{count} workflows in {FOLDER}\n"),
    };
    for file in files {
        let name = file.source.name();
        let short = name.strip_prefix(FOLDER).map_or(name, |rest| rest.trim_start_matches('/'));
        let title = match file.workflow.as_ref().and_then(|workflow| workflow.name.as_ref()) {
            Some(title) => format!("{} {}", style.bold(&title.value), style.dim(short)),
            None => style.bold(short),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "\n{title}");
        if file.has_errors() {
            let errors = file.findings.iter().filter(|finding| finding.is_error()).count();
            let _ = writeln!(text, "  {} {errors}; `lineclear plan -W {name}` shows them", style.red("errors"));
        }
        if let Some(workflow) = &file.workflow {
            let triggers: Vec<_> = workflow.on.events.iter().map(trigger).collect();
            let _ = writeln!(text, "  {} {}", style.dim("on  "), listed(&triggers));
            let jobs: Vec<_> = workflow.jobs.iter().map(job).collect();
            let _ = writeln!(text, "  {} {}", style.dim("jobs"), listed(&jobs));
        }
    }
    if let Some(last) = last_run {
        let _ = write!(text, "\n{} {last}", style.dim("last run"));
    }
    text.push_str("\nType next:\n");
    let looking_back = last_run.map(|_| ("lineclear why".to_owned(), "why the last run came out as it did".to_owned()));
    for (command, what) in looking_back.into_iter().chain(next(files)) {
        let _ = writeln!(text, "  {command:<34}  {}", style.dim(&what));
    }
    text
}

/// `push (main, feature/**; paths backend/**)`.
fn trigger(trigger: &Trigger) -> String {
    let mut filters = Vec::new();
    if let Some(types) = &trigger.types {
        filters.push(types.iter().map(|kind| kind.value.as_str()).collect::<Vec<_>>().join(", "));
    }
    let mut named = |name: &str, patterns: &Option<Patterns>| {
        if let Some(patterns) = patterns {
            let list: Vec<_> = patterns.list.iter().take(4).map(|pattern| pattern.value.as_str()).collect();
            let more = if patterns.list.len() > 4 { ", …" } else { "" };
            let not = if patterns.ignore { "not " } else { "" };
            filters.push(format!("{not}{name}{}{more}", list.join(", ")));
        }
    };
    named("", &trigger.branches);
    named("tags ", &trigger.tags);
    named("paths ", &trigger.paths);
    if !trigger.workflows.is_empty() {
        filters.push(trigger.workflows.iter().map(|name| name.value.as_str()).collect::<Vec<_>>().join(", "));
    }
    for schedule in &trigger.schedule {
        filters.push(schedule.cron.value.clone());
    }
    match filters.is_empty() {
        true => trigger.event.value.clone(),
        false => format!("{} ({})", trigger.event.value, filters.join("; ")),
    }
}

fn job(job: &Job) -> String {
    let mut words = job.id.value.clone();
    if job.strategy.as_ref().is_some_and(|strategy| strategy.matrix.is_some()) {
        words.push_str(" (matrix)");
    }
    if let JobKind::Call(call) = &job.kind {
        let _ = write!(words, " (calls {})", lineclear_plan::file_key(&call.uses));
    }
    words
}

fn listed(names: &[String]) -> String {
    match names.get(..MAX_LISTED) {
        Some(first) if names.len() > MAX_LISTED => {
            format!("{} and {} more", first.join(", "), names.len() - MAX_LISTED)
        }
        _ => names.join(", "),
    }
}

/// Commands that fit what is here, and what they do.
fn next(files: &[WorkflowFile]) -> Vec<(String, String)> {
    let sound = || files.iter().filter(|file| !file.has_errors()).filter_map(|file| file.workflow.as_ref());
    let starts = |event: &str| sound().find(|workflow| workflow.on.get(event).is_some());
    let mut commands = Vec::new();
    let mut add = |command: String, what: &str| commands.push((command, what.to_owned()));
    if let Some(workflow) = starts("push") {
        add("lineclear run".into(), "run what a push of this branch starts, here and now");
        add("lineclear plan".into(), "see what that would be, and why");
        let job = |workflow: &Workflow| workflow.jobs.first().map(|job| job.id.value.clone());
        if let Some(job) = job(workflow) {
            add(format!("lineclear run -j {job}"), "one job, with what it needs");
        }
    }
    for event in ["pull_request", "schedule", "release"] {
        if starts(event).is_some() {
            add(format!("lineclear run --event {event}"), &format!("what `{event}` starts"));
        }
    }
    if let Some(workflow) = starts("workflow_dispatch") {
        let inputs = workflow.on.get("workflow_dispatch").map(|trigger| trigger.inputs.as_slice()).unwrap_or_default();
        let required = inputs.iter().filter(|input| input.required && input.default.is_none());
        let inputs: String = required.map(|input| format!(" --input {}=…", input.name.value)).collect();
        let file = workflow.source.name();
        add(format!("lineclear run --event workflow_dispatch -W {file}{inputs}"), "start a workflow by hand");
    }
    if commands.is_empty() {
        commands.push(("lineclear plan --event NAME".into(), "see what an event would run, and why".into()));
    }
    commands.push(("lineclear --help".into(), "everything else".into()));
    commands
}

fn nothing_here(root: &Path) -> String {
    let mut text = format!("There are no workflows here: no *.yml or *.yaml file in {}\n", root.join(FOLDER).display());
    for other in
        [".forgejo/workflows", ".gitea/workflows", ".gitlab-ci.yml", ".circleci", "azure-pipelines.yml", "Jenkinsfile"]
    {
        if root.join(other).exists() {
            let _ = writeln!(text, "`{other}` is there, but only {FOLDER} is run.");
        }
    }
    let _ = write!(
        text,
        "
To begin, put this into {FOLDER}/ci.yml and type `lineclear run`:

  on: push
  jobs:
    hello:
      runs-on: ubuntu-latest
      steps:
        - uses: actions/checkout@v4
        - run: ls

For workflows elsewhere: `lineclear -C FOLDER`, or `lineclear run --workflow FILE`.
"
    );
    text
}
