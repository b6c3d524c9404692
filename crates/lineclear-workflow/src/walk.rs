//! A walk over every text of a file that may hold expressions, each with the key that it stands at.

use crate::{
    Action, CallJob, CallSecrets, Concurrency, Condition, Container, Env, Input, Job, JobKind, RunDefaults, Runs,
    RunsOn, Step, StepKind, StepsJob, Text, TextTree, Trigger, Workflow,
};

/// Where a text stands.
#[derive(Clone, Copy, Debug)]
pub struct Place<'w> {
    pub key: Key<'w>,
    pub job: Option<&'w Job>,
    /// The step; of steps inside of `parallel`, the inner one.
    pub step: Option<&'w Step>,
}

/// The key that a text stands at. The names are those of the keys; what has `job` and `step` in its [`Place`] belongs to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key<'w> {
    RunName,
    /// The default of an input of `workflow_dispatch`, `workflow_call` or an action.
    InputDefault(&'w str),
    /// The value of an output of `workflow_call`.
    CallOutput(&'w str),
    /// The value of a job's or of an action's output.
    Output(&'w str),
    /// `env` of the workflow, a job or a step, by what the place has; the value of this name.
    Env(&'w str),
    /// A name in an `env`, which may be an expression.
    EnvName,
    /// A whole `env` that is one expression.
    EnvObject,
    Shell,
    WorkingDirectory,
    ConcurrencyGroup,
    CancelInProgress,
    If,
    Name,
    Matrix,
    FailFast,
    MaxParallel,
    /// A `strategy` that is one expression.
    Strategy,
    RunsOn,
    Environment,
    EnvironmentUrl,
    Deployment,
    TimeoutMinutes,
    CancelTimeoutMinutes,
    ContinueOnError,
    /// `image` of `container`, or of the service.
    Image,
    /// Username or password of a container or service.
    Credentials,
    /// The value of this name in the `env` of a container or service.
    ContainerEnv(&'w str),
    Ports,
    Volumes,
    Options,
    Entrypoint,
    Command,
    /// A `services` that is one expression.
    Services,
    Snapshot,
    Run,
    /// The value of an input of an action or of a called workflow.
    With(&'w str),
    /// The value of a secret of a called workflow.
    Secret(&'w str),
    /// `args` and `env` of a Docker action.
    Args,
    /// `pre-if` and `post-if`.
    StageIf,
}

/// What stands there.
#[derive(Clone, Copy, Debug)]
pub enum Written<'w> {
    Text(&'w Text),
    Condition(&'w Condition),
}

/// Calls `visit` with every text of `workflow`, in the order of the model.
pub fn walk_workflow<'w>(workflow: &'w Workflow, visit: &mut dyn FnMut(Place<'w>, Written<'w>)) {
    let mut walk = Walk { visit, job: None, step: None };
    walk.text(Key::RunName, workflow.run_name.as_ref());
    workflow.on.events.iter().for_each(|trigger| walk.trigger(trigger));
    walk.env(workflow.env.as_ref());
    walk.defaults(workflow.defaults.as_ref());
    walk.concurrency(workflow.concurrency.as_ref());
    workflow.jobs.iter().for_each(|job| walk.job(job));
}

/// Calls `visit` with every text of `action`, in the order of the model.
pub fn walk_action<'w>(action: &'w Action, visit: &mut dyn FnMut(Place<'w>, Written<'w>)) {
    let mut walk = Walk { visit, job: None, step: None };
    walk.inputs(&action.inputs);
    for output in &action.outputs {
        walk.text(Key::Output(&output.name.value), output.value.as_ref());
    }
    match &action.runs {
        Runs::JavaScript { pre_if, post_if, .. } => {
            walk.condition(Key::StageIf, pre_if.as_ref());
            walk.condition(Key::StageIf, post_if.as_ref());
        }
        Runs::Composite { steps } => steps.iter().for_each(|step| walk.step(step)),
        Runs::Docker { pre_if, post_if, args, env, .. } => {
            walk.condition(Key::StageIf, pre_if.as_ref());
            walk.condition(Key::StageIf, post_if.as_ref());
            args.iter().for_each(|text| walk.text(Key::Args, Some(text)));
            walk.env(env.as_ref());
        }
    }
}

struct Walk<'w, 'v> {
    visit: &'v mut dyn FnMut(Place<'w>, Written<'w>),
    job: Option<&'w Job>,
    step: Option<&'w Step>,
}

impl<'w> Walk<'w, '_> {
    fn text(&mut self, key: Key<'w>, text: Option<&'w Text>) {
        if let Some(text) = text {
            (self.visit)(Place { key, job: self.job, step: self.step }, Written::Text(text));
        }
    }

    fn condition(&mut self, key: Key<'w>, condition: Option<&'w Condition>) {
        if let Some(condition) = condition {
            (self.visit)(Place { key, job: self.job, step: self.step }, Written::Condition(condition));
        }
    }

    fn trigger(&mut self, trigger: &'w Trigger) {
        self.inputs(&trigger.inputs);
        for output in &trigger.outputs {
            self.text(Key::CallOutput(&output.name.value), output.value.as_ref());
        }
    }

    fn inputs(&mut self, inputs: &'w [Input]) {
        for input in inputs {
            self.text(Key::InputDefault(&input.name.value), input.default.as_ref());
        }
    }

    fn job(&mut self, job: &'w Job) {
        self.job = Some(job);
        self.text(Key::Name, job.name.as_ref());
        self.condition(Key::If, job.condition.as_ref());
        self.concurrency(job.concurrency.as_ref());
        if let Some(strategy) = &job.strategy {
            if let Some(matrix) = &strategy.matrix {
                self.tree(Key::Matrix, matrix);
            }
            self.text(Key::FailFast, strategy.fail_fast.as_ref());
            self.text(Key::MaxParallel, strategy.max_parallel.as_ref());
            self.text(Key::Strategy, strategy.expression.as_ref());
        }
        match &job.kind {
            JobKind::Steps(steps) => self.steps_job(steps),
            JobKind::Call(call) => self.call(call),
        }
        self.job = None;
    }

    fn call(&mut self, call: &'w CallJob) {
        call.with.iter().for_each(|(name, value)| self.tree(Key::With(&name.value), value));
        if let CallSecrets::Map(secrets) = &call.secrets {
            secrets.iter().for_each(|(name, value)| self.text(Key::Secret(&name.value), Some(value)));
        }
    }

    fn steps_job(&mut self, job: &'w StepsJob) {
        match &job.runs_on {
            RunsOn::Labels(labels) => labels.value.iter().for_each(|label| self.text(Key::RunsOn, Some(label))),
            RunsOn::Group { group, labels, .. } => {
                group.iter().chain(labels).for_each(|text| self.text(Key::RunsOn, Some(text)));
            }
        }
        if let Some(environment) = &job.environment {
            self.text(Key::Environment, Some(&environment.name));
            self.text(Key::EnvironmentUrl, environment.url.as_ref());
            self.text(Key::Deployment, environment.deployment.as_ref());
        }
        self.env(job.env.as_ref());
        self.defaults(job.defaults.as_ref());
        self.text(Key::TimeoutMinutes, job.timeout_minutes.as_ref());
        self.text(Key::CancelTimeoutMinutes, job.cancel_timeout_minutes.as_ref());
        self.text(Key::ContinueOnError, job.continue_on_error.as_ref());
        job.container.iter().for_each(|container| self.container(container));
        self.text(Key::Services, job.services_expression.as_ref());
        for service in &job.services {
            self.container(&service.container);
            self.text(Key::Entrypoint, service.entrypoint.as_ref());
            self.text(Key::Command, service.command.as_ref());
        }
        job.outputs.iter().for_each(|(name, text)| self.text(Key::Output(&name.value), Some(text)));
        job.steps.iter().for_each(|step| self.step(step));
        if let Some(snapshot) = &job.snapshot {
            self.text(Key::Snapshot, Some(&snapshot.image_name));
            self.text(Key::Snapshot, snapshot.version.as_ref());
            self.condition(Key::Snapshot, snapshot.condition.as_ref());
        }
    }

    fn step(&mut self, step: &'w Step) {
        let outer = self.step.replace(step);
        self.text(Key::Name, step.name.as_ref());
        self.condition(Key::If, step.condition.as_ref());
        self.env(step.env.as_ref());
        self.text(Key::ContinueOnError, step.continue_on_error.as_ref());
        self.text(Key::TimeoutMinutes, step.timeout_minutes.as_ref());
        match &step.kind {
            StepKind::Run { script, shell, working_directory } => {
                self.text(Key::Run, Some(script));
                self.text(Key::Shell, shell.as_ref());
                self.text(Key::WorkingDirectory, working_directory.as_ref());
            }
            StepKind::Uses { with, .. } => {
                with.iter().for_each(|(name, value)| self.text(Key::With(&name.value), Some(value)));
            }
            StepKind::Parallel { steps } => steps.iter().for_each(|step| self.step(step)),
            StepKind::Wait { .. } | StepKind::WaitAll | StepKind::Cancel { .. } => {}
        }
        self.step = outer;
    }

    fn container(&mut self, container: &'w Container) {
        self.text(Key::Image, Some(&container.image));
        if let Some(credentials) = &container.credentials {
            self.text(Key::Credentials, Some(&credentials.username));
            self.text(Key::Credentials, Some(&credentials.password));
        }
        match &container.env {
            Some(Env::Names(names)) => names.iter().for_each(|(name, value)| {
                self.text(Key::EnvName, Some(name));
                self.text(Key::ContainerEnv(name.raw()), Some(value));
            }),
            Some(Env::Expression(text)) => self.text(Key::EnvObject, Some(text)),
            None => {}
        }
        container.ports.iter().for_each(|text| self.text(Key::Ports, Some(text)));
        container.volumes.iter().for_each(|text| self.text(Key::Volumes, Some(text)));
        self.text(Key::Options, container.options.as_ref());
    }

    fn env(&mut self, env: Option<&'w Env>) {
        match env {
            Some(Env::Names(names)) => names.iter().for_each(|(name, value)| {
                self.text(Key::EnvName, Some(name));
                self.text(Key::Env(name.raw()), Some(value));
            }),
            Some(Env::Expression(text)) => self.text(Key::EnvObject, Some(text)),
            None => {}
        }
    }

    fn defaults(&mut self, defaults: Option<&'w RunDefaults>) {
        if let Some(defaults) = defaults {
            self.text(Key::Shell, defaults.shell.as_ref());
            self.text(Key::WorkingDirectory, defaults.working_directory.as_ref());
        }
    }

    fn concurrency(&mut self, concurrency: Option<&'w Concurrency>) {
        if let Some(concurrency) = concurrency {
            self.text(Key::ConcurrencyGroup, Some(&concurrency.group));
            self.text(Key::CancelInProgress, concurrency.cancel_in_progress.as_ref());
        }
    }

    fn tree(&mut self, key: Key<'w>, tree: &'w TextTree) {
        match tree {
            TextTree::Scalar(text) => self.text(key, Some(text)),
            TextTree::Sequence(items) => items.value.iter().for_each(|item| self.tree(key, item)),
            TextTree::Mapping(entries) => entries.value.iter().for_each(|(name, value)| {
                self.text(key, Some(name));
                self.tree(key, value);
            }),
        }
    }
}

impl std::fmt::Debug for Walk<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Walk")
    }
}
