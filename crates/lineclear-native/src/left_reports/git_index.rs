//! Which files of a workspace its checkouts brought, read from git's indexes without running git in it: a job may have configured git to run
//! anything.
//!
//! A file belongs to the innermost repository around it: the workspace's own, one that was checked out below it, a submodule.
//!
//! # Source
//! `gitformat-index` of git's documentation, versions 2 to 4, and `gitrepository-layout` for `.git` files. Where the names are not known (an
//! index in two parts), everything that is older than the index counts as brought.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Largest index that is read, and largest `.git` file.
const LARGEST: u64 = 256 << 20;
const LARGEST_LINK: u64 = 64 << 10;
/// Bytes of an entry before its object id.
const STATUS: usize = 40;
/// Bytes of an object id: SHA-1, SHA-256.
const IDS: [usize; 2] = [20, 32];

/// What git knows of a workspace.
#[derive(Debug)]
pub(super) struct Brought {
    workspace: PathBuf,
    /// By folder, those that were asked for; `None` for a folder that is no repository.
    repositories: BTreeMap<PathBuf, Option<Index>>,
}

/// One repository's index.
#[derive(Debug)]
struct Index {
    /// When it was written.
    at: SystemTime,
    /// `None` where the names are not known.
    names: Option<BTreeSet<Vec<u8>>>,
}

impl Brought {
    pub(super) fn of(workspace: &Path) -> Self {
        Self { workspace: workspace.to_owned(), repositories: BTreeMap::new() }
    }

    /// Whether a file that was last written then is one that a checkout brought. What a step wrote in its place since is not.
    pub(super) fn has(&mut self, file: &Path, written: SystemTime) -> bool {
        for folder in file.ancestors().skip(1) {
            let Ok(inside) = file.strip_prefix(folder) else { return false };
            let index = self.repositories.entry(folder.to_owned()).or_insert_with(|| Index::of(folder));
            if let Some(Index { at, names }) = index {
                let name = inside.as_os_str().as_encoded_bytes();
                return written <= *at && names.as_ref().is_none_or(|names| names.contains(name));
            }
            if folder == self.workspace {
                return false;
            }
        }
        false
    }
}

impl Index {
    /// That of the repository whose files lie in `folder`.
    fn of(folder: &Path) -> Option<Self> {
        let path = git_folder(folder)?.join("index");
        let about = fs::symlink_metadata(&path).ok().filter(fs::Metadata::is_file)?;
        let at = about.modified().ok()?;
        if about.len() > LARGEST {
            return Some(Self { at, names: None });
        }
        let bytes = fs::read(&path).ok()?;
        Some(Self { at, names: IDS.iter().find_map(|id| names(&bytes, *id)) })
    }
}

/// `.git`, or where the file of that name says: a submodule's is in the repository around it.
fn git_folder(folder: &Path) -> Option<PathBuf> {
    let path = folder.join(".git");
    let about = fs::symlink_metadata(&path).ok()?;
    if about.is_dir() {
        return Some(path);
    }
    if !about.is_file() || about.len() > LARGEST_LINK {
        return None;
    }
    let text = fs::read_to_string(&path).ok()?;
    Some(folder.join(text.strip_prefix("gitdir:")?.trim()))
}

/// The names in an index whose object ids have `id` bytes; `None` for a form that is not known, and for an index that is not whole.
fn names(bytes: &[u8], id: usize) -> Option<BTreeSet<Vec<u8>>> {
    let number = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let version = number(4)?;
    if bytes.get(..4)? != b"DIRC" || !(2..=4).contains(&version) {
        return None;
    }
    let mut names = BTreeSet::new();
    let mut name: Vec<u8> = Vec::new();
    let mut at = 12_usize;
    for _ in 0..number(8)? {
        let start = at;
        at += STATUS + id;
        let flags = u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?);
        // Extended flags follow.
        at += if flags & 0x4000 == 0 { 2 } else { 4 };
        if version == 4 {
            // The name begins as the one before it, without so many of its last bytes.
            let removed = variable_length(bytes, &mut at)?;
            name.truncate(name.len().checked_sub(removed)?);
        } else {
            name.clear();
        }
        let rest = bytes.get(at..)?;
        let length = rest.iter().position(|byte| *byte == 0)?;
        name.extend_from_slice(&rest[..length]);
        at += length;
        // One zero follows; in older versions one to eight, so that each entry has a multiple of eight bytes.
        at = if version == 4 { at + 1 } else { start + ((at - start) / 8 + 1) * 8 };
        // It says how long its name is: with ids of another length it would not be so.
        if usize::from(flags & 0xFFF) != name.len().min(0xFFF) {
            return None;
        }
        names.insert(name.clone());
    }
    // Extensions, and the checksum. One of them says that the other entries are in another file.
    let end = bytes.len().checked_sub(id)?;
    while at < end {
        if bytes.get(at..at + 4)? == b"link" {
            return None;
        }
        at = at.checked_add(8)?.checked_add(usize::try_from(number(at + 4)?).ok()?)?;
    }
    (at == end).then_some(names)
}

/// A number of seven bits a byte, the highest first; each byte but the last adds one to what follows.
fn variable_length(bytes: &[u8], at: &mut usize) -> Option<usize> {
    let mut value = 0_usize;
    loop {
        let byte = *bytes.get(*at)?;
        *at += 1;
        value = value.checked_mul(128)?.checked_add(usize::from(byte & 0x7F))?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
        value += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::Duration;

    use super::*;

    const FILES: [&str; 4] = ["a", "bandit.json", "deep/er/trivy-results.json", "exactly-eight-bytes"];

    fn git(folder: &Path, args: &[&str]) {
        let own = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "protocol.file.allow=always"];
        let done = Command::new("git").current_dir(folder).args(own).args(args).output().expect("git");
        assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
    }

    fn repository(folder: &Path, init: &[&str]) {
        for name in FILES {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().expect("it has one")).expect("a folder");
            fs::write(path, "{}").expect("a file");
        }
        git(folder, &[&["init", "--quiet"], init].concat());
        git(folder, &["add", "--all"]);
    }

    #[test]
    fn the_names_that_git_wrote_are_read_and_a_damaged_index_names_nothing() {
        for (format, version, id) in [("sha1", "2", 20), ("sha1", "4", 20), ("sha256", "2", 32), ("sha256", "4", 32)] {
            let folder = tempfile::tempdir().expect("a folder");
            repository(folder.path(), &["--object-format", format]);
            git(folder.path(), &["update-index", "--index-version", version]);
            git(folder.path(), &["add", "--intent-to-add", "."]);
            let bytes = fs::read(folder.path().join(".git/index")).expect("an index");
            assert_eq!(bytes[7].to_string(), version);
            let found = names(&bytes, id).expect("it is one");
            let found: Vec<_> = found.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
            assert_eq!(found, FILES, "{format}, version {version}");
            assert_eq!(names(&bytes, 52 - id), None, "{format}, version {version}");
            for end in [0, 4, 11, 40, 90, bytes.len() - 1] {
                assert_eq!(names(&bytes[..end], id), None, "{end}");
            }
            let (mut brought, path) = (Brought::of(folder.path()), |name: &str| folder.path().join(name));
            assert!(brought.has(&path("bandit.json"), SystemTime::UNIX_EPOCH));
            assert!(brought.has(&path("deep/er/trivy-results.json"), SystemTime::UNIX_EPOCH));
            assert!(!brought.has(&path("deep/er/new.json"), SystemTime::UNIX_EPOCH));
            // Long after the index: a step wrote it.
            assert!(!brought.has(&path("bandit.json"), SystemTime::now() + Duration::from_secs(3600)));
        }
        let none = tempfile::tempdir().expect("a folder");
        assert!(!Brought::of(none.path()).has(&none.path().join("a"), SystemTime::UNIX_EPOCH));
    }

    #[test]
    fn an_index_in_two_parts_brought_whatever_is_older() {
        let folder = tempfile::tempdir().expect("a folder");
        repository(folder.path(), &[]);
        git(folder.path(), &["update-index", "--split-index"]);
        let mut brought = Brought::of(folder.path());
        assert!(brought.has(&folder.path().join("bandit.json"), SystemTime::UNIX_EPOCH));
        assert!(!brought.has(&folder.path().join("bandit.json"), SystemTime::now() + Duration::from_secs(3600)));
    }

    /// `actions/checkout` with `path`, and submodules: what they bring is no report of a step.
    #[test]
    fn what_repositories_below_the_workspace_brought_is_known() {
        let workspace = tempfile::tempdir().expect("a folder");
        let below = |name: &str| workspace.path().join(name);
        for name in ["sub", "main"] {
            fs::create_dir(below(name)).expect("a folder");
            repository(&below(name), &[]);
            git(&below(name), &["commit", "--quiet", "--message", "first"]);
        }
        let url = below("sub").to_string_lossy().into_owned();
        git(&below("main"), &["submodule", "--quiet", "add", &url, "module"]);
        assert!(below("main/module/.git").is_file());
        let mut brought = Brought::of(workspace.path());
        for name in ["main/bandit.json", "main/deep/er/trivy-results.json", "main/module/bandit.json"] {
            assert!(brought.has(&below(name), SystemTime::UNIX_EPOCH), "{name}");
        }
        for name in ["bandit.json", "main/new.json", "main/module/new.json", "other/bandit.json"] {
            assert!(!brought.has(&below(name), SystemTime::UNIX_EPOCH), "{name}");
        }
    }
}
