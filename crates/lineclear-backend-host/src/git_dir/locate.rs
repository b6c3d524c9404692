//! Where a repository keeps its things.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::GitDirError;

/// A repository that is read.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// The top folder of its working tree.
    pub(crate) root: PathBuf,
    /// Its own git folder: `.git`, or for a linked worktree or a submodule the one that its `.git` file names.
    pub(crate) git: PathBuf,
    /// The git folder that a linked worktree shares with others; `git` itself otherwise.
    pub(crate) common: PathBuf,
}

impl Source {
    /// # Source
    /// gitrepository-layout(5): `gitdir: <path>` in a `.git` file, and `commondir`.
    pub(crate) fn find(root: &Path) -> Result<Self, GitDirError> {
        let root = std::path::absolute(root).map_err(|source| GitDirError::Read { path: root.into(), source })?;
        let none = || GitDirError::NoRepository { path: root.clone() };
        let dot_git = root.join(".git");
        let git = match fs::metadata(&dot_git) {
            Ok(metadata) if metadata.is_dir() => dot_git,
            Ok(_) => {
                let text = fs::read(&dot_git).map_err(|source| GitDirError::Read { path: dot_git, source })?;
                root.join(path_in(text.strip_prefix(b"gitdir:").ok_or_else(none)?))
            }
            Err(_) => return Err(none()),
        };
        if !git.join("HEAD").exists() {
            return Err(none());
        }
        let common = match fs::read(git.join("commondir")) {
            Ok(text) => git.join(path_in(&text)),
            Err(_) => git.clone(),
        };
        Ok(Self { root, git, common })
    }

    /// The folder of its objects, without detours, as the alternates file is read by programs less lenient than git too.
    pub(crate) fn objects(&self) -> PathBuf {
        let objects = self.common.join("objects");
        fs::canonicalize(&objects).unwrap_or(objects)
    }

    /// A file's content, empty if it does not exist.
    pub(crate) fn read_optional(&self, path: &Path) -> Result<Vec<u8>, GitDirError> {
        match fs::read(path) {
            Ok(text) => Ok(text),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                Ok(Vec::new())
            }
            Err(source) => Err(GitDirError::Read { path: path.into(), source }),
        }
    }
}

fn path_in(text: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(text.trim_ascii()))
}
