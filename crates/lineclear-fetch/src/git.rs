//! Git as a child: no settings, hooks, prompts or credentials but those given, and ended when nothing arrives.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::error::GitFailure;
use crate::settings::Token;

/// What of the environment git may see: where programs are, how to reach the network, and where to put files.
const SEEN: [&str; 19] = [
    "PATH",
    "USER",
    "TMPDIR",
    "SSH_AUTH_SOCK",
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "no_proxy",
    "NO_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GIT_SSL_CAINFO",
    "GIT_SSL_CAPATH",
    "GIT_SSL_CERT",
    "GIT_SSL_KEY",
    "GIT_PROXY_SSL_CAINFO",
    "LD_LIBRARY_PATH",
];

/// Bytes of output that are read (a list of refs) and words that are kept.
const LARGEST_OUTPUT: u64 = 64 << 20;
const WORDS: usize = 8 * 1024;
/// How often growth and time are looked at.
const LOOK: Duration = Duration::from_millis(100);

/// The variable that holds the token; the helper below reads it.
const TOKEN: &str = "LINECLEAR_FETCH_TOKEN";
/// Asked by git for the one host that the token is for; so the token stands in no argument, address or file.
const HELPER: &str =
    r#"!f() { test "$1" = get && printf 'username=x-access-token\npassword=%s\n' "$LINECLEAR_FETCH_TOKEN"; }; f"#;

/// A command of git on the bare repository at `git_dir`, which sees nothing of the user's settings.
pub(crate) fn command(git_dir: &Path) -> Command {
    let mut command = Command::new("git");
    command.env_clear();
    for name in SEEN {
        if let Some(value) = env::var_os(name) {
            command.env(name, value);
        }
    }
    command
        // Where nothing is: a `.netrc` of the user gives no passwords.
        .env("HOME", git_dir)
        .env("LC_ALL", "C")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_ASKPASS", "true")
        .env("SSH_ASKPASS", "true")
        .env("GIT_SSH_COMMAND", "ssh -oBatchMode=yes")
        .env("GIT_NO_REPLACE_OBJECTS", "1");
    for setting in
        ["core.hooksPath=/dev/null", "gc.auto=0", "maintenance.auto=false", "protocol.allow=never", "safe.directory=*"]
    {
        command.args(["-c", setting]);
    }
    command.arg("--git-dir").arg(git_dir);
    command
}

/// The address that a command talks to.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    pub(crate) url: String,
    /// The schemes git may use for it.
    pub(crate) schemes: &'static [&'static str],
    /// Scheme and host, and the token for them.
    pub(crate) token: Option<(String, Token)>,
}

impl Address {
    /// How git reads a repository on this machine, which may belong to someone else; elsewhere the usual way.
    pub(crate) fn program(&self) -> &'static str {
        if self.schemes == ["file"] {
            "--upload-pack=git -c safe.directory=* upload-pack"
        } else {
            "--upload-pack=git-upload-pack"
        }
    }
}

/// How long a command may take, how much it may bring, and whether it is wanted any more.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience<'p> {
    pub(crate) cancelled: &'p AtomicBool,
    pub(crate) quiet: Duration,
    pub(crate) total: Duration,
    pub(crate) largest: u64,
}

/// Runs a command that talks to `address` and gives its output. `said` gets each line of progress.
pub(crate) fn talk(
    git_dir: &Path,
    address: &Address,
    arguments: &[&str],
    patience: Patience<'_>,
    said: &mut dyn FnMut(&str),
) -> Result<Vec<u8>, GitFailure> {
    let mut command = command(git_dir);
    // Should this process be killed, git gives up by itself.
    command.args(["-c", "http.lowSpeedLimit=1", "-c", &format!("http.lowSpeedTime={}", patience.quiet.as_secs() + 1)]);
    for scheme in address.schemes {
        command.args(["-c", &format!("protocol.{scheme}.allow=always")]);
    }
    if let Some((host, token)) = &address.token {
        command.args(["-c", &format!("credential.{host}.helper={HELPER}")]).env(TOKEN, token.expose());
    }
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut running = Running(command.spawn().map_err(GitFailure::Start)?);
    let words = watch(&mut running.0, git_dir, patience, said)?;
    let secret = address.token.as_ref().map(|(_, token)| token.expose());
    let status = running.end(patience.quiet)?;
    match status {
        true => Ok(words.output),
        false => Err(GitFailure::Said(plain(&words.words, secret))),
    }
}

/// Runs a command that needs no network.
pub(crate) fn local<S: AsRef<OsStr>>(git_dir: &Path, arguments: &[S]) -> Result<Vec<u8>, GitFailure> {
    let output = command(git_dir).args(arguments).stdin(Stdio::null()).output().map_err(GitFailure::Start)?;
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(GitFailure::Said(plain(&String::from_utf8_lossy(&output.stderr), None))),
    }
}

/// A process that is ended, with what it started, when it goes out of scope.
struct Running(Child);

impl Running {
    /// Whether it succeeded. Its output is closed already, so the end is near; one that lingers is ended.
    fn end(&mut self, within: Duration) -> Result<bool, GitFailure> {
        let since = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait().map_err(GitFailure::Start)? {
                return Ok(status.success());
            }
            if since.elapsed() > within {
                return Err(GitFailure::Quiet(within));
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(Some(_))) {
            return;
        }
        // It was not waited for, so its id is still its own.
        if let Some(group) = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.0.wait();
    }
}

/// What the reading threads tell.
enum Heard {
    Line(String),
    Output(Vec<u8>),
    /// One of the two pipes is closed.
    End,
}

#[derive(Default)]
struct Words {
    output: Vec<u8>,
    words: String,
}

/// Collects what git writes until it closes its pipes; an error where it is too quiet, too slow or brings too much.
fn watch(
    child: &mut Child,
    git_dir: &Path,
    patience: Patience<'_>,
    said: &mut dyn FnMut(&str),
) -> Result<Words, GitFailure> {
    let (sender, heard) = mpsc::channel();
    if let Some(stderr) = child.stderr.take() {
        let sender = sender.clone();
        thread::spawn(move || read_lines(stderr, &sender));
    }
    if let Some(stdout) = child.stdout.take() {
        thread::spawn(move || read_output(stdout, &sender));
    }
    let (mut words, mut open) = (Words::default(), 2);
    let (started, mut moved, mut size) = (Instant::now(), Instant::now(), 0);
    let mut looked = Instant::now();
    while open > 0 {
        match heard.recv_timeout(LOOK) {
            Ok(Heard::Line(line)) => {
                moved = Instant::now();
                said(&line);
                if !is_progress(&line) && words.words.len() < WORDS {
                    words.words.push_str(&line);
                    words.words.push('\n');
                }
            }
            Ok(Heard::Output(output)) => words.output = output,
            Ok(Heard::End) => open -= 1,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if looked.elapsed() < LOOK {
            continue;
        }
        looked = Instant::now();
        let now = size_of(git_dir);
        if now != size {
            (size, moved) = (now, Instant::now());
        }
        if patience.cancelled.load(Ordering::SeqCst) {
            return Err(GitFailure::Cancelled);
        }
        if size > patience.largest || words.output.len() as u64 >= LARGEST_OUTPUT {
            return Err(GitFailure::TooLarge);
        }
        if moved.elapsed() > patience.quiet {
            return Err(GitFailure::Quiet(patience.quiet));
        }
        if started.elapsed() > patience.total {
            return Err(GitFailure::Quiet(patience.total));
        }
    }
    Ok(words)
}

fn read_output(stdout: impl Read, sender: &Sender<Heard>) {
    let mut output = Vec::new();
    let _ = stdout.take(LARGEST_OUTPUT).read_to_end(&mut output);
    let _ = sender.send(Heard::Output(output));
    let _ = sender.send(Heard::End);
}

/// Lines end with a line break or, for progress, with a carriage return.
fn read_lines(mut stderr: impl Read, sender: &Sender<Heard>) {
    let (mut buffer, mut line) = ([0; 4096], Vec::new());
    while let Ok(count @ 1..) = stderr.read(&mut buffer) {
        for &byte in &buffer[..count] {
            if matches!(byte, b'\n' | b'\r') {
                if !line.is_empty() {
                    let _ = sender.send(Heard::Line(String::from_utf8_lossy(&line).into_owned()));
                }
                line.clear();
            } else if line.len() < WORDS {
                line.push(byte);
            }
        }
    }
    if !line.is_empty() {
        let _ = sender.send(Heard::Line(String::from_utf8_lossy(&line).into_owned()));
    }
    let _ = sender.send(Heard::End);
}

fn is_progress(line: &str) -> bool {
    let line = line.strip_prefix("remote: ").unwrap_or(line);
    [
        "Receiving objects:",
        "Resolving deltas:",
        "Counting objects:",
        "Compressing objects:",
        "Enumerating objects:",
        "Total ",
    ]
    .iter()
    .any(|start| line.starts_with(start))
}

/// Bytes below the folder of objects; what cannot be read counts nothing.
fn size_of(git_dir: &Path) -> u64 {
    let files = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten();
    files(&git_dir.join("objects"))
        .flat_map(|entry| files(&entry.path()).collect::<Vec<_>>())
        .filter_map(|entry| entry.metadata().ok())
        .map(|metadata| metadata.len())
        .sum()
}

/// Git's words as one line, without control characters, addresses' user names or the token.
fn plain(words: &str, secret: Option<&str>) -> String {
    let hidden = match secret {
        Some(secret) if !secret.is_empty() => words.replace(secret, "***"),
        _ => words.to_owned(),
    };
    let lines: Vec<&str> = hidden.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let line: String = lines.join("; ").chars().filter(|c| !c.is_control()).take(600).collect();
    if line.is_empty() { "it gave no reason".to_owned() } else { line }
}

/// Git that gives blobs, one after the other.
pub(crate) fn blobs(git_dir: &Path) -> io::Result<Child> {
    command(git_dir)
        .args(["cat-file", "--batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
}
