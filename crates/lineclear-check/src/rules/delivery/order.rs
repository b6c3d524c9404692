//! What comes before a job, and what decides whether it runs.

use lineclear_expr::Template;
use lineclear_workflow::{ActionRef, Job, JobKind, StepKind, Text, Trigger, Workflow};

use crate::File;
use crate::rules::deeds::{Deed, Done};
use crate::uses::action_name;

/// All jobs that have to end before `job` begins, the nearest first.
pub(super) fn all_needs<'w>(workflow: &'w Workflow, job: &'w Job) -> Vec<&'w Job> {
    let mut found: Vec<&Job> = Vec::new();
    let mut waiting = vec![job];
    while let Some(next) = waiting.pop() {
        for needed in next.needs.iter().filter_map(|id| workflow.job(&id.value)) {
            if !std::ptr::eq(needed, job) && !found.iter().any(|one| std::ptr::eq(*one, needed)) {
                found.push(needed);
                waiting.push(needed);
            }
        }
    }
    found
}

/// The texts of all conditions that a deed hangs on: of its step, its job and the jobs before, and of an input such as `push`.
pub(super) fn conditions<'w>(workflow: &'w Workflow, done: &Done<'w>) -> Vec<&'w str> {
    let of_job = |job: &'w Job| job.condition.as_ref().map(|condition| condition.raw());
    let jobs = done.site.job.into_iter().flat_map(|job| std::iter::once(job).chain(all_needs(workflow, job)));
    let mut texts: Vec<&str> = jobs.filter_map(of_job).collect();
    texts.extend(done.site.step.condition.as_ref().map(|condition| condition.raw()));
    if done.is_conditional
        && let StepKind::Uses { with, .. } = &done.site.step.kind
    {
        texts.extend(
            with.iter().filter(|(key, _)| matches!(key.value.as_str(), "push" | "args")).map(|(_, text)| text.raw()),
        );
    }
    texts
}

/// The steps of a job.
pub(super) fn steps_of(job: &Job) -> &[lineclear_workflow::Step] {
    if let JobKind::Steps(steps) = &job.kind { &steps.steps } else { &[] }
}

/// Whether a job tests, or may do so unseen: by a called workflow, an action of the repository, a script of its own.
pub(super) fn may_test(file: &File<'_>, job: &Job, before: usize) -> bool {
    if matches!(job.kind, JobKind::Call(_)) {
        return true;
    }
    let tests = |done: &Done<'_>| {
        done.is_in(job) && done.site.index <= before && matches!(done.deed, Deed::Test | Deed::Lint | Deed::Scan)
    };
    file.deeds().iter().any(tests)
        || steps_of(job).iter().take(before).any(|step| match &step.kind {
            StepKind::Uses { uses, .. } => match &uses.value {
                ActionRef::Local { .. } | ActionRef::SameRepository { .. } => true,
                other => action_name(other).is_some_and(|name| sounds_like_test(&name)),
            },
            _ => step.name.as_ref().is_some_and(|name| sounds_like_test(&name.raw().to_ascii_lowercase())),
        })
}

/// Whether a name speaks of tests.
pub(super) fn sounds_like_test(name: &str) -> bool {
    name.split(|char: char| !char.is_ascii_alphanumeric()).any(|word| {
        matches!(
            word,
            "test"
                | "tests"
                | "testing"
                | "lint"
                | "check"
                | "checks"
                | "ci"
                | "verify"
                | "e2e"
                | "quality"
                | "validate"
        )
    })
}

/// Whether a push trigger speaks of tags alone.
pub(super) fn is_tags_only(trigger: &Trigger) -> bool {
    trigger.tags.is_some() && trigger.branches.is_none()
}

/// The text without expressions, if it has none.
pub(super) fn literal(text: &Text) -> Option<&str> {
    matches!(text.template, Template::Literal(_)).then(|| text.raw())
}

/// The name of a job's environment, if it is a fixed one.
pub(super) fn environment_of(job: &Job) -> Option<&str> {
    let JobKind::Steps(steps) = &job.kind else { return None };
    literal(&steps.environment.as_ref()?.name)
}

/// Whether a job has an environment.
pub(super) fn has_environment(job: &Job) -> bool {
    matches!(&job.kind, JobKind::Steps(steps) if steps.environment.is_some())
}
