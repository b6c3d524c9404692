//! What lies around the file that is looked at.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use lineclear_catalog::Advisories;
use lineclear_policy::{Date, Policy};
use lineclear_source::Source;
use lineclear_workflow::{Action, Read, Workflow};

use crate::linter::{Remark, Snippet};

/// The port through which the checker sees files. Paths are from the repository's root, with forward slashes.
pub trait Files: Sync {
    /// The bytes of a file; `None` where there is none.
    ///
    /// # Errors
    /// A sentence, for a file that is there and cannot be read.
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, String>;
    /// Whether there is a file or folder.
    fn exists(&self, path: &str) -> bool;
    /// All files that git would keep, sorted. Asked for by few rules, once.
    fn list(&self) -> Vec<String>;
    /// The metadata file of an action of another repository (`owner/repo[/path]@ref`), or a workflow of one
    /// (`owner/repo/.github/workflows/f.yml@ref`), if it is on this machine.
    fn remote(&self, uses: &str) -> Option<String>;
    /// The advisories of actions: those that come with the program, and what was imported beside them.
    fn advisories(&self) -> &Advisories {
        static BUILT_IN: std::sync::OnceLock<Advisories> = std::sync::OnceLock::new();
        BUILT_IN.get_or_init(Advisories::built_in)
    }
    /// What the lock file says of `owner/repo@ref`.
    fn locked(&self, repository: &str, reference: &str) -> Option<Locked>;
    /// The commit that `reference` of `owner/repo` is on its server now, and the most exact tag that names it. Asked for only by
    /// fixes, for what the lock does not have; without a server there is no answer.
    fn resolve(&self, _repository: &str, _reference: &str) -> Option<Locked> {
        None
    }
    /// What ShellCheck says of each of these scripts; `None` if it is not there. Asked once for a file, with all its scripts.
    fn lint_shell(&self, _snippets: &[Snippet]) -> Option<Vec<Vec<Remark>>> {
        None
    }
    /// What Python says of each of these scripts; `None` if it is not there.
    fn lint_python(&self, _snippets: &[Snippet]) -> Option<Vec<Vec<Remark>>> {
        None
    }
    /// The day, in UTC, on which this is asked; without a clock nothing is over.
    fn today(&self) -> Option<Date> {
        None
    }
    /// The name of this repository, `owner/repo`, if it has one.
    fn own_name(&self) -> Option<String> {
        None
    }
}

/// An entry of `lineclear.lock`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locked {
    /// The commit, 40 hexadecimal digits.
    pub commit: String,
    /// The tag or branch that was locked.
    pub reference: String,
}

/// What became of looking for another file.
#[derive(Clone, Debug)]
pub enum Lookup<T> {
    /// It is there.
    Found(T),
    /// There is none.
    Missing,
    /// It is there and cannot be understood: its own findings say why.
    Unreadable,
    /// It is in another repository and not on this machine.
    Elsewhere,
}

impl<T> Lookup<T> {
    /// What was found, if it was.
    pub fn found(self) -> Option<T> {
        if let Self::Found(found) = self { Some(found) } else { None }
    }
}

/// The repository around a file. Called workflows and local actions are read once, and shared with their own checks.
pub struct Project<'f> {
    files: &'f dyn Files,
    workflows: Mutex<HashMap<String, Option<Arc<Read<Workflow>>>>>,
    actions: Mutex<HashMap<String, Option<Arc<Read<Action>>>>>,
    listed: std::sync::OnceLock<Arc<[String]>>,
    policy: std::sync::OnceLock<Option<Arc<Policy>>>,
}

impl<'f> Project<'f> {
    /// The repository that `files` shows.
    pub fn new(files: &'f dyn Files) -> Self {
        Self {
            files,
            workflows: Mutex::default(),
            actions: Mutex::default(),
            listed: std::sync::OnceLock::new(),
            policy: std::sync::OnceLock::new(),
        }
    }

    /// The files.
    pub fn files(&self) -> &'f dyn Files {
        self.files
    }

    /// Whether there is a file or folder of this path.
    pub fn exists(&self, path: &str) -> bool {
        self.files.exists(path)
    }

    /// Lets go of the workflows and actions that were read, once all files of the repository are checked.
    pub fn forget(&self) {
        self.workflows.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.actions.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// All files that git would keep, sorted.
    pub fn list(&self) -> Arc<[String]> {
        Arc::clone(self.listed.get_or_init(|| self.files.list().into()))
    }

    /// `lineclear.toml`, if there is one.
    pub fn policy(&self) -> Option<Arc<Policy>> {
        let read = || {
            let bytes = self.files.read("lineclear.toml").ok().flatten()?;
            let text = String::from_utf8(bytes).ok()?;
            Some(Arc::new(Policy::read(&Source::new("lineclear.toml", text)).0))
        };
        self.policy.get_or_init(read).clone()
    }

    /// What the lock says of `owner/repo@ref`.
    pub fn locked(&self, repository: &str, reference: &str) -> Option<Locked> {
        self.files.locked(repository, reference)
    }

    /// What `reference` of `owner/repo` is on its server now, for fixes.
    pub fn resolve(&self, repository: &str, reference: &str) -> Option<Locked> {
        self.files.resolve(repository, reference)
    }

    /// The workflow at `path` of this repository.
    pub fn workflow(&self, path: &str) -> Lookup<Arc<Read<Workflow>>> {
        self.look_up(&self.workflows, path, |path| self.source(path), Workflow::read)
    }

    /// The workflow of this text, whose name is its path: it is read once, whoever asked for it first.
    ///
    /// A file that was looked up before it is checked itself is taken as it was then, if its text is the same.
    pub(crate) fn read_workflow(&self, source: &Source) -> Arc<Read<Workflow>> {
        let known = self.workflows.lock().unwrap_or_else(PoisonError::into_inner).get(source.name()).cloned().flatten();
        let is_same = |read: &Arc<Read<Workflow>>| {
            read.model.as_ref().is_some_and(|workflow| workflow.source.text() == source.text())
        };
        if let Some(read) = known.filter(is_same) {
            return read;
        }
        let read = Arc::new(Workflow::read(source));
        let mut kept = self.workflows.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(source.name().to_owned(), Some(Arc::clone(&read)));
        read
    }

    /// The workflow `owner/repo/.github/workflows/f.yml@ref`, if it is on this machine.
    pub fn remote_workflow(&self, uses: &str) -> Lookup<Arc<Read<Workflow>>> {
        elsewhere(self.look_up(&self.workflows, uses, |uses| self.remote_source(uses), Workflow::read))
    }

    /// The action in the folder `path` of this repository: its `action.yml` or `action.yaml`.
    pub fn action(&self, path: &str) -> Lookup<Arc<Read<Action>>> {
        let folder = path.trim_matches('/');
        let in_folder = |name: &str| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        let either = |_: &str| self.source(&in_folder("action.yml")).or_else(|| self.source(&in_folder("action.yaml")));
        self.look_up(&self.actions, folder, either, Action::read)
    }

    /// The action `owner/repo[/path]@ref`, if it is on this machine.
    pub fn remote_action(&self, uses: &str) -> Lookup<Arc<Read<Action>>> {
        elsewhere(self.look_up(&self.actions, uses, |uses| self.remote_source(uses), Action::read))
    }

    fn source(&self, path: &str) -> Option<Source> {
        let bytes = self.files.read(path).ok().flatten()?;
        Some(Source::new(path, String::from_utf8(bytes).ok()?))
    }

    fn remote_source(&self, uses: &str) -> Option<Source> {
        self.files.remote(uses).map(|text| Source::new(uses, text))
    }

    fn look_up<T>(
        &self,
        kept: &Mutex<HashMap<String, Option<Arc<Read<T>>>>>,
        key: &str,
        source: impl FnOnce(&str) -> Option<Source>,
        read: impl FnOnce(&Source) -> Read<T>,
    ) -> Lookup<Arc<Read<T>>> {
        let known = kept.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned();
        let found = known.unwrap_or_else(|| {
            let read = source(key).map(|source| Arc::new(read(&source)));
            kept.lock().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned(), read.clone());
            read
        });
        match found {
            None => Lookup::Missing,
            Some(read) if read.model.is_none() => Lookup::Unreadable,
            Some(read) => Lookup::Found(read),
        }
    }
}

fn elsewhere<T>(lookup: Lookup<T>) -> Lookup<T> {
    if let Lookup::Missing = lookup { Lookup::Elsewhere } else { lookup }
}

impl fmt::Debug for Project<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Project")
    }
}

/// A workflow that was read, shared by all that look at it.
#[derive(Clone, Debug)]
pub struct SharedWorkflow(Arc<Read<Workflow>>);

impl SharedWorkflow {
    /// What was read, if it could be understood.
    pub fn of(read: &Arc<Read<Workflow>>) -> Option<Self> {
        read.model.is_some().then(|| Self(Arc::clone(read)))
    }
}

impl std::ops::Deref for SharedWorkflow {
    type Target = Workflow;

    fn deref(&self) -> &Workflow {
        self.0.model.as_ref().expect("made only of what could be understood")
    }
}

/// All files of one repository that were read, for rules that look at several at once.
#[derive(Debug)]
pub struct Repository<'a> {
    /// The workflows, in the order of their paths.
    pub workflows: &'a [SharedWorkflow],
    /// `lineclear.toml` with its text, if there is one.
    pub policy: Option<(&'a Source, &'a Policy)>,
    /// What lies around.
    pub project: &'a Project<'a>,
}

/// Files in memory: for tests, and for editors' unsaved texts.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// Texts by path.
    pub files: BTreeMap<String, String>,
    /// Metadata files by `uses`.
    pub remote: BTreeMap<String, String>,
    /// Locked commits by repository and reference.
    pub locked: BTreeMap<(String, String), Locked>,
    /// What a server would say, in the same way.
    pub resolved: BTreeMap<(String, String), Locked>,
    /// The repository's own name.
    pub own_name: Option<String>,
    /// The day on which it is asked.
    pub today: Option<Date>,
}

impl Files for Memory {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, String> {
        Ok(self.files.get(path).map(|text| text.clone().into_bytes()))
    }

    fn exists(&self, path: &str) -> bool {
        let folder = format!("{}/", path.trim_end_matches('/'));
        self.files.contains_key(path) || self.files.keys().any(|name| name.starts_with(&folder))
    }

    fn list(&self) -> Vec<String> {
        self.files.keys().cloned().collect()
    }

    fn remote(&self, uses: &str) -> Option<String> {
        self.remote.get(uses).cloned()
    }

    fn locked(&self, repository: &str, reference: &str) -> Option<Locked> {
        self.locked.get(&(repository.to_owned(), reference.to_owned())).cloned()
    }

    fn resolve(&self, repository: &str, reference: &str) -> Option<Locked> {
        self.resolved.get(&(repository.to_owned(), reference.to_owned())).cloned()
    }

    fn own_name(&self) -> Option<String> {
        self.own_name.clone()
    }

    fn today(&self) -> Option<Date> {
        self.today
    }
}
