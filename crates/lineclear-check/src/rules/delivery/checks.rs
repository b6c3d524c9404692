//! The workflows of a repository and the checks that they produce.

use std::sync::Arc;

use lineclear_policy::Policy;
use lineclear_source::Diagnostic;
use lineclear_workflow::{ProducedCheck, Read, Workflow, produced_checks};

use crate::project::{Repository, SharedWorkflow};
use crate::{FileKind, Lookup, Project, offered_checks};

/// All workflows of a repository, those that were not asked to be checked too.
#[derive(Debug)]
pub(crate) struct AllWorkflows<'r> {
    checked: &'r [SharedWorkflow],
    others: Vec<Arc<Read<Workflow>>>,
    /// Whether there is a workflow that cannot be understood: it may produce anything.
    pub(crate) has_unreadable: bool,
}

impl<'r> AllWorkflows<'r> {
    pub(crate) fn of(repository: &'r Repository<'_>) -> Self {
        let mut others = Vec::new();
        let mut has_unreadable = false;
        for path in repository.project.list().iter().filter(|path| FileKind::of(path) == Some(FileKind::Workflow)) {
            if repository.workflows.iter().any(|workflow| workflow.source.name() == path) {
                continue;
            }
            match repository.project.workflow(path) {
                Lookup::Found(read) => others.push(read),
                Lookup::Unreadable => has_unreadable = true,
                Lookup::Missing | Lookup::Elsewhere => {}
            }
        }
        Self { checked: repository.workflows, others, has_unreadable }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Workflow> {
        let others = self.others.iter().filter_map(|read| read.model.as_ref());
        self.checked.iter().map(|workflow| &**workflow).chain(others)
    }

    /// The policy with what its preset stands for in these workflows, and what is wrong with that.
    pub(crate) fn expanded(&self, policy: &Policy, project: &Project<'_>) -> (Policy, Vec<Diagnostic>) {
        if policy.preset.is_none() {
            return (policy.clone(), Vec::new());
        }
        policy.expanded(&offered_checks(self.iter(), &|path| project.workflow(path).found()))
    }

    /// Every job that shows as a check of its own run.
    pub(crate) fn checks(&self, project: &Project<'_>) -> Vec<ProducedCheck<'_>> {
        produced_checks(self.iter(), &|path| project.workflow(path).found())
    }
}
