//! For which commit a job may speak.

use lineclear_event::{Conclusion, JobSpec, RunId, RunWitness, WorkflowOrigin, with_causes};
use lineclear_plan::run_head;
use lineclear_store::Store;

use super::git::Git;
use super::short;
use crate::history::decisions;

/// A job, as far as a permit has to know it.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) witness: RunWitness,
    /// `owner/name`, as the event says.
    repository: String,
    event: String,
    reference: String,
    sha: String,
    /// The run that a `workflow_run` event claims to follow.
    followed: Option<RunId>,
}

/// The commit that a job's images are published for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Speaker {
    pub(super) commit: String,
    /// `refs/heads/main`, `refs/tags/v1.2.3`
    pub(super) reference: String,
}

impl Job {
    pub(super) fn of(spec: &JobSpec) -> Self {
        let github = &spec.contexts.github;
        let text = |name: &str| github[name].as_str().unwrap_or_default().to_owned();
        let file = match &spec.file {
            WorkflowOrigin::Local { path } => path.clone(),
            WorkflowOrigin::Remote { owner, repo, path, reference } => format!("{owner}/{repo}/{path}@{reference}"),
        };
        let event = text("event_name");
        Self {
            witness: RunWitness {
                run: spec.run,
                attempt: spec.attempt,
                file,
                event: event.clone(),
                job: Some(spec.job.clone()),
            },
            repository: text("repository"),
            event,
            reference: text("ref"),
            sha: text("sha"),
            followed: github["event"]["workflow_run"]["id"].as_u64().map(RunId),
        }
    }

    /// The commit that the job may speak for. What an event claims counts as far as `store` and `git` bear it out.
    ///
    /// # Errors
    /// A sentence: why it may speak for none.
    pub(super) fn speaker(&self, own: &str, store: &dyn Store, git: &Git) -> Result<Speaker, String> {
        if !self.repository.eq_ignore_ascii_case(own) {
            return Err(format!("the event is of `{}`, and this repository is `{own}`", self.repository));
        }
        let speaker = match self.event.as_str() {
            "workflow_run" => self.of_followed(own, store)?,
            event if event.starts_with("pull_request") => return Err(of_pull_request(event)),
            _ => Speaker { commit: self.sha.clone(), reference: self.reference.clone() },
        };
        git.bears_out(&speaker)?;
        Ok(speaker)
    }

    /// The head of the run that is followed, as that run's own record says it.
    fn of_followed(&self, own: &str, store: &dyn Store) -> Result<Speaker, String> {
        let run = self.followed.ok_or("the event names no run that it follows")?;
        let unknown = |_| {
            format!("run {run}, which the event claims to follow, is not known here: a payload alone gives no right")
        };
        let summary = store.run(run).map_err(unknown)?;
        let workflow = &summary.header.run.workflow;
        if !summary.header.run.repository.eq_ignore_ascii_case(own) {
            return Err(format!("run {run} of `{workflow}` is of `{}`", summary.header.run.repository));
        }
        match summary.conclusion {
            Some(Conclusion::Success) => {}
            Some(other) => return Err(format!("run {run} of `{workflow}`, which it follows, ended: {other}")),
            None => return Err(format!("run {run} of `{workflow}`, which it follows, has not ended")),
        }
        let event = decisions::request(store, run).map_err(|error| with_causes(&error))?.event;
        if event.name.starts_with("pull_request") {
            return Err(format!("run {run} of `{workflow}`, which it follows: {}", of_pull_request(&event.name)));
        }
        let head = run_head(&event);
        if !head.repository.eq_ignore_ascii_case(own) {
            return Err(format!("run {run} of `{workflow}` is of a commit of `{}`", head.repository));
        }
        Ok(Speaker { commit: head.sha, reference: event.reference })
    }
}

fn of_pull_request(event: &str) -> String {
    format!("a `{event}` publishes nothing: its commit is on no branch of this repository yet. Merge it first")
}

impl Speaker {
    /// `1a2b3c4 of refs/heads/main`
    pub(super) fn words(&self) -> String {
        format!("{} of {}", short(&self.commit), self.reference)
    }
}
