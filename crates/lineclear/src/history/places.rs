//! Where jobs and steps stand in the recorded texts of their workflows.

use lineclear_engine::RunRequest;
use lineclear_event::{JobSpec, WorkflowOrigin};
use lineclear_source::{Source, Span};
use lineclear_workflow::{Condition, Job, JobKind, Step, Workflow};

/// A job in its file.
#[derive(Debug)]
pub(crate) struct JobPlace {
    pub(crate) workflow: Workflow,
    at: usize,
}

impl JobPlace {
    /// Reads the file that a job was handed out with.
    pub(crate) fn of(spec: &JobSpec) -> Option<Self> {
        Self::find(&file_name(&spec.file), spec.text.clone(), &spec.id)
    }

    /// The job `id` of a file.
    pub(crate) fn find(name: &str, text: std::sync::Arc<str>, id: &str) -> Option<Self> {
        let workflow = Workflow::read(&Source::new(name, text)).model?;
        let at = workflow.jobs.iter().position(|job| job.id.value.eq_ignore_ascii_case(id))?;
        Some(Self { workflow, at })
    }

    /// The job of the key `key`, found through the texts that the run was begun with: `release/build` is job `build` of the
    /// workflow that job `release` calls.
    pub(crate) fn in_request(request: &RunRequest, key: &str) -> Option<Self> {
        let (mut file, mut rest) = (request.file.clone(), key);
        loop {
            let text = request.files.get(&file)?.clone();
            let workflow = Workflow::read(&Source::new(file.as_str(), text)).model?;
            let fits = |job: &Job| after_id(rest, &job.id.value).map(|after| after.len());
            // The longest id that fits: `test-all` is not job `test`.
            let found = workflow.jobs.iter().enumerate().filter_map(|(at, job)| Some((fits(job)?, at)));
            let (_, at) = found.min()?;
            let after = after_id(rest, &workflow.jobs[at].id.value)?;
            let called = match &workflow.jobs[at].kind {
                JobKind::Call(call) => called_part(after).map(|part| (lineclear_plan::file_key(&call.uses), part)),
                JobKind::Steps(_) => None,
            };
            match called {
                Some((next, part)) => (file, rest) = (next, part),
                None => return Some(Self { workflow, at }),
            }
        }
    }

    pub(crate) fn job(&self) -> &Job {
        &self.workflow.jobs[self.at]
    }

    /// `file:line` of the job.
    pub(crate) fn place(&self) -> String {
        self.at(self.job().id.span)
    }

    /// `file:line` of a part of the file.
    pub(crate) fn at(&self, span: Span) -> String {
        let source = &self.workflow.source;
        format!("{}:{}", source.name(), source.position(span.start).line)
    }

    /// The step that events call `id`.
    pub(crate) fn step(&self, id: &str) -> Option<&Step> {
        let JobKind::Steps(steps) = &self.job().kind else { return None };
        lineclear_runner::step_ids(&steps.steps).into_iter().find(|(known, _)| known == id).map(|(_, step)| step)
    }

    /// An `if` as it is written.
    pub(crate) fn condition(condition: Option<&Condition>) -> Option<String> {
        condition.map(|condition| condition.raw().trim().to_owned())
    }
}

/// What follows the job's id in `key`, if it is a key of that job.
fn after_id<'k>(key: &'k str, id: &str) -> Option<&'k str> {
    let after = key.strip_prefix(id)?;
    (after.is_empty() || after.starts_with('/') || after.starts_with(" (")).then_some(after)
}

/// The key within the called workflow: behind the slash, and behind the values of a matrix, which may hold slashes.
fn called_part(after: &str) -> Option<&str> {
    match after.strip_prefix('/') {
        Some(part) => Some(part),
        None => after.find(")/").map(|at| &after[at + 2..]),
    }
}

/// What a workflow file is called in messages.
pub(crate) fn file_name(origin: &WorkflowOrigin) -> String {
    match origin {
        WorkflowOrigin::Local { path } => path.clone(),
        WorkflowOrigin::Remote { owner, repo, path, reference } => format!("{owner}/{repo}/{path}@{reference}"),
    }
}
