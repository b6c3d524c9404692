//! Git as a child with an environment of its own: nothing of the caller's settings, no hooks, no prompts.

use std::env;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::GitServerError;

/// Bytes of git's complaint that are kept.
const COMPLAINT: usize = 4096;

/// A command of git in `git_dir`, whose settings come from its repository and from here alone.
pub(crate) fn git(git_dir: &Path) -> Command {
    let mut command = Command::new("git");
    command.env_clear();
    for name in ["PATH", "TMPDIR", "SYSTEMROOT"] {
        if let Some(value) = env::var_os(name) {
            command.env(name, value);
        }
    }
    command
        .env("HOME", git_dir)
        .env("LC_ALL", "C")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_NO_REPLACE_OBJECTS", "1");
    for setting in [
        "core.hooksPath=/dev/null",
        "core.fsmonitor=false",
        "core.alternateRefsCommand=true",
        "gc.auto=0",
        "safe.directory=*",
    ] {
        command.args(["-c", setting]);
    }
    command
}

/// Runs git to its end with `input` and gives what it wrote.
///
/// # Errors
/// [`GitServerError::Start`] where git is missing, [`GitServerError::Git`] with its words where it fails.
pub(crate) fn output(git_dir: &Path, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, GitServerError> {
    let what = arguments.first().copied().unwrap_or_default().to_owned();
    let start = |source| GitServerError::Start { what: what.clone(), source };
    let mut child = git(git_dir)
        .arg("--git-dir")
        .arg(git_dir)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(start)?;
    let stdin = child.stdin.take();
    let output = std::thread::scope(|scope| {
        // A child that ends early closes the pipe; what it said then tells why.
        scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(input)));
        child.wait_with_output()
    })
    .map_err(start)?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(GitServerError::Git { what, folder: git_dir.to_owned(), said: complaint(&output.stderr) })
}

/// Git's complaint as one line.
pub(crate) fn complaint(stderr: &[u8]) -> String {
    let shortened = &stderr[..stderr.len().min(COMPLAINT)];
    let text = String::from_utf8_lossy(shortened);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() { "it gave no reason".to_owned() } else { lines.join("; ") }
}
