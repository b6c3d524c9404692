//! Which files of a workspace its checkout brought, read from git's index without running git in it: a job may have configured git to run
//! anything.
//!
//! # Source
//! `gitformat-index` of git's documentation, versions 2 and 3. In version 4 names depend on each other; then everything that is older than the
//! index counts as brought.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

/// Largest index that is read.
const LARGEST: u64 = 256 << 20;
/// Bytes of an entry before its name.
const FIXED: usize = 62;

/// What git knows.
#[derive(Debug, Default)]
pub(super) struct Brought {
    /// When the index was written; `None` without one.
    at: Option<SystemTime>,
    /// `None` where the names are not known.
    names: Option<BTreeSet<Vec<u8>>>,
}

impl Brought {
    pub(super) fn of(workspace: &Path) -> Self {
        let path = workspace.join(".git").join("index");
        let Ok(about) = fs::symlink_metadata(&path) else { return Self::default() };
        if !about.is_file() || about.len() > LARGEST {
            return Self::default();
        }
        let names = fs::read(&path).ok().and_then(|bytes| names(&bytes));
        Self { at: about.modified().ok(), names }
    }

    /// Whether a file that was last written then is one that the checkout brought. What a step wrote in its place since is not.
    pub(super) fn has(&self, name: &str, written: SystemTime) -> bool {
        let is_older = self.at.is_some_and(|at| written <= at);
        is_older && self.names.as_ref().is_none_or(|names| names.contains(name.as_bytes()))
    }
}

/// The names in an index; `None` for a form that is not known.
fn names(bytes: &[u8]) -> Option<BTreeSet<Vec<u8>>> {
    let number = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    if bytes.get(..4)? != b"DIRC" || !matches!(number(4)?, 2 | 3) {
        return None;
    }
    let count = number(8)?;
    let mut names = BTreeSet::new();
    let mut at = 12_usize;
    for _ in 0..count {
        let flags = u16::from_be_bytes(bytes.get(at + FIXED - 2..at + FIXED)?.try_into().ok()?);
        let is_extended = flags & 0x4000 != 0;
        let start = at + FIXED + if is_extended { 2 } else { 0 };
        let rest = bytes.get(start..)?;
        let length = rest.iter().position(|byte| *byte == 0)?;
        names.insert(rest[..length].to_vec());
        // One to eight zeros follow, so that each entry has a multiple of eight bytes.
        let size = start + length - at;
        at += (size / 8 + 1) * 8;
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_that_git_wrote_are_read_and_a_damaged_index_names_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let git = |args: &[&str]| {
            let done = std::process::Command::new("git").current_dir(folder.path()).args(args).output().expect("git");
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        };
        git(&["init", "--quiet"]);
        for name in ["a", "bandit.json", "deep/er/trivy-results.json", "exactly-eight-bytes"] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("it has one")).expect("a folder");
            fs::write(path, "{}").expect("a file");
        }
        git(&["add", "--all"]);
        git(&["add", "--intent-to-add", "."]);
        let bytes = fs::read(folder.path().join(".git/index")).expect("an index");
        let found = names(&bytes).expect("it is one");
        let found: Vec<_> = found.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
        assert_eq!(found, ["a", "bandit.json", "deep/er/trivy-results.json", "exactly-eight-bytes"]);
        for end in [0, 4, 11, 40, 90] {
            assert_eq!(names(&bytes[..end]), None, "{end}");
        }
        let brought = Brought::of(folder.path());
        assert!(brought.has("bandit.json", SystemTime::UNIX_EPOCH) && !brought.has("new.json", SystemTime::UNIX_EPOCH));
        assert!(!brought.has("bandit.json", SystemTime::now() + std::time::Duration::from_secs(5)));
        assert!(!Brought::default().has("a", SystemTime::UNIX_EPOCH));
    }
}
