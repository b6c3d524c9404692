//! `unchecked-workflow-run`: a workflow publishes or deploys after another one, whatever became of it.

use super::order::{all_needs, conditions, steps_of};
use lineclear_source::Severity;
use lineclear_workflow::{Env, Job, StepKind, Trigger};

use crate::rules::deeds::Deed;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/unchecked-workflow-run.md`.
#[derive(Debug)]
pub(super) struct UncheckedWorkflowRun;

static META: RuleMeta = RuleMeta {
    id: "unchecked-workflow-run",
    summary: "a workflow publishes or deploys after another one, whatever became of it",
    severity: Severity::Warning,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("unchecked-workflow-run"),
};

impl Rule for UncheckedWorkflowRun {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(workflow) = file.workflow() else { return };
        let Some(trigger) = workflow.on.get("workflow_run") else { return };
        if trigger.types.as_ref().is_some_and(|types| types.iter().all(|kind| kind.value == "requested")) {
            return;
        }
        let mut seen: Vec<&Job> = Vec::new();
        for done in file.deeds() {
            let Some(job) = done
                .site
                .job
                .filter(|_| done.deed.is_publication() || matches!(done.deed, Deed::Deploy | Deed::Promote))
            else {
                continue;
            };
            if seen.iter().any(|one| std::ptr::eq(*one, job)) {
                continue;
            }
            seen.push(job);
            let conditions = conditions(workflow, done);
            let says = |words: &[&str]| conditions.iter().any(|text| words.iter().any(|word| text.contains(word)));
            let looks = |word: &str| all_needs(workflow, job).into_iter().chain([job]).any(|job| mentions(job, word));
            let (id, does) = (&job.id.value, done.deed.verb());
            if !says(&["conclusion"]) && !looks("conclusion") && !says(&["needs."]) {
                report
                    .at(done.span, format!("job `{id}` {does} after the other workflow has failed, too: `workflow_run` starts for every conclusion"))
                    .label(trigger.event.span, "starts for every conclusion")
                    .help("give the job `if: github.event.workflow_run.conclusion == 'success'`");
            } else if !says(&["workflow_run.event", "head_repository", "head_sha", "pull_requests"])
                && !["workflow_run.event", "head_repository"].iter().any(|word| looks(word))
                && follows_pull_requests(file, trigger)
            {
                report
                    .at(done.span, format!("job `{id}` {does} after runs for pull requests, too: a fork's branch may be called as yours"))
                    .label(trigger.event.span, "starts for pull requests of forks, too")
                    .help("add `&& github.event.workflow_run.event == 'push'` to its `if`");
            }
        }
    }
}

/// Whether a text of the job names `word`.
fn mentions(job: &Job, word: &str) -> bool {
    steps_of(job).iter().any(|step| {
        step.condition.as_ref().is_some_and(|condition| condition.raw().contains(word))
            || match &step.kind {
                StepKind::Run { script, .. } => script.raw().contains(word),
                StepKind::Uses { with, .. } => with.iter().any(|(_, value)| value.raw().contains(word)),
                _ => false,
            }
            || matches!(&step.env, Some(Env::Names(names)) if names.iter().any(|(_, value)| value.raw().contains(word)))
    })
}

/// Whether a workflow that starts this one is known to run for pull requests.
fn follows_pull_requests(file: &File<'_>, trigger: &Trigger) -> bool {
    let project = file.project();
    let paths = project.list();
    paths.iter().filter(|path| FileKind::of(path) == Some(FileKind::Workflow)).any(|path| {
        project.workflow(path).found().is_some_and(|read| {
            read.model.as_ref().is_some_and(|other| {
                trigger.workflows.iter().any(|name| name.value == other.display_name())
                    && other.on.get("pull_request").is_some()
            })
        })
    })
}
