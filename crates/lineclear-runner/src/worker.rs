//! What one thread of a job has in its hands while it runs steps.

use std::collections::{BTreeMap, BTreeSet};

use crate::environment::Env;
use crate::pause::LastPlace;
use crate::ports::JobControl;
use crate::post::Post;

/// The part of a job that steps change for the steps after them, apart from what only their own frame sees.
///
/// The job's thread has one. A background step gets a copy; what it changed becomes the job's when it is waited for.
#[derive(Debug)]
pub(crate) struct Worker {
    /// Stops this thread alone when it is not the job's own.
    pub(crate) control: JobControl,
    /// `env` of the workflow and the job, and everything that steps wrote to `GITHUB_ENV`.
    pub(crate) env: Env,
    /// Folders that steps added to the `PATH`, the newest first.
    pub(crate) path: Vec<String>,
    /// What has to run after the steps, in the order in which it was registered.
    pub(crate) posts: Vec<Post>,
    /// State that actions keep for their later stages, by step.
    pub(crate) states: BTreeMap<String, BTreeMap<String, String>>,
    /// Steps whose `pre` stage has run.
    pub(crate) pre_done: BTreeSet<String>,
    /// Where the last process ran; kept only for a pause.
    pub(crate) last_place: Option<LastPlace>,
    /// What this thread changed, kept only where it has to be repeated on the job's own thread.
    changes: Option<Vec<Change>>,
}

/// Something that a background step changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Env { name: String, value: String },
    Path(String),
}

/// What a background step leaves to the job.
#[derive(Debug)]
pub(crate) struct Legacy {
    changes: Vec<Change>,
    posts: Vec<Post>,
    states: BTreeMap<String, BTreeMap<String, String>>,
}

impl Worker {
    pub(crate) fn new(control: JobControl, env: Env) -> Self {
        Self {
            control,
            env,
            path: Vec::new(),
            posts: Vec::new(),
            states: BTreeMap::new(),
            pre_done: BTreeSet::new(),
            last_place: None,
            changes: None,
        }
    }

    /// A worker for the background step `key`, which begins with what is there now and takes its own state along.
    pub(crate) fn fork(&mut self, control: JobControl, key: &str) -> Self {
        let within = format!("{key}.");
        let own: Vec<String> =
            self.states.keys().filter(|other| *other == key || other.starts_with(&within)).cloned().collect();
        let states = own.into_iter().filter_map(|key| self.states.remove_entry(&key)).collect();
        Self {
            control,
            env: self.env.clone(),
            path: self.path.clone(),
            posts: Vec::new(),
            states,
            pre_done: self.pre_done.clone(),
            last_place: None,
            changes: Some(Vec::new()),
        }
    }

    pub(crate) fn into_legacy(self) -> Legacy {
        Legacy { changes: self.changes.unwrap_or_default(), posts: self.posts, states: self.states }
    }

    /// Takes over what a background step changed.
    pub(crate) fn inherit(&mut self, legacy: Legacy) {
        for change in legacy.changes {
            match change {
                Change::Env { name, value } => self.set_env(name, value),
                Change::Path(folder) => self.add_path(folder),
            }
        }
        for post in legacy.posts {
            self.register(post);
        }
        self.states.extend(legacy.states);
    }

    pub(crate) fn set_env(&mut self, name: String, value: String) {
        if let Some(changes) = &mut self.changes {
            changes.push(Change::Env { name: name.clone(), value: value.clone() });
        }
        self.env.set(name, value);
    }

    /// Puts `folder` before all others; one that is there already moves (trap 30).
    pub(crate) fn add_path(&mut self, folder: String) {
        if let Some(changes) = &mut self.changes {
            changes.push(Change::Path(folder.clone()));
        }
        self.path.retain(|other| *other != folder);
        self.path.insert(0, folder);
    }

    /// Remembers a post stage. A step that has one already, from its `pre` stage, keeps its place.
    pub(crate) fn register(&mut self, post: Post) {
        Post::register(&mut self.posts, post);
    }
}
