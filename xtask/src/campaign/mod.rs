//! The campaign against the gate: merges with failures in every place, ways round it, and publishes in any order.
//!
//! It is done with the binary that people use, in a repository of its own. What may be published it knows from a truth table
//! of its own ([`truth`]): which contents were made red, and which commit is the newest green one. After each deed two things are counted in the
//! registry's contents, whatever anybody says: images that were released though their commit is red, and a `latest` that is not the
//! newest green commit. Both have to be 0.

mod attacks;
mod interleavings;
mod merges;
mod random;
mod stage;
mod table;
mod truth;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use crate::{example, shell};
use stage::Stage;
use table::Row;

/// What is asked for.
struct Asked {
    binary: Option<PathBuf>,
    merges: usize,
    interleavings: u64,
    seed: u64,
    write: bool,
    /// Only the parts of these names.
    only: Vec<String>,
}

const HELP: &str = "\
The campaign against the gate. Usage: cargo xtask campaign [OPTIONS] [PART…]

  --binary PATH        the lineclear that is attacked (default: a release build of this repository)
  --quick              4 merges and 50 interleavings; all attacks
  --merges N           how many merges (default: 20)
  --interleavings N    how many interleavings (default: 1000)
  --seed N             of the first interleaving and of the moments of kills (default: 1); `--seed N --interleavings 1` repeats one
  --write              write the table into docs/campaign.md

Parts are `merges`, `interleavings`, and names of attacks; without any, all of it.
";

/// As a task of `cargo xtask test`.
pub fn quick() -> Result<()> {
    run(&["--quick".to_owned()])
}

/// As `cargo xtask campaign`, with the options that follow.
pub fn of_command_line() -> Result<()> {
    run(&std::env::args().skip(2).collect::<Vec<_>>())
}

fn run(arguments: &[String]) -> Result<()> {
    if arguments.iter().any(|argument| argument == "--help") {
        print!("{HELP}");
        return Ok(());
    }
    let asked = read(arguments)?;
    let binary = match &asked.binary {
        Some(binary) => binary.canonicalize().with_context(|| format!("there is no `{}`", binary.display()))?,
        None => {
            shell::cargo(&["build", "--release", "--quiet", "--package", "lineclear"])?;
            example::lineclear()
        }
    };
    let (mut rows, start) = (Vec::new(), Instant::now());
    let wants = |part: &str| asked.only.is_empty() || asked.only.iter().any(|only| only == part);
    let mut stage = Stage::new(binary, asked.seed)?;
    if wants("merges") {
        merges::run(&mut stage, asked.merges, &mut rows)?;
    }
    let unknown =
        asked.only.iter().find(|only| *only != "merges" && *only != "interleavings" && !attacks::is_one(only));
    ensure!(unknown.is_none(), "there is no part `{}`\n\n{HELP}", unknown.map_or("", |name| name));
    for attack in attacks::ALL.iter().filter(|attack| wants(attack.name)) {
        rows.push(attacks::run(&mut stage, attack)?);
    }
    if wants("interleavings") {
        rows.push(interleavings::run(asked.seed, asked.interleavings)?);
    }
    println!("\n{}", table::markdown(&rows));
    if asked.write {
        table::write(&rows)?;
    }
    let bad: Vec<&Row> = rows.iter().filter(|row| !row.is_good()).collect();
    println!("{} parts in {:.0} s", rows.len(), start.elapsed().as_secs_f64());
    if let Some(first) = bad.first() {
        let all: Vec<&str> = bad.iter().flat_map(|row| row.findings.iter().map(String::as_str)).collect();
        bail!(
            "{} of {} parts are not as they have to be, first `{}`:\n  {}",
            bad.len(),
            rows.len(),
            first.name,
            all.join("\n  ")
        );
    }
    Ok(())
}

fn read(arguments: &[String]) -> Result<Asked> {
    let mut asked = Asked { binary: None, merges: 20, interleavings: 1000, seed: 1, write: false, only: Vec::new() };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let mut value = || rest.next().with_context(|| format!("`{argument}` wants a value\n\n{HELP}"));
        match argument.as_str() {
            "--binary" => asked.binary = Some(PathBuf::from(value()?)),
            "--merges" => asked.merges = value()?.parse()?,
            "--interleavings" => asked.interleavings = value()?.parse()?,
            "--seed" => asked.seed = value()?.parse()?,
            "--write" => asked.write = true,
            "--quick" => (asked.merges, asked.interleavings) = (4, 50),
            other if other.starts_with('-') => bail!("there is no option `{other}`\n\n{HELP}"),
            part => asked.only.push(part.to_owned()),
        }
    }
    Ok(asked)
}
