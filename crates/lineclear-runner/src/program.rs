//! Finds programs on a step's `PATH`.

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::ports::lock;

/// Remembers where the shells are, which every `run` step asks for. Other programs are looked for anew: a step may install them.
#[derive(Debug, Default)]
pub(crate) struct Programs(Mutex<Vec<Known>>);

#[derive(Debug)]
struct Known {
    program: &'static str,
    path: OsString,
    found: Option<PathBuf>,
}

impl Programs {
    /// The shell `program` on `path`.
    pub(crate) fn shell(&self, program: &'static str, path: &OsStr) -> Option<PathBuf> {
        let mut known = lock(&self.0);
        if let Some(known) = known.iter().find(|known| known.program == program && known.path == path) {
            return known.found.clone();
        }
        let found = find(program, path);
        known.push(Known { program, path: path.to_owned(), found: found.clone() });
        found
    }
}

/// The first executable file called `program` in the folders of `path`; a name with a slash is a path already.
pub(crate) fn find(program: &str, path: &OsStr) -> Option<PathBuf> {
    if program.contains('/') {
        return Some(PathBuf::from(program)).filter(|file| is_executable(file));
    }
    std::env::split_paths(path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(program))
        .find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}
