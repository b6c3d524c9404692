//! The forge's own bare repository: it borrows the objects of the user's repository and takes what is pushed.
//!
//! ```text
//! user's repository (only read) ──objects, as alternates──► front ◄── pushes, clones, fetches
//!                               ──refs, copied────────────►
//! ```
//! `lineclear-copied` in the front remembers which refs were copied with which value. A ref that still has that value follows
//! the user's repository when the front is opened again; one that was pushed to since is left alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::GitServerError;
use crate::command::output;

/// Which refs were copied, in the front.
const COPIED: &str = "lineclear-copied";

/// References: full name → full commit (or tag) id.
type Refs = BTreeMap<String, String>;

/// What a [`crate::GitServer`] serves.
#[derive(Clone, Debug, Default)]
pub struct GitRepositories {
    /// The git directory of the run's repository (also of a linked working tree). Only ever read.
    pub source: PathBuf,
    /// Where the forge's own bare repository stands or is made when the first request comes; its parent is made too. Equal to
    /// `source`, it is served as it is: somebody else keeps it up to date.
    pub forge: PathBuf,
    /// Further folders of objects (`…/objects`) that refs below need and the source does not have.
    pub extra_objects: Vec<PathBuf>,
    /// References of the run's event, such as `refs/pull/7/merge` → full commit id.
    pub extra_refs: BTreeMap<String, String>,
    /// The branch that `HEAD` names; the source's own `HEAD` where it is empty or unknown.
    pub default_branch: Option<String>,
}

/// A reference of the forge's repository that differs from the user's repository, as pushes left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefChange {
    /// `refs/heads/…` or `refs/tags/…`.
    pub name: String,
    /// None where the push created it.
    pub old: Option<String>,
    /// None where the push removed it.
    pub new: Option<String>,
}

impl GitRepositories {
    /// Makes the front or brings it up to date; safe with other processes that do the same.
    pub(crate) fn open(&self) -> Result<(), GitServerError> {
        let parent = self.forge.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(parent).map_err(file("make the folder", parent))?;
        let path = self.forge.with_extension("lock");
        let lock = File::options().create(true).append(true).open(&path).map_err(file("open", &path))?;
        lock.lock().map_err(file("lock", &path))?;
        if self.is_its_own_source() {
            return self.set_extra_refs(&read_refs(&self.forge)?);
        }
        if !self.forge.join("HEAD").exists() {
            self.create(parent)?;
        }
        self.borrow_objects()?;
        self.copy_refs()
    }

    /// Whether the forge's repository is prepared by someone else: nothing is copied into it.
    fn is_its_own_source(&self) -> bool {
        match (self.source.canonicalize(), self.forge.canonicalize()) {
            (Ok(source), Ok(forge)) => source == forge,
            _ => false,
        }
    }

    /// What pushes changed since the refs were copied; nothing where nothing is copied.
    pub(crate) fn changes(&self) -> Result<Vec<RefChange>, GitServerError> {
        if !self.forge.join("HEAD").exists() || self.is_its_own_source() {
            return Ok(Vec::new());
        }
        let (copied, now) = (self.copied()?, read_refs(&self.forge)?);
        let names = copied.keys().chain(now.keys().filter(|name| !copied.contains_key(*name)));
        let mut changes: Vec<RefChange> = names
            .filter(|name| is_shared(name) && copied.get(*name) != now.get(*name))
            .map(|name| RefChange { name: name.clone(), old: copied.get(name).cloned(), new: now.get(name).cloned() })
            .collect();
        changes.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(changes)
    }

    fn create(&self, parent: &Path) -> Result<(), GitServerError> {
        // Made beside its place and renamed, so that a kill leaves no half repository behind.
        let format = text(output(&self.source, &["rev-parse", "--show-object-format"], b"")?);
        let making =
            tempfile::Builder::new().prefix(".new-").tempdir_in(parent).map_err(file("make a folder in", parent))?;
        let bare = making.path().join("front");
        let format = format!("--object-format={format}");
        output(&bare, &["init", "--quiet", "--bare", "--template=", &format], b"")?;
        if self.forge.exists() {
            // A folder without `HEAD`: what a removal that was cut short left.
            fs::remove_dir_all(&self.forge).map_err(file("remove", &self.forge))?;
        }
        fs::rename(&bare, &self.forge).map_err(file("make", &self.forge))
    }

    /// Names the folders of objects to borrow from, and where their history was cut.
    fn borrow_objects(&self) -> Result<(), GitServerError> {
        let common = self.common_folder()?;
        let mut folders = vec![common.join("objects")];
        folders.extend(self.extra_objects.iter().cloned());
        let mut lines = String::new();
        for folder in &folders {
            let folder = folder.canonicalize().map_err(file("find", folder))?;
            lines.push_str(&quoted(&folder));
            lines.push('\n');
        }
        write(&self.forge.join("objects/info/alternates"), &lines)?;
        match fs::read_to_string(common.join("shallow")) {
            Ok(shallow) => {
                // Lines stay: objects pushed or borrowed before may still stand on them.
                let path = self.forge.join("shallow");
                let before = fs::read_to_string(&path).unwrap_or_default();
                let lines: BTreeSet<&str> = before.lines().chain(shallow.lines()).collect();
                let mut joined: String = lines.into_iter().collect::<Vec<_>>().join("\n");
                joined.push('\n');
                write(&path, &joined)
            }
            Err(_) => Ok(()),
        }
    }

    /// The folder that linked working trees share.
    fn common_folder(&self) -> Result<PathBuf, GitServerError> {
        let said = text(output(&self.source, &["rev-parse", "--path-format=absolute", "--git-common-dir"], b"")?);
        Ok(PathBuf::from(said))
    }

    fn copy_refs(&self) -> Result<(), GitServerError> {
        let source = published(&read_refs(&self.source)?);
        let (before, now) = (self.copied()?, read_refs(&self.forge)?);
        let mut copied = before.clone();
        // A ref follows the user's repository unless a push moved, made or removed it.
        let gone = before.iter().filter(|(name, _)| !source.contains_key(*name));
        let deletions: Vec<String> = gone
            .clone()
            .filter(|(name, value)| now.get(*name) == Some(value))
            .map(|(name, value)| format!("delete {name} {value}\n"))
            .collect();
        copied.retain(|name, _| source.contains_key(name));
        self.update(&deletions)?;
        let moved: Vec<(&String, &String)> = source
            .iter()
            .filter(|(name, value)| before.get(*name) == now.get(*name) && now.get(*name) != Some(value))
            .collect();
        let orders: Vec<(&String, String)> =
            moved.iter().map(|(name, value)| (*name, order(name, value, now.get(*name)))).collect();
        let refused = self.update_most(&orders)?;
        for (name, value) in moved.into_iter().filter(|(name, _)| !refused.contains(*name)) {
            copied.insert(name.clone(), value.clone());
        }
        if copied != before {
            let lines: String = copied.iter().map(|(name, value)| format!("{value} {name}\n")).collect();
            write(&self.forge.join(COPIED), &lines)?;
        }
        self.set_extra_refs(&now)?;
        self.point_head(&source)
    }

    /// Sets the refs of the run's event; `now` is what there is.
    fn set_extra_refs(&self, now: &Refs) -> Result<(), GitServerError> {
        let mut orders = Vec::new();
        for (name, value) in &self.extra_refs {
            let well_formed = name.starts_with("refs/")
                && !name.chars().any(|c| c.is_whitespace() || c.is_control())
                && is_full_id(value);
            if !well_formed {
                return Err(GitServerError::BadReference { name: name.clone(), value: value.clone() });
            }
            orders.push(order(name, value, now.get(name)));
        }
        self.update(&orders)
    }

    /// Changes refs of the front and names those that cannot be: an object is missing, or a pushed ref stands in the way.
    /// Halves what failed until the culprits are alone.
    fn update_most(&self, orders: &[(&String, String)]) -> Result<BTreeSet<String>, GitServerError> {
        let texts: Vec<String> = orders.iter().map(|(_, order)| order.clone()).collect();
        match self.update(&texts) {
            Ok(()) => return Ok(BTreeSet::new()),
            Err(GitServerError::Git { .. }) => {}
            Err(other) => return Err(other),
        }
        if let [(name, _)] = orders {
            return Ok([(*name).clone()].into());
        }
        let (first, second) = orders.split_at(orders.len() / 2);
        let mut refused = self.update_most(first)?;
        refused.extend(self.update_most(second)?);
        Ok(refused)
    }

    /// Changes refs of the front, all or none.
    fn update(&self, orders: &[String]) -> Result<(), GitServerError> {
        if orders.is_empty() {
            return Ok(());
        }
        output(&self.forge, &["update-ref", "--no-deref", "--stdin"], orders.concat().as_bytes()).map(|_| ())
    }

    /// `HEAD` names the default branch, as on a forge; else what the user's repository has checked out.
    fn point_head(&self, source: &Refs) -> Result<(), GitServerError> {
        let default = self.default_branch.as_ref().map(|branch| format!("refs/heads/{branch}"));
        let checked_out = || output(&self.source, &["symbolic-ref", "--quiet", "HEAD"], b"").ok().map(text);
        let usual = || {
            ["refs/heads/main", "refs/heads/master"]
                .into_iter()
                .find(|name| source.contains_key(*name))
                .map(str::to_owned)
        };
        let known = |name: &String| source.contains_key(name);
        if let Some(head) = default.filter(known).or_else(checked_out).or_else(usual) {
            output(&self.forge, &["symbolic-ref", "HEAD", &head], b"")?;
        }
        Ok(())
    }

    fn copied(&self) -> Result<Refs, GitServerError> {
        let path = self.forge.join(COPIED);
        match fs::read_to_string(&path) {
            Ok(lines) => Ok(parse_refs(&lines)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Refs::new()),
            Err(error) => Err(file("read", &path)(error)),
        }
    }
}

/// Branches and tags: what a forge shows and a push may change.
fn is_shared(name: &str) -> bool {
    name.starts_with("refs/heads/") || name.starts_with("refs/tags/")
}

/// What a forge would have of these refs: branches and tags; a branch that is known only as `origin`'s counts as a branch.
fn published(refs: &Refs) -> Refs {
    let mut shown: Refs = refs
        .iter()
        .filter_map(|(name, value)| Some((name.strip_prefix("refs/remotes/origin/")?, value)))
        .filter(|(branch, _)| *branch != "HEAD")
        .map(|(branch, value)| (format!("refs/heads/{branch}"), value.clone()))
        .collect();
    let own: Refs =
        refs.iter().filter(|(name, _)| is_shared(name)).map(|(name, value)| (name.clone(), value.clone())).collect();
    // A local branch `a` and a remote `a/b` cannot stand beside each other in one repository: the local one stays.
    shown.retain(|name, _| !own.keys().any(|mine| is_below(name, mine) || is_below(mine, name)));
    shown.extend(own);
    shown
}

fn is_below(name: &str, folder: &str) -> bool {
    name.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

fn read_refs(git_dir: &Path) -> Result<Refs, GitServerError> {
    let said = output(git_dir, &["for-each-ref", "--format=%(objectname) %(refname)"], b"")?;
    Ok(parse_refs(&String::from_utf8_lossy(&said)))
}

fn parse_refs(lines: &str) -> Refs {
    lines
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(value, name)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn is_full_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// An order of `update-ref --stdin` that fails where another process moved the ref meanwhile.
fn order(name: &str, value: &str, present: Option<&String>) -> String {
    match present {
        Some(present) => format!("update {name} {value} {present}\n"),
        None => format!("create {name} {value}\n"),
    }
}

/// The path as a quoted line of git, so that any name stays one name.
fn quoted(path: &Path) -> String {
    let mut line = String::from('"');
    for &byte in path.as_os_str().as_bytes() {
        match byte {
            b'"' | b'\\' => line.extend(['\\', char::from(byte)]),
            b' '..=b'~' => line.push(char::from(byte)),
            other => line.push_str(&format!("\\{other:03o}")),
        }
    }
    line.push('"');
    line
}

fn text(said: Vec<u8>) -> String {
    String::from_utf8_lossy(&said).trim_end_matches('\n').to_owned()
}

fn write(path: &Path, content: &str) -> Result<(), GitServerError> {
    if fs::read_to_string(path).is_ok_and(|before| before == content) {
        return Ok(());
    }
    let beside = path.with_extension("writing");
    fs::write(&beside, content).map_err(file("write", &beside))?;
    fs::rename(&beside, path).map_err(file("write", path))
}

fn file(what: &'static str, path: &Path) -> impl Fn(std::io::Error) -> GitServerError + use<> {
    let path = path.to_owned();
    move |source| GitServerError::File { what, path: path.clone(), source }
}
