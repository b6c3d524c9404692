//! A repository made for one test, and the binary run in it.

#![allow(dead_code, reason = "each test file uses its part")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// The folder of the examples.
pub fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

/// A git repository on branch `main` with a home for Lineclear beside it; both go when it is dropped.
pub struct Repository {
    folder: tempfile::TempDir,
}

impl Repository {
    pub fn new(name: &str) -> Self {
        let folder = tempfile::Builder::new().prefix(&format!("lineclear-{name}-")).tempdir().expect("a temporary folder");
        std::fs::create_dir(folder.path().join("repo")).expect("a new folder");
        let repository = Self { folder };
        repository.sh("git init -q -b main . && git config user.name Tester && git config user.email tester@example.org");
        repository
    }

    pub fn root(&self) -> PathBuf {
        self.folder.path().join("repo")
    }

    /// Where Lineclear keeps its things in this test.
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    pub fn write(&self, path: &str, text: &str) {
        let file = self.root().join(path);
        std::fs::create_dir_all(file.parent().expect("a parent")).expect("a folder");
        std::fs::write(file, text).expect("a written file");
    }

    pub fn sh(&self, script: &str) {
        let status = Command::new("bash").args(["-euc", script]).current_dir(self.root()).stdin(Stdio::null()).status();
        assert!(status.expect("bash starts").success(), "the script failed: {script}");
    }

    pub fn commit(&self, message: &str) {
        self.sh(&format!("git add -A && git commit -q --allow-empty -m '{message}'"));
    }

    /// The binary with arguments, ready to be started.
    pub fn lineclear(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lineclear"));
        command
            .args(args)
            .current_dir(self.root())
            .env("LINECLEAR_HOME", self.home())
            .env("LINECLEAR_ACTIONS_DIR", examples().join("traps/actions"))
            .env_remove("CI")
            .env_remove("RUNNER_TOOL_CACHE")
            .env_remove("GITHUB_ACTIONS")
            .stdin(Stdio::null());
        command
    }

    /// Runs `lineclear run --format json` to its end.
    pub fn run(&self, args: &[&str]) -> Run {
        let mut all = vec!["run", "--format", "json"];
        all.extend(args);
        Run::of(self.lineclear(&all))
    }
}

/// What one run of the binary said.
pub struct Run {
    pub exit: i32,
    pub stderr: String,
    events: Vec<Value>,
}

impl Run {
    pub fn of(mut command: Command) -> Self {
        let output = command.output().expect("the binary starts");
        let stdout = String::from_utf8(output.stdout).expect("JSON is text");
        let event = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        Self {
            exit: output.status.code().unwrap_or(-1),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            events: stdout.lines().map(event).collect(),
        }
    }

    pub fn all(&self) -> &[Value] {
        &self.events
    }

    pub fn events<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.events.iter().filter(move |event| event["event"] == *kind)
    }

    /// The end of a job, by its key.
    pub fn job(&self, job: &str) -> Option<&Value> {
        self.events("job_finished").find(|event| event["job"] == *job)
    }

    /// The end of a step, by its job's key and its id.
    pub fn step(&self, job: &str, step: &str) -> Option<&Value> {
        self.events("step_finished").find(|event| event["job"] == *job && event["step"] == *step)
    }

    /// The log of a job.
    pub fn log(&self, job: &str) -> Vec<String> {
        let lines = self.events("log").filter(|event| event["job"] == *job);
        lines.map(|event| event["line"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Everything that happened, short enough to be read in a failed test.
    pub fn transcript(&self) -> String {
        let short = |event: &Value| {
            let mut event = event.clone();
            if let Some(event) = event.as_object_mut() {
                ["run", "at", "duration_ms", "plan_hash", "version"].iter().for_each(|key| {
                    event.remove(*key);
                });
            }
            format!("    {event}\n")
        };
        self.events.iter().map(short).collect::<String>() + &self.stderr
    }
}
