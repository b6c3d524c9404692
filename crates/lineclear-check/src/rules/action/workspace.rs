//! What may be in the workspace when a step begins.

use lineclear_workflow::{ActionRef, StepKind};

use crate::{File, StepSite, UseSite};

/// Commands that put another repository, or files from elsewhere, into the workspace.
const FETCHING: &[&str] = &[
    "git clone",
    "git init",
    "git fetch",
    "git checkout",
    "git worktree",
    "git submodule",
    "gh repo clone",
    "tar ",
    "unzip ",
];

/// Whether the workflow can be called: its workspace is then that of the calling repository.
pub(super) fn is_called(file: &File<'_>) -> bool {
    file.workflow().is_some_and(|workflow| workflow.on.get("workflow_call").is_some())
}

/// Whether an earlier step may have put `folder` there: a checkout into another folder or of another repository, a command that fetches,
/// or a script that names the folder.
pub(super) fn is_made_before(file: &File<'_>, site: &UseSite<'_>, folder: &str) -> bool {
    let first = folder.split('/').next().unwrap_or(folder);
    earlier(file, site).any(|step| match &step.step.kind {
        StepKind::Run { script, .. } => {
            script.raw().contains(folder)
                || (!first.starts_with('.') && script.raw().contains(first))
                || is_fetching(script.raw())
        }
        StepKind::Uses { uses, with } => match &uses.value {
            ActionRef::Remote { repo, .. } => {
                let places = ["path", "repository", "ref"];
                let is_elsewhere =
                    with.iter().any(|(key, _)| places.iter().any(|place| key.value.eq_ignore_ascii_case(place)));
                is_elsewhere || !is_checkout(repo) && !is_known(&uses.value)
            }
            // What they do is not looked into.
            ActionRef::Local { .. } | ActionRef::SameRepository { .. } | ActionRef::Docker { .. } => true,
        },
        _ => false,
    })
}

/// Whether an earlier step may have checked the repository out.
pub(super) fn may_be_checked_out(file: &File<'_>, site: &UseSite<'_>) -> bool {
    earlier(file, site).any(|step| match &step.step.kind {
        StepKind::Run { script, .. } => is_fetching(script.raw()),
        StepKind::Uses { uses, .. } => match &uses.value {
            ActionRef::Remote { repo, .. } => is_checkout(repo) || !is_known(&uses.value),
            ActionRef::SameRepository { .. } | ActionRef::Docker { .. } => true,
            ActionRef::Local { .. } => false,
        },
        _ => false,
    })
}

fn earlier<'f>(file: &'f File<'_>, site: &UseSite<'_>) -> impl Iterator<Item = &'f StepSite<'f>> {
    let job = site.site.job.map(std::ptr::from_ref);
    let index = site.site.index;
    file.steps().iter().filter(move |step| step.job.map(std::ptr::from_ref) == job && step.index < index)
}

fn is_fetching(script: &str) -> bool {
    FETCHING.iter().any(|command| script.contains(command))
}

fn is_checkout(repository: &str) -> bool {
    repository.to_ascii_lowercase().contains("checkout")
        || repository.eq_ignore_ascii_case("download-artifact")
        || repository.eq_ignore_ascii_case("cache")
}

/// Whether the catalog knows the action: none of those it knows checks a repository out, but for those with that name.
fn is_known(uses: &ActionRef) -> bool {
    let ActionRef::Remote { owner, repo, path, reference } = uses else { return false };
    let name = match path {
        Some(path) => format!("{owner}/{repo}/{path}"),
        None => format!("{owner}/{repo}"),
    };
    lineclear_catalog::action(&name, reference).is_some()
}
