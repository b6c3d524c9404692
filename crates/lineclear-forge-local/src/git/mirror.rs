//! The forge's repository: made once, then brought up to date with the user's whenever the forge is opened.
//!
//! Branches and tags of the user's repository are branches and tags here; a branch that is known of `origin` alone is one, too.
//! What a run pushed stays until the user's branch of this name moves: `refs/lineclear/seen/` remembers where it was.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::{Git, GitError, first_line, is_object_id, run};
use crate::RepositoryFacts;

const SEEN: &str = "refs/lineclear/seen/";

impl Git {
    /// Opens or makes the bare repository `directory`. The caller keeps other processes out.
    pub(crate) fn prepare(directory: PathBuf, facts: &RepositoryFacts) -> Result<Self, GitError> {
        let users = facts.git.as_deref().map(User::find).transpose()?;
        let git = Self { directory, default_branch: facts.default_branch.clone() };
        if !git.directory.join("HEAD").is_file() {
            git.make(users.as_ref())?;
        }
        if let Some(user) = &users {
            git.borrow(user)?;
            git.follow(user)?;
        }
        git.set_pull_refs(facts)?;
        Ok(git)
    }

    fn make(&self, user: Option<&User>) -> Result<(), GitError> {
        // Made beside and renamed, so that a kill leaves no half of a repository.
        let fault = |source| GitError::Io { path: self.directory.clone(), source };
        let new = self.directory.with_extension("new");
        if new.exists() {
            fs::remove_dir_all(&new).map_err(fault)?;
        }
        fs::create_dir_all(&new).map_err(fault)?;
        let format = user.map_or("sha1", |user| user.object_format.as_str());
        let format = format!("--object-format={format}");
        let branch =
            format!("--initial-branch={}", if self.default_branch.is_empty() { "main" } else { &self.default_branch });
        let path = new.as_os_str();
        run(
            None,
            &[
                "init".as_ref(),
                "--bare".as_ref(),
                "--quiet".as_ref(),
                "--template=".as_ref(),
                format.as_ref(),
                branch.as_ref(),
                path,
            ],
            &[],
            &[],
        )?
        .successful()?;
        let made = Self { directory: new.clone(), default_branch: String::new() };
        for (key, value) in [
            // `actions/checkout` asks for commits by their id.
            ("uploadpack.allowAnySHA1InWant", "true"),
            ("uploadpack.allowFilter", "true"),
            ("transfer.hideRefs", "refs/lineclear"),
            ("receive.denyDeleteCurrent", "ignore"),
            ("gc.auto", "0"),
            ("core.logAllRefUpdates", "false"),
        ] {
            made.ask(&["config", key, value])?;
        }
        fs::rename(&new, &self.directory).map_err(fault)
    }

    /// Lets this repository read the user's objects.
    fn borrow(&self, user: &User) -> Result<(), GitError> {
        let fault = |path: &Path| {
            let path = path.to_owned();
            move |source| GitError::Io { path, source }
        };
        let info = self.directory.join("objects/info");
        fs::create_dir_all(&info).map_err(fault(&info))?;
        let text = user.objects.to_str().filter(|text| !text.contains(['\n', '"', '\\']) && !text.starts_with('#'));
        let text = text.ok_or_else(|| GitError::Path(user.objects.clone()))?;
        replace(&info.join("alternates"), format!("{text}\n").as_bytes())?;
        // A shallow clone ends where this file says; without it every walk would miss the parents.
        let shallow = self.directory.join("shallow");
        match fs::read(&user.shallow) {
            Ok(content) => replace(&shallow, &content),
            Err(_) if shallow.exists() => fs::remove_file(&shallow).map_err(fault(&shallow)),
            Err(_) => Ok(()),
        }
    }

    fn follow(&self, user: &User) -> Result<(), GitError> {
        let theirs = user.branches_and_tags()?;
        let mut own = BTreeMap::new();
        let mut seen = BTreeMap::new();
        for (name, id) in refs(&self.directory, &["refs/heads", "refs/tags", "refs/lineclear/seen"])? {
            match name.strip_prefix(SEEN) {
                Some(name) => seen.insert(name.to_owned(), id),
                None => own.insert(name.trim_start_matches("refs/").to_owned(), id),
            };
        }
        let mut gone = Vec::new();
        for (name, id) in seen.iter().filter(|(name, _)| !theirs.contains_key(*name)) {
            gone.push(format!("delete {SEEN}{name}\n"));
            if own.get(name) == Some(id) {
                gone.push(format!("delete refs/{name}\n"));
            }
        }
        let moved = theirs.iter().filter(|(name, id)| seen.get(*name) != Some(*id));
        let moved: Vec<String> =
            moved.map(|(name, id)| format!("update refs/{name} {id}\nupdate {SEEN}{name} {id}\n")).collect();
        // Deleted first: the place of `a` may be needed for `a/b`.
        self.update_refs(&gone)?;
        self.update_refs(&moved)
    }

    /// All at once; where that fails (a pushed `a` where the user now has `a/b`), each for itself, as far as it goes.
    fn update_refs(&self, orders: &[String]) -> Result<(), GitError> {
        if orders.is_empty() || self.ask_with(&["update-ref", "--stdin"], orders.concat().as_bytes()).is_ok() {
            return Ok(());
        }
        for order in orders {
            let done = run(Some(&self.directory), &["update-ref", "--stdin"], order.as_bytes(), &[])?;
            // A ref that cannot be moved stays where it is; the forge then shows what it has.
            drop(done);
        }
        Ok(())
    }

    /// `refs/pull/N/head` and `refs/pull/N/merge`, as far as their commits are here.
    fn set_pull_refs(&self, facts: &RepositoryFacts) -> Result<(), GitError> {
        let Some(pull) = &facts.pull else { return Ok(()) };
        let number = pull.number;
        let wanted =
            [(format!("refs/pull/{number}/head"), &pull.head_sha), (format!("refs/pull/{number}/merge"), &facts.sha)];
        let known: BTreeMap<String, String> = refs(&self.directory, &["refs/pull"])?.into_iter().collect();
        for (name, id) in wanted {
            if is_object_id(id) && known.get(&name) != Some(id) && self.resolve(id)?.is_some() {
                self.ask(&["update-ref", &name, id])?;
            }
        }
        Ok(())
    }
}

/// The user's repository.
struct User {
    directory: PathBuf,
    objects: PathBuf,
    shallow: PathBuf,
    object_format: String,
}

impl User {
    fn find(path: &Path) -> Result<Self, GitError> {
        let ask = |question: &[&str]| -> Result<PathBuf, GitError> {
            let mut arguments = vec!["-C".as_ref(), path.as_os_str(), "rev-parse".as_ref()];
            arguments.extend(question.iter().map(std::ffi::OsStr::new));
            Ok(PathBuf::from(first_line(&run(None, &arguments, &[], &[])?.successful()?)))
        };
        Ok(Self {
            directory: ask(&["--path-format=absolute", "--git-common-dir"])?,
            objects: ask(&["--path-format=absolute", "--git-path", "objects"])?,
            shallow: ask(&["--path-format=absolute", "--git-path", "shallow"])?,
            object_format: ask(&["--show-object-format"])?.to_string_lossy().into_owned(),
        })
    }

    /// `heads/main` → commit; `tags/v1` → commit or tag.
    fn branches_and_tags(&self) -> Result<BTreeMap<String, String>, GitError> {
        let mut all = BTreeMap::new();
        let found = refs(&self.directory, &["refs/heads", "refs/tags", "refs/remotes/origin"])?;
        for (name, id) in found {
            let name = match name.strip_prefix("refs/remotes/origin/") {
                Some("HEAD") => continue,
                Some(branch) => format!("heads/{branch}"),
                None => name.trim_start_matches("refs/").to_owned(),
            };
            // Git sorts by name: a branch of one's own comes before origin's.
            all.entry(name).or_insert(id);
        }
        Ok(all)
    }
}

fn refs(directory: &Path, under: &[&str]) -> Result<Vec<(String, String)>, GitError> {
    let mut arguments = vec!["for-each-ref", "--format=%(objectname) %(refname)"];
    arguments.extend(under);
    let output = run(Some(directory), &arguments, &[], &[])?.successful()?;
    let text = String::from_utf8_lossy(&output);
    let lines = text.lines().filter_map(|line| line.split_once(' '));
    Ok(lines.map(|(id, name)| (name.to_owned(), id.to_owned())).collect())
}

fn replace(path: &Path, content: &[u8]) -> Result<(), GitError> {
    let fault = |source| GitError::Io { path: path.to_owned(), source };
    if fs::read(path).is_ok_and(|known| known == content) {
        return Ok(());
    }
    let new = path.with_extension("new");
    fs::write(&new, content).and_then(|()| fs::rename(&new, path)).map_err(fault)
}
