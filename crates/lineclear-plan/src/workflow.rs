//! Plans one workflow: whether it starts, what its run is called, and its jobs.

use std::collections::BTreeMap;
use std::sync::Arc;

use lineclear_event::{ForgeEvent, WorkflowOrigin};
use lineclear_expr::{Object, Value};
use lineclear_source::Diagnostic;
use lineclear_workflow::Workflow;

use crate::call::load_calls;
use crate::context::github_value;
use crate::decide::PlanScope;
use crate::jobs::{Level, Planner};
use crate::model::{Facts, Files, PlannedWorkflow, errors_in};
use crate::run_inputs::{given_inputs, open_schedule};
use crate::trigger::{self, Happened};
use crate::{JobScope, dispatch_inputs};

/// What all workflows of a plan share: an event's payload can be large, so it is converted once.
#[derive(Debug)]
pub(crate) struct Shared<'a> {
    event: &'a ForgeEvent,
    facts: &'a Facts,
    payload: Value,
    vars: Value,
}

impl<'a> Shared<'a> {
    pub(crate) fn new(event: &'a ForgeEvent, facts: &'a Facts) -> Self {
        let mut vars = Object::new();
        for (name, value) in &facts.vars {
            vars.insert(name.as_str(), value.as_str());
        }
        Self { event, facts, payload: Value::from_json(&event.payload), vars: vars.into() }
    }
}

/// A planned workflow, and the texts of the files it calls.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) workflow: PlannedWorkflow,
    pub(crate) called: BTreeMap<String, Arc<str>>,
}

pub(crate) fn plan(
    workflow: &Workflow,
    findings: &[Diagnostic],
    happened: &Happened<'_>,
    shared: &Shared<'_>,
    files: &dyn Files,
) -> Planned {
    let mut planned = PlannedWorkflow {
        file: workflow.source.name().to_owned(),
        name: workflow.display_name().to_owned(),
        triggered: false,
        reason: String::new(),
        startup_failure: None,
        run_name: None,
        jobs: Vec::new(),
        diagnostics: findings.iter().map(|finding| (workflow.source.clone(), finding.clone())).collect(),
    };
    let why = match errors_in(findings) {
        Some(errors) => Err(errors),
        None => trigger::decide(workflow, happened),
    };
    match why {
        Err(reason) => {
            planned.reason = reason;
            return Planned { workflow: planned, called: BTreeMap::new() };
        }
        Ok(reason) => {
            planned.reason = reason;
            planned.triggered = true;
        }
    }
    let scope = root_scope(workflow, shared);
    planned.run_name = Some(run_name(workflow, shared.event, &scope));
    let calls = load_calls(workflow, files);
    planned.diagnostics.extend(calls.diagnostics.iter().cloned());
    planned.diagnostics.extend(calls.errors.iter().map(crate::CallError::diagnostic));
    match calls.startup_failure() {
        Some(error) => planned.startup_failure = Some(error.to_string()),
        None => {
            let mut planner = Planner::new(&calls);
            let origin = WorkflowOrigin::Local { path: workflow.source.name().to_owned() };
            planned.jobs = planner.level(workflow, &Level::root(origin, scope));
        }
    }
    Planned { workflow: planned, called: calls.texts() }
}

/// What the run's own workflow is evaluated against.
fn root_scope(workflow: &Workflow, shared: &Shared<'_>) -> JobScope {
    let (event, facts) = (shared.event, shared.facts);
    let mut payload = shared.payload.clone();
    let mut inputs = Value::Null;
    if let Some(cron) = open_schedule(workflow, event) {
        payload = with(&payload, "schedule", Value::string(cron));
    }
    if event.name == "workflow_dispatch" {
        // It would not have been triggered with inputs that are wrong.
        if let Ok(dispatched) = dispatch_inputs(workflow, &given_inputs(event, facts)) {
            inputs = dispatched.typed;
            payload = with(&payload, "inputs", Value::from_json(&dispatched.payload));
        }
    }
    let github =
        github_value(event, payload, &facts.platform, facts.run, workflow.display_name(), workflow.source.name());
    JobScope { github, inputs, vars: shared.vars.clone(), ..JobScope::default() }
}

/// An object with one key more.
fn with(object: &Value, key: &str, value: Value) -> Value {
    let mut object = match object {
        Value::Object(object) => Object::clone(object),
        _ => Object::new(),
    };
    object.insert(key, value);
    object.into()
}

/// `run-name`, or what GitHub calls a run without one: the pull request's title, the head commit's subject, the workflow's
/// name.
fn run_name(workflow: &Workflow, event: &ForgeEvent, scope: &JobScope) -> String {
    let plan_scope = PlanScope::new(scope, &[]);
    let written = workflow.run_name.as_ref().and_then(|text| text.template.evaluate_text(&plan_scope).ok());
    if let Some(name) = written.filter(|name| !name.trim().is_empty()) {
        return name;
    }
    let pointer = match event.name.as_str() {
        "push" => "/head_commit/message",
        "pull_request" | "pull_request_target" | "pull_request_review" | "pull_request_review_comment" => {
            "/pull_request/title"
        }
        "issues" | "issue_comment" => "/issue/title",
        "release" => "/release/name",
        "workflow_run" => "/workflow_run/display_title",
        "discussion" | "discussion_comment" => "/discussion/title",
        "merge_group" => "/merge_group/head_commit/message",
        "repository_dispatch" => "/action",
        _ => "",
    };
    let text = if pointer.is_empty() { None } else { event.payload.pointer(pointer) };
    let subject = text.and_then(serde_json::Value::as_str).and_then(|text| text.lines().next()).map(str::trim);
    match subject {
        Some(subject) if !subject.is_empty() => subject.to_owned(),
        _ => workflow.display_name().to_owned(),
    }
}
