//! Git: asked by running `git` on a bare repository of the forge's own, which borrows the objects of the user's repository.
//!
//! The user's repository is only read. Names from outside never reach git as arguments unless [`is_ref_name`] or [`is_object_id`]
//! let them through, and never as options.

mod change;
mod history;
mod mirror;
mod object;

use std::ffi::OsStr;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

pub(crate) use change::Change;
pub(crate) use history::{Commit, Log};
pub(crate) use object::{Entry, NewCommit, Object, Person, TreeChange};

/// The most that one question may answer, in bytes.
const MAX_OUTPUT: u64 = 256 << 20;

/// Why git could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    #[error("cannot start `git`; install it, version 2.38 or newer")]
    Start(#[source] io::Error),
    #[error("cannot talk to `git {command}`")]
    Talk { command: String, source: io::Error },
    #[error("`git {command}` failed: {said}")]
    Failed { command: String, said: String },
    #[error("`git {command}` answers more than {} MiB", MAX_OUTPUT >> 20)]
    TooMuch { command: String },
    #[error("cannot use `{path}` of the embedded forge's repository")]
    Io { path: PathBuf, source: io::Error },
    #[error("the path `{0}` of a repository cannot be written into git's list of alternates; move the repository")]
    Path(PathBuf),
}

/// The forge's own bare repository.
#[derive(Debug)]
pub(crate) struct Git {
    directory: PathBuf,
    default_branch: String,
}

impl Git {
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// What a successful command wrote.
    fn ask<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Result<Vec<u8>, GitError> {
        run(Some(&self.directory), arguments, &[], &[])?.successful()
    }

    fn ask_with<A: AsRef<OsStr>>(&self, arguments: &[A], input: &[u8]) -> Result<Vec<u8>, GitError> {
        run(Some(&self.directory), arguments, input, &[])?.successful()
    }

    /// The first line that a successful command wrote.
    fn line<A: AsRef<OsStr>>(&self, arguments: &[A], input: &[u8]) -> Result<String, GitError> {
        Ok(first_line(&self.ask_with(arguments, input)?))
    }

    /// Whether a command ends with 0; other ends than 0 and 1 are faults.
    fn holds<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Result<bool, GitError> {
        let done = run(Some(&self.directory), arguments, &[], &[])?;
        if done.code == Some(1) { Ok(false) } else { done.successful().map(|_| true) }
    }
}

fn first_line(output: &[u8]) -> String {
    let end = output.iter().position(|byte| *byte == b'\n').unwrap_or(output.len());
    String::from_utf8_lossy(&output[..end]).into_owned()
}

struct Done {
    command: String,
    code: Option<i32>,
    output: Vec<u8>,
    said: String,
}

impl Done {
    fn successful(self) -> Result<Vec<u8>, GitError> {
        match self.code {
            Some(0) => Ok(self.output),
            _ => Err(GitError::Failed { command: self.command, said: self.said }),
        }
    }
}

/// Runs git without the machine's and the user's settings, in an environment of our own.
fn run<A: AsRef<OsStr>>(
    directory: Option<&Path>,
    arguments: &[A],
    input: &[u8],
    environment: &[(&str, &OsStr)],
) -> Result<Done, GitError> {
    let command = arguments.first().map(|first| first.as_ref().to_string_lossy().into_owned()).unwrap_or_default();
    let mut git = Command::new("git");
    git.env_clear();
    for kept in ["PATH", "TMPDIR", "LD_LIBRARY_PATH"] {
        if let Some(value) = std::env::var_os(kept) {
            git.env(kept, value);
        }
    }
    for (name, value) in [
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_TERMINAL_PROMPT", "0"),
        ("GIT_OPTIONAL_LOCKS", "0"),
        ("GIT_NO_REPLACE_OBJECTS", "1"),
        ("GIT_NO_LAZY_FETCH", "1"),
        ("GIT_LITERAL_PATHSPECS", "1"),
        ("LC_ALL", "C"),
        ("TZ", "UTC"),
    ] {
        git.env(name, value);
    }
    git.envs(environment.iter().copied());
    git.args(["-c", "safe.directory=*", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false"]);
    if let Some(directory) = directory {
        git.arg("--git-dir").arg(directory);
    }
    git.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = git.spawn().map_err(GitError::Start)?;
    let fault = |source| GitError::Talk { command: command.clone(), source };
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let mut output = Vec::new();
    let mut said = Vec::new();
    let read = thread::scope(|scope| {
        // What git does not want to read is no fault: it says at its end what is wrong.
        scope.spawn(|| stdin.map(|mut stdin| stdin.write_all(input)));
        scope.spawn(|| stderr.map(|stderr| stderr.take(1 << 16).read_to_end(&mut said)));
        stdout.map_or(Ok(0), |stdout| stdout.take(MAX_OUTPUT + 1).read_to_end(&mut output))
    });
    if read.is_err() || output.len() as u64 > MAX_OUTPUT {
        let _ = child.kill();
    }
    let status = child.wait().map_err(fault)?;
    read.map_err(fault)?;
    if output.len() as u64 > MAX_OUTPUT {
        return Err(GitError::TooMuch { command });
    }
    let said = String::from_utf8_lossy(&said).trim().to_owned();
    Ok(Done { command, code: status.code(), output, said })
}

/// Whether this is the name of an object, in full.
pub(crate) fn is_object_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Whether git takes this as a part of a ref's name.
///
/// # Source
/// `git check-ref-format`; that a name does not begin with `-` keeps it from being an option.
pub(crate) fn is_ref_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 512
        && !name.starts_with('-')
        && !name.ends_with('.')
        && name != "@"
        && !name.contains("..")
        && !name.contains("@{")
        && !name.chars().any(|character| character.is_control() || " ~^:?*[\\".contains(character))
        && name.split('/').all(|part| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_git_would_read_as_something_else_are_no_names() {
        for name in ["main", "feature/a-b", "v1.2.3", "dependabot/npm_and_yarn/x-1.0", "ä", "@x"] {
            assert!(is_ref_name(name), "{name}");
        }
        for name in [
            "",
            "-x",
            "--upload-pack=x",
            "a..b",
            "a b",
            "a~1",
            "a^",
            "a:b",
            "a?",
            "a*",
            "a[",
            "a\\b",
            "/a",
            "a/",
            "a//b",
            ".a",
            "a/.b",
            "a.lock",
            "a.lock/b",
            "a.",
            "@",
            "a@{1}",
            "a\n",
            "a\0",
        ] {
            assert!(!is_ref_name(name), "{name:?}");
        }
    }
}
