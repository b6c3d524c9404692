//! `cargo xtask`: what developers and CI do with this repository. `cargo xtask --help` lists the tasks.

mod bench;
mod campaign;
mod component;
mod engine;
mod example;
mod fuzz;
mod house;
mod newer;
mod pipelines;
mod shell;
mod taskboard;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;

const HELP: &str = "\
Developer tasks. Usage: cargo xtask TASK…

  test        everything that CI checks: all of the following, in this order
  components  install what the tests need (Debian, as root), or name what is missing
              (`unit` and `examples` start a container engine where none answers, and stop it)
  fmt         the code is formatted
  house       crates depend as docs/architecture.md says; licences; nothing private in the texts
  lint        clippy with warnings denied
  unit        all tests of the workspace
  doc         the documentation builds, without warnings
  fuzz        every fuzz target for a bounded time, from the kept corpus
  examples    the examples run through lineclear, as the tests built it
  campaign    ways round the gate, and failures in every place: nothing red is published (`--help` after it: its options)
  self        lineclear runs a fast job of this repository's own workflow

  pipelines   the pipelines of the taskboard alone, or those that are named (`XTASK_LINECLEAR=FILE`: with this binary)
  bench       how fast, as ratios; writes the table of docs/performance.md (not part of `test`)
";

/// One task: its name and what carries it out.
type Task = (&'static str, fn() -> Result<()>);

/// The tasks whose tests talk to a container engine: one is started for them where none answers.
const WITH_ENGINE: [&str; 4] = ["unit", "examples", "campaign", "pipelines"];

const TASKS: &[Task] = &[
    ("components", component::install),
    ("fmt", || shell::cargo(&["fmt", "--all", "--check"])),
    ("house", house::check),
    ("lint", || shell::cargo(&["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"])),
    ("unit", unit),
    ("doc", doc),
    ("fuzz", fuzz::run),
    ("examples", example::run_all),
    ("campaign", campaign::quick),
    ("self", example::run_own_job),
];

fn main() -> ExitCode {
    let names: Vec<String> = std::env::args().skip(1).collect();
    let has_own_help = names.first().is_some_and(|name| name == "campaign");
    if names.is_empty() || !has_own_help && names.iter().any(|name| name == "--help" || name == "-h") {
        print!("{HELP}");
        return if names.is_empty() { ExitCode::from(2) } else { ExitCode::SUCCESS };
    }
    let mut chosen: Vec<Task> = Vec::new();
    for name in &names {
        if name == "bench" {
            chosen.push(("bench", bench::run));
            // What follows are names of rows.
            break;
        }
        if name == "pipelines" {
            chosen.push(("pipelines", pipelines::of_command_line));
            // What follows are their names.
            break;
        }
        if name == "campaign" {
            chosen.push(("campaign", campaign::of_command_line));
            // What follows are its options.
            break;
        }
        if name == "test" {
            chosen.extend(TASKS);
        } else if let Some(task) = TASKS.iter().find(|(task, _)| task == name) {
            chosen.push(*task);
        } else {
            eprintln!("there is no task `{name}`\n\n{HELP}");
            return ExitCode::from(2);
        }
    }
    // Stopped when it is dropped, also after a failure, if it was started here.
    let mut engine = None;
    for (name, task) in chosen {
        let start = Instant::now();
        println!("== {name}");
        let prepared = if WITH_ENGINE.contains(&name) && engine.is_none() {
            engine::ensure().map(|found| engine = Some(found))
        } else {
            Ok(())
        };
        if let Err(error) = prepared.and_then(|()| task()) {
            eprintln!("== {name} failed: {error:#}");
            return ExitCode::FAILURE;
        }
        println!("== {name}: ok, {:.0} s", start.elapsed().as_secs_f64());
    }
    ExitCode::SUCCESS
}

fn unit() -> Result<()> {
    // All failures at once: a second run to see the rest costs more than going on.
    shell::cargo(&["test", "--workspace", "--quiet", "--no-fail-fast"])
}

fn doc() -> Result<()> {
    shell::Cmd::new("cargo")
        .args(&["doc", "--workspace", "--no-deps", "--quiet"])
        .env("RUSTDOCFLAGS", "-D warnings")
        .run()
}
