//! The examples and this repository's own workflow, run by lineclear: by the build that the tests used, which checks its own arithmetic and is
//! there already, while a release build takes minutes.

use std::path::Path;
use std::process::ExitStatus;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::shell::{cargo, root};
use crate::taskboard;

/// Names a binary to use in its place, such as that of a release build.
const OTHER_BINARY: &str = "XTASK_LINECLEAR";

/// Runs each example twice: the second run must find its caches.
pub fn run_all() -> Result<()> {
    build()?;
    let home = scratch("examples")?;
    for example in ["python-package", "node-service"] {
        for round in ["first", "second"] {
            println!("-- {example}, {round} run");
            run(&root().join("examples").join(example), &home, &["--ref", "refs/heads/main"])?;
        }
    }
    taskboard::run(&home)?;
    std::fs::remove_dir_all(&home).with_context(|| format!("cannot remove `{}`", home.display()))
}

/// Lineclear is its own first user.
pub fn run_own_job() -> Result<()> {
    build()?;
    let home = scratch("self")?;
    // Whatever is checked out here: a workflow of `main` answers for it.
    let args = ["--ref", "refs/heads/main", "-W", ".github/workflows/ci.yml", "-j", "format"];
    run(&root(), &home, &args)?;
    std::fs::remove_dir_all(&home).with_context(|| format!("cannot remove `{}`", home.display()))
}

/// Runs the workflows of `folder` and demands that the run, and every job that ran, succeeded.
fn run(folder: &Path, home: &Path, args: &[&str]) -> Result<()> {
    run_for_events(folder, home, args, &[]).map(drop)
}

/// Makes what [`lineclear`] names.
pub fn build() -> Result<()> {
    if std::env::var_os(OTHER_BINARY).is_some() {
        return Ok(());
    }
    cargo(&["build", "--quiet", "--package", "lineclear"])
}

/// The binary of the tests' build, or the one that somebody named.
pub fn lineclear() -> std::path::PathBuf {
    if let Some(other) = std::env::var_os(OTHER_BINARY) {
        return other.into();
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), std::path::PathBuf::from);
    target.join("debug/lineclear")
}

/// The same, with more environment; gives the events of the run.
pub fn run_for_events(folder: &Path, home: &Path, args: &[&str], environment: &[(&str, &str)]) -> Result<Vec<Value>> {
    let told = tell(folder, home, args, environment)?;
    told.ended("success")?;
    Ok(told.events)
}

/// What a run told.
pub struct Told {
    pub events: Vec<Value>,
    status: ExitStatus,
    complaints: String,
}

/// Runs the workflows of `folder`, however they end.
pub fn tell(folder: &Path, home: &Path, args: &[&str], environment: &[(&str, &str)]) -> Result<Told> {
    let lineclear = lineclear();
    let folder = folder.to_string_lossy();
    let mut arguments = vec!["run", "-C", &*folder, "--format", "json"];
    arguments.extend(args);
    let output = std::process::Command::new(&lineclear)
        .args(&arguments)
        .env("LINECLEAR_HOME", home)
        .envs(environment.iter().copied())
        .output();
    let output = output.with_context(|| format!("cannot start `{}`", lineclear.display()))?;
    let events: Vec<Value> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).with_context(|| format!("not an event: {line}")))
        .collect::<Result<_>>()?;
    let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
    let told = Told { events, status: output.status, complaints };
    for job in told.of("job_finished") {
        println!("   {} {}", job["conclusion"].as_str().unwrap_or("?"), job["name"].as_str().unwrap_or("?"));
    }
    Ok(told)
}

impl Told {
    fn of<'t>(&'t self, kind: &'t str) -> impl DoubleEndedIterator<Item = &'t Value> {
        self.events.iter().filter(move |event| event["event"] == *kind)
    }

    /// The run, and the command, ended like this.
    pub fn ended(&self, conclusion: &str) -> Result<()> {
        // A run of which all was left out has not failed.
        let succeeded = matches!(conclusion, "success" | "skipped");
        let last = self.events.last();
        let says = last.is_some_and(|last| last["event"] == "run_finished" && last["conclusion"] == *conclusion);
        if says && self.status.success() == succeeded {
            return Ok(());
        }
        let lines: Vec<&Value> = self.of("log").collect();
        for line in lines.iter().rev().take(80).rev() {
            println!("   {}: {}", line["job"].as_str().unwrap_or("?"), line["line"].as_str().unwrap_or(""));
        }
        bail!("it should have ended with {conclusion}, but ended with {}, {last:?}: {}", self.status, self.complaints)
    }

    /// These jobs, among others, ended like this.
    pub fn jobs(&self, expected: &[(&str, &str)]) -> Result<()> {
        for (name, conclusion) in expected {
            let found = self.of("job_finished").rev().find(|job| job["name"] == **name);
            let found = found.and_then(|job| job["conclusion"].as_str());
            if found != Some(conclusion) {
                bail!("job `{name}` should have ended with {conclusion}, but: {found:?}\n{}", self.complaints);
            }
        }
        Ok(())
    }

    /// An output of a job.
    pub fn output(&self, job: &str, name: &str) -> String {
        let found = self.of("job_finished").find(|event| event["name"] == *job);
        found.and_then(|job| job["outputs"][name].as_str()).unwrap_or_default().to_owned()
    }

    /// The names of all jobs that ended, or were left out.
    pub fn names(&self) -> Vec<&str> {
        self.of("job_finished").filter_map(|event| event["name"].as_str()).collect()
    }

    /// Each of two jobs started before the other one ended.
    pub fn overlapped(&self, one: &str, other: &str) -> Result<()> {
        let at = |kind: &'static str, name: &str| {
            let event = self.of(kind).find(|event| event["name"] == *name);
            event.and_then(|event| event["at"].as_u64()).with_context(|| format!("no {kind} of `{name}`"))
        };
        if at("job_started", one)? < at("job_finished", other)? && at("job_started", other)? < at("job_finished", one)?
        {
            return Ok(());
        }
        bail!("`{one}` and `{other}` ran one after the other")
    }

    /// What people would read on the forge, of calls whose path ends like this.
    pub fn shown_on_the_forge(&self, ending: &str) -> Vec<&str> {
        let calls = self.of("fact").filter(|fact| fact["fact"] == "forge_call");
        let calls = calls.filter(|call| call["path"].as_str().is_some_and(|path| path.ends_with(ending)));
        calls.filter_map(|call| call["shown"].as_str()).collect()
    }

    /// The lines that a job printed, by its id.
    pub fn logs(&self, job: &str) -> Vec<&str> {
        self.of("log").filter(|event| event["job"] == *job).filter_map(|event| event["line"].as_str()).collect()
    }

    /// Whether any line has these words.
    pub fn said(&self, words: &str) -> bool {
        self.of("log").any(|event| event["line"].as_str().is_some_and(|line| line.contains(words)))
    }
}

fn scratch(name: &str) -> Result<std::path::PathBuf> {
    let folder = std::env::temp_dir().join(format!("lineclear-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}
