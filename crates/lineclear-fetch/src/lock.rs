//! `lineclear.lock`: which commit each action and called workflow is, for the next run and everybody else.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use serde::Deserialize;

use crate::FetchError;
use crate::cache::{locked, write};
use crate::error::file;
use crate::place::{Place, is_commit};

/// The lock's name in the root of a repository.
pub const LOCK_FILE: &str = "lineclear.lock";

const VERSION: i64 = 1;
/// Bytes that a lock may have.
const LARGEST: u64 = 16 << 20;

const WAY_OUT: &str = "remove the file and run again to make a new one";

const HEADER: &str = "\
# Which commit each action and called workflow of another repository is. Written by `lineclear run`; commit this file.
# A tag or branch that moved is refused until the run is told `--update-lock`.
";

/// What the lock says of one `owner/repo@ref`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockEntry {
    /// The server that had it.
    pub server: String,
    /// The full commit id.
    pub commit: String,
    /// `sha256:` and the digest of its files.
    pub tree: String,
    /// What it pulls in itself, as `owner/repo@ref`.
    pub needs: BTreeSet<String>,
}

/// The lock as a whole: `owner/repo@ref`, owner and repository in small letters → entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    pub entries: BTreeMap<String, LockEntry>,
}

/// What a run changed in the lock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockChange {
    pub added: Vec<String>,
    /// `owner/repo@ref`, old and new commit.
    pub updated: Vec<(String, String, String)>,
}

impl LockChange {
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.updated.is_empty()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: toml::Spanned<i64>,
    #[serde(default)]
    action: Vec<toml::Spanned<WrittenEntry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenEntry {
    uses: String,
    server: String,
    commit: String,
    tree: String,
    #[serde(default)]
    needs: BTreeSet<String>,
}

impl Lock {
    /// Reads the lock at `path`; a file that is not there is an empty lock.
    ///
    /// # Errors
    /// [`FetchError::Lock`] with the line of what is wrong.
    pub fn read(path: &Path) -> Result<Self, FetchError> {
        match fs::metadata(path) {
            Ok(metadata) if metadata.len() > LARGEST => return Err(wrong(path, "", 0, "the file is too large")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            _ => {}
        }
        let bytes = fs::read(path).map_err(file("read", path))?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let before = String::from_utf8_lossy(&error.as_bytes()[..at]).into_owned();
            wrong(path, &before, before.len(), "the text is not UTF-8")
        })?;
        Self::parse(path, &text)
    }

    /// Reads a lock's text; `path` is for errors.
    fn parse(path: &Path, text: &str) -> Result<Self, FetchError> {
        let conflict = ["<<<<<<<", "=======", ">>>>>>>"];
        if let Some(at) = text.lines().position(|line| conflict.iter().any(|mark| line.starts_with(mark))) {
            let what = "a merge conflict is not resolved".to_owned();
            return Err(FetchError::Lock { path: path.to_owned(), line: at + 1, what, way_out: WAY_OUT });
        }
        let written: Written = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(text.len(), |span| span.start);
            wrong(path, text, at, error.message())
        })?;
        if *written.version.get_ref() != VERSION {
            let what = format!(
                "version {} is not known here, only {VERSION}; use a newer Lineclear",
                written.version.get_ref()
            );
            return Err(wrong(path, text, written.version.span().start, &what));
        }
        let mut lock = Self::default();
        for entry in written.action {
            let at = entry.span().start;
            let entry = entry.into_inner();
            let key = entry.uses.clone();
            let entry = checked(entry).map_err(|what| wrong(path, text, at, &format!("`{key}`: {what}")))?;
            if lock.entries.insert(key.clone(), entry).is_some() {
                return Err(wrong(path, text, at, &format!("`{key}` stands here twice")));
            }
        }
        Ok(lock)
    }

    /// The lock as its file has it: sorted, one value a line.
    pub fn text(&self) -> String {
        let mut text = format!("{HEADER}version = {VERSION}\n");
        for (uses, entry) in &self.entries {
            // Writing to a String cannot fail.
            let _ = write!(
                text,
                "\n[[action]]\nuses = {}\nserver = {}\ncommit = {}\ntree = {}\n",
                quoted(uses),
                quoted(&entry.server),
                quoted(&entry.commit),
                quoted(&entry.tree)
            );
            if !entry.needs.is_empty() {
                let lines: String = entry.needs.iter().map(|needed| format!("    {},\n", quoted(needed))).collect();
                let _ = write!(text, "needs = [\n{lines}]\n");
            }
        }
        text
    }

    /// Puts `added` into the file at `path`, beside what other processes put there meanwhile; written only if that changes it.
    pub(crate) fn save(
        path: &Path,
        added: &BTreeMap<String, LockEntry>,
        cache: &Path,
    ) -> Result<LockChange, FetchError> {
        if added.is_empty() {
            return Ok(LockChange::default());
        }
        // The turn is kept in the cache: the repository gets one file, not two.
        fs::create_dir_all(cache).map_err(file("make the folder", cache))?;
        let _turn = locked(&cache.join("locks.lock"))?;
        let before = Self::read(path)?;
        let (mut after, mut change) = (before.clone(), LockChange::default());
        for (key, entry) in added {
            let mut entry = entry.clone();
            match before.entries.get(key) {
                Some(old) if old.commit == entry.commit => entry.needs.extend(old.needs.iter().cloned()),
                Some(old) => change.updated.push((key.clone(), old.commit.clone(), entry.commit.clone())),
                None => change.added.push(key.clone()),
            }
            after.entries.insert(key.clone(), entry);
        }
        if after != before {
            write(path, after.text().as_bytes())?;
        }
        Ok(change)
    }
}

fn checked(entry: WrittenEntry) -> Result<LockEntry, &'static str> {
    let place = entry.uses.split_once('@').and_then(|(name, reference)| Some((name.split_once('/')?, reference)));
    let place = place.and_then(|((owner, repo), reference)| Place::new(owner, repo, reference).ok());
    let Some(place) = place.filter(|place| place.key() == entry.uses) else {
        return Err("`uses` is not `owner/repo@ref` with owner and repo in small letters");
    };
    if !is_commit(&entry.commit) || entry.commit.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err("`commit` is not a full commit id in small letters");
    }
    if place.full_commit().is_some_and(|commit| commit != entry.commit) {
        return Err("`commit` differs from the commit that `uses` names");
    }
    let digest = entry.tree.strip_prefix("sha256:").unwrap_or_default();
    if digest.len() != 64 || !digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err("`tree` is not `sha256:` and 64 digits");
    }
    Ok(LockEntry { server: entry.server, commit: entry.commit, tree: entry.tree, needs: entry.needs })
}

fn wrong(path: &Path, text: &str, at: usize, what: &str) -> FetchError {
    let line = text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1;
    FetchError::Lock { path: path.to_owned(), line, what: what.trim().replace('\n', " "), way_out: WAY_OUT }
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(commit: char) -> LockEntry {
        LockEntry {
            server: "github.com".into(),
            commit: commit.to_string().repeat(40),
            tree: format!("sha256:{}", "0".repeat(64)),
            needs: BTreeSet::new(),
        }
    }

    fn read(text: &str) -> Result<Lock, FetchError> {
        Lock::parse(Path::new(LOCK_FILE), text)
    }

    #[test]
    fn a_lock_reads_back_as_it_was_written() {
        let mut lock = Lock::default();
        lock.entries.insert("o/r@größe\"x\"".into(), entry('a'));
        lock.entries
            .insert("a/b@v1".into(), LockEntry { needs: ["o/r@v1".into(), "c/d@v2".into()].into(), ..entry('b') });
        assert_eq!(read(&lock.text()).expect("valid"), lock);
        assert_eq!(read("version = 1\n").expect("valid"), Lock::default());
        let uses: Vec<String> =
            lock.text().lines().filter(|line| line.starts_with("uses")).map(str::to_owned).collect();
        assert_eq!(uses, ["uses = \"a/b@v1\"", "uses = \"o/r@größe\\\"x\\\"\""], "sorted");
    }

    #[test]
    fn what_is_wrong_in_a_lock_is_told_with_its_line() {
        let good = Lock { entries: [("a/b@v1".to_owned(), entry('a'))].into() }.text();
        for (text, line, words) in [
            (good.replace("version = 1", "version = 2"), 3, "version 2 is not known"),
            (good.replace("version = 1\n", ""), 1, "missing field `version`"),
            (good.replace("commit = \"aaa", "commit = \"xyz"), 5, "full commit id"),
            (good.replace("a/b@v1", "A/b@v1"), 5, "small letters"),
            (good.replace("a/b@v1", "a/..@v1"), 5, "owner/repo@ref"),
            (good.replace("sha256:0", "md5:0"), 5, "sha256"),
            (good.replace("server =", "sever ="), 7, "unknown field"),
            (format!("{good}<<<<<<< ours\n"), 10, "merge conflict"),
            (format!("{good}[[action"), 10, ""),
            (format!("{good}{}", &good[good.find("[[").expect("an entry")..]), 10, "twice"),
            (good.replace("a/b@v1", &format!("a/b@{}", "b".repeat(40))), 5, "differs"),
        ] {
            match read(&text) {
                Err(FetchError::Lock { line: at, what, .. }) => {
                    assert!(at == line && what.contains(words), "expected {line} {words}, got {at} {what}\n{text}");
                }
                other => panic!("{other:?}\n{text}"),
            }
        }
    }

    #[test]
    fn saving_keeps_what_others_added_and_writes_only_changes() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(LOCK_FILE);
        let cache = folder.path().join("cache");
        let one = BTreeMap::from([("a/b@v1".to_owned(), entry('a'))]);
        let two = BTreeMap::from([("c/d@v1".to_owned(), entry('b'))]);
        assert!(Lock::save(&path, &BTreeMap::new(), &cache).expect("saved").is_empty());
        assert!(!path.exists());
        assert_eq!(Lock::save(&path, &one, &cache).expect("saved").added, ["a/b@v1"]);
        assert_eq!(Lock::save(&path, &two, &cache).expect("saved").added, ["c/d@v1"]);
        let before = fs::metadata(&path).expect("there").modified().expect("known");
        assert!(Lock::save(&path, &one, &cache).expect("saved").is_empty());
        assert_eq!(fs::metadata(&path).expect("there").modified().expect("known"), before);
        let moved = BTreeMap::from([("a/b@v1".to_owned(), entry('c'))]);
        let change = Lock::save(&path, &moved, &cache).expect("saved");
        assert_eq!(change.updated, [("a/b@v1".to_owned(), "a".repeat(40), "c".repeat(40))]);
        assert_eq!(Lock::read(&path).expect("valid").entries.len(), 2);
        fs::write(&path, "no lock").expect("written");
        assert!(Lock::save(&path, &one, &cache).is_err(), "a lock that cannot be read is not replaced");
    }

    #[test]
    fn no_damaged_lock_names_another_commit() {
        let expected = entry('a');
        let text = Lock { entries: [("a/b@v1".to_owned(), entry('a'))].into() }.text();
        let begin = text.find("version").expect("it has one");
        for at in begin..text.len() {
            for byte in [b'"', b'\n', b'[', b'=', 0, b'\\'] {
                let mut bytes = text.clone().into_bytes();
                bytes[at] = byte;
                let text = String::from_utf8(bytes).expect("ASCII");
                // The name of a ref or a server may turn into another name; ids have their form.
                for found in read(&text).iter().flat_map(|lock| lock.entries.values()) {
                    assert_eq!(
                        (&found.commit, &found.tree),
                        (&expected.commit, &expected.tree),
                        "{at} {byte}:\n{text}"
                    );
                }
            }
            let _ = read(&text[..at]);
        }
    }
}
