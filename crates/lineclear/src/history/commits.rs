//! What git knows of the commits of runs.

use std::collections::BTreeMap;
use std::path::Path;

use crate::local_event::git_says;

/// Subjects of commits by their full name, as far as the repository in `folder` has them. One git command, whatever the number.
pub(crate) fn subjects(folder: &Path, commits: &[&str]) -> BTreeMap<String, String> {
    let mut wanted: Vec<&str> = commits.iter().copied().filter(|commit| is_commit(commit)).collect();
    wanted.sort_unstable();
    wanted.dedup();
    if wanted.is_empty() {
        return BTreeMap::new();
    }
    let mut arguments = vec!["log", "--no-walk=unsorted", "--ignore-missing", "--format=%H %s"];
    arguments.extend(&wanted);
    let output = git_says(folder, &arguments, &[]).unwrap_or_default();
    let output = String::from_utf8_lossy(&output).into_owned();
    let pairs = output.lines().filter_map(|line| line.split_once(' '));
    pairs.map(|(commit, subject)| (commit.to_owned(), subject.to_owned())).collect()
}

/// Files that differ between two commits, with lines added and removed; `Err` says why git cannot tell.
pub(crate) fn changed(folder: &Path, old: &str, new: &str) -> Result<Vec<Changed>, String> {
    if !is_commit(old) || !is_commit(new) {
        return Err("a run has no commit".to_owned());
    }
    let range = format!("{old}..{new}");
    let output = git_says(folder, &["diff", "--numstat", "--no-renames", "--no-ext-diff", "-z", &range], &[])?;
    let text = String::from_utf8_lossy(&output).into_owned();
    let mut files = Vec::new();
    for entry in text.split('\0').filter(|entry| !entry.is_empty()) {
        let mut parts = entry.splitn(3, '\t');
        let (Some(added), Some(removed), Some(path)) = (parts.next(), parts.next(), parts.next()) else { continue };
        // A dash stands for a binary file.
        files.push(Changed { path: path.to_owned(), added: added.parse().ok(), removed: removed.parse().ok() });
    }
    Ok(files)
}

/// A file that differs.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Changed {
    pub(crate) path: String,
    /// Lines; none of a binary file.
    pub(crate) added: Option<u64>,
    pub(crate) removed: Option<u64>,
}

/// Whether it can be given to git as a commit: nothing else is ever taken from a record to a command line.
pub(crate) fn is_commit(text: &str) -> bool {
    text.len() >= 40
        && text.len() <= 64
        && text.bytes().all(|byte| byte.is_ascii_hexdigit())
        && text.bytes().any(|byte| byte != b'0')
}

/// The first digits of a commit.
pub(crate) fn short(commit: &str) -> &str {
    commit.get(..7).unwrap_or(commit)
}
