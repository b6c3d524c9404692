//! What a job has checked out, read from the files of its workspace.
//!
//! No git runs there: a repository that a job has made may name programs which git would start.

use std::path::{Path, PathBuf};

use super::git::Git;
use super::short;
use super::speaker::Speaker;
use crate::local_event::Checkout;

/// So deep below a workspace checkouts are looked for: `path: app/backend`.
const DEPTH: usize = 2;
/// So many folders are looked at.
const MOST_FOLDERS: usize = 2_000;

/// What jobs begin with.
#[derive(Clone, Debug)]
pub(super) struct Beginning {
    /// Whether a workspace is filled with the working tree before the first step.
    pub(super) is_filled: bool,
    /// The commit that is checked out on this machine.
    pub(super) head: Option<String>,
}

/// Whether everything of repository `own` in `workspace` is at the commit that is spoken for.
///
/// # Errors
/// A sentence: what is there instead.
pub(super) fn check(
    workspace: &Path,
    own: &str,
    speaker: &Speaker,
    beginning: &Beginning,
    git: &Git,
) -> Result<(), String> {
    let mut found = false;
    for folder in repositories(workspace) {
        let checkout = Checkout::find(&folder);
        if !checkout.repository_name().eq_ignore_ascii_case(own) {
            continue;
        }
        found = true;
        let Some(head) = checkout.head_commit() else { continue };
        if !git.commits.is_same(&head, &speaker.commit) {
            let place = folder.strip_prefix(workspace).ok().filter(|place| !place.as_os_str().is_empty());
            let place = place.map_or_else(String::new, |place| format!(" in `{}`", place.display()));
            return Err(format!(
                "the job has checked out {}{place}, and may publish {} only; check out that one (`ref:` of actions/checkout)",
                short(&head),
                speaker.words()
            ));
        }
    }
    if !found && beginning.is_filled {
        let head = beginning.head.as_deref().unwrap_or("none");
        if !git.commits.is_same(head, &speaker.commit) {
            return Err(format!(
                "the job has checked nothing out, so it has the files of {}, and may publish {} only",
                short(head),
                speaker.words()
            ));
        }
    }
    Ok(())
}

/// The git repositories of a workspace: itself, and those a little below.
fn repositories(workspace: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut looked = 0;
    let mut level = vec![workspace.to_owned()];
    for _ in 0..=DEPTH {
        let mut next = Vec::new();
        for folder in level {
            // A link would lead to what another step, or nobody, checked out.
            let is_folder = |path: &Path| path.symlink_metadata().is_ok_and(|facts| facts.is_dir());
            if folder.join(".git").symlink_metadata().is_ok() {
                found.push(folder.clone());
            }
            for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
                looked += 1;
                let name = entry.file_name();
                if looked <= MOST_FOLDERS && name != ".git" && name != "node_modules" && is_folder(&entry.path()) {
                    next.push(entry.path());
                }
            }
        }
        level = next;
    }
    found
}
