//! What an action of another repository costs: the first time, in the next run, and offline.
//!
//! ```text
//! cargo run --release -p lineclear-fetch --example fetch_cost
//! ```
//! The repository stands on this machine and has 2,000 files of 10 kB. Prints medians of five rounds, beside what a plain
//! `git clone --depth 1` takes.

#![allow(clippy::print_stdout, reason = "a program that prints its measurements")]

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use lineclear_fetch::{FetchSettings, Fetcher, Server};

const FILES: u64 = 2000;
const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let work = folder.path().join("work");
    make(&work)?;
    git(folder.path(), &["clone", "--quiet", "--bare", "work", "o/r.git"])?;
    let url = format!("{}/{{owner}}/{{repo}}.git", folder.path().display());
    let settings = |home: &Path, offline: bool| FetchSettings {
        servers: vec![Server { name: "here".into(), url: url.clone(), mirrors: Vec::new() }],
        offline,
        ..FetchSettings::new(home.to_owned())
    };
    let resolve = |home: &Path, offline: bool| -> Result<(), Box<dyn Error>> {
        Fetcher::new(settings(home, offline))?.resolve("o", "r", "main")?;
        Ok(())
    };
    let (mut clone, mut first, mut next, mut offline) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let home = folder.path().join(format!("home-{round}"));
        let (from, to) = (format!("file://{}/o/r.git", folder.path().display()), format!("clone-{round}"));
        clone.push(timed(|| git(folder.path(), &["clone", "--quiet", "--depth=1", &from, &to]))?);
        first.push(timed(|| resolve(&home, false))?);
        next.push(timed(|| resolve(&home, false))?);
        offline.push(timed(|| resolve(&home, true))?);
    }
    for (what, times) in
        [("git clone", clone), ("first use", first), ("next run", next), ("next run, offline", offline)]
    {
        println!("{what:20} {:8.1} ms", median(times).as_secs_f64() * 1e3);
    }
    Ok(())
}

fn make(work: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(work)?;
    git(work, &["init", "--quiet", "--initial-branch=main"])?;
    for file in 0..FILES {
        let numbers = (0..600_u64).map(|n| (n + file * 600).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let content: String = numbers.map(|number| format!("{number:x}\n")).collect();
        let path = work.join(format!("dir-{}/file-{file}", file % 50));
        fs::create_dir_all(path.parent().unwrap_or(work))?;
        fs::write(path, content)?;
    }
    git(work, &["add", "."])?;
    git(work, &["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "commit", "--quiet", "-m", "files"])
}

fn git(folder: &Path, arguments: &[&str]) -> Result<(), Box<dyn Error>> {
    let status = Command::new("git").current_dir(folder).args(arguments).status()?;
    if status.success() { Ok(()) } else { Err(format!("git {arguments:?} failed").into()) }
}

fn timed(work: impl FnOnce() -> Result<(), Box<dyn Error>>) -> Result<Duration, Box<dyn Error>> {
    let started = Instant::now();
    work()?;
    Ok(started.elapsed())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
