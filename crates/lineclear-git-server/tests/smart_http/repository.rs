//! Repositories made with the real git, and the real git as a client.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A git command with nothing of the machine's settings.
pub(crate) fn git(folder: &Path) -> Command {
    let mut command = Command::new("git");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GIT_")) {
        command.env_remove(name);
    }
    command
        .current_dir(folder)
        .env("HOME", folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C")
        .env_remove("http_proxy")
        .env_remove("HTTP_PROXY")
        .env_remove("all_proxy")
        .env_remove("ALL_PROXY")
        .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "init.defaultBranch=main"])
        .args(["-c", "protocol.file.allow=always", "-c", "commit.gpgsign=false"]);
    command
}

/// Runs git and gives what it wrote, without the last line break; panics with its words where it fails.
pub(crate) fn run(folder: &Path, arguments: &[&str]) -> String {
    let output = attempt(folder, arguments);
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

/// Runs git, which may fail.
pub(crate) fn attempt(folder: &Path, arguments: &[&str]) -> Output {
    git(folder).args(arguments).output().expect("git starts")
}

/// Writes the files, commits them all, and gives the commit.
pub(crate) fn commit(folder: &Path, files: &[(&str, &str)], message: &str) -> String {
    for (name, content) in files {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().expect("a file stands in a folder")).expect("the folder can be made");
        std::fs::write(path, content).expect("the file can be written");
    }
    run(folder, &["add", "--all"]);
    run(folder, &["commit", "--quiet", "--allow-empty", "-m", message]);
    run(folder, &["rev-parse", "HEAD"])
}

/// A new repository with a working tree and branch `main`.
pub(crate) fn repository(folder: &Path) -> PathBuf {
    std::fs::create_dir_all(folder).expect("the folder can be made");
    run(folder, &["init", "--quiet"]);
    folder.to_owned()
}
