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
/// So many folders are looked at: who has more of them so far up has hidden something, or is told to check out elsewhere.
const MOST_FOLDERS: usize = 20_000;

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
    for folder in repositories(workspace)? {
        let checkout = Checkout::find(&folder);
        if !checkout.repository_name().eq_ignore_ascii_case(own) {
            continue;
        }
        found = true;
        let place = folder.strip_prefix(workspace).ok().filter(|place| !place.as_os_str().is_empty());
        let place = place.map_or_else(String::new, |place| format!(" in `{}`", place.display()));
        let head = checkout.head_commit().ok_or_else(|| {
            format!(
                "the job has a repository of `{own}`{place} whose commit cannot be read; check out {}",
                speaker.words()
            )
        })?;
        if !git.commits.is_same(&head, &speaker.commit) {
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
///
/// # Errors
/// A sentence: what cannot be looked at may be anything.
fn repositories(workspace: &Path) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    let mut folders = 0;
    let mut level = vec![workspace.to_owned()];
    for depth in 0..=DEPTH {
        let mut next = Vec::new();
        for folder in level {
            let unseen = |error: std::io::Error| format!("`{}` cannot be looked at: {error}", folder.display());
            if folder.join(".git").symlink_metadata().is_ok() {
                found.push(folder.clone());
            }
            if depth == DEPTH {
                continue;
            }
            let entries = match std::fs::read_dir(&folder) {
                // The job goes on beside this look: what it has removed since is not there.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound && depth > 0 => continue,
                entries => entries.map_err(unseen)?,
            };
            for entry in entries {
                let entry = entry.map_err(unseen)?;
                let name = entry.file_name();
                // A link would lead to what another step, or nobody, checked out.
                if name == ".git" || name == "node_modules" || !entry.file_type().map_err(unseen)?.is_dir() {
                    continue;
                }
                folders += 1;
                if folders > MOST_FOLDERS {
                    return Err(format!(
                        "`{}` has more than {MOST_FOLDERS} folders at its top: nobody can look at what is checked out",
                        workspace.display()
                    ));
                }
                next.push(entry.path());
            }
        }
        level = next;
    }
    Ok(found)
}
