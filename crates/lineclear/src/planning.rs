//! From what was asked for to a plan: the event, the workflow files, and what the event starts. `run` and `plan` share it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use lineclear_event::ForgeEvent;
use lineclear_plan::{Facts, Plan, PlannedWorkflow, Platform, dispatch_inputs, given_inputs};
use lineclear_source::Diagnostic;
use lineclear_workflow::Workflow;

use crate::local_event::{Checkout, Compared, EventError, EventOptions, LocalEvent, Wants};
use crate::session::actions::ActionFiles;
use crate::workflow_files::{self, WorkflowFile};

/// What was asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    /// The event's name; `None` leaves it to the payload or the workflow.
    pub(crate) event: Option<String>,
    pub(crate) options: EventOptions,
    /// Files and folders of workflows; none means those of the repository.
    pub(crate) workflows: Vec<PathBuf>,
    pub(crate) vars: BTreeMap<String, String>,
}

/// A plan with everything it was made from.
#[derive(Debug)]
pub(crate) struct Planning {
    pub(crate) plan: Plan,
    pub(crate) event: ForgeEvent,
    pub(crate) facts: Facts,
    /// The commit that changed paths were counted from, if git counted them.
    pub(crate) compared: Option<Compared>,
    /// What a person should know of how the event was made, a sentence each.
    pub(crate) notes: Vec<String>,
    /// The files that hold a workflow, with their findings.
    pub(crate) workflows: Vec<(Workflow, Vec<Diagnostic>)>,
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlanningError {
    #[error(transparent)]
    Event(#[from] EventError),
    #[error("{0}")]
    Files(String),
}

/// Plans what was asked for.
///
/// # Errors
/// There is no such event, or a file or folder that was named is not there. A file that is no workflow is no error: it is in the
/// plan with what is wrong with it.
pub(crate) fn plan(asked: &Asked, checkout: &Checkout, called: &ActionFiles) -> Result<Planning, PlanningError> {
    let read = || workflow_files::read(&checkout.root, &asked.workflows).map_err(PlanningError::Files);
    let start = |name: Option<&str>| LocalEvent::start(checkout, name, &asked.options);
    // git works while the files are read, unless they decide which event it is.
    let (started, files) = if asked.event.is_some() || asked.options.payload.is_some() || asked.workflows.is_empty() {
        let started = start(asked.event.as_deref())?;
        (started, read()?)
    } else {
        let files = read()?;
        (start(natural_event(&files))?, files)
    };
    let models = files.iter().filter_map(|file| file.workflow.as_ref());
    let wants = Wants::of(models, started.name());
    let local = started.finish(&wants)?;
    let facts = Facts {
        vars: asked.vars.clone(),
        inputs: asked.options.inputs.clone(),
        platform: platform(),
        head_message: local.head_message,
        ..Facts::default()
    };
    let mut workflows = Vec::with_capacity(files.len());
    let mut unreadable = Vec::new();
    for (at, file) in files.into_iter().enumerate() {
        match file.workflow {
            Some(workflow) => workflows.push((workflow, file.findings)),
            None => unreadable.push((at, PlannedWorkflow::unreadable(&file.source, &file.findings))),
        }
    }
    let mut plan = lineclear_plan::plan(&workflows, &local.event, &facts, called);
    let default_sha = checkout.default_tip(&local.event, asked.options.payload.is_some());
    plan.followers = lineclear_plan::followers(&plan, &workflows, &local.event, &default_sha, &facts, called);
    for (at, workflow) in unreadable {
        plan.workflows.insert(at.min(plan.workflows.len()), workflow);
    }
    Ok(Planning { plan, event: local.event, facts, compared: local.compared, notes: local.notes, workflows })
}

impl Planning {
    /// What is wrong with the inputs of a dispatch, when no workflow accepts them.
    pub(crate) fn refused_dispatch(&self) -> Option<String> {
        if self.event.name != "workflow_dispatch" {
            return None;
        }
        let given = given_inputs(&self.event, &self.facts);
        let workflows = self.workflows.iter().map(|(workflow, _)| workflow);
        let asked = workflows.filter(|workflow| workflow.on.get("workflow_dispatch").is_some());
        let mut wrong = Vec::new();
        for workflow in asked {
            let errors = dispatch_inputs(workflow, &given).err()?;
            wrong.extend(errors.iter().map(|error| format!("{}: {error}", workflow.source.name())));
        }
        (!wrong.is_empty()).then(|| wrong.join("\n  "))
    }
}

/// With a single workflow named and no event asked for: the event that it is made for.
fn natural_event(files: &[WorkflowFile]) -> Option<&str> {
    let [file] = files else { return None };
    let events: Vec<&str> = file.workflow.as_ref()?.on.events.iter().map(|event| event.event.value.as_str()).collect();
    let known = ["push", "pull_request", "workflow_dispatch", "schedule"];
    let preferred = known.into_iter().find(|known| events.contains(known));
    preferred.or_else(|| events.into_iter().find(|event| *event != "workflow_call"))
}

/// Addresses that jobs are told; the environment may name others.
fn platform() -> Platform {
    let default = Platform::default();
    let variable =
        |name: &str, default: String| std::env::var(name).ok().filter(|value| !value.is_empty()).unwrap_or(default);
    Platform {
        server_url: variable("GITHUB_SERVER_URL", default.server_url),
        api_url: variable("GITHUB_API_URL", default.api_url),
        graphql_url: variable("GITHUB_GRAPHQL_URL", default.graphql_url),
        retention_days: default.retention_days,
    }
}
