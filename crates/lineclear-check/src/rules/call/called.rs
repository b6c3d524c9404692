//! The workflows that jobs call, wherever they are.

use std::sync::Arc;

use lineclear_workflow::{CallJob, Job, JobKind, Read, Trigger, Workflow, WorkflowRef};

use crate::{File, Lookup, Project};

/// A workflow that a job calls.
#[derive(Debug)]
pub(super) struct Called {
    /// What names it in this project: its path, or `owner/repository/path@reference`.
    pub(super) name: String,
    /// The repository that its own `./` calls mean, if it is another.
    pub(super) repository: Option<Elsewhere>,
    /// What became of looking for it.
    pub(super) found: Lookup<Arc<Read<Workflow>>>,
}

/// Another repository at one commit.
#[derive(Clone, Debug)]
pub(super) struct Elsewhere {
    owner: String,
    repo: String,
    reference: String,
}

impl Called {
    /// Looks for what `uses` means in a workflow of `from`; none is the project's own repository.
    pub(super) fn find(project: &Project<'_>, from: Option<&Elsewhere>, uses: &WorkflowRef) -> Self {
        let (repository, path) = match uses {
            WorkflowRef::Local { path } => (from.cloned(), path),
            WorkflowRef::Remote { owner, repo, path, reference } => {
                let (owner, repo, reference) = (owner.clone(), repo.clone(), reference.clone());
                (Some(Elsewhere { owner, repo, reference }), path)
            }
        };
        match &repository {
            None => Self { name: path.clone(), found: project.workflow(path), repository },
            Some(Elsewhere { owner, repo, reference }) => {
                let name = format!("{owner}/{repo}/{path}@{reference}");
                Self { found: project.remote_workflow(&name), name, repository }
            }
        }
    }

    /// The workflow, if it is there and can be understood.
    pub(super) fn read(&self) -> Option<&Read<Workflow>> {
        if let Lookup::Found(read) = &self.found { Some(read) } else { None }
    }

    /// The workflow and its `workflow_call`, if it is there and free of errors: others say what is wrong with it.
    pub(super) fn sound(&self) -> Option<(&Workflow, &Trigger)> {
        let read = self.read().filter(|read| !read.has_errors())?;
        let workflow = read.model.as_ref()?;
        Some((workflow, workflow.on.get("workflow_call")?))
    }
}

/// The jobs of a file that call a workflow.
pub(super) fn calls<'a>(file: &File<'a>) -> impl Iterator<Item = (&'a Job, &'a CallJob)> + use<'a> {
    file.jobs().iter().filter_map(call_of)
}

/// The call that a job is, if it is one.
pub(super) fn call_of(job: &Job) -> Option<(&Job, &CallJob)> {
    match &job.kind {
        JobKind::Call(call) => Some((job, &**call)),
        JobKind::Steps(_) => None,
    }
}
