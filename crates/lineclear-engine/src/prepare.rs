//! Turns a job and one combination of its matrix into a leg: its names, and everything that has to be evaluated for it.

use std::sync::Arc;

use lineclear_event::{JobContexts, JobKey, JobSpec, SecretPassage};
use lineclear_expr::{EvaluateError, Scope, Value};
use lineclear_plan::matrix::Combination;
use lineclear_plan::{
    JobScope, Machine, StrategySettings, TokenPermissions, call_inputs, called_name, effective_permissions,
    evaluate_tree, file_key, job_name, origin, resolve,
};
use lineclear_workflow::{CallJob, CallSecrets, Job, JobKind, StepsJob};

use crate::evaluate::{boolean, demand, fault, minutes, value};
use crate::groups::Demand;
use crate::job_state::JobState;
use crate::run::{Call, Context, Entered, Leg, NodeId, Run, Work};

/// Minutes that a job may take, and that it gets to end in once it is cancelled, where the file names none.
const DEFAULT_TIMEOUT: f64 = 360.0;
const DEFAULT_CANCEL_TIMEOUT: f64 = 5.0;

/// What all legs of a job share.
pub(crate) struct Common<'a> {
    pub(crate) run: &'a Run,
    pub(crate) node: NodeId,
    pub(crate) entered: &'a Arc<Entered>,
    pub(crate) job: &'a Job,
    pub(crate) settings: StrategySettings,
    /// `github`, `needs`, `inputs` and `vars`, for expressions and for the job's specification.
    pub(crate) scope: JobScope,
    pub(crate) contexts: JobContexts,
    pub(crate) total: usize,
}

/// One leg before it is looked into.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) index: usize,
    pub(crate) key: &'a JobKey,
    /// `None` for a job without a matrix.
    pub(crate) combination: Option<&'a Combination>,
}

impl Common<'_> {
    /// The leg, and why it cannot run if a key of it has no value.
    pub(crate) fn leg(&self, place: Place<'_>) -> (Leg, Option<String>) {
        let scope = JobScope {
            matrix: place.combination.map_or(Value::Null, |combination| combination.values.clone()),
            strategy: self.settings.context(place.index, self.total),
            ..self.scope.clone()
        };
        let mut leg = Leg {
            node: self.node,
            key: place.key.clone(),
            name: String::new(),
            state: JobState::Held,
            work: Work::Nothing,
            demand: None,
            has_slot: false,
            timeout_minutes: DEFAULT_TIMEOUT,
            cancel_timeout_minutes: DEFAULT_CANCEL_TIMEOUT,
            continue_on_error: false,
            stop_reason: None,
        };
        let fault = self.fill(&mut leg, place, &scope).err();
        (leg, fault)
    }

    fn fill(&self, leg: &mut Leg, place: Place<'_>, scope: &JobScope) -> Result<(), String> {
        let name = job_name(self.job, place.combination, scope);
        // A leg whose name has no value still needs one that people know it by.
        let shown = name.as_ref().map_or(self.job.id.as_str(), String::as_str);
        leg.name = match self.run.caller_of(self.run.node(self.node).frame) {
            Some(caller) => called_name(&caller.name, shown),
            None => shown.to_owned(),
        };
        name.map_err(|error| self.fault("name", &error))?;
        leg.demand = self.demand(scope).map_err(|error| self.fault("concurrency", &error))?;
        let contexts =
            JobContexts { matrix: scope.matrix.to_json(), strategy: scope.strategy.to_json(), ..self.contexts.clone() };
        leg.work = match &self.job.kind {
            JobKind::Steps(steps) => self.steps(leg, steps, scope, contexts)?,
            JobKind::Call(call) => self.call(call, scope, contexts)?,
        };
        Ok(())
    }

    fn steps(&self, leg: &mut Leg, steps: &StepsJob, scope: &JobScope, contexts: JobContexts) -> Result<Work, String> {
        let machine = Machine::evaluate(&steps.runs_on, scope).map_err(|error| self.fault("runs-on", &error))?;
        leg.timeout_minutes = minutes(steps.timeout_minutes.as_ref(), scope, DEFAULT_TIMEOUT)
            .map_err(|error| self.fault("timeout-minutes", &error))?;
        leg.cancel_timeout_minutes = minutes(steps.cancel_timeout_minutes.as_ref(), scope, DEFAULT_CANCEL_TIMEOUT)
            .map_err(|error| self.fault("cancel-timeout-minutes", &error))?;
        if let Some(text) = &steps.continue_on_error {
            leg.continue_on_error = boolean(text, scope).map_err(|error| self.fault("continue-on-error", &error))?;
        }
        let environment = match &steps.environment {
            Some(environment) => {
                let name = value(&environment.name, scope).map_err(|error| self.fault("environment", &error))?;
                Some(name.to_text()).filter(|name| !name.is_empty())
            }
            None => None,
        };
        let permissions = self.permissions()?;
        let permissions = if self.run.from_fork { permissions.read_only() } else { permissions };
        Ok(Work::Steps(Box::new(JobSpec {
            run: self.run.id,
            run_number: self.run.number,
            attempt: self.run.attempt,
            job: leg.key.clone(),
            id: self.job.id.value.clone(),
            name: leg.name.clone(),
            file: self.entered.origin.clone(),
            text: Arc::clone(&self.entered.text),
            contexts,
            runs_on: machine.labels,
            runner_group: machine.group,
            environment,
            timeout_minutes: leg.timeout_minutes,
            permissions: permissions.to_map(),
            secret_passages: self.run.frame(self.run.node(self.node).frame).passages.clone(),
        })))
    }

    fn call(&self, call: &CallJob, scope: &JobScope, contexts: JobContexts) -> Result<Work, String> {
        let Some((workflow, reference)) = self.run.calls.get(call, &self.entered.origin) else {
            let called = file_key(&resolve(&call.uses, &self.entered.origin));
            let why = self.run.calls.errors.iter().find(|error| error.called == called);
            let why = why.map_or_else(|| "its text was not given".to_owned(), |error| error.fault.to_string());
            return Err(format!("uses: `{called}`: {why}"));
        };
        let mut with = Vec::with_capacity(call.with.len());
        for (name, tree) in &call.with {
            let value = evaluate_tree(tree, scope);
            let value = value.map_err(|error| self.fault(&format!("with.{}", name.value), &error))?;
            with.push((name.value.clone(), value));
        }
        let key = file_key(&reference);
        let inputs = call_inputs(workflow, &with, &self.scope).map_err(|errors| {
            let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
            format!("with: `{key}` does not accept what it is given: {}", errors.join("; "))
        })?;
        let inside = JobScope {
            github: scope.github.clone(),
            vars: scope.vars.clone(),
            inputs: inputs.clone(),
            ..JobScope::default()
        };
        let demand = match &workflow.concurrency {
            Some(concurrency) => Some(
                demand(concurrency, &inside)
                    .map_err(|error| fault("concurrency", &workflow.source, error.span, &error))?,
            ),
            None => None,
        };
        let text = self.run.texts.get(&key).cloned().unwrap_or_else(|| workflow.source.text().into());
        let entered = Entered { workflow: Arc::clone(workflow), origin: origin(&reference), text };
        let mut passages = self.run.frame(self.run.node(self.node).frame).passages.clone();
        passages.push(passage(call, contexts));
        Ok(Work::Call(Box::new(Call {
            entered: Arc::new(entered),
            inputs: Context::from_value(inputs),
            granted: self.permissions()?,
            passages,
            demand,
        })))
    }

    fn permissions(&self) -> Result<TokenPermissions, String> {
        let granted = self.run.frame(self.run.node(self.node).frame).granted.as_ref();
        let workflow = self.entered.workflow.permissions.as_ref();
        effective_permissions(workflow, &self.job.id, self.job.permissions.as_ref(), granted)
            .map_err(|error| format!("permissions: {error}"))
    }

    fn demand(&self, scope: &dyn Scope) -> Result<Option<Demand>, EvaluateError> {
        self.job.concurrency.as_ref().map(|concurrency| demand(concurrency, scope)).transpose()
    }

    /// The place of an error is that of the text which has no value.
    pub(crate) fn fault(&self, key: &str, error: &EvaluateError) -> String {
        fault(key, &self.entered.workflow.source, error.span, error)
    }
}

/// How secrets pass through a call. The texts are evaluated where the secrets are known.
fn passage(call: &CallJob, contexts: JobContexts) -> SecretPassage {
    match &call.secrets {
        CallSecrets::None => SecretPassage::Nothing,
        CallSecrets::Inherit(_) => SecretPassage::Inherit,
        CallSecrets::Map(secrets) => SecretPassage::Map {
            secrets: secrets.iter().map(|(name, text)| (name.value.clone(), text.raw().to_owned())).collect(),
            contexts: Box::new(contexts),
        },
    }
}
