//! What git knows of commits.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use lineclear_gate::Commits;

use crate::local_event::git_says;

/// How far back the commits of a merged branch are looked at.
const MOST_ANCESTORS: usize = 200;

/// The commits of a repository, asked of git once each: none of the answers can change.
pub(crate) struct GitCommits {
    folder: PathBuf,
    trees: Mutex<HashMap<String, Option<String>>>,
    orders: Mutex<HashMap<(String, String), Option<bool>>>,
}

impl fmt::Debug for GitCommits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GitCommits").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl GitCommits {
    pub(crate) fn of(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), trees: Mutex::default(), orders: Mutex::default() }
    }

    /// The full id of the commit that `name` stands for.
    pub(crate) fn resolve(&self, name: &str) -> Option<String> {
        self.line(&["rev-parse", "--verify", "--quiet"], &format!("{name}^{{commit}}"))
    }

    /// What was merged by `commit`, newest first, along its own line: empty for a commit that is no merge.
    pub(crate) fn merged_by(&self, commit: &str) -> Vec<String> {
        let Some(second) = self.resolve(&format!("{commit}^2")) else { return Vec::new() };
        let most = format!("--max-count={MOST_ANCESTORS}");
        let listed = git_says(&self.folder, &["rev-list", "--first-parent", &most], &[&second]);
        let listed = listed.map(|text| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default();
        listed.lines().map(str::to_owned).collect()
    }

    /// The full names of the branches and tags that stand at `commit`; annotated tags, too.
    pub(crate) fn tags_at(&self, commit: &str) -> Vec<String> {
        let listed = git_says(&self.folder, &["tag", &format!("--points-at={commit}")], &[]);
        let listed = listed.map(|text| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default();
        listed.lines().map(|name| format!("refs/tags/{name}")).collect()
    }

    fn line(&self, arguments: &[&str], operand: &str) -> Option<String> {
        // `rev-parse` takes no dashes after its operand; a name that begins with one is none of a commit.
        if operand.starts_with('-') {
            return None;
        }
        let arguments: Vec<&str> = arguments.iter().copied().chain([operand]).collect();
        let output = git_says(&self.folder, &arguments, &[]).ok()?;
        let line = String::from_utf8_lossy(&output).trim().to_owned();
        (!line.is_empty()).then_some(line)
    }
}

impl Commits for GitCommits {
    fn tree(&self, commit: &str) -> Option<String> {
        if let Some(known) = self.trees.lock().unwrap_or_else(PoisonError::into_inner).get(commit) {
            return known.clone();
        }
        let tree = self.line(&["rev-parse", "--verify", "--quiet"], &format!("{commit}^{{tree}}"));
        self.trees.lock().unwrap_or_else(PoisonError::into_inner).insert(commit.to_owned(), tree.clone());
        tree
    }

    fn is_ancestor(&self, old: &str, new: &str) -> Option<bool> {
        let key = (old.to_owned(), new.to_owned());
        if let Some(known) = self.orders.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return *known;
        }
        let known = match (self.tree(old), self.tree(new)) {
            // Without a common ancestor git says nothing, and fails.
            (Some(_), Some(_)) => Some(
                // Both name trees that git has found, and neither begins with a dash; `merge-base` takes no dashes after its operands.
                git_says(&self.folder, &["merge-base", old, new], &[])
                    .is_ok_and(|base| String::from_utf8_lossy(&base).trim() == old),
            ),
            _ => None,
        };
        self.orders.lock().unwrap_or_else(PoisonError::into_inner).insert(key, known);
        known
    }
}
