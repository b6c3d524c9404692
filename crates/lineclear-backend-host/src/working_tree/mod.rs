//! A private copy of a working tree.

mod copy;
mod list;

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use lineclear_backend::Fill;

use crate::git_dir::{GitDirOptions, clone_git_dir};
use list::List;

/// How deep repositories may lie in repositories.
const DEEPEST: u32 = 32;

/// The working tree of a repository as its user sees it: with what is not committed and with what is not tracked, and without
/// what is ignored.
///
/// Files keep their modification time, their permissions and whether they may be executed; symbolic links stay links.
/// Submodules and repositories in the repository are copied the same way. A folder that is in no repository is copied with
/// all that is in it.
///
/// The list of files is made once, beside what the caller does meanwhile, and serves every job. Their content is that of
/// the moment a job's copy is made: a file that was removed in between is left out.
pub struct WorkingTree {
    root: PathBuf,
    git: Option<GitDirOptions>,
    left_out: Vec<PathBuf>,
    lists: Mutex<HashMap<PathBuf, Source>>,
}

/// A list that is being made, or is there.
enum Source {
    Coming(JoinHandle<io::Result<List>>),
    There(Arc<List>),
}

impl WorkingTree {
    /// Begins to list the files of `root`, the top folder of a working tree. The copy gets a `.git` of its own with all that
    /// the original shows.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        let root = std::path::absolute(&root).unwrap_or(root);
        let mut lists = HashMap::new();
        let top = root.clone();
        if let Ok(thread) = thread::Builder::new().name("list".into()).spawn(move || List::make(&top)) {
            lists.insert(root.clone(), Source::Coming(thread));
        }
        Self { root, git: Some(GitDirOptions::default()), left_out: Vec::new(), lists: Mutex::new(lists) }
    }

    /// What the copy's `.git` shows of the original's history.
    #[must_use]
    pub fn with_git(mut self, options: GitDirOptions) -> Self {
        self.git = Some(options);
        self
    }

    /// Files only: the copy gets no `.git`.
    #[must_use]
    pub fn without_git(mut self) -> Self {
        self.git = None;
        self
    }

    /// Leaves out a folder and all in it, such as the one for the folders of jobs, where that lies in the working tree.
    #[must_use]
    pub fn without(mut self, folder: impl AsRef<Path>) -> Self {
        let folder = folder.as_ref();
        self.left_out.push(std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned()));
        self
    }

    fn list(&self, root: &Path) -> io::Result<Arc<List>> {
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        let made = match lists.remove(root) {
            Some(Source::There(list)) => Ok(list),
            Some(Source::Coming(thread)) => {
                thread.join().unwrap_or_else(|_| Err(io::Error::other("listing the files failed"))).map(Arc::new)
            }
            None => List::make(root).map(Arc::new),
        }?;
        lists.insert(root.to_owned(), Source::There(Arc::clone(&made)));
        Ok(made)
    }

    fn fill_from(&self, root: &Path, workspace: &Path, depth: u32) -> io::Result<()> {
        let list = self.list(root)?;
        let is_left_out = |path: &Path| {
            let path = root.join(path);
            path == workspace || self.left_out.iter().any(|folder| path.starts_with(folder))
        };
        let nested = copy::copy(root, workspace, &list, &is_left_out)?;
        if let Some(options) = self.git.as_ref().filter(|_| root.join(".git").exists()) {
            clone_git_dir(root, workspace, options)?;
        }
        for inner in nested {
            let target = workspace.join(&inner);
            fs::create_dir_all(&target)?;
            // A submodule that was not fetched is an empty folder.
            if depth < DEEPEST && root.join(&inner).join(".git").exists() {
                self.fill_from(&root.join(&inner), &target, depth + 1)?;
            }
        }
        Ok(())
    }
}

impl Fill for WorkingTree {
    fn fill(&self, workspace: &Path) -> io::Result<()> {
        self.fill_from(&self.root, workspace, 0)
    }
}

impl fmt::Debug for WorkingTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkingTree").field("root", &self.root).field("git", &self.git).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
