//! Whether all workflows of a repository are there to be looked at.

use crate::{FileKind, Repository};

/// Whether every workflow of `.github` was read: of a few files named on their own, nothing can be said about the others.
pub(super) fn is_whole(repository: &Repository<'_>) -> bool {
    let list = repository.project.list();
    let mut workflows = list
        .iter()
        .filter(|path| path.starts_with(".github/workflows/") && FileKind::of(path) == Some(FileKind::Workflow))
        .peekable();
    workflows.peek().is_some()
        && workflows.all(|path| repository.workflows.iter().any(|workflow| workflow.source.name() == path))
}
