//! `wide-secret`: a secret is in the environment of steps that do not use it.

use lineclear_source::Severity;
use lineclear_source::Span;
use lineclear_workflow::{Env, Job, JobKind, Step, StepKind};

use super::secret::named;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/wide-secret.md`.
#[derive(Debug)]
pub(super) struct WideSecret;

static META: RuleMeta = RuleMeta {
    id: "wide-secret",
    summary: "a secret is in the environment of steps that do not use it",
    severity: Severity::Info,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("wide-secret"),
};

impl Rule for WideSecret {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(workflow) = file.workflow() else { return };
        for (name, span) in secrets_in(workflow.env.as_ref()) {
            let users: Vec<&Job> =
                workflow.jobs.iter().filter(|job| steps_of(job).iter().any(|step| mentions(step, name))).collect();
            if let ([only], true) = (users.as_slice(), workflow.jobs.len() > 1) {
                report
                    .at(
                        span,
                        format!(
                            "every step of every job has `{name}` in its environment, and only job `{}` uses it",
                            only.id.value
                        ),
                    )
                    .help("move it into the `env` of the step that uses it");
            }
        }
        for (job, steps) in file.step_jobs() {
            for (name, span) in secrets_in(steps.env.as_ref()) {
                let mut users = steps.steps.iter().filter(|step| mentions(step, name));
                if let (Some(only), None, true) = (users.next(), users.next(), steps.steps.len() > 1) {
                    report
                        .at(
                            span,
                            format!(
                                "every step of job `{}` has `{name}` in its environment, and one uses it",
                                job.id.value
                            ),
                        )
                        .label(only.span, "this one")
                        .help("move it into the `env` of that step");
                }
            }
        }
    }
}

/// The variables whose values name a secret.
fn secrets_in(env: Option<&Env>) -> Vec<(&str, Span)> {
    let Some(Env::Names(names)) = env else { return Vec::new() };
    let is_secret =
        |value: &lineclear_workflow::Text| value.template.expressions().iter().any(|expr| !named(expr).is_empty());
    names.iter().filter(|(_, value)| is_secret(value)).map(|(name, _)| (name.raw(), name.span())).collect()
}

fn steps_of(job: &Job) -> &[Step] {
    match &job.kind {
        JobKind::Steps(steps) => &steps.steps,
        JobKind::Call(_) => &[],
    }
}

/// Whether anything that is written in the step names the variable.
fn mentions(step: &Step, name: &str) -> bool {
    let in_env = match &step.env {
        Some(Env::Names(names)) => names.iter().any(|(_, value)| value.raw().contains(name)),
        Some(Env::Expression(_)) => true,
        None => false,
    };
    let in_kind = match &step.kind {
        StepKind::Run { script, .. } => script.raw().contains(name),
        StepKind::Uses { with, .. } => with.iter().any(|(_, value)| value.raw().contains(name)),
        StepKind::Parallel { steps } => steps.iter().any(|step| mentions(step, name)),
        StepKind::Wait { .. } | StepKind::WaitAll | StepKind::Cancel { .. } => false,
    };
    in_env || in_kind || step.condition.as_ref().is_some_and(|condition| condition.raw().contains(name))
}
