//! Every text of a workflow's model that may hold expressions.

use lineclear_expr::Expr;
use lineclear_workflow::{
    CallJob, Concurrency, Condition, Container, Env, Job, JobKind, RunDefaults, RunsOn, Step, StepKind, StepsJob, Text,
    TextTree, Workflow,
};
use lineclear_yaml::Scalar;

/// An expression and the scalar that it stands in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed<'w> {
    pub(super) expr: &'w Expr,
    pub(super) scalar: &'w Scalar,
    /// Whether it is an `if`: what it reads is only asked about.
    pub(super) is_condition: bool,
}

/// Collects expressions.
#[derive(Debug, Default)]
pub(super) struct Texts<'w> {
    pub(super) found: Vec<Placed<'w>>,
}

impl<'w> Texts<'w> {
    /// What is evaluated once for the run: its name and its concurrency group.
    pub(super) fn of_run(workflow: &'w Workflow) -> Self {
        let mut texts = Self::default();
        texts.text(workflow.run_name.as_ref());
        texts.concurrency(workflow.concurrency.as_ref());
        texts
    }

    /// What the workflow's own keys give to each of its jobs that has steps.
    pub(super) fn of_all_jobs(workflow: &'w Workflow) -> Self {
        let mut texts = Self::default();
        texts.env(workflow.env.as_ref());
        texts.defaults(workflow.defaults.as_ref());
        texts
    }

    /// The keys of a job, without the `secrets` of a call.
    pub(super) fn of_job(job: &'w Job) -> Self {
        let mut texts = Self::default();
        texts.text(job.name.as_ref());
        texts.condition(job.condition.as_ref());
        texts.concurrency(job.concurrency.as_ref());
        if let Some(strategy) = &job.strategy {
            if let Some(matrix) = &strategy.matrix {
                texts.tree(matrix);
            }
            [&strategy.fail_fast, &strategy.max_parallel, &strategy.expression]
                .into_iter()
                .for_each(|text| texts.text(text.as_ref()));
        }
        match &job.kind {
            JobKind::Steps(steps) => texts.steps_job(steps),
            JobKind::Call(call) => texts.call(call),
        }
        texts
    }

    /// One text.
    pub(super) fn of_text(text: &'w Text) -> Self {
        let mut texts = Self::default();
        texts.text(Some(text));
        texts
    }

    fn call(&mut self, call: &'w CallJob) {
        call.with.iter().for_each(|(_, value)| self.tree(value));
    }

    fn steps_job(&mut self, job: &'w StepsJob) {
        match &job.runs_on {
            RunsOn::Labels(labels) => labels.value.iter().for_each(|label| self.text(Some(label))),
            RunsOn::Group { group, labels, .. } => group.iter().chain(labels).for_each(|text| self.text(Some(text))),
        }
        if let Some(environment) = &job.environment {
            self.text(Some(&environment.name));
            self.text(environment.url.as_ref());
            self.text(environment.deployment.as_ref());
        }
        self.env(job.env.as_ref());
        self.defaults(job.defaults.as_ref());
        [&job.timeout_minutes, &job.cancel_timeout_minutes, &job.continue_on_error, &job.services_expression]
            .into_iter()
            .for_each(|text| self.text(text.as_ref()));
        job.container.iter().for_each(|container| self.container(container));
        for service in &job.services {
            self.container(&service.container);
            self.text(service.entrypoint.as_ref());
            self.text(service.command.as_ref());
        }
        job.outputs.iter().for_each(|(_, text)| self.text(Some(text)));
        job.steps.iter().for_each(|step| self.step(step));
        if let Some(snapshot) = &job.snapshot {
            self.text(Some(&snapshot.image_name));
            self.text(snapshot.version.as_ref());
            self.condition(snapshot.condition.as_ref());
        }
    }

    fn step(&mut self, step: &'w Step) {
        self.text(step.name.as_ref());
        self.condition(step.condition.as_ref());
        self.env(step.env.as_ref());
        self.text(step.continue_on_error.as_ref());
        self.text(step.timeout_minutes.as_ref());
        match &step.kind {
            StepKind::Run { script, shell, working_directory } => {
                self.text(Some(script));
                self.text(shell.as_ref());
                self.text(working_directory.as_ref());
            }
            StepKind::Uses { with, .. } => with.iter().for_each(|(_, value)| self.text(Some(value))),
            StepKind::Parallel { steps } => steps.iter().for_each(|step| self.step(step)),
            StepKind::Wait { .. } | StepKind::WaitAll | StepKind::Cancel { .. } => {}
        }
    }

    fn container(&mut self, container: &'w Container) {
        self.text(Some(&container.image));
        if let Some(credentials) = &container.credentials {
            self.text(Some(&credentials.username));
            self.text(Some(&credentials.password));
        }
        self.env(container.env.as_ref());
        container.ports.iter().chain(&container.volumes).for_each(|text| self.text(Some(text)));
        self.text(container.options.as_ref());
    }

    fn env(&mut self, env: Option<&'w Env>) {
        match env {
            Some(Env::Names(names)) => names.iter().for_each(|(name, value)| {
                self.text(Some(name));
                self.text(Some(value));
            }),
            Some(Env::Expression(text)) => self.text(Some(text)),
            None => {}
        }
    }

    fn defaults(&mut self, defaults: Option<&'w RunDefaults>) {
        if let Some(defaults) = defaults {
            self.text(defaults.shell.as_ref());
            self.text(defaults.working_directory.as_ref());
        }
    }

    fn concurrency(&mut self, concurrency: Option<&'w Concurrency>) {
        if let Some(concurrency) = concurrency {
            self.text(Some(&concurrency.group));
            self.text(concurrency.cancel_in_progress.as_ref());
        }
    }

    fn tree(&mut self, tree: &'w TextTree) {
        match tree {
            TextTree::Scalar(text) => self.text(Some(text)),
            TextTree::Sequence(items) => items.value.iter().for_each(|item| self.tree(item)),
            TextTree::Mapping(entries) => entries.value.iter().for_each(|(key, value)| {
                self.text(Some(key));
                self.tree(value);
            }),
        }
    }

    fn condition(&mut self, condition: Option<&'w Condition>) {
        self.found.extend(condition.map(|condition| Placed {
            expr: &condition.expr,
            scalar: &condition.scalar,
            is_condition: true,
        }));
    }

    fn text(&mut self, text: Option<&'w Text>) {
        let Some(text) = text else { return };
        let scalar = &*text.scalar;
        let placed = text.template.expressions().into_iter().map(|expr| Placed { expr, scalar, is_condition: false });
        self.found.extend(placed);
    }
}
