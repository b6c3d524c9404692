//! Row 24: decisions over a ledger of 100,000 entries, and the verification of its chain beside the bare hash of the same bytes.
//!
//! The crate's own example measures, in turns within one process, for it has to be compiled as what is released.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context, Result};

use crate::shell::Cmd;

/// Seconds that a decision may take.
const DECISION: f64 = 1e-3;
/// How much longer than its bare hash a ledger may take to be verified.
const VERIFICATION: f64 = 2.0;

/// The rows of this table, as text.
pub fn rows(rounds: usize) -> Result<String> {
    let rounds = rounds.to_string();
    let example =
        ["run", "--release", "--quiet", "--package", "lineclear-gate", "--example", "gate_speed", "--", &rounds];
    let told = Cmd::new("cargo").args(&example).read()?;
    let line = |line: &str| {
        let (what, seconds) = line.rsplit_once(": ").with_context(|| format!("`{line}` is no figure"))?;
        Ok((what.to_owned(), seconds.trim().parse::<f64>()?))
    };
    let mut figures: BTreeMap<String, f64> = told.lines().map(line).collect::<Result<_>>()?;
    let mut take = |what: &str| figures.remove(what).with_context(|| format!("nothing is said about {what}"));
    let (verified, bare) = (take("verification")?, take("bare hash")?);
    let mut rows = String::new();
    let verdict = |is_met: bool| if is_met { "met" } else { "**missed**" };
    for (what, seconds) in &figures {
        let ratio = seconds / DECISION;
        let (shown, met) = (seconds * 1e3, verdict(ratio <= 1.0));
        writeln!(rows, "| 24 | {what}, 100,000 entries | {shown:.3} ms | 1 ms (goal) | {ratio:.2} | ≤ 1 | {met} |")?;
    }
    let (ratio, shown, against) = (verified / bare, verified * 1e3, bare * 1e3);
    let met = verdict(ratio <= VERIFICATION);
    writeln!(
        rows,
        "| 24 | verification of 100,000 entries | {shown:.2} ms | {against:.2} ms (bare hash) | {ratio:.2} | ≤ {VERIFICATION} | {met} |"
    )?;
    Ok(rows)
}
