//! A `.git` of its own for a copy of a working tree.
//!
//! Git commands work in the copy, and what they write stays there: it has its own `HEAD`, references, index and settings.
//! Objects are not copied: those of the original are read through `objects/info/alternates`. The original is only read. (Where
//! git would write an object that the original has, it renews that object's time stamp there, as any use of alternates
//! does.)

mod config;
mod locate;
mod refs;
mod shallow;

use std::fs::{self, File, FileTimes};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

pub(crate) use locate::Source;

/// What of the original's history the copy shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitDirOptions {
    /// Where `HEAD` stands.
    pub head: Head,
    /// Which branches and remote branches there are.
    pub refs: Refs,
    /// Whether there are tags.
    pub tags: bool,
    /// How many commits deep the history is that the copy shows, counted from the references it has, as
    /// `git fetch --depth` counts. `None` for all that the original has. What lies below is hidden, and not gone: its
    /// objects can still be read by their names.
    pub depth: Option<u32>,
    /// Whether the original's index is copied. Without one, every file is new to git until the index is made, as by
    /// `git reset`.
    pub index: bool,
}

impl Default for GitDirOptions {
    /// All that the original has.
    fn default() -> Self {
        Self { head: Head::AsSource, refs: Refs::All, tags: true, depth: None, index: true }
    }
}

/// Where `HEAD` of the copy stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Head {
    /// Where that of the original stands, on the same branch if it is on one.
    AsSource,
    /// On this branch (`main`, without `refs/heads/`), which is at this commit, whatever the original's branch of that name is at.
    Branch { name: String, commit: String },
    /// At this commit, on no branch.
    Detached { commit: String },
}

/// Which references there are beside tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refs {
    /// All, but for the user's own stash, bisection and the like.
    All,
    /// The branch of `HEAD`, and the one of remote `origin` with its name, at the same commit: what a single-branch fetch
    /// gives.
    Head,
}

/// Why a `.git` could not be made.
#[derive(Debug, thiserror::Error)]
pub enum GitDirError {
    #[error("`{path}` is not the top folder of a git repository")]
    NoRepository { path: PathBuf },
    #[error("there is a `.git` in `{workspace}` already")]
    Exists { workspace: PathBuf },
    #[error("cannot read `{path}` of the repository")]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write `{path}`")]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot read the history of `{root}`")]
    History { root: PathBuf, source: io::Error },
}

impl From<GitDirError> for io::Error {
    /// Keeps the kind, by which a full disk is known.
    fn from(error: GitDirError) -> Self {
        let kind = match &error {
            GitDirError::NoRepository { .. } => io::ErrorKind::NotFound,
            GitDirError::Exists { .. } => io::ErrorKind::AlreadyExists,
            GitDirError::Read { source, .. }
            | GitDirError::Write { source, .. }
            | GitDirError::History { source, .. } => source.kind(),
        };
        Self::new(kind, error)
    }
}

/// Makes `<workspace>/.git` after the repository whose working tree's top folder is `source_root`.
///
/// The original may be a plain repository, a linked worktree or a submodule, shallow or not; submodules of it are left to the
/// caller. Files of the working tree are not touched. Settings come over as far as they describe the repository and name
/// no credentials and no programs; hooks do not come over.
///
/// # Errors
/// [`GitDirError::NoRepository`] if the source is none, [`GitDirError::Exists`] if the workspace has a `.git`. What was written
/// before an error stays, for the caller to remove with the workspace.
pub fn clone_git_dir(source_root: &Path, workspace: &Path, options: &GitDirOptions) -> Result<(), GitDirError> {
    let source = Source::find(source_root)?;
    let target = Target { folder: workspace.join(".git") };
    match fs::create_dir(&target.folder) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(GitDirError::Exists { workspace: workspace.into() });
        }
        Err(source) => return Err(GitDirError::Write { path: target.folder, source }),
    }

    let settings = config::Config::read(&source)?;
    let selection = refs::select(&source, &settings, options)?;
    target.folders()?;
    target.write("objects/info/alternates", &alternates(&source.objects()))?;
    target.write("config", settings.write(&source, options.index).as_bytes())?;
    target.write("packed-refs", selection.packed().as_bytes())?;
    for (name, pointed_at) in &selection.symbolic {
        target.write(name, format!("ref: {pointed_at}\n").as_bytes())?;
    }
    let boundary = match options.depth {
        Some(depth) => shallow::boundary(&source, &selection.tips(), depth)
            .map_err(|error| GitDirError::History { root: source_root.into(), source: error })?,
        None => source.read_optional(&source.common.join("shallow"))?,
    };
    if !boundary.is_empty() {
        target.write("shallow", &boundary)?;
    }
    for name in ["info/exclude", "info/attributes"] {
        let text = source.read_optional(&source.common.join(name))?;
        if !text.is_empty() {
            target.write(name, &text)?;
        }
    }
    if options.index {
        target.index(&source)?;
    }
    // Last, as it makes the folder a repository.
    target.write("HEAD", selection.head.as_bytes())
}

/// The `.git` that is being made.
struct Target {
    folder: PathBuf,
}

impl Target {
    fn folders(&self) -> Result<(), GitDirError> {
        for name in ["info", "objects", "objects/info", "objects/pack", "refs", "refs/heads", "refs/tags"] {
            let path = self.folder.join(name);
            fs::create_dir(&path).map_err(|source| GitDirError::Write { path, source })?;
        }
        Ok(())
    }

    fn write(&self, name: &str, text: &[u8]) -> Result<(), GitDirError> {
        let path = self.folder.join(name);
        let fail = |source| GitDirError::Write { path: path.clone(), source };
        if let Some(parent) = path.parent().filter(|parent| !parent.exists()) {
            fs::create_dir_all(parent).map_err(fail)?;
        }
        fs::write(&path, text).map_err(fail)
    }

    /// Copies the index, and what goes with it, with its time: git holds it against the times of files.
    fn index(&self, source: &Source) -> Result<(), GitDirError> {
        self.copy(source, "index")?;
        self.copy(source, "info/sparse-checkout")?;
        // The larger part of a split index.
        let Ok(items) = fs::read_dir(&source.git) else { return Ok(()) };
        for item in items.flatten() {
            if let Some(name) = item.file_name().to_str().filter(|name| name.starts_with("sharedindex.")) {
                self.copy(source, name)?;
            }
        }
        Ok(())
    }

    fn copy(&self, source: &Source, name: &str) -> Result<(), GitDirError> {
        let (from, to) = (source.git.join(name), self.folder.join(name));
        let time = match fs::metadata(&from).and_then(|metadata| metadata.modified()) {
            Ok(time) => time,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(GitDirError::Read { path: from, source: error }),
        };
        let copied = fs::copy(&from, &to)
            .and_then(|_| File::options().write(true).open(&to)?.set_times(FileTimes::new().set_modified(time)));
        copied.map_err(|error| GitDirError::Write { path: to, source: error })
    }
}

/// A line of `objects/info/alternates`, quoted as git quotes where a path could be taken for something else.
fn alternates(objects: &Path) -> Vec<u8> {
    let path = objects.as_os_str().as_bytes();
    let plain = !path.starts_with(b"\"") && !path.starts_with(b"#") && !path.contains(&b'\n');
    let mut line = Vec::new();
    if plain {
        line.extend_from_slice(path);
    } else {
        line.push(b'"');
        for &byte in path {
            match byte {
                b'"' | b'\\' => line.extend_from_slice(&[b'\\', byte]),
                b'\n' => line.extend_from_slice(b"\\n"),
                _ => line.push(byte),
            }
        }
        line.push(b'"');
    }
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests;
