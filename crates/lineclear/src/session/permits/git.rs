//! What git says of commits: the repository that the command was given in, never a job's own.

use std::path::{Path, PathBuf};

use lineclear_gate::Commits;

use super::short;
use super::speaker::Speaker;
use crate::gates::GitCommits;
use crate::local_event::git_says;

/// A repository of this machine.
#[derive(Debug)]
pub(super) struct Git {
    folder: PathBuf,
    pub(super) commits: GitCommits,
}

impl Git {
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), commits: GitCommits::new(folder) }
    }

    /// Whether the reference has the commit: a branch in its history, a tag at its end.
    ///
    /// # Errors
    /// A sentence that says that it does not.
    pub(super) fn bears_out(&self, speaker: &Speaker) -> Result<(), String> {
        let Speaker { commit, reference } = speaker;
        if self.commits.tree(commit).is_none() {
            return Err(format!("commit {} is not in `{}`", short(commit), self.folder.display()));
        }
        let has = match (reference.strip_prefix("refs/heads/"), reference.strip_prefix("refs/tags/")) {
            (Some(branch), _) => [format!("refs/heads/{branch}"), format!("refs/remotes/origin/{branch}")]
                .iter()
                .filter_map(|name| self.commits.resolve(name))
                .any(|tip| self.commits.is_ancestor(commit, &tip) == Some(true)),
            (_, Some(_)) => self.commits.resolve(reference).as_deref() == Some(commit.as_str()),
            _ => false,
        };
        match has {
            true => Ok(()),
            false => {
                Err(format!("commit {} is not that of `{reference}` here, whatever the event says", short(commit)))
            }
        }
    }

    /// A file of this folder as a commit has it; `None` where it has none.
    ///
    /// # Errors
    /// A sentence: it is there and cannot be read. Whoever asks for rules must not take that for none.
    pub(super) fn file(&self, commit: &str, path: &str) -> Result<Option<String>, String> {
        let listed = git_says(&self.folder, &["ls-tree", "-z", "--name-only", commit, path], &[]);
        if listed.map_err(|why| format!("git cannot say whether {} has `{path}`: {why}", short(commit)))?.is_empty() {
            return Ok(None);
        }
        let bytes = git_says(&self.folder, &["cat-file", "blob", &format!("{commit}:./{path}")], &[])
            .map_err(|why| format!("git cannot give `{path}` of {}: {why}", short(commit)))?;
        String::from_utf8(bytes).map(Some).map_err(|_| format!("`{path}` of {} is no UTF-8", short(commit)))
    }

    /// The names of the files that a commit has in a folder of this one.
    ///
    /// # Errors
    /// A sentence: git cannot say.
    pub(super) fn files_in(&self, commit: &str, folder: &str) -> Result<Vec<String>, String> {
        let listed = git_says(&self.folder, &["ls-tree", "--name-only", "-z", commit, &format!("{folder}/")], &[])
            .map_err(|why| format!("git cannot list `{folder}` of {}: {why}", short(commit)))?;
        let listed = String::from_utf8_lossy(&listed);
        Ok(listed.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect())
    }

    /// The last commit of a branch, here or as `origin` is known to have it: the newer of the two, and of two that know nothing of one
    /// another that of `origin`.
    ///
    /// # Errors
    /// A sentence: git cannot say. That is not the same as that there is no such branch.
    pub(super) fn tip(&self, branch: &str) -> Result<Option<String>, String> {
        let (local, remote) = (format!("refs/heads/{branch}"), format!("refs/remotes/origin/{branch}"));
        let listed =
            git_says(&self.folder, &["for-each-ref", "--format=%(refname) %(objectname)", &local, &remote], &[])
                .map_err(|why| format!("git cannot say where `{branch}` stands: {why}"))?;
        let listed = String::from_utf8_lossy(&listed);
        let of = |name: &str| {
            let named = listed.lines().filter_map(|line| line.split_once(' ')).find(|(found, _)| *found == name);
            named.map(|(_, commit)| commit.to_owned())
        };
        let (local, Some(remote)) = (of(&local), of(&remote)) else { return Ok(of(&local)) };
        Ok(local.filter(|local| self.commits.is_ancestor(&remote, local) == Some(true)).or(Some(remote)))
    }
}
