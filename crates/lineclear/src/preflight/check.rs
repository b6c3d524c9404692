//! The check of a plan: what its jobs use, and what of that is not set.

use std::collections::HashMap;

use lineclear_expr::Value;
use lineclear_plan::{Files, Plan, PlannedJob, Verdict, github_context, is_fork_pull_request, load_calls, run_inputs};
use lineclear_secrets::{Entry, Kind, RepositoryName};

use super::known_values::KnownValues;
use super::missing::{Lack, lacking};
use super::standing::{Given, Standing};
use super::uses::{Use, Walk, of_workflow};
use crate::planning::Planning;
use crate::secret_stores::Known;

/// What came to light before anything starts.
#[derive(Debug, Default)]
pub(crate) struct Checked<'k> {
    /// What is needed comes first.
    pub(crate) lacks: Vec<Lack>,
    /// The records that the jobs are given and read.
    pub(crate) used: Vec<&'k Entry>,
}

impl Checked<'_> {
    /// Whether something is missing that a job cannot do without.
    pub(crate) fn lacks_needed(&self) -> bool {
        self.lacks.iter().any(|lack| !lack.is_optional)
    }
}

/// Looks at the jobs that `plan`, which may be narrower than that of `planning`, would run.
pub(crate) fn check<'k>(
    planning: &Planning,
    plan: &Plan,
    files: &dyn Files,
    known: &'k Known,
    repository: &RepositoryName,
    given: &Given,
) -> Checked<'k> {
    let mut uses: Vec<Use> = Vec::new();
    for (workflow, _) in &planning.workflows {
        let file = workflow.source.name();
        let planned = plan.workflows.iter().find(|planned| planned.file == file && planned.triggered);
        let Some(planned) = planned.filter(|planned| planned.startup_failure.is_none()) else { continue };
        let facts = &planning.facts;
        let Ok((event, inputs)) = run_inputs(workflow, &planning.event, facts) else { continue };
        let github = github_context(&event, &facts.platform, facts.run, workflow.display_name(), file);
        let vars = facts.vars.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
        let mut values = KnownValues::default();
        values.contexts.insert("github".to_owned(), Value::from_json(&github));
        values.contexts.insert("vars".to_owned(), Value::from_json(&serde_json::Value::Object(vars)));
        values.set_inputs(&inputs.to_json());
        let calls = load_calls(workflow, files);
        let would_run = |job: &&PlannedJob| match job.decision.verdict {
            Verdict::Runs | Verdict::KnownAtRunTime => true,
            Verdict::Skipped | Verdict::Fails => false,
        };
        let mut legs: HashMap<&str, Vec<serde_json::Value>> = HashMap::new();
        for job in planned.jobs.iter().filter(would_run) {
            legs.entry(&job.id).or_default().push(job.matrix.clone());
        }
        let walk = Walk {
            calls: &calls,
            is_wanted: &|id| legs.contains_key(id),
            legs: &|id| legs.get(id).cloned().unwrap_or_default(),
        };
        uses.extend(of_workflow(workflow, &values, &walk));
    }
    if is_fork_pull_request(&planning.event) {
        // Such a run sees no secret at all.
        uses.retain(|used| used.kind != Kind::Secret);
    }
    let standings: Vec<(&Use, Standing<'k>)> =
        uses.iter().map(|used| (used, Standing::of(used, known, repository, given))).collect();
    let mut used: Vec<&Entry> = Vec::new();
    for (_, standing) in &standings {
        if let Standing::Stored(entry) = standing
            && !used.iter().any(|known| known.id() == entry.id())
        {
            used.push(entry);
        }
    }
    Checked { lacks: lacking(standings.into_iter()), used }
}
