//! The examples and this repository's own workflow, run by a release build of lineclear.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::shell::{cargo, root};
use crate::taskboard;

/// Runs each example twice: the second run must find its caches.
pub fn run_all() -> Result<()> {
    cargo(&["build", "--release", "--quiet", "--package", "lineclear"])?;
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
    cargo(&["build", "--release", "--quiet", "--package", "lineclear"])?;
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

/// The binary of the release build.
pub fn lineclear() -> std::path::PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), std::path::PathBuf::from);
    target.join("release/lineclear")
}

/// The same, with more environment; gives the events of the run.
pub fn run_for_events(folder: &Path, home: &Path, args: &[&str], environment: &[(&str, &str)]) -> Result<Vec<Value>> {
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
    let of = |kind: &str| events.iter().filter(|event| event["event"] == *kind).collect::<Vec<_>>();
    for job in of("job_finished") {
        println!("   {} {}", job["conclusion"].as_str().unwrap_or("?"), job["name"].as_str().unwrap_or("?"));
    }
    if !output.status.success() {
        for line in of("log").iter().rev().take(60).rev() {
            println!("   {}: {}", line["job"].as_str().unwrap_or("?"), line["line"].as_str().unwrap_or(""));
        }
        bail!("{} ended with {}: {}", folder, output.status, String::from_utf8_lossy(&output.stderr));
    }
    match events.last() {
        Some(last) if last["event"] == "run_finished" && last["conclusion"] == "success" => Ok(events),
        last => bail!("the last event should say that the run succeeded, but is {last:?}"),
    }
}

fn scratch(name: &str) -> Result<std::path::PathBuf> {
    let folder = std::env::temp_dir().join(format!("lineclear-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}
