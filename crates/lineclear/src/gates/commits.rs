//! What git knows of commits, asked once each.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use lineclear_gate::Commits;

use crate::history::commits::is_commit;
use crate::local_event::git_says;

/// The commits of a repository on this machine.
#[derive(Debug)]
pub(crate) struct GitCommits {
    root: PathBuf,
    trees: Mutex<HashMap<String, Option<String>>>,
    orders: Mutex<HashMap<(String, String), Option<bool>>>,
    is_shallow: OnceLock<bool>,
}

impl GitCommits {
    /// Nothing is asked yet.
    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), trees: Mutex::default(), orders: Mutex::default(), is_shallow: OnceLock::new() }
    }

    fn ask(&self, arguments: &[&str]) -> Option<String> {
        let output = git_says(&self.root, arguments, &[]).ok()?;
        Some(String::from_utf8_lossy(&output).trim().to_owned())
    }

    /// Whether history was cut off: then nobody can say that a commit is not an ancestor.
    fn is_shallow(&self) -> bool {
        *self.is_shallow.get_or_init(|| self.ask(&["rev-parse", "--is-shallow-repository"]).as_deref() != Some("false"))
    }

    fn order(&self, old: &str, new: &str) -> Option<bool> {
        self.tree(old)?;
        self.tree(new)?;
        match git_says(&self.root, &["merge-base", "--is-ancestor", old, new], &[]) {
            Ok(_) => Some(true),
            Err(_) if self.is_shallow() => None,
            Err(_) => Some(false),
        }
    }
}

impl Commits for GitCommits {
    fn tree(&self, commit: &str) -> Option<String> {
        if !is_commit(commit) {
            return None;
        }
        if let Some(known) = unpoisoned(&self.trees).get(commit) {
            return known.clone();
        }
        let tree = self.ask(&["rev-parse", "--verify", "--quiet", &format!("{commit}^{{tree}}")]);
        let tree = tree.filter(|tree| is_commit(tree));
        unpoisoned(&self.trees).insert(commit.to_owned(), tree.clone());
        tree
    }

    fn is_ancestor(&self, old: &str, new: &str) -> Option<bool> {
        let pair = (old.to_owned(), new.to_owned());
        if let Some(known) = unpoisoned(&self.orders).get(&pair) {
            return *known;
        }
        let order = self.order(old, new);
        unpoisoned(&self.orders).insert(pair, order);
        order
    }
}

fn unpoisoned<T>(known: &Mutex<T>) -> MutexGuard<'_, T> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn git_says_what_commits_hold_and_which_came_first() {
        let folder = tempfile::tempdir().expect("a folder");
        let git = |arguments: &[&str]| {
            let identity = ["-c", "user.name=T", "-c", "user.email=t@example.org"];
            let all = [&identity[..], arguments].concat();
            let output = git_says(folder.path(), &all, &[]).expect("git works");
            String::from_utf8_lossy(&output).trim().to_owned()
        };
        git(&["init", "-q", "-b", "main"]);
        let commit = |message: &str| {
            git(&["commit", "-q", "--allow-empty", "-m", message]);
            git(&["rev-parse", "HEAD"])
        };
        let (first, second) = (commit("first"), commit("second"));
        let commits = GitCommits::new(folder.path());
        assert_eq!(commits.tree(&first), commits.tree(&second));
        assert!(commits.tree(&first).is_some());
        for _ in 0..2 {
            assert_eq!(commits.is_ancestor(&first, &second), Some(true));
            assert_eq!(commits.is_ancestor(&first, &first), Some(true));
            assert_eq!(commits.is_ancestor(&second, &first), Some(false));
        }
        let unknown = "1".repeat(40);
        assert_eq!((commits.tree(&unknown), commits.is_ancestor(&unknown, &first)), (None, None));
        assert_eq!(commits.tree("--help"), None);
    }
}
