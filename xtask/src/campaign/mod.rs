//! The campaign against the gate: merges with failures in every place, ways round it, and publishes in any order.
//!
//! It is done with the binary that people use, in repositories of its own. What may be published it knows from a truth table
//! of its own ([`truth`]): which contents were made red, and which commit is the newest green one. After each deed two things are counted in the
//! registry's contents, whatever anybody says: images that were released though their commit is red, and a `latest` that is not the
//! newest green commit. Both have to be 0.
//!
//! The first commit is published once; then each part begins with a copy of that repository, its registry and its ledger, and several
//! of them go on at once. Only the merges are one history.

mod attacks;
mod interleavings;
mod merges;
mod random;
mod stage;
mod table;
mod truth;

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use crate::example;
use attacks::Attack;
use stage::Stage;
use table::Row;

/// What is asked for.
struct Asked {
    binary: Option<PathBuf>,
    merges: usize,
    interleavings: u64,
    seed: u64,
    /// How many parts go on at once.
    at_once: Option<usize>,
    quick: bool,
    write: bool,
    /// Only the parts of these names.
    only: Vec<String>,
}

/// One of the things that are done.
#[derive(Clone, Copy)]
enum Part {
    Merges,
    Attack(&'static Attack),
    Interleavings,
}

const HELP: &str = "\
The campaign against the gate. Usage: cargo xtask campaign [OPTIONS] [PART…]

  --binary PATH        the lineclear that is attacked (default: the build that the tests use)
  --quick              4 merges and 50 interleavings; all attacks
  --merges N           how many merges (default: 20)
  --interleavings N    how many interleavings (default: 1000)
  --seed N             of the first interleaving and of the moments of kills (default: 1); `--seed N --interleavings 1` repeats one
  --at-once N          how many parts go on at once (default: two for each processor)
  --write              write the table into docs/campaign.md; for a whole campaign only

Parts are `merges`, `interleavings`, and names of attacks; without any, all of it.
";

/// What a quick campaign says of itself: nobody is to take it for a whole one.
const LEFT_OUT: &str = "\
   quick: merges with a failing leg, a cancelled CI, a test that takes too long, one that fails once, a failing publish job, kills in CI and \
a full disk are left out, and of the interleavings all but the first";

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
    let parts = parts(&asked)?;
    let binary = match &asked.binary {
        Some(binary) => binary.canonicalize().with_context(|| format!("there is no `{}`", binary.display()))?,
        None => {
            example::build()?;
            example::lineclear()
        }
    };
    let start = Instant::now();
    if asked.quick {
        println!("{LEFT_OUT} {}", asked.interleavings);
    }
    let rows = play(&Stage::new(binary, asked.seed)?, &asked, &parts)?;
    println!("\n{}", table::markdown(&rows));
    println!("{} parts in {:.0} s", rows.len(), start.elapsed().as_secs_f64());
    let bad: Vec<&Row> = rows.iter().filter(|row| !row.is_good()).collect();
    if let Some(first) = bad.first() {
        let all: Vec<&str> =
            bad.iter().flat_map(|row| row.findings.iter().filter_map(|finding| finding.lines().next())).collect();
        bail!(
            "{} of {} parts are not as they have to be, first `{}`:\n  {}",
            bad.len(),
            rows.len(),
            first.name,
            all.join("\n  ")
        );
    }
    // The page shows what holds: of a campaign that failed, nothing is written.
    if asked.write { table::write(&rows) } else { Ok(()) }
}

/// Plays all parts, several at once; their rows come in the order of the parts.
fn play(stage: &Stage, asked: &Asked, parts: &[Part]) -> Result<Vec<Row>> {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let at_once = asked.at_once.unwrap_or(2 * cores).clamp(1, parts.len().max(1));
    let waiting: Mutex<VecDeque<(usize, Part)>> = Mutex::new(parts.iter().copied().enumerate().collect());
    let played: Mutex<BTreeMap<usize, Result<Vec<Row>>>> = Mutex::default();
    let work = || {
        loop {
            // Apart from the work: otherwise all wait for it.
            let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let Some((number, part)) = next else { return };
            let seed = asked.seed.wrapping_add((number as u64) << 32);
            let rows = match part {
                Part::Merges => stage.copy(seed).and_then(|mut stage| merges::run(&mut stage, asked.merges)),
                Part::Attack(attack) => {
                    stage.copy(seed).and_then(|mut stage| attacks::run(&mut stage, attack)).map(|row| vec![row])
                }
                Part::Interleavings => interleavings::run(asked.seed, asked.interleavings).map(|row| vec![row]),
            };
            played.lock().unwrap_or_else(PoisonError::into_inner).insert(number, rows);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(work);
        }
    });
    let played = played.into_inner().unwrap_or_else(PoisonError::into_inner);
    ensure!(played.len() == parts.len(), "a part has panicked");
    let rows: Vec<Vec<Row>> = played.into_values().collect::<Result<_>>()?;
    Ok(rows.into_iter().flatten().collect())
}

/// The parts that are asked for. The longest come first: the others are done beside them.
fn parts(asked: &Asked) -> Result<Vec<Part>> {
    let named = |name: &str| asked.only.is_empty() || asked.only.iter().any(|only| only == name);
    let all = [("merges", Part::Merges), ("interleavings", Part::Interleavings)];
    let all = all.into_iter().chain(attacks::ALL.iter().map(|attack| (attack.name, Part::Attack(attack))));
    let all: Vec<(&str, Part)> = all.collect();
    let unknown = asked.only.iter().find(|only| !all.iter().any(|(name, _)| name == only));
    ensure!(unknown.is_none(), "there is no part `{}`\n\n{HELP}", unknown.map_or("", |name| name));
    Ok(all.into_iter().filter(|(name, _)| named(name)).map(|(_, part)| part).collect())
}

fn read(arguments: &[String]) -> Result<Asked> {
    let mut asked = Asked {
        binary: None,
        merges: 20,
        interleavings: 1000,
        seed: 1,
        at_once: None,
        quick: false,
        write: false,
        only: Vec::new(),
    };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let mut value = || rest.next().with_context(|| format!("`{argument}` wants a value\n\n{HELP}"));
        match argument.as_str() {
            "--binary" => asked.binary = Some(PathBuf::from(value()?)),
            "--merges" => asked.merges = value()?.parse()?,
            "--interleavings" => asked.interleavings = value()?.parse()?,
            "--seed" => asked.seed = value()?.parse()?,
            "--at-once" => asked.at_once = Some(value()?.parse()?),
            "--write" => asked.write = true,
            "--quick" => (asked.quick, asked.merges, asked.interleavings) = (true, 4, 50),
            other if other.starts_with('-') => bail!("there is no option `{other}`\n\n{HELP}"),
            part => asked.only.push(part.to_owned()),
        }
    }
    ensure!(
        !asked.write || !asked.quick && asked.only.is_empty(),
        "the table of docs/campaign.md is that of a whole campaign: `--write` goes with no part and not with `--quick`"
    );
    Ok(asked)
}
