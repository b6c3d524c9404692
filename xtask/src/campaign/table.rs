//! The table of the documentation.

use std::fmt::Write as _;

use anyhow::{Context, Result};

use super::truth::Counts;
use crate::shell::root;

const BEGIN: &str = "<!-- campaign: begin -->\n";
const END: &str = "<!-- campaign: end -->";

/// One part of the campaign, and what was counted after it.
pub(super) struct Row {
    pub(super) name: String,
    /// What was done, or tried.
    pub(super) deed: String,
    /// What became of it.
    pub(super) outcome: String,
    pub(super) red: usize,
    pub(super) latest: usize,
    /// What is not as it has to be, in words.
    pub(super) findings: Vec<String>,
}

impl Row {
    pub(super) fn of(name: &str, deed: &str, outcome: &str, counts: &Counts) -> Self {
        let mut findings: Vec<String> =
            counts.red.iter().map(|red| format!("{name}: published while red: {red}")).collect();
        findings.extend(counts.latest.iter().map(|latest| format!("{name}: {latest}")));
        Self {
            name: name.to_owned(),
            deed: deed.to_owned(),
            outcome: outcome.to_owned(),
            red: counts.red.len(),
            latest: usize::from(counts.latest.is_some()),
            findings,
        }
    }

    pub(super) fn is_good(&self) -> bool {
        self.findings.is_empty()
    }

    /// Several parts go on at once: all of it is said in one piece.
    pub(super) fn show(&self) {
        let mark = if self.is_good() { "ok " } else { "BAD" };
        let findings: String = self.findings.iter().map(|finding| format!("\n       {finding}")).collect();
        println!("   {mark} {}: {}{findings}", self.name, self.outcome);
    }
}

pub(super) fn markdown(rows: &[Row]) -> String {
    let mut text = String::from(
        "| part | what is done | what becomes of it | published while red | `latest` not the newest green |\n|---|---|---|---|---|\n",
    );
    for row in rows {
        let name = row.name.replace('-', " ");
        let _ = writeln!(text, "| {name} | {} | {} | {} | {} |", row.deed, row.outcome, row.red, row.latest);
    }
    let (red, latest) = rows.iter().fold((0, 0), |(red, latest), row| (red + row.red, latest + row.latest));
    let _ = writeln!(text, "| **all** | | | **{red}** | **{latest}** |");
    text
}

/// Into the page, between its marks.
pub(super) fn write(rows: &[Row]) -> Result<()> {
    let page = root().join("docs/campaign.md");
    let text = std::fs::read_to_string(&page).with_context(|| format!("cannot read `{}`", page.display()))?;
    let (before, rest) = text.split_once(BEGIN).with_context(|| format!("`{}` has no {BEGIN}", page.display()))?;
    let (_, after) = rest.split_once(END).with_context(|| format!("`{}` has no {END}", page.display()))?;
    Ok(std::fs::write(&page, format!("{before}{BEGIN}{}{END}{after}", markdown(rows)))?)
}
