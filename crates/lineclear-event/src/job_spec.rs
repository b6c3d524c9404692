//! One job as it is handed to a runner, and what the runner reports back.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Conclusion, JobKey, RunId};

/// Everything a runner needs to run one job but the secrets, which never travel with it.
///
/// It can be written as JSON and read back on another machine. The runner reads the job's steps from `text` itself, with the
/// same reader that the planner used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobSpec {
    pub run: RunId,
    pub run_number: u64,
    pub attempt: u32,
    pub job: JobKey,
    /// The job's id in its workflow file.
    pub id: String,
    /// The name that people see.
    pub name: String,
    /// The file that holds the job: of this repository, or of the repository that a called workflow came from.
    pub file: WorkflowOrigin,
    pub text: Arc<str>,
    pub contexts: JobContexts,
    /// Labels after evaluation, as written.
    pub runs_on: Vec<String>,
    pub runner_group: Option<String>,
    /// Name of the environment, evaluated.
    pub environment: Option<String>,
    /// For the log only: the engine keeps the time.
    pub timeout_minutes: f64,
    /// Effective scopes of the job's token: `contents` → `read`. A scope not named has no access.
    pub permissions: BTreeMap<String, String>,
    /// How the secrets of the run reach this job: one passage for each call from the run's own workflow down to this one.
    pub secret_passages: Vec<SecretPassage>,
}

/// Where a workflow file came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkflowOrigin {
    /// Of the repository itself: `.github/workflows/ci.yml`.
    Local {
        path: String,
    },
    Remote {
        owner: String,
        repo: String,
        path: String,
        reference: String,
    },
}

/// Contexts that are fixed when the job is handed out. What the jobs of a run have in common is shared, not copied.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct JobContexts {
    /// Without `token` and without what only the runner knows (`workspace`, `action…`, `event_path`).
    pub github: Arc<Value>,
    pub needs: Arc<Value>,
    /// Null for a job without a matrix.
    pub matrix: Value,
    pub strategy: Value,
    pub inputs: Arc<Value>,
    pub vars: Arc<Value>,
}

/// How secrets pass from a calling workflow to the called one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretPassage {
    Nothing,
    Inherit,
    /// Name in the called workflow and the text that gives its value, evaluated with `contexts` and the caller's secrets.
    Map {
        secrets: Vec<(String, String)>,
        contexts: Box<JobContexts>,
    },
}

/// How a job ended, as its runner saw it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobReport {
    /// Before the job's own `continue-on-error`.
    pub conclusion: Conclusion,
    pub outputs: BTreeMap<String, String>,
    /// Why it did not succeed: "step `Test` failed with exit code 1".
    pub reason: Option<String>,
}
