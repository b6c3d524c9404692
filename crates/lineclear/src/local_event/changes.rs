//! Which files an event changed, asked of git.

use std::path::Path;

use lineclear_event::Changed;

use super::checkout::{Checkout, is_object_id, is_zero, short};
use super::git;

/// The empty tree, which every repository knows: what a first commit is compared with.
const EMPTY_TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
const EMPTY_TREE_SHA256: &str = "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321";

/// More commits than this, and GitHub does not look at paths.
const MAX_COMMITS: usize = 1000;

/// What is compared with what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    /// Two commits.
    Commits { base: String, head: String },
    /// A commit with the point where it left the base.
    SinceFork { base: String, head: String },
    /// What is in the folder now, with a commit.
    Folder { base: String },
    /// What is in the folder now, with the point where the checked-out commit left the base.
    FolderSinceFork { base: String },
    /// There is nothing to compare with: every file counts.
    Everything,
    /// It cannot be told.
    Unknown { reason: String },
}

/// What changed paths were counted from.
#[derive(Clone, Debug)]
pub(crate) struct Compared(Comparison);

impl Compared {
    pub(super) fn new(comparison: Comparison) -> Self {
        Self(comparison)
    }

    /// The commit, by its full id; `None` where there was none before.
    pub(crate) fn commit(&self, checkout: &Checkout) -> Option<String> {
        let (base, head) = match &self.0 {
            Comparison::Commits { base, .. } | Comparison::Folder { base } => (base, None),
            Comparison::SinceFork { base, head } => (base, Some(head.clone())),
            Comparison::FolderSinceFork { base } => (base, checkout.head_commit()),
            Comparison::Everything | Comparison::Unknown { .. } => return None,
        };
        let forked = head.map(|head| {
            let output = git::run(&checkout.root, &["merge-base", base, &head], &[]).unwrap_or_default();
            String::from_utf8_lossy(&output).trim().to_owned()
        });
        let commit = forked.unwrap_or_else(|| base.clone());
        (is_object_id(&commit) && !is_zero(&commit)).then_some(commit)
    }
}

/// The changed files, relative to `root`; files outside of it are left out.
pub(super) fn changed(root: &Path, comparison: &Comparison) -> Changed {
    match comparison {
        Comparison::Unknown { reason } => Changed::Unknown { reason: reason.clone() },
        Comparison::Everything => files(
            git::run(root, &["ls-files", "-z", "--cached", "--others", "--exclude-standard"], &[]),
            "since there is no commit before".to_owned(),
        ),
        Comparison::Commits { base, head } => {
            let base = if is_zero(base) { empty_tree(head) } else { base };
            if base != EMPTY_TREE
                && base != EMPTY_TREE_SHA256
                && let Some(changed) = too_many_commits(root, base, head)
            {
                return changed;
            }
            files(git::run(root, &DIFF, &[base, head]), against(base))
        }
        Comparison::SinceFork { base, head } => {
            let range = format!("{base}...{head}");
            files(git::run(root, &DIFF, &[&range]), against(base))
        }
        Comparison::Folder { base } => folder(root, &[], base),
        Comparison::FolderSinceFork { base } => folder(root, &["--merge-base"], base),
    }
}

const DIFF: [&str; 8] = [
    "diff",
    "--name-only",
    "-z",
    // A moved file counts at both of its places.
    "--no-renames",
    "--no-ext-diff",
    "--no-color",
    "--relative",
    "--ignore-submodules=dirty",
];

/// The folder as it is now against a commit: changed files and new ones.
fn folder(root: &Path, options: &[&str], base: &str) -> Changed {
    let base = if is_zero(base) { empty_tree(base) } else { base };
    let arguments: Vec<&str> = DIFF.iter().chain(options).copied().collect();
    // Both at once: each walks the tree.
    let tracked = git::start(root, &arguments, &[base]);
    let untracked = git::start(root, &["ls-files", "-z", "--others", "--exclude-standard"], &[]);
    let outputs = tracked.and_then(git::Running::finish).and_then(|tracked| {
        let untracked = untracked.and_then(git::Running::finish)?;
        Ok([tracked, untracked].concat())
    });
    let with = format!("{}, uncommitted changes included", against(base));
    files(outputs, with)
}

fn too_many_commits(root: &Path, base: &str, head: &str) -> Option<Changed> {
    let limit = format!("--max-count={}", MAX_COMMITS + 1);
    let without = format!("^{base}");
    let count = git::run(root, &["rev-list", "--count", &limit], &[head, &without]).ok()?;
    let count: usize = String::from_utf8_lossy(&count).trim().parse().ok()?;
    (count > MAX_COMMITS).then(|| Changed::Unknown { reason: format!("more than {MAX_COMMITS} commits") })
}

fn files(output: Result<Vec<u8>, String>, compared_with: String) -> Changed {
    match output {
        Ok(output) => {
            let mut paths = git::zero_ended(&output);
            paths.sort();
            paths.dedup();
            Changed::Files { paths, compared_with }
        }
        Err(reason) => Changed::Unknown { reason: format!("git says: {reason}") },
    }
}

fn against(base: &str) -> String {
    match base {
        EMPTY_TREE | EMPTY_TREE_SHA256 => "since there is no commit before".to_owned(),
        base if is_object_id(base) => format!("against {}", short(base)),
        base => format!("against {base}"),
    }
}

fn empty_tree(like: &str) -> &'static str {
    if like.len() == 64 { EMPTY_TREE_SHA256 } else { EMPTY_TREE }
}
