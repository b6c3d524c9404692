//! Plans the jobs of a workflow and, through its calls, those of the workflows it calls.
//!
//! Start at [`Planner::level`]. Jobs are decided in the order of their needs and listed in the order of the file. Each job is
//! looked at once and hands what is known of it on to those that need it, so the work grows with jobs and needs, not with
//! the paths through them.

use lineclear_event::{JobKey, WorkflowOrigin};
use lineclear_expr::Value;
use lineclear_source::shortened;
use lineclear_workflow::{CallJob, Job, JobKind, Strategy, Workflow};

use crate::call::{Calls, file_key, origin};
use crate::decide::{Ancestors, PlanScope, decide, decision};
use crate::graph::{Graph, Standing, ancestors, skipped_needs, standing};
use crate::matrix::{self, Combination};
use crate::model::{Decision, PlannedJob, Verdict};
use crate::name::{called_name, job_key, job_keys, job_name, unevaluated_name};
use crate::runs_on::{Machine, unevaluated};
use crate::strategy::StrategySettings;
use crate::tree::evaluate_tree;
use crate::{InputError, JobScope, call_inputs};

/// Most jobs that a plan lists for one workflow, matrices and calls expanded. A limit of Lineclear's own: nested calls of
/// matrices multiply.
const MAX_PLANNED: usize = 20_000;

/// How much of a matrix that is not known yet a plan shows, in characters.
const MATRIX_SHOWN: usize = 120;

/// A workflow as it stands in a run: the run's own, or one that a job calls.
#[derive(Debug)]
pub(crate) struct Level {
    origin: WorkflowOrigin,
    /// `github`, `inputs` and `vars`.
    scope: JobScope,
    /// Whether the inputs come from something that only the run will tell.
    inputs_open: bool,
    caller: Option<Caller>,
}

/// The job that calls.
#[derive(Clone, Debug)]
struct Caller {
    key: JobKey,
    id: String,
    name: String,
    decision: Decision,
}

impl Level {
    /// The run's own workflow.
    pub(crate) fn root(origin: WorkflowOrigin, scope: JobScope) -> Self {
        Self { origin, scope, inputs_open: false, caller: None }
    }
}

#[derive(Debug)]
pub(crate) struct Planner<'a> {
    calls: &'a Calls,
    planned: usize,
}

/// The legs of a job.
enum Legs {
    /// No matrix.
    One,
    Known(Vec<Combination>),
    /// Known at run time; the text is what it depends on.
    Open(String),
    Error(String),
}

impl<'a> Planner<'a> {
    pub(crate) fn new(calls: &'a Calls) -> Self {
        Self { calls, planned: 0 }
    }

    /// The jobs of one workflow, in file order, those of called workflows after their callers.
    pub(crate) fn level(&mut self, workflow: &Workflow, level: &Level) -> Vec<PlannedJob> {
        let graph = Graph::of(workflow);
        let mut standings = vec![Standing::default(); workflow.jobs.len()];
        let mut planned: Vec<Vec<PlannedJob>> = Vec::new();
        planned.resize_with(workflow.jobs.len(), Vec::new);
        for at in graph.order {
            let (Some(job), Some(needs)) = (workflow.jobs.get(at), graph.needs.get(at)) else { continue };
            let ancestors = ancestors(job, needs, &standings);
            let jobs = self.job(job, level, &ancestors, needs, &standings);
            let standing = standing(job, &jobs, ancestors);
            if let (Some(place), Some(list)) = (standings.get_mut(at), planned.get_mut(at)) {
                *place = standing;
                *list = jobs;
            }
        }
        planned.into_iter().flatten().collect()
    }

    /// All entries of one job: its legs, and the jobs they call.
    fn job(
        &mut self,
        job: &Job,
        level: &Level,
        ancestors: &Ancestors,
        needs: &[usize],
        standings: &[Standing],
    ) -> Vec<PlannedJob> {
        let mut open = Vec::new();
        if level.inputs_open {
            open.push("inputs");
        }
        let mut scope = level.scope.clone();
        let skipped = |at: &usize| standings.get(*at).is_some_and(|need| need.verdict == Some(Verdict::Skipped));
        if !needs.is_empty() {
            scope.needs = skipped_needs(job);
            if !needs.iter().all(skipped) {
                open.push("needs");
            }
        }
        let decision = self.decide(job, level, &scope, &open, ancestors);
        let caller_key = level.caller.as_ref().map(|caller| &caller.key);
        // A job that is skipped is one entry: its matrix is not expanded.
        let legs = match decision.verdict {
            Verdict::Skipped | Verdict::Fails => Legs::One,
            Verdict::Runs | Verdict::KnownAtRunTime => legs(job.strategy.as_ref(), &scope, &open),
        };
        let plain =
            |decision| Leg { combination: None, index: 0, total: 1, key: job_key(caller_key, &job.id), decision };
        match legs {
            Legs::One => {
                let has_matrix = job.strategy.as_ref().is_some_and(|strategy| strategy.matrix.is_some());
                self.leg(job, level, &scope, &open, plain(decision), has_matrix.then(String::new))
            }
            Legs::Open(text) => {
                let note = format!("the matrix is known only at run time: {}", shortened(&text, MATRIX_SHOWN));
                self.leg(job, level, &scope, &open, plain(decision), Some(note))
            }
            Legs::Error(message) => {
                let decision = crate::decide::decision(Verdict::Fails, format!("matrix: {message}"));
                self.leg(job, level, &scope, &open, plain(decision), Some(String::new()))
            }
            Legs::Known(combinations) if combinations.is_empty() => {
                let reason = "matrix: every combination is excluded".to_owned();
                let decision = crate::decide::decision(Verdict::Skipped, reason);
                self.leg(job, level, &scope, &open, plain(decision), Some(String::new()))
            }
            Legs::Known(combinations) => {
                let keys = job_keys(caller_key, &job.id, &combinations);
                let total = combinations.len();
                let mut planned = Vec::with_capacity(total);
                for (index, (combination, key)) in combinations.iter().zip(keys).enumerate() {
                    let leg = Leg { combination: Some(combination), index, total, key, decision: decision.clone() };
                    planned.extend(self.leg(job, level, &scope, &open, leg, None));
                }
                planned
            }
        }
    }

    fn decide(
        &self,
        job: &Job,
        level: &Level,
        scope: &JobScope,
        open: &[&'static str],
        ancestors: &Ancestors,
    ) -> Decision {
        if let Some(caller) = &level.caller
            && matches!(caller.decision.verdict, Verdict::Skipped | Verdict::Fails)
        {
            let word = if caller.decision.verdict == Verdict::Fails { "fails" } else { "is skipped" };
            return decision(Verdict::Skipped, format!("the calling job {} {word}", caller.id));
        }
        let own = decide(job.condition.as_ref(), scope, open, ancestors);
        match &level.caller {
            Some(caller) if own.verdict == Verdict::Runs && caller.decision.verdict == Verdict::KnownAtRunTime => {
                decision(Verdict::KnownAtRunTime, format!("the calling job {} is decided at run time", caller.id))
            }
            _ => own,
        }
    }

    /// The entry of one leg and, for a call, those of the called workflow. `note` is given where the matrix is not known.
    fn leg(
        &mut self,
        job: &Job,
        level: &Level,
        scope: &JobScope,
        open: &[&'static str],
        leg: Leg<'_>,
        note: Option<String>,
    ) -> Vec<PlannedJob> {
        let mut scope = scope.clone();
        let mut open = open.to_vec();
        match leg.combination {
            Some(combination) => scope.matrix = combination.values.clone(),
            None if note.is_some() => open.extend(["matrix", "strategy"]),
            None => {}
        }
        let mut decision = leg.decision;
        let settings =
            PlanScope::new(&scope, &open).known(|scope| StrategySettings::evaluate(job.strategy.as_ref(), scope));
        match settings {
            Ok(Some(settings)) => scope.strategy = settings.context(leg.index, leg.total),
            Ok(None) => open.push("strategy"),
            Err(error) => fail(&mut decision, format!("strategy: {}", error.message)),
        }
        let name = match PlanScope::new(&scope, &open).known(|scope| job_name(job, leg.combination, scope)) {
            Ok(Some(name)) => name,
            Ok(None) => unevaluated_name(job, leg.combination),
            Err(error) => {
                fail(&mut decision, format!("name: {}", error.message));
                unevaluated_name(job, leg.combination)
            }
        };
        let runs_on = match &job.kind {
            JobKind::Call(_) => Machine::default(),
            JobKind::Steps(steps) => {
                match PlanScope::new(&scope, &open).known(|scope| Machine::evaluate(&steps.runs_on, scope)) {
                    Ok(Some(machine)) => machine,
                    Ok(None) => unevaluated(&steps.runs_on),
                    Err(error) => {
                        fail(&mut decision, format!("runs-on: {}", error.message));
                        unevaluated(&steps.runs_on)
                    }
                }
            }
        };
        let within = |id: &str| match &level.caller {
            Some(caller) => format!("{}/{id}", caller.id),
            None => id.to_owned(),
        };
        let name = match &level.caller {
            Some(caller) => called_name(&caller.name, &name),
            None => name,
        };
        let mut planned = PlannedJob {
            key: leg.key,
            id: within(&job.id),
            name,
            matrix: leg.combination.map_or(serde_json::Value::Null, |leg| leg.values.to_json()),
            needs: job.needs.iter().map(|need| within(need)).collect(),
            runs_on: runs_on.labels,
            runner_group: runs_on.group,
            condition: job.condition.as_ref().map(|condition| condition.raw().to_owned()),
            decision,
            uses: None,
            note: note.filter(|note| !note.is_empty()),
        };
        self.planned += 1;
        match &job.kind {
            JobKind::Steps(_) => vec![planned],
            JobKind::Call(call) => {
                let called = self.call(call, level, &scope, &open, &mut planned);
                std::iter::once(planned).chain(called).collect()
            }
        }
    }

    /// The jobs of the workflow that a job calls.
    fn call(
        &mut self,
        call: &CallJob,
        level: &Level,
        scope: &JobScope,
        open: &[&'static str],
        caller: &mut PlannedJob,
    ) -> Vec<PlannedJob> {
        caller.uses = Some(file_key(&crate::call::resolve(&call.uses, &level.origin)));
        let Some((workflow, reference)) = self.calls.get(call, &level.origin) else {
            let error = self.calls.errors.iter().find(|error| Some(&error.called) == caller.uses.as_ref());
            caller.note = error.map(|error| error.fault.to_string());
            return Vec::new();
        };
        if self.planned > MAX_PLANNED {
            fail(&mut caller.decision, format!("the run has more than {MAX_PLANNED} jobs"));
            return Vec::new();
        }
        let inputs = match evaluate_inputs(call, workflow, scope, open) {
            Ok(inputs) => inputs,
            Err(error) => {
                fail(&mut caller.decision, error);
                None
            }
        };
        let level = Level {
            origin: origin(&reference),
            inputs_open: inputs.is_none(),
            scope: JobScope {
                github: scope.github.clone(),
                vars: scope.vars.clone(),
                inputs: inputs.unwrap_or_default(),
                ..JobScope::default()
            },
            caller: Some(Caller {
                key: caller.key.clone(),
                id: caller.id.clone(),
                name: caller.name.clone(),
                decision: caller.decision.clone(),
            }),
        };
        let jobs = self.level(workflow, &level);
        if caller.decision.verdict == Verdict::Runs
            && !jobs.is_empty()
            && jobs.iter().all(|job| job.decision.verdict == Verdict::Skipped)
        {
            caller.decision = decision(Verdict::Skipped, "every job of the called workflow is skipped".into());
        }
        jobs
    }
}

/// One leg of a job, or the job itself.
struct Leg<'a> {
    combination: Option<&'a Combination>,
    index: usize,
    total: usize,
    key: JobKey,
    decision: Decision,
}

fn legs(strategy: Option<&Strategy>, scope: &JobScope, open: &[&'static str]) -> Legs {
    let Some(strategy) = strategy else { return Legs::One };
    let Some(tree) = &strategy.matrix else { return Legs::One };
    let value = PlanScope::new(scope, open).known(|scope| evaluate_tree(tree, scope));
    match value {
        Err(error) => Legs::Error(error.message),
        Ok(None) => Legs::Open(open_text(tree)),
        Ok(Some(value)) => match matrix::combinations(&value) {
            Ok(combinations) => Legs::Known(combinations),
            Err(error) => Legs::Error(error.to_string()),
        },
    }
}

/// The expressions in a matrix, for the note that it is not known yet.
fn open_text(tree: &lineclear_workflow::TextTree) -> String {
    fn collect(tree: &lineclear_workflow::TextTree, texts: &mut Vec<String>) {
        match tree {
            lineclear_workflow::TextTree::Scalar(text) => {
                if !text.template.expressions().is_empty() {
                    texts.push(format!("`{}`", text.raw().trim()));
                }
            }
            lineclear_workflow::TextTree::Sequence(items) => items.iter().for_each(|item| collect(item, texts)),
            lineclear_workflow::TextTree::Mapping(entries) => {
                entries.iter().for_each(|(_, value)| collect(value, texts));
            }
        }
    }
    let mut texts = Vec::new();
    collect(tree, &mut texts);
    texts.dedup();
    texts.join(", ")
}

/// The `inputs` context of a called workflow; `None` if it depends on what only the run will tell.
fn evaluate_inputs(
    call: &CallJob,
    called: &Workflow,
    scope: &JobScope,
    open: &[&'static str],
) -> Result<Option<Value>, String> {
    let plan_scope = PlanScope::new(scope, open);
    let mut with = Vec::with_capacity(call.with.len());
    for (name, tree) in &call.with {
        let value = plan_scope.known(|scope| evaluate_tree(tree, scope));
        match value.map_err(|error| format!("input `{}`: {}", name.value, error.message))? {
            Some(value) => with.push((name.value.clone(), value)),
            None => return Ok(None),
        }
    }
    let inputs = call_inputs(called, &with, &plan_scope);
    if plan_scope.asked().is_some() {
        return Ok(None);
    }
    inputs.map(Some).map_err(|errors| {
        let errors: Vec<_> = errors.iter().map(InputError::to_string).collect();
        errors.join("; ")
    })
}

/// A job that would run fails for a certain reason; one that does not run cannot.
fn fail(decision: &mut Decision, reason: String) {
    if matches!(decision.verdict, Verdict::Runs | Verdict::KnownAtRunTime) {
        *decision = crate::decide::decision(Verdict::Fails, reason);
    }
}
