//! The plan, as a value. [`plan`] makes it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use lineclear_event::{Changed, ForgeEvent, JobKey};
use lineclear_source::{Diagnostic, Source};
use lineclear_workflow::{Workflow, WorkflowRef};
use serde::Serialize;
use serde::ser::{SerializeSeq, Serializer};

use crate::call::file_key;
use crate::hash::PlanHash;
use crate::trigger::{Happened, count_of};
use crate::{Follower, Platform, RunIdentity, workflow};

/// What an event would run. Serializes as the `plan --format json` document.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    pub event: String,
    /// Equal for equal files, event and facts.
    pub hash: String,
    /// What the path filters looked at: "3 files changed against 1a2b3c4".
    pub changed: String,
    pub workflows: Vec<PlannedWorkflow>,
    /// What follows (`on: workflow_run`), if all of these succeed. [`plan`] leaves it empty; [`followers`](crate::followers) knows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub followers: Vec<Follower>,
}

#[derive(Clone, Debug, Serialize)]
pub struct PlannedWorkflow {
    pub file: String,
    pub name: String,
    pub triggered: bool,
    /// Why it is triggered or not, with the value that decided: "branch `feature/x` does not match `main`".
    pub reason: String,
    /// Why the run would fail before any job begins: a called workflow is missing, or asks for too much.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub startup_failure: Option<String>,
    /// Evaluated `run-name`, or the default one; null when not triggered.
    pub run_name: Option<String>,
    /// In file order, a matrix leg each, called jobs after their caller; empty when not triggered.
    pub jobs: Vec<PlannedJob>,
    /// What is wrong with the file and those it calls; a file with errors is never triggered.
    #[serde(serialize_with = "diagnostics", skip_serializing_if = "Vec::is_empty")]
    pub diagnostics: Vec<(Source, Diagnostic)>,
}

#[derive(Clone, Debug, Serialize)]
pub struct PlannedJob {
    pub key: JobKey,
    /// As written in the workflow file; `caller/called` for a job of a called workflow.
    pub id: String,
    pub name: String,
    /// Null for a job without a matrix, or whose matrix is known only at run time.
    pub matrix: serde_json::Value,
    /// Ids of jobs in the same workflow, in the form of `id`.
    pub needs: Vec<String>,
    /// Labels that a machine must have, every one; empty for a job that calls a workflow.
    pub runs_on: Vec<String>,
    /// The runner group that the machine must belong to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runner_group: Option<String>,
    /// The condition as written; null when there is none.
    #[serde(rename = "if")]
    pub condition: Option<String>,
    pub decision: Decision,
    /// The workflow it calls, when it calls one; the called jobs follow it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uses: Option<String>,
    /// What else should be known: "the matrix is known only at run time: `${{ fromJSON(needs.a.outputs.b) }}`".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
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
    /// Would fail before it starts: its matrix, condition or inputs cannot be evaluated.
    Fails,
}

/// What settings say, beside the event.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Configuration variables: the `vars` context.
    pub vars: BTreeMap<String, String>,
    /// Dispatch inputs as given, not yet validated: text by name.
    pub inputs: BTreeMap<String, String>,
    pub platform: Platform,
    /// Message of the commit that the event speaks of, where the payload does not hold it: of a pull request's head.
    pub head_message: Option<String>,
    /// Which run `github.run_id` and its like speak of. No part of the plan's hash.
    pub run: RunIdentity,
}

/// Finds called workflows. `Err` is a sentence: where it was looked for and how to supply it.
pub trait Files: fmt::Debug {
    fn workflow(&self, reference: &WorkflowRef) -> Result<Source, String>;
}

/// Texts by [`file_key`].
impl Files for BTreeMap<String, Arc<str>> {
    fn workflow(&self, reference: &WorkflowRef) -> Result<Source, String> {
        let key = file_key(reference);
        match self.get(&key) {
            Some(text) => Ok(Source::new(key, Arc::clone(text))),
            None => Err(format!("there is no file `{key}`")),
        }
    }
}

/// Plans `event` over all `workflows`, which come with their findings.
///
/// The workflows keep their order. Each is planned on its own: one with errors stops no other. Called files that cannot be had
/// are reported with the job that calls them.
pub fn plan(workflows: &[(Workflow, Vec<Diagnostic>)], event: &ForgeEvent, facts: &Facts, files: &dyn Files) -> Plan {
    let happened = Happened::new(event, facts);
    let shared = workflow::Shared::new(event, facts);
    let mut hash = PlanHash::new();
    hash.event(event);
    hash.facts(facts);
    let mut texts = BTreeMap::new();
    let mut planned = Vec::with_capacity(workflows.len());
    for (workflow, findings) in workflows {
        let one = workflow::plan(workflow, findings, &happened, &shared, files);
        texts.insert(workflow.source.name().to_owned(), Arc::<str>::from(workflow.source.text()));
        texts.extend(one.called);
        planned.push(one.workflow);
    }
    texts.iter().for_each(|(name, text)| hash.file(name, text));
    let changed = match &event.changed {
        Changed::Unknown { reason } => format!("not known what changed: {reason}"),
        Changed::Files { paths, compared_with } => format!("{} changed {compared_with}", count_of(paths.len())),
    };
    Plan { event: event.name.clone(), hash: hash.finish(), changed, workflows: planned, followers: Vec::new() }
}

impl PlannedWorkflow {
    /// The entry of a file that holds no workflow at all.
    pub fn unreadable(source: &Source, findings: &[Diagnostic]) -> Self {
        Self {
            file: source.name().to_owned(),
            name: source.name().to_owned(),
            triggered: false,
            reason: errors_in(findings).unwrap_or_else(|| "the file holds no workflow".into()),
            startup_failure: None,
            run_name: None,
            jobs: Vec::new(),
            diagnostics: findings.iter().map(|finding| (source.clone(), finding.clone())).collect(),
        }
    }

    /// Whether any finding is an error.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|(_, finding)| finding.is_error())
    }
}

/// "workflow has errors: …", if any finding is one.
pub(crate) fn errors_in(findings: &[Diagnostic]) -> Option<String> {
    let mut errors = findings.iter().filter(|finding| finding.is_error());
    let first = errors.next()?;
    Some(match errors.count() {
        0 => format!("workflow has errors: {}", first.message),
        more => format!("workflow has errors: {} (and {more} more)", first.message),
    })
}

/// One finding as programs read it.
#[derive(Serialize)]
struct Finding<'a> {
    file: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<u32>,
    severity: lineclear_source::Severity,
    code: &'a str,
    message: &'a str,
}

fn diagnostics<S: Serializer>(findings: &[(Source, Diagnostic)], serializer: S) -> Result<S::Ok, S::Error> {
    let mut list = serializer.serialize_seq(Some(findings.len()))?;
    for (source, finding) in findings {
        let place = finding.span.map(|span| source.position(span.start));
        list.serialize_element(&Finding {
            file: source.name(),
            line: place.map(|place| place.line),
            column: place.map(|place| place.column),
            severity: finding.severity,
            code: &finding.code,
            message: &finding.message,
        })?;
    }
    list.end()
}
