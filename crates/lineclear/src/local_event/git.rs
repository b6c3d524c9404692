//! Running git: nothing it is configured to start beside itself, no lock, no pager, no question.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Variables by which a hook or a user points git at another repository than the one that is asked about.
const REDIRECTIONS: [&str; 14] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_ATTR_SOURCE",
    "GIT_LITERAL_PATHSPECS",
    "GIT_EXTERNAL_DIFF",
    "GIT_TRACE",
];

/// Most that is read of one git command's answer: more changed paths than this are no use to anyone.
const MAX_OUTPUT: u64 = 64 << 20;

/// A git command that is under way.
#[derive(Debug)]
pub(super) struct Running(Child);

/// Starts `git` in `folder`. `arguments` are fixed words of ours; `operands` come after `--end-of-options` and cannot be
/// taken for options.
///
/// # Errors
/// A sentence: git is not installed or cannot be started.
pub(super) fn start(folder: &Path, arguments: &[&str], operands: &[&str]) -> Result<Running, String> {
    let mut command = Command::new("git");
    command
        .arg("-C")
        .arg(folder)
        // A repository's own settings must not start programs while we only look.
        .args(["-c", "core.fsmonitor=false", "-c", "log.showSignature=false", "--no-pager"])
        // A file is unchanged when all that is known of it says so, not when its size and time do.
        .args(["-c", "core.trustctime=true", "-c", "core.checkStat=default"])
        .args(arguments)
        // A commit is what its id says: no other object in its place, no other parents.
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        .env("GIT_GRAFT_FILE", "/dev/null")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if !operands.is_empty() {
        // The last dashes say that no operand is a path.
        command.arg("--end-of-options").args(operands).arg("--");
    }
    for name in REDIRECTIONS {
        command.env_remove(name);
    }
    command.spawn().map(Running).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "git is not installed".to_owned(),
        _ => format!("git cannot be started: {error}"),
    })
}

impl Running {
    /// What git printed.
    ///
    /// # Errors
    /// Its complaint, on one line.
    pub(super) fn finish(mut self) -> Result<Vec<u8>, String> {
        let stderr = self.0.stderr.take();
        // Both streams are read at once: git may fill either while the other is waited for.
        let complaints = std::thread::spawn(move || stderr.map(read_all).unwrap_or_default());
        let output = self.0.stdout.take().map(read_all).unwrap_or_default();
        let complaint = complaints.join().unwrap_or_default();
        let status = self.0.wait().map_err(|error| format!("git cannot be waited for: {error}"))?;
        if status.success() {
            return Ok(output);
        }
        let complaint = String::from_utf8_lossy(&complaint);
        let line = complaint.lines().find(|line| !line.trim().is_empty()).unwrap_or("git failed");
        Err(line.trim().trim_start_matches("fatal: ").to_owned())
    }
}

/// What a stream holds, up to the limit. A broken pipe shows in the exit status.
fn read_all(stream: impl Read) -> Vec<u8> {
    let mut output = Vec::new();
    let _ = stream.take(MAX_OUTPUT).read_to_end(&mut output);
    output
}

/// Runs `git` to its end.
pub(crate) fn run(folder: &Path, arguments: &[&str], operands: &[&str]) -> Result<Vec<u8>, String> {
    start(folder, arguments, operands)?.finish()
}

/// Texts that end in a zero byte each, as `-z` gives them.
pub(super) fn zero_ended(output: &[u8]) -> Vec<String> {
    let parts = output.split(|byte| *byte == 0).filter(|part| !part.is_empty());
    parts.map(|part| String::from_utf8_lossy(part).into_owned()).collect()
}
