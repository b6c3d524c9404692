//! What git says of commits: the repository that the command was given in, never a job's own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use lineclear_gate::Commits;

use super::short;
use super::speaker::Speaker;
use crate::local_event::git_says;

/// A repository of this machine. What it said of a commit is remembered: commits do not change.
#[derive(Debug)]
pub(super) struct Git {
    folder: PathBuf,
    trees: Mutex<BTreeMap<String, Option<String>>>,
}

impl Git {
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), trees: Mutex::default() }
    }

    /// Whether the reference has the commit: a branch in its history, a tag at its end.
    ///
    /// # Errors
    /// A sentence that says that it does not.
    pub(super) fn bears_out(&self, speaker: &Speaker) -> Result<(), String> {
        let Speaker { commit, reference } = speaker;
        if self.tree(commit).is_none() {
            return Err(format!("commit {} is not in `{}`", short(commit), self.folder.display()));
        }
        let has = match (reference.strip_prefix("refs/heads/"), reference.strip_prefix("refs/tags/")) {
            (Some(branch), _) => [format!("refs/heads/{branch}"), format!("refs/remotes/origin/{branch}")]
                .iter()
                .filter_map(|name| self.commit(name))
                .any(|tip| self.is_ancestor(commit, &tip) == Some(true)),
            (_, Some(_)) => self.commit(reference).as_deref() == Some(commit.as_str()),
            _ => false,
        };
        match has {
            true => Ok(()),
            false => {
                Err(format!("commit {} is not that of `{reference}` here, whatever the event says", short(commit)))
            }
        }
    }

    /// A file of this folder as a revision has it.
    pub(super) fn file(&self, commit: &str, path: &str) -> Option<String> {
        let commit = self.commit(commit)?;
        let bytes = git_says(&self.folder, &["cat-file", "blob", &format!("{commit}:./{path}")], &[]).ok()?;
        String::from_utf8(bytes).ok()
    }

    /// The last commit of a branch, here or as `origin` is known to have it: the newer of the two, and of two that know nothing of one
    /// another that of `origin`.
    pub(super) fn tip(&self, branch: &str) -> Option<String> {
        let local = self.commit(&format!("refs/heads/{branch}"));
        let Some(remote) = self.commit(&format!("refs/remotes/origin/{branch}")) else { return local };
        local.filter(|local| self.is_ancestor(&remote, local) == Some(true)).or(Some(remote))
    }

    /// The files that differ from those of the commit that is checked out, and those that no commit has.
    pub(super) fn changed_files(&self) -> Vec<String> {
        let Ok(output) = git_says(&self.folder, &["status", "--porcelain", "-z", "--no-renames"], &[]) else {
            return Vec::new();
        };
        let text = String::from_utf8_lossy(&output);
        text.split('\0').filter_map(|line| line.get(3..)).map(str::to_owned).collect()
    }

    /// Whether two commits have the same contents.
    pub(super) fn is_same(&self, one: &str, other: &str) -> bool {
        one == other || self.tree(one).is_some_and(|tree| self.tree(other) == Some(tree))
    }

    fn commit(&self, revision: &str) -> Option<String> {
        let wanted = format!("{revision}^{{commit}}");
        let output = git_says(&self.folder, &["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted], &[]);
        Some(String::from_utf8_lossy(&output.ok()?).lines().last()?.trim().to_owned()).filter(|id| is_commit(id))
    }
}

impl Commits for Git {
    fn tree(&self, commit: &str) -> Option<String> {
        if !is_commit(commit) {
            return None;
        }
        let mut trees = self.trees.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = trees.get(commit) {
            return known.clone();
        }
        let wanted = format!("{commit}^{{tree}}");
        let output = git_says(&self.folder, &["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted], &[]);
        let tree = output.ok().and_then(|output| {
            let text = String::from_utf8_lossy(&output).into_owned();
            text.lines().last().map(|line| line.trim().to_owned()).filter(|id| is_commit(id))
        });
        trees.insert(commit.to_owned(), tree.clone());
        tree
    }

    fn is_ancestor(&self, ancestor: &str, of: &str) -> Option<bool> {
        // One that is not here is neither: nothing is known of it.
        self.tree(ancestor)?;
        self.tree(of)?;
        Some(git_says(&self.folder, &["merge-base", "--is-ancestor", ancestor, of], &[]).is_ok())
    }
}

fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
