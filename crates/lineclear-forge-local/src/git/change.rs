//! What differs between two commits.

use super::{Git, GitError};

/// A patch above this size is left out, as GitHub does.
const MAX_PATCH: usize = 1 << 20;
/// How differences are asked for as text, whatever the machine's settings say.
const DIFF: [&str; 8] =
    ["diff-tree", "-r", "-p", "-M", "--no-commit-id", "--no-color", "--no-ext-diff", "--no-textconv"];

/// One file that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) path: String,
    pub(crate) previous: Option<String>,
    /// `added`, `removed`, `modified`, `renamed`, `changed`.
    pub(crate) status: &'static str,
    /// The blob after the change; before it where the file was removed.
    pub(crate) blob: String,
    pub(crate) additions: u64,
    pub(crate) deletions: u64,
    kind_changed: bool,
}

impl Git {
    /// The files that differ from `old` to `new`, by path, renames found. `old` may be a tree.
    pub(crate) fn changes(&self, old: &str, new: &str) -> Result<Vec<Change>, GitError> {
        let output = self.ask(&["diff-tree", "-r", "-z", "-M", "--raw", "--numstat", "--no-commit-id", old, new])?;
        Ok(read(&String::from_utf8_lossy(&output)))
    }

    /// The patches of `changes`, one for each, from the first `@@` on; `None` for binary and very long ones.
    pub(crate) fn patches(&self, old: &str, new: &str, changes: &[Change]) -> Result<Vec<Option<String>>, GitError> {
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let mut arguments = DIFF.to_vec();
        arguments.extend([old, new, "--"]);
        arguments.extend(
            changes.iter().flat_map(|change| [Some(change.path.as_str()), change.previous.as_deref()]).flatten(),
        );
        let output = self.ask(&arguments)?;
        let text = String::from_utf8_lossy(&output);
        let mut sections = sections(&text).into_iter();
        let mut patches = Vec::new();
        for change in changes {
            let section = sections.next();
            // A file that became a link is shown as removed and added: two sections.
            let second = if change.kind_changed { sections.next() } else { None };
            patches.push(section.filter(|_| second.is_none()).and_then(patch));
        }
        Ok(patches)
    }

    /// The whole difference as text: what `Accept: application/vnd.github.diff` asks for.
    pub(crate) fn diff_text(&self, old: &str, new: &str) -> Result<Vec<u8>, GitError> {
        self.ask(&[&DIFF[..], &[old, new]].concat())
    }

    /// The commits from `old` to `new` as mails: what `Accept: application/vnd.github.patch` asks for.
    pub(crate) fn patch_text(&self, old: &str, new: &str) -> Result<Vec<u8>, GitError> {
        let range = format!("{old}..{new}");
        self.ask(&["format-patch", "--stdout", "--no-signature", "--no-color", &range])
    }
}

fn read(text: &str) -> Vec<Change> {
    let mut fields = text.split('\0').filter(|field| !field.is_empty());
    let mut changes = Vec::new();
    let mut counts = Vec::new();
    while let Some(field) = fields.next() {
        if let Some(raw) = field.strip_prefix(':') {
            changes.extend(raw_change(raw, &mut fields));
        } else {
            counts.extend(counted(field, &mut fields));
        }
    }
    for (change, (additions, deletions)) in changes.iter_mut().zip(counts) {
        (change.additions, change.deletions) = (additions, deletions);
    }
    changes
}

/// `100644 100644 <old> <new> R087`, followed by one path or, of a rename, two.
fn raw_change<'t>(raw: &str, fields: &mut impl Iterator<Item = &'t str>) -> Option<Change> {
    let words: Vec<&str> = raw.split(' ').collect();
    let [_, _, old, new, status] = words.as_slice() else { return None };
    let first = fields.next()?.to_owned();
    let letter = status.chars().next()?;
    let (previous, path) =
        if matches!(letter, 'R' | 'C') { (Some(first), fields.next()?.to_owned()) } else { (None, first) };
    let status = match letter {
        'A' => "added",
        'D' => "removed",
        'R' => "renamed",
        'C' => "copied",
        'T' => "changed",
        _ => "modified",
    };
    let blob = if letter == 'D' { *old } else { *new };
    Some(Change {
        path,
        previous,
        status,
        blob: blob.to_owned(),
        additions: 0,
        deletions: 0,
        kind_changed: letter == 'T',
    })
}

/// `3\t1\tpath`; of a rename `3\t1\t` followed by two paths; of a binary file `-\t-\tpath`.
fn counted<'t>(field: &str, fields: &mut impl Iterator<Item = &'t str>) -> Option<(u64, u64)> {
    let mut words = field.splitn(3, '\t');
    let (additions, deletions, path) = (words.next()?, words.next()?, words.next()?);
    if path.is_empty() {
        fields.next()?;
        fields.next()?;
    }
    Some((additions.parse().unwrap_or(0), deletions.parse().unwrap_or(0)))
}

/// The sections of a patch: a line of a file never begins with `diff --git`, for a sign stands before it.
fn sections(text: &str) -> Vec<&str> {
    const START: &str = "diff --git ";
    let mut starts: Vec<usize> = if text.starts_with(START) { vec![0] } else { Vec::new() };
    starts.extend(text.match_indices("\ndiff --git ").map(|(at, _)| at + 1));
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts.iter().zip(ends).map(|(start, end)| &text[*start..end]).collect()
}

fn patch(section: &str) -> Option<String> {
    let start = section.find("\n@@ ")? + 1;
    let patch = section[start..].trim_end_matches('\n');
    (patch.len() <= MAX_PATCH).then(|| patch.to_owned())
}
