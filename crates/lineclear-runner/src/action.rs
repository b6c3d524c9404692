//! Finds actions and reads what they are.
//!
//! # Source
//! Sections 5.1 and 5.2 of the protocol notes, after `ActionManager.cs` of `actions/runner`.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use lineclear_event::WorkflowOrigin;
use lineclear_source::Source;
use lineclear_workflow::{Action, ActionRef, Runs};

use crate::containers::Place;
use crate::display_name;
use crate::frame::Origin;
use crate::job::Job;
use crate::native::{InContainer, NativeAction};
use crate::plain_file;
use crate::ports::{FetchedAction, inside, lock};

/// Larger metadata files are refused, as GitHub refuses them.
const LARGEST_METADATA: u64 = 1 << 20;

/// An action that can be called.
#[derive(Debug)]
pub(crate) struct LoadedAction {
    /// As `uses:` names it.
    pub(crate) reference: String,
    /// `github.action_repository` and `github.action_ref`; empty for one in the workspace.
    pub(crate) repository: String,
    pub(crate) version: String,
    /// The commit, when it is known.
    pub(crate) sha: Option<String>,
    pub(crate) folder: PathBuf,
    /// What the folder lies in: nothing of the action is outside.
    pub(crate) root: PathBuf,
    pub(crate) origin: Origin,
    pub(crate) metadata: Action,
    pub(crate) body: Body,
    /// Read from the workspace when its step was reached: has no `pre` stage.
    pub(crate) is_local: bool,
}

/// What carries an action out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// What its metadata says.
    OfItsOwn,
    /// The built-in action of this number.
    Native(usize),
}

/// Remembers what was fetched and read for a job. Local actions are read anew each time: steps write them.
#[derive(Debug, Default)]
pub(crate) struct Loader {
    actions: Mutex<HashMap<(Origin, String), Loaded>>,
    fetched: Mutex<HashMap<Origin, Result<FetchedAction, String>>>,
}

type Loaded = Result<Arc<LoadedAction>, String>;

impl Job<'_> {
    /// The action that `uses` names in a file of `origin`. The error is a sentence with the way out.
    pub(crate) fn load(&self, uses: &ActionRef, origin: &Origin) -> Loaded {
        if let ActionRef::Local { path } = uses {
            return self.load_local(path, origin).map(Arc::new);
        }
        let key = (origin.clone(), display_name::reference(uses));
        if let Some(known) = lock(&self.loader.actions).get(&key) {
            return known.clone();
        }
        // Not under the lock: fetching may take long, and doing it twice does no harm.
        let loaded = self.load_anew(uses, origin).map(Arc::new);
        lock(&self.loader.actions).insert(key, loaded.clone());
        loaded
    }

    fn load_anew(&self, uses: &ActionRef, origin: &Origin) -> Result<LoadedAction, String> {
        match uses {
            ActionRef::Docker { image } => of_image(image, origin),
            ActionRef::Local { path } => self.load_local(path, origin),
            ActionRef::SameRepository { path } => self.load_same_repository(path, origin),
            ActionRef::Remote { owner, repo, path, reference } => {
                let name = match path {
                    Some(path) => format!("{owner}/{repo}/{path}"),
                    None => format!("{owner}/{repo}"),
                };
                let native = self.hands.settings.native_actions.then(|| self.native(&name, reference)).flatten();
                match native {
                    Some((number, InContainer::BuiltIn)) => self.load_native(number, uses),
                    Some((number, InContainer::Real)) if self.place() == Place::Machine => self.load_native(number, uses),
                    Some((_, InContainer::Real)) => self.load_remote(uses).map_err(|reason| {
                        format!(
                            "the built-in `{name}` works on the machine, and this job runs in a container, so the real one is \
                             needed: {reason}"
                        )
                    }),
                    None => self.load_remote(uses),
                }
            }
        }
    }

    /// The action itself, also where a built-in one stands for it elsewhere.
    fn load_remote(&self, uses: &ActionRef) -> Result<LoadedAction, String> {
        let ActionRef::Remote { owner, repo, path, reference } = uses else {
            return Err(format!("`{}` is not in another repository", display_name::reference(uses)));
        };
        let place = RemotePlace { owner, repo, reference };
        let FetchedAction { folder: root, sha } = self.fetch(place)?;
        let found = Found {
            reference: display_name::reference(uses),
            repository: format!("{owner}/{repo}"),
            version: reference.clone(),
            sha,
            origin: place.origin(),
            is_local: false,
        };
        let folder = inside(&root, path.as_deref().unwrap_or_default())
            .ok_or_else(|| format!("`{}` leads out of its repository", found.reference))?;
        read(found, root, folder)
    }

    /// The real action in the place of the built-in one, for a step that asks for what only its container has.
    pub(crate) fn load_real(&self, uses: &ActionRef) -> Loaded {
        self.load_remote(uses).map(Arc::new)
    }

    fn load_local(&self, path: &str, origin: &Origin) -> Result<LoadedAction, String> {
        let reference = format!("./{path}");
        let workspace = &self.room.layout().workspace;
        let folder = inside(workspace, path).ok_or_else(|| format!("`{reference}` leads out of the workspace"))?;
        let found = Found {
            reference,
            repository: String::new(),
            version: String::new(),
            sha: None,
            // Its own `$/` is that of the file that uses it.
            origin: origin.clone(),
            is_local: true,
        };
        read(found, workspace.clone(), folder)
    }

    fn load_same_repository(&self, path: &str, origin: &Origin) -> Result<LoadedAction, String> {
        let reference = format!("$/{path}");
        let (root, repository, version) = match origin {
            Origin::Here => {
                let github = |key| self.contexts.github.get(key).to_text();
                (self.hands.settings.repository_root.clone(), github("repository"), github("sha"))
            }
            Origin::Remote { owner, repo, reference } => {
                let fetched = self.fetch(RemotePlace { owner, repo, reference })?;
                (fetched.folder, format!("{owner}/{repo}"), reference.clone())
            }
        };
        let folder = inside(&root, path).ok_or_else(|| format!("`{reference}` leads out of its repository"))?;
        // Outside of the job's folders a container sees nothing.
        let (root, folder) = match (self.place(), origin) {
            (Place::Machine | Place::Action, _) | (_, Origin::Remote { .. }) => (root, folder),
            (Place::Container, Origin::Here) => {
                let copy = self.copied(&folder, &format!("{SAME_REPOSITORY}/{path}"))?;
                (copy.clone(), copy)
            }
        };
        let found = Found { reference, repository, version, sha: None, origin: origin.clone(), is_local: false };
        read(found, root, folder)
    }

    fn fetch(&self, place: RemotePlace<'_>) -> Result<FetchedAction, String> {
        let RemotePlace { owner, repo, reference } = place;
        let key = place.origin();
        if let Some(known) = lock(&self.loader.fetched).get(&key) {
            return known.clone();
        }
        let fetched = self.hands.actions.fetch(owner, repo, reference).and_then(|fetched| match self.place() {
            Place::Machine | Place::Action => Ok(fetched),
            Place::Container => {
                let folder = self.copied(&fetched.folder, &format!("{owner}/{repo}/{reference}"))?;
                Ok(FetchedAction { folder, ..fetched })
            }
        });
        lock(&self.loader.fetched).insert(key, fetched.clone());
        fetched
    }

    /// A copy of an action's files in the folder of the job that its container sees.
    fn copied(&self, from: &Path, name: &str) -> Result<PathBuf, String> {
        let to = inside(&self.room.layout().actions, name)
            .ok_or_else(|| format!("the action `{name}` would be put outside of the job's folders"))?;
        if !to.exists() {
            copy_tree(from, &to)
                .map_err(|error| format!("cannot copy the action `{name}` for the job's container: {error}"))?;
        }
        Ok(to)
    }

    /// The built-in action that stands for `name@reference`, and whether it does so in a container.
    fn native(&self, name: &str, reference: &str) -> Option<(usize, InContainer)> {
        let natives = &self.hands.natives;
        let stands =
            |native: &dyn NativeAction| native.name().eq_ignore_ascii_case(name) && native.stands_for(reference);
        let number = natives.iter().position(|native| stands(&**native))?;
        Some((number, natives[number].in_container()))
    }

    pub(crate) fn native_action(&self, number: usize) -> Option<&dyn NativeAction> {
        self.hands.natives.get(number).map(|native| &**native)
    }

    fn load_native(&self, number: usize, uses: &ActionRef) -> Result<LoadedAction, String> {
        let reference = display_name::reference(uses);
        let Some(native) = self.native_action(number) else {
            return Err(format!("there is no built-in action for `{reference}`"));
        };
        let mut text = native.metadata().to_owned();
        if !text.lines().any(|line| line.starts_with("runs:")) {
            text.push_str("\nruns: { using: node24, main: built-in }\n");
        }
        let source = Source::new(format!("{}/action.yml (built in)", native.name()), text);
        let (repository, version) = match uses {
            ActionRef::Remote { owner, repo, reference, .. } => (format!("{owner}/{repo}"), reference.clone()),
            _ => Default::default(),
        };
        let metadata = metadata(&source, &reference)?;
        Ok(LoadedAction {
            reference,
            repository,
            version,
            sha: None,
            folder: PathBuf::new(),
            root: PathBuf::new(),
            origin: Origin::Here,
            metadata,
            body: Body::Native(number),
            is_local: false,
        })
    }
}

/// Where the copies of actions of the run's own repository are put.
const SAME_REPOSITORY: &str = "__repository";

/// Copies a folder without its history. Links stay links, what is neither file, folder nor link is left out. Nothing is left of a copy
/// that fails.
fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    let parent = to.parent().unwrap_or(to);
    fs::create_dir_all(parent)?;
    // Two steps may want the same action at once: whoever is first has made it.
    let draft = parent.join(format!(".{}-{:?}", std::process::id(), std::thread::current().id()));
    let copied = copy_into(from, &draft).and_then(|()| match fs::rename(&draft, to) {
        Err(_) if to.is_dir() => fs::remove_dir_all(&draft),
        renamed => renamed,
    });
    if copied.is_err() {
        // The first error is the one that counts; what is left goes with the job's folders.
        let _ = fs::remove_dir_all(&draft);
    }
    copied
}

fn copy_into(from: &Path, to: &Path) -> io::Result<()> {
    let mut waiting = vec![(from.to_owned(), to.to_owned())];
    while let Some((from, to)) = waiting.pop() {
        fs::create_dir(&to)?;
        for entry in fs::read_dir(&from)? {
            let entry = entry?;
            let (kind, name) = (entry.file_type()?, entry.file_name());
            let target = to.join(&name);
            if kind.is_dir() && name != ".git" {
                waiting.push((entry.path(), target));
            } else if kind.is_symlink() {
                std::os::unix::fs::symlink(fs::read_link(entry.path())?, target)?;
            } else if kind.is_file() {
                fs::copy(entry.path(), target)?;
            }
        }
    }
    Ok(())
}

/// A repository at a commit.
#[derive(Clone, Copy)]
struct RemotePlace<'r> {
    owner: &'r str,
    repo: &'r str,
    reference: &'r str,
}

impl RemotePlace<'_> {
    fn origin(self) -> Origin {
        Origin::Remote {
            owner: self.owner.to_owned(),
            repo: self.repo.to_owned(),
            reference: self.reference.to_owned(),
        }
    }
}

/// What is known of an action before its metadata is read.
struct Found {
    reference: String,
    repository: String,
    version: String,
    sha: Option<String>,
    origin: Origin,
    is_local: bool,
}

/// Reads the metadata in `folder`: `action.yml`, then `action.yaml`; a bare Dockerfile is a Docker action (trap 78).
fn read(found: Found, root: PathBuf, folder: PathBuf) -> Result<LoadedAction, String> {
    let Found { reference, repository, version, sha, origin, is_local } = found;
    for name in ["action.yml", "action.yaml"] {
        let file = folder.join(name);
        let text = match plain_file::read(&file, LARGEST_METADATA) {
            Ok(text) => text,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => continue,
            Err(error) => return Err(format!("cannot read `{}` of action `{reference}`: {error}", file.display())),
        };
        let shown = format!("{}/{name}", reference.trim_end_matches('/'));
        let metadata = metadata(&Source::new(shown, text), &reference)?;
        return Ok(LoadedAction {
            reference,
            repository,
            version,
            sha,
            folder,
            root,
            origin,
            metadata,
            body: Body::OfItsOwn,
            is_local,
        });
    }
    if let Some(name) = ["Dockerfile", "dockerfile"].into_iter().find(|name| folder.join(name).is_file()) {
        let metadata = docker_metadata(&reference, name)?;
        return Ok(LoadedAction {
            reference,
            repository,
            version,
            sha,
            folder,
            root,
            origin,
            metadata,
            body: Body::OfItsOwn,
            is_local,
        });
    }
    Err(missing(&reference, &folder, is_local))
}

fn missing(reference: &str, folder: &Path, is_local: bool) -> String {
    let what =
        format!("there is no `action.yml`, `action.yaml` or `Dockerfile` for `{reference}` in `{}`", folder.display());
    if is_local {
        format!(
            "{what}: a local action is read from the workspace when its step is reached; run actions/checkout before it"
        )
    } else {
        what
    }
}

fn metadata(source: &Source, reference: &str) -> Result<Action, String> {
    let read = Action::read(source);
    let errors: Vec<String> = read
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.is_error())
        .map(|diagnostic| match diagnostic.span {
            Some(span) => format!("{}:{} {}", source.name(), source.position(span.start), diagnostic.message),
            None => format!("{} {}", source.name(), diagnostic.message),
        })
        .collect();
    match read.model {
        Some(action) if errors.is_empty() => Ok(action),
        _ => Err(format!("the metadata of action `{reference}` is not valid: {}", errors.join("; "))),
    }
}

/// The action that `docker://image` is: a container of the image, with what stands under `with`.
fn of_image(image: &str, origin: &Origin) -> Result<LoadedAction, String> {
    let reference = format!("docker://{image}");
    let metadata = docker_metadata(&reference, &reference)?;
    Ok(LoadedAction {
        reference,
        repository: String::new(),
        version: String::new(),
        sha: None,
        folder: PathBuf::new(),
        root: PathBuf::new(),
        origin: origin.clone(),
        metadata,
        body: Body::OfItsOwn,
        is_local: false,
    })
}

/// The metadata of a Docker action that has none.
fn docker_metadata(reference: &str, image: &str) -> Result<Action, String> {
    // Every JSON string is a YAML scalar.
    let image = serde_json::Value::from(image);
    let text = format!("name: Docker action\nruns: {{ using: docker, image: {image} }}\n");
    metadata(&Source::new(reference, text), reference)
}

impl LoadedAction {
    pub(crate) fn is_composite(&self) -> bool {
        matches!(self.metadata.runs, Runs::Composite { .. }) && self.body == Body::OfItsOwn
    }
}

/// The origin of a workflow file.
pub(crate) fn origin_of(file: &WorkflowOrigin) -> Origin {
    match file {
        WorkflowOrigin::Local { .. } => Origin::Here,
        WorkflowOrigin::Remote { owner, repo, reference, .. } => {
            Origin::Remote { owner: owner.clone(), repo: repo.clone(), reference: reference.clone() }
        }
    }
}
