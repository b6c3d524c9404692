//! `cargo xtask bench`: how fast, as ratios. Each row runs its commands in turns (A B A B …), so that what else the machine does
//! hits all of them alike; the figure is the ratio of medians. The table goes into `docs/performance.md`.

mod case;
mod check;
mod container;
mod ledger;
mod measure;
mod registry;

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::shell::{Cmd, cargo, root};
use case::Case;
use measure::{Medians, Meter};

/// Rounds that count; one more, the first, warms up.
const ROUNDS: usize = 9;

const BEGIN: &str = "<!-- figures: begin -->";
const END: &str = "<!-- figures: end -->";

pub fn run() -> Result<()> {
    let wanted: Vec<String> = std::env::args().skip(2).collect();
    // Rows 22 and 24 need neither the binary nor the programs that measure commands.
    let commands = wanted.is_empty() || wanted.iter().any(|name| name != "22" && name != "24");
    if commands {
        cargo(&["build", "--release", "--quiet", "--package", "lineclear"])?;
    }
    let place = std::env::temp_dir().join(format!("lineclear-bench-{}", std::process::id()));
    std::fs::create_dir_all(&place)?;
    let bench = Bench { lineclear: lineclear(), place: place.clone() };
    let rounds = std::env::var("BENCH_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(ROUNDS);
    let mut rows =
        String::from("| goal | what | measured | against | ratio | goal ratio | |\n|---|---|--:|--:|--:|--:|---|\n");
    if commands {
        let meter = Meter::new(&place)?;
        let mut cases = check::rows(&bench)?;
        cases.extend(case::all(&bench)?);
        let (rows_of_registries, _registries) = registry::rows(&bench)?;
        cases.extend(rows_of_registries);
        for case in cases {
            if !wanted.is_empty() && !wanted.iter().any(|name| case.what.contains(name.as_str()) || case.goal == name) {
                continue;
            }
            let row = row(&case, &meter.in_turns(&case, rounds)?);
            print!("{row}");
            rows.push_str(&row);
        }
    }
    if wanted.is_empty() || wanted.iter().any(|name| name == "22") {
        let measured = container::rows(&place, rounds)?;
        print!("{measured}");
        rows.push_str(&measured);
    }
    if wanted.is_empty() || wanted.iter().any(|name| name == "24") {
        let measured = ledger::rows(rounds)?;
        print!("{measured}");
        rows.push_str(&measured);
    }
    std::fs::remove_dir_all(&place)?;
    std::fs::remove_dir_all("/dev/shm/lineclear-bench-home").ok();
    if wanted.is_empty() { write(&rows) } else { Ok(()) }
}

/// What the cases are made with.
pub struct Bench {
    pub lineclear: PathBuf,
    pub place: PathBuf,
}

fn lineclear() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    target.join("release/lineclear")
}

fn row(case: &Case, figures: &Medians) -> String {
    let base = figures.less.as_ref().map_or(0.0, |less| case.quantity.of(less));
    let measured = (case.quantity.of(&figures.own) - base) / case.per.0;
    let against = case.quantity.of(&figures.other) / case.per.1;
    let ratio = measured / against;
    let verdict = if ratio <= case.limit { "met" } else { "**missed**" };
    let (shown, shown_against) = (case.quantity.show(measured), case.quantity.show(against));
    format!(
        "| {} | {} | {shown} | {shown_against} ({}) | {ratio:.2} | ≤ {} | {verdict} |\n",
        case.goal, case.what, case.other_name, case.limit
    )
}

fn write(rows: &str) -> Result<()> {
    let file = root().join("docs/performance.md");
    let text = std::fs::read_to_string(&file)?;
    let (before, rest) = text.split_once(BEGIN).context("docs/performance.md has no place for the figures")?;
    let (_, after) = rest.split_once(END).context("docs/performance.md has no end of the figures")?;
    let mut machine = String::new();
    let cores = std::thread::available_parallelism()?;
    let kernel = Cmd::new("uname").args(&["-sr"]).read()?;
    writeln!(machine, "\nMeasured on {cores} cores, {}, medians of {ROUNDS} rounds in turns.\n", kernel.trim())?;
    std::fs::write(file, format!("{before}{BEGIN}\n{machine}{rows}{END}{after}"))?;
    Ok(())
}
