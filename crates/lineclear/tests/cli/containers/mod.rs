//! Jobs, services and Docker actions in containers, with the machine's own engine.

mod actions;
mod ends;
mod jobs;
mod services;

use std::fmt::Write as _;

use lineclear_testkit::images::{busybox, docker};
use lineclear_testkit::{Repository, Run, Started};

/// A run, and what it left in the engine.
struct Ran {
    run: Run,
    left: String,
}

impl Ran {
    /// Runs the workflow of `repository` to its end.
    fn of(repository: &Repository, args: &[&str]) -> Self {
        let mut all = vec!["run", "--format", "json"];
        all.extend(args);
        Self::end(Started::new(repository.lineclear(&all)))
    }

    fn end(started: Started) -> Self {
        let pid = started.id();
        let run = Run::from(started.finish());
        Self { run, left: left_by(pid) }
    }

    /// Every job succeeded, and nothing is left.
    fn succeeds(self) -> Run {
        assert_eq!((self.run.exit, self.left.as_str()), (0, ""), "{}", self.run.transcript());
        self.run
    }

    /// A job failed, and nothing is left.
    fn fails(self) -> Run {
        assert_eq!((self.run.exit, self.left.as_str()), (1, ""), "{}", self.run.transcript());
        self.run
    }
}

/// What the process `pid` of Lineclear made in the engine and did not remove, one a line.
fn left_by(pid: u32) -> String {
    let owner = format!("lineclear {pid} ");
    let mut left = String::new();
    for (kind, name) in [("container", "{{.Names}}"), ("network", "{{.Name}}"), ("volume", "{{.Name}}")] {
        let format = format!("{{{{.Label \"org.lineclear.owner\"}}}}|{name}");
        let all: &[&str] = if kind == "container" { &["--all"] } else { &[] };
        let list = docker(&[&[kind, "ls", "--filter", "label=org.lineclear.owner", "--format", &format], all].concat());
        for line in list.lines().filter(|line| line.starts_with(&owner)) {
            let _ = writeln!(left, "{kind} {}", line.split_once('|').map_or(line, |(_, name)| name));
        }
    }
    left
}

/// `workflow` with the test's image for `IMAGE`.
fn with_image(workflow: &str) -> String {
    workflow.replace("IMAGE", busybox())
}

/// A repository with one workflow, in which `IMAGE` stands for the test's image.
fn repository(name: &str, workflow: &str) -> Repository {
    Repository::with(name, &with_image(workflow))
}

/// The reason that a step ended for.
fn reason<'r>(run: &'r Run, job: &str, step: &str) -> &'r str {
    run.step(job, step).and_then(|event| event["reason"].as_str()).unwrap_or_default()
}

fn conclusion<'r>(run: &'r Run, job: &str, step: &str) -> &'r str {
    run.step(job, step).and_then(|event| event["conclusion"].as_str()).unwrap_or_default()
}

/// The lines that one step wrote.
fn log_of(run: &Run, job: &str, step: &str) -> String {
    let lines = run.events("log").filter(|event| event["job"] == *job && event["step"] == *step);
    lines.filter_map(|event| event["line"].as_str()).map(|line| format!("{line}\n")).collect()
}
