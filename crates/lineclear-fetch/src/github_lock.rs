//! GitHub's own lock of a repository: `.github/workflows/actions.lock`, read and never written.
//!
//! ```yaml
//! version: 'v0.0.2'
//! workflows:
//!     '.github/workflows/ci.yml':
//!         - 'actions/checkout@v5.0.1'
//! dependencies:
//!     'actions/checkout@v5.0.1':
//!         ref: 'v5.0.1'
//!         commit: 'sha1-93cb6efe18208431cddfb8368fd83d5badbf9bfd'
//!         uses: [ … ]                      # what it pulls in itself
//! ```
//! The recorded commit is used even if the tag moved, as GitHub does. A workflow that stands under `workflows` must have all
//! that it uses in the lock. Source: GitHub's documentation of workflow dependency lockfiles, and what its tool
//! `gh actions-lock` writes (versions v0.0.1, whose keys end in `:sha1-…`, and v0.0.2).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use lineclear_source::{Diagnostic, Source, Span};
use lineclear_yaml::{Limits, Node};

use crate::FetchError;
use crate::error::file;
use crate::place::{Place, is_commit};

/// Bytes that the lock may have.
const LARGEST: usize = 16 << 20;
const VERSIONS: [&str; 2] = ["v0.0.1", "v0.0.2"];

/// GitHub's lock of one repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GithubLock {
    /// `owner/repo@ref`, owner and repository in small letters → commit.
    commits: BTreeMap<String, String>,
    /// Path of a workflow → what it uses itself.
    workflows: BTreeMap<String, BTreeSet<String>>,
}

impl GithubLock {
    /// Reads the lock; none where the file is not there.
    ///
    /// # Errors
    /// [`FetchError::Lock`] with the line of what is wrong or not known here.
    pub fn read(path: &Path) -> Result<Option<Self>, FetchError> {
        let bytes = match fs::read(path) {
            Ok(bytes) if bytes.len() <= LARGEST => bytes,
            Ok(_) => return Err(refused(path, 1, "the file is too large")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(file("read", path)(error)),
        };
        let text = String::from_utf8(bytes).map_err(|_| refused(path, 1, "the text is not UTF-8"))?;
        Reader { path: path.to_owned(), source: Source::new("actions.lock", text) }.read().map(Some)
    }

    /// The commit that the lock has for a ref.
    pub(crate) fn commit(&self, place: &Place) -> Option<&str> {
        self.commits.get(&place.key()).map(String::as_str)
    }

    /// Whether the lock speaks of this workflow, such as `.github/workflows/ci.yml`: then all that it uses must be in it.
    pub fn covers(&self, workflow: &str) -> bool {
        self.workflows.contains_key(workflow)
    }

    /// Which of `uses` (`owner/repo@ref`, sub-paths left out) of a covered workflow the lock lacks. GitHub does not start such
    /// a workflow. Empty for one that is not covered.
    pub fn missing(&self, workflow: &str, uses: &[String]) -> Vec<String> {
        if !self.covers(workflow) {
            return Vec::new();
        }
        let key = |uses: &str| match uses.split_once('@') {
            Some((name, reference)) => format!("{}@{reference}", name.to_lowercase()),
            None => uses.to_owned(),
        };
        uses.iter().filter(|uses| !self.commits.contains_key(&key(uses))).cloned().collect()
    }
}

struct Reader {
    path: PathBuf,
    source: Source,
}

impl Reader {
    fn read(&self) -> Result<GithubLock, FetchError> {
        let limits = Limits { bytes: LARGEST, ..Limits::workflow() };
        let parsed = lineclear_yaml::parse(&self.source, &limits);
        if let Some(error) = parsed.diagnostics.iter().find(|diagnostic| diagnostic.is_error()) {
            return Err(self.wrong(span_of(error), error.message.to_string()));
        }
        let root = parsed.tree.and_then(|tree| tree.root);
        let Some(root) = root else { return Err(refused(&self.path, 1, "the file is empty")) };
        let Some(entries) = root.as_mapping() else { return Err(self.wrong(root.span(), "a mapping is expected")) };
        let version = root.get("version").and_then(Node::as_scalar).map_or("", |scalar| &*scalar.text);
        if !VERSIONS.contains(&version) {
            let at = root.get("version").map_or(root.span(), Node::span);
            return Err(
                self.wrong(at, format!("version `{version}` is not known here, only {}", VERSIONS.join(" and ")))
            );
        }
        let mut lock = GithubLock::default();
        for entry in entries {
            match &*entry.key.text {
                "version" => {}
                "workflows" => self.workflows(&entry.value, &mut lock)?,
                "dependencies" => self.dependencies(&entry.value, &mut lock)?,
                other => return Err(self.wrong(entry.key.span, format!("`{other}` is not known here"))),
            }
        }
        Ok(lock)
    }

    fn workflows(&self, node: &Node, lock: &mut GithubLock) -> Result<(), FetchError> {
        for entry in self.mapping(node)? {
            let mut uses = BTreeSet::new();
            for item in entry.value.as_sequence().unwrap_or_default() {
                let Some(scalar) = item.as_scalar() else {
                    return Err(self.wrong(item.span(), "`owner/repo@ref` is expected"));
                };
                uses.insert(self.key(&scalar.text, item.span())?.0);
            }
            lock.workflows.insert(entry.key.text.to_string(), uses);
        }
        Ok(())
    }

    fn dependencies(&self, node: &Node, lock: &mut GithubLock) -> Result<(), FetchError> {
        for entry in self.mapping(node)? {
            let (key, in_key) = self.key(&entry.key.text, entry.key.span)?;
            let written = entry.value.get("commit").and_then(Node::as_scalar).map(|scalar| scalar.text.to_string());
            let commit = written.as_deref().and_then(commit_of);
            let Some(commit) = commit else {
                return Err(self.wrong(entry.key.span, format!("`{key}` has no `commit: sha1-…`")));
            };
            if in_key.is_some_and(|in_key| in_key != commit) {
                return Err(self.wrong(entry.key.span, format!("`{key}` names two commits")));
            }
            lock.commits.insert(key, commit);
        }
        Ok(())
    }

    fn mapping<'n>(&self, node: &'n Node) -> Result<&'n [lineclear_yaml::Entry], FetchError> {
        match node.as_mapping() {
            Some(entries) => Ok(entries),
            None if node.is_null() => Ok(&[]),
            None => Err(self.wrong(node.span(), "a mapping is expected")),
        }
    }

    /// `owner/repo@ref`, in version v0.0.1 followed by `:sha1-<commit>`.
    fn key(&self, text: &str, at: Span) -> Result<(String, Option<String>), FetchError> {
        let (name, commit) = match text.rsplit_once(':') {
            Some((name, commit)) => (name, commit_of(commit)),
            None => (text, None),
        };
        let parts = name.split_once('@').and_then(|(name, reference)| Some((name.split_once('/')?, reference)));
        match parts.and_then(|((owner, repo), reference)| Place::new(owner, repo, reference).ok()) {
            Some(place) => Ok((place.key(), commit)),
            None => Err(self.wrong(at, format!("`{name}` is not `owner/repo@ref`"))),
        }
    }

    fn wrong(&self, at: Span, what: impl Into<String>) -> FetchError {
        refused(&self.path, self.source.position(at.start).line as usize, what)
    }
}

/// `sha1-<40 digits>` or `sha256-<64 digits>`.
fn commit_of(text: &str) -> Option<String> {
    let digits = text.strip_prefix("sha1-").or_else(|| text.strip_prefix("sha256-"))?;
    is_commit(digits).then(|| digits.to_lowercase())
}

fn span_of(diagnostic: &Diagnostic) -> Span {
    diagnostic.span.unwrap_or(Span::new(0, 0))
}

fn refused(path: &Path, line: usize, what: impl Into<String>) -> FetchError {
    let way_out = "make it anew with `gh actions-lock`";
    FetchError::Lock { path: path.to_owned(), line, what: what.into(), way_out }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA: &str = "93cb6efe18208431cddfb8368fd83d5badbf9bfd";

    fn read(text: &str) -> Result<GithubLock, FetchError> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("actions.lock");
        fs::write(&path, text).expect("written");
        GithubLock::read(&path).map(|lock| lock.expect("the file is there"))
    }

    #[test]
    fn the_lock_that_github_writes_is_read() {
        let text = format!(
            "# Docs\nversion: 'v0.0.2'\nworkflows:\n    '.github/workflows/ci.yml':\n        - 'actions/checkout@v5'\n    '.github/workflows/b.yml': []\ndependencies:\n    'actions/checkout@v5':\n        ref: 'v5'\n        commit: 'sha1-{SHA}'\n        owner_id: 1\n        repo_id: 2\n        uses:\n            - 'a/b@v1'\n"
        );
        let lock = read(&text).expect("valid");
        let place = Place::new("Actions", "Checkout", "v5").expect("valid");
        assert_eq!(lock.commit(&place), Some(SHA));
        assert!(lock.covers(".github/workflows/b.yml") && !lock.covers(".github/workflows/c.yml"));
        let uses = ["Actions/checkout@v5".to_owned(), "a/b@v1".to_owned()];
        assert_eq!(lock.missing(".github/workflows/ci.yml", &uses), ["a/b@v1"]);
        assert!(lock.missing(".github/workflows/c.yml", &uses).is_empty());
        let old = format!(
            "version: v0.0.1\ndependencies:\n  \"actions/checkout@v5:sha1-{SHA}\": {{branch: main, commit: sha1-{SHA}}}\n"
        );
        assert_eq!(read(&old).expect("valid").commit(&place), Some(SHA));
    }

    #[test]
    fn a_lock_that_cannot_be_trusted_is_refused_with_its_line() {
        for (text, line) in [
            ("version: 'v9'\n".to_owned(), 1),
            ("workflows: {}\n".to_owned(), 1),
            ("version: v0.0.2\nmore: 1\n".to_owned(), 2),
            ("version: v0.0.2\ndependencies:\n  'a/b@v1': {commit: sha1-12}\n".to_owned(), 3),
            (format!("version: v0.0.2\ndependencies:\n  'a/b@v1': {{commit: '{SHA}'}}\n"), 3),
            (format!("version: v0.0.2\ndependencies:\n  'a/..@v1': {{commit: 'sha1-{SHA}'}}\n"), 3),
            ("version: v0.0.2\ndependencies: [\n".to_owned(), 2),
            (String::new(), 1),
        ] {
            match read(&text) {
                Err(FetchError::Lock { line: at, what, .. }) => assert_eq!(at, line, "{what}\n{text}"),
                other => panic!("{other:?}\n{text}"),
            }
        }
    }
}
