//! What git knows of commits: the repository that a command is given in, never a job's own.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use lineclear_gate::Commits;

use crate::history::commits::is_commit;
use crate::local_event::git_says;

/// How far back the commits of a merged branch are looked at.
const MOST_MERGED: &str = "--max-count=200";

/// The commits of a repository on this machine. What git knows of one is asked once, for commits do not change; what it does not know
/// may come later.
#[derive(Debug)]
pub(crate) struct GitCommits {
    root: PathBuf,
    trees: Mutex<HashMap<String, String>>,
    orders: Mutex<HashMap<(String, String), bool>>,
    is_shallow: OnceLock<bool>,
}

impl GitCommits {
    /// Nothing is asked yet.
    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), trees: Mutex::default(), orders: Mutex::default(), is_shallow: OnceLock::new() }
    }

    /// The full id of the commit that `name` stands for.
    pub(crate) fn resolve(&self, name: &str) -> Option<String> {
        self.object(&format!("{name}^{{commit}}"))
    }

    /// Whether two commits have the same contents.
    pub(crate) fn is_same(&self, one: &str, other: &str) -> bool {
        one == other || self.tree(one).is_some_and(|tree| self.tree(other) == Some(tree))
    }

    /// What was merged by `commit`, newest first, along its own line: empty for a commit that is no merge.
    pub(crate) fn merged_by(&self, commit: &str) -> Vec<String> {
        let Some(second) = self.resolve(&format!("{commit}^2")) else { return Vec::new() };
        let listed = self.ask(&["rev-list", "--first-parent", MOST_MERGED, &second]).unwrap_or_default();
        listed.lines().map(str::to_owned).collect()
    }

    /// The full names of the tags that stand at `commit`, annotated ones among them.
    pub(crate) fn tags_at(&self, commit: &str) -> Vec<String> {
        let listed = self.ask(&["tag", &format!("--points-at={commit}")]).unwrap_or_default();
        listed.lines().map(|name| format!("refs/tags/{name}")).collect()
    }

    fn object(&self, name: &str) -> Option<String> {
        let said = self.ask(&["rev-parse", "--verify", "--quiet", "--end-of-options", name])?;
        // Some versions of git say the option, too.
        said.lines().last().map(str::trim).filter(|id| is_commit(id)).map(str::to_owned)
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
            return Some(known.clone());
        }
        let tree = self.object(&format!("{commit}^{{tree}}"))?;
        unpoisoned(&self.trees).insert(commit.to_owned(), tree.clone());
        Some(tree)
    }

    fn is_ancestor(&self, old: &str, new: &str) -> Option<bool> {
        let pair = (old.to_owned(), new.to_owned());
        if let Some(known) = unpoisoned(&self.orders).get(&pair) {
            return Some(*known);
        }
        let order = self.order(old, new)?;
        unpoisoned(&self.orders).insert(pair, order);
        Some(order)
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
        assert_eq!((commits.tree("--help"), commits.resolve("--help")), (None, None));
        assert_eq!(commits.resolve("main").as_ref(), Some(&second));
        assert_eq!(commits.resolve("HEAD^").as_ref(), Some(&first));
        assert!(commits.is_same(&first, &second) && !commits.is_same(&first, &unknown));
    }

    #[test]
    fn a_commit_that_comes_later_is_known_then_and_a_merge_says_what_it_merged() {
        let folder = tempfile::tempdir().expect("a folder");
        let git = |script: &str| {
            let identity = "git() { command git -c user.name=T -c user.email=t@example.org \"$@\"; }; ";
            let output = std::process::Command::new("bash")
                .args(["-euc", &format!("{identity}{script}")])
                .current_dir(folder.path())
                .output()
                .expect("bash starts");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8_lossy(&output.stdout).trim().to_owned()
        };
        let commit = "git commit -q --allow-empty --date=@1 -m x; git rev-parse HEAD";
        let made_before = git(&format!("git init -q -b main; {commit}"));
        let commits = GitCommits::new(folder.path());
        git("git checkout -q -b topic");
        let first = git(commit);
        assert!(commits.tree(&first).is_some());
        assert_eq!(commits.resolve("v1"), None);
        git("git tag -m one v1");
        assert_eq!(commits.resolve("v1").as_ref(), Some(&first));
        assert_eq!(commits.tags_at(&first), ["refs/tags/v1"]);
        let merge = git("git checkout -q main; git merge -q --no-ff -m merge topic; git rev-parse HEAD");
        assert_eq!(commits.merged_by(&merge), [first.clone(), made_before.clone()]);
        assert!(commits.merged_by(&first).is_empty());
        // History that was cut off says nothing of what lies before.
        let cut = tempfile::tempdir().expect("a folder");
        let from = format!("file://{}", folder.path().display());
        let to = cut.path().join("cut").display().to_string();
        git(&format!("command git clone -q --depth 1 {from} {to}"));
        let cut = GitCommits::new(&cut.path().join("cut"));
        assert_eq!((cut.is_ancestor(&merge, &merge), cut.is_ancestor(&first, &merge)), (Some(true), None));
    }
}
