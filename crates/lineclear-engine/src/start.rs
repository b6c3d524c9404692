//! How a run begins: its files are read, its calls checked, its jobs chosen.

use std::collections::BTreeMap;
use std::sync::Arc;

use lineclear_event::{AnnotationLevel, RunEvent, SCHEMA_VERSION, Timestamp, WorkflowOrigin};
use lineclear_plan::{Calls, Files, JobScope, RunIdentity, file_key, github_context, is_fork_pull_request, load_calls};
use lineclear_source::{Diagnostic, Source, Style, render, suggest};
use lineclear_workflow::{Workflow, WorkflowRef};

use crate::evaluate::{demand, fault};
use crate::needs::NodeResult;
use crate::run::{Context, Entered, Frame, FrameId, Run, Tally};
use crate::{RunRequest, Selection};

/// Something a person should know about a run that begins, or why it does not.
pub(crate) type Finding = (AnnotationLevel, String);

/// What came of a request.
pub(crate) struct Start {
    pub(crate) began: RunEvent,
    pub(crate) findings: Vec<Finding>,
    /// `None`: it cannot begin, for the errors in `findings`.
    pub(crate) run: Option<Run>,
}

/// What becomes of a job of the run's own workflow.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Choice {
    Runs,
    /// It is not run again: this is what it came to before.
    Given(NodeResult),
    Out,
}

/// Reads and checks what a request names. No job has begun in the run that it gives.
pub(crate) fn start(request: &RunRequest, at: Timestamp) -> Start {
    let text = request.files.get(&request.file).cloned();
    let source = Source::new(request.file.as_str(), text.clone().unwrap_or_else(|| "".into()));
    let read = Workflow::read(&source);
    let name = read.model.as_ref().map_or(request.file.as_str(), Workflow::display_name).to_owned();
    let began = RunEvent::RunStarted {
        version: SCHEMA_VERSION,
        workflow: name.clone(),
        file: request.file.clone(),
        event_name: request.event.name.clone(),
        sha: request.event.sha.clone(),
        plan_hash: request.plan_hash.clone(),
        run_name: request.run_name.clone(),
    };
    if text.is_none() {
        let finding = format!("the run was given no text of its workflow file `{}`", request.file);
        return Start { began, findings: vec![(AnnotationLevel::Error, finding)], run: None };
    }
    let mut findings: Vec<_> = read.diagnostics.iter().map(|finding| shown(&source, finding)).collect();
    let run = match read.model.filter(|_| !findings.iter().any(is_error)) {
        Some(workflow) => begin(request, at, workflow, &name, &mut findings),
        None => None,
    };
    Start { began, findings, run }
}

fn begin(
    request: &RunRequest,
    at: Timestamp,
    workflow: Workflow,
    name: &str,
    findings: &mut Vec<Finding>,
) -> Option<Run> {
    let calls = load_calls(&workflow, &GivenFiles(&request.files));
    findings.extend(calls.diagnostics.iter().map(|(source, finding)| shown(source, finding)));
    for error in calls.errors.iter().filter(|error| error.fault.is_startup_failure()) {
        let (source, finding) = error.diagnostic();
        findings.push(shown(&source, &finding));
    }
    let choices = choose(&workflow, &request.selection, findings);
    let identity = RunIdentity { id: request.run, number: request.number, attempt: request.attempt };
    let github = Context::from_json(github_context(&request.event, &request.platform, identity, name, &request.file));
    let vars = request.vars.iter().map(|(name, value)| (name.clone(), value.as_str().into()));
    let vars = Context::from_json(serde_json::Value::Object(vars.collect()));
    let inputs = Context::from_json(request.inputs.clone());
    let scope = JobScope {
        github: github.value.clone(),
        inputs: inputs.value.clone(),
        vars: vars.value.clone(),
        ..JobScope::default()
    };
    let demand = workflow.concurrency.as_ref().map(|concurrency| demand(concurrency, &scope)).transpose();
    let demand = demand.unwrap_or_else(|error| {
        findings.push((AnnotationLevel::Error, fault("concurrency", &workflow.source, error.span, &error)));
        None
    });
    if findings.iter().any(is_error) {
        return None;
    }
    let origin = WorkflowOrigin::Local { path: request.file.clone() };
    let text = request.files.get(&request.file).cloned().unwrap_or_else(|| workflow.source.text().into());
    let entered = Arc::new(Entered { workflow: Arc::new(workflow), origin, text });
    let mut run = Run {
        id: request.run,
        number: request.number,
        attempt: request.attempt,
        requested: at,
        github,
        vars,
        texts: texts(&calls, &request.files),
        calls,
        from_fork: is_fork_pull_request(&request.event),
        matrix_filter: request.selection.matrix.clone(),
        frames: Vec::new(),
        nodes: Vec::new(),
        legs: Vec::new(),
        by_key: BTreeMap::new(),
        cancel: None,
        tally: Tally::default(),
    };
    let frame = Frame {
        entered,
        caller: None,
        inputs,
        granted: None,
        passages: Vec::new(),
        demand,
        nodes: 0..0,
        open: 0,
        is_open: false,
    };
    let root = run.add_frame(frame, &choices);
    debug_assert_eq!(root, FrameId(0), "the run's own workflow is the first that is entered");
    Some(run)
}

/// The texts of the called workflows, shared with the request.
fn texts(calls: &Calls, files: &BTreeMap<String, Arc<str>>) -> BTreeMap<String, Arc<str>> {
    let given = |key: &String| files.get(key).map(|text| (key.clone(), Arc::clone(text)));
    calls.workflows.keys().filter_map(given).collect()
}

/// Which jobs run: those asked for and all they need, as far as their results are not given.
fn choose(workflow: &Workflow, selection: &Selection, findings: &mut Vec<Finding>) -> Vec<Choice> {
    let place: BTreeMap<String, usize> =
        workflow.jobs.iter().enumerate().map(|(at, job)| (job.id.to_lowercase(), at)).collect();
    let find = |id: &str| place.get(&id.to_lowercase()).copied();
    let unknown = |id: &str| {
        let near = suggest(id, workflow.jobs.iter().map(|job| job.id.as_str()));
        let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        format!("{} has no job `{id}`{near}", workflow.source.name())
    };
    let mut choices = vec![if selection.jobs.is_empty() { Choice::Runs } else { Choice::Out }; workflow.jobs.len()];
    let mut given: BTreeMap<usize, NodeResult> = BTreeMap::new();
    for (id, need) in &selection.given {
        match find(id) {
            Some(at) => {
                let result = NodeResult { conclusion: need.conclusion, outputs: need.outputs.clone() };
                given.insert(at, result);
            }
            None => findings.push((AnnotationLevel::Warning, format!("{}; its result is not used", unknown(id)))),
        }
    }
    let mut todo = Vec::new();
    for id in &selection.jobs {
        match find(id) {
            Some(at) => todo.push(at),
            None => findings.push((AnnotationLevel::Error, unknown(id))),
        }
    }
    // A job that was asked for by name runs, whatever is known of it from before.
    let asked_for = todo.clone();
    while let Some(at) = todo.pop() {
        let choice = match given.get(&at) {
            Some(result) if !asked_for.contains(&at) => Choice::Given(result.clone()),
            _ => Choice::Runs,
        };
        if choices[at] == Choice::Out {
            if choice == Choice::Runs {
                todo.extend(workflow.jobs[at].needs.iter().filter_map(|need| find(need)));
            }
            choices[at] = choice;
        }
    }
    if selection.jobs.is_empty() {
        for (at, result) in given {
            choices[at] = Choice::Given(result);
        }
    }
    for (choice, job) in choices.iter().zip(&workflow.jobs) {
        if let Choice::Given(result) = choice {
            let message = format!("{} is not run again: its result is given, {}", job.id.value, result.conclusion);
            findings.push((AnnotationLevel::Notice, message));
        }
    }
    choices
}

fn shown(source: &Source, finding: &Diagnostic) -> Finding {
    let level = match finding.severity {
        lineclear_source::Severity::Info => AnnotationLevel::Notice,
        lineclear_source::Severity::Warning => AnnotationLevel::Warning,
        lineclear_source::Severity::Error => AnnotationLevel::Error,
    };
    (level, render(finding, source, Style::Plain).trim_end().to_owned())
}

fn is_error((level, _): &Finding) -> bool {
    *level == AnnotationLevel::Error
}

/// The texts that came with the request.
#[derive(Debug)]
struct GivenFiles<'a>(&'a BTreeMap<String, Arc<str>>);

impl Files for GivenFiles<'_> {
    fn workflow(&self, reference: &WorkflowRef) -> Result<Source, String> {
        let key = file_key(reference);
        match self.0.get(&key) {
            Some(text) => Ok(Source::new(key.as_str(), Arc::clone(text))),
            None => Err(format!("the run was given no text of `{key}`")),
        }
    }
}
