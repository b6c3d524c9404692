//! The plan.

use std::collections::BTreeMap;
use std::fmt;

use lineclear_event::{ForgeEvent, JobKey};
use lineclear_source::{Diagnostic, Source};
use lineclear_workflow::{Workflow, WorkflowRef};
use serde::Serialize;

use crate::Platform;

/// What an event would run. Serializes as the `plan --format json` document.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    pub event: String,
    /// Equal for equal files, event and facts.
    pub hash: String,
    pub workflows: Vec<PlannedWorkflow>,
}

#[derive(Clone, Debug, Serialize)]
pub struct PlannedWorkflow {
    pub file: String,
    pub name: String,
    pub triggered: bool,
    /// Why it is triggered or not, with the value that decided: "branch `feature/x` does not match `main`".
    pub reason: String,
    /// Evaluated `run-name`, or the default one.
    pub run_name: Option<String>,
    /// In file order, a matrix leg each; empty when not triggered.
    pub jobs: Vec<PlannedJob>,
    /// What is wrong with the file; one with errors is never triggered.
    #[serde(skip)]
    pub diagnostics: Vec<(Source, Diagnostic)>,
}

#[derive(Clone, Debug, Serialize)]
pub struct PlannedJob {
    pub key: JobKey,
    pub id: String,
    pub name: String,
    /// Null for a job without a matrix, or whose matrix is known only at run time.
    pub matrix: serde_json::Value,
    pub needs: Vec<String>,
    pub runs_on: Vec<String>,
    /// The condition as written; null when there is none.
    #[serde(rename = "if")]
    pub condition: Option<String>,
    pub decision: Decision,
    /// The workflow it calls, when it calls one; the called jobs follow it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uses: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Decision {
    pub verdict: Verdict,
    /// "no condition", "if: `…` is false: github.ref = refs/heads/x", "needs build, which is skipped".
    pub reason: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Runs,
    Skipped,
    /// Depends on something that only the run will tell, such as `needs.build.outputs.x`.
    KnownAtRunTime,
}

/// What settings say, beside the event.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Configuration variables: the `vars` context.
    pub vars: BTreeMap<String, String>,
    /// Dispatch inputs as given, not yet validated: text by name.
    pub inputs: BTreeMap<String, String>,
    pub platform: Platform,
}

/// Finds called workflows. `Err` is a sentence: where it was looked for and how to supply it.
pub trait Files: fmt::Debug {
    fn workflow(&self, reference: &WorkflowRef) -> Result<Source, String>;
}

/// Plans `event` over all `workflows`, which come with their findings.
pub fn plan(
    _workflows: &[(Workflow, Vec<Diagnostic>)],
    _event: &ForgeEvent,
    _facts: &Facts,
    _files: &dyn Files,
) -> Plan {
    unimplemented!()
}
