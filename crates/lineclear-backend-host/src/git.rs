//! Asking git about a repository without changing it.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::base_env;

/// A `git` command in `folder` that writes nothing there, runs no program the repository's settings name, and is not
/// redirected by the environment.
pub(crate) fn git(folder: &Path) -> Command {
    let mut command = Command::new("git");
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"GIT_") && !base_env::is_inherited(&name) {
            command.env_remove(name);
        }
    }
    command
        .current_dir(folder)
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C")
        // The user named this repository, whoever owns it.
        .args(["-c", "safe.directory=*", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false"])
        .stdin(Stdio::null());
    command
}

/// The standard output of a git command.
///
/// # Errors
/// If git is not there or fails, with its own last words.
pub(crate) fn read<S: AsRef<OsStr>>(folder: &Path, args: impl IntoIterator<Item = S>) -> io::Result<Vec<u8>> {
    let Output { status, stdout, stderr } = git(folder).args(args).output().map_err(|error| missing(&error))?;
    if status.success() {
        return Ok(stdout);
    }
    let said = String::from_utf8_lossy(&stderr);
    let last = said.trim().lines().last().unwrap_or("it gave no reason").to_owned();
    Err(io::Error::other(format!("git failed in `{}`: {last}", folder.display())))
}

pub(crate) fn missing(error: &io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::NotFound => io::Error::new(
            io::ErrorKind::NotFound,
            "the program `git` is needed to read this repository, and is not on the PATH",
        ),
        kind => io::Error::new(kind, format!("cannot start `git`: {error}")),
    }
}
