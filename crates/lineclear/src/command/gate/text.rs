//! A decision for people.

use lineclear_event::{Subject, Witness};
use lineclear_gate::{Finding, Index, Requirement, Standing};
use lineclear_source::Style;

use super::Decided;
use crate::gates::{Place, words};
use crate::history::commits::{short, subjects};
use crate::history::terminal::harmless;
use crate::history::words::time;

/// So many of the things that are in the way are named on a line.
const NAMED: usize = 3;

/// The whole decision: a heading, and a line for each requirement; with `explain`, everything that was found.
pub(super) fn text(decided: &Decided, place: &Place, index: &Index, explain: bool, style: Style) -> String {
    let decision = &decided.decision;
    let verdict = if decision.clear { style.green("clear") } else { style.red("blocked") };
    let mut out = format!(
        "{} {}  {}, {}\n",
        style.bold(&format!("gate {}:", decision.gate)),
        style.bold(&verdict),
        subject(decided, place),
        words::context(decision.context)
    );
    let width = decision.requirements.iter().map(|one| one.what.chars().count()).max().unwrap_or(0).min(48);
    for requirement in &decision.requirements {
        out.push_str(&line(requirement, width, explain, style));
        if explain {
            requirement.findings.iter().for_each(|finding| out.push_str(&found(finding, index, style)));
        }
        if let Some(supply) = requirement.supply.as_ref().filter(|_| explain || blocks(requirement)) {
            let supply = harmless(supply, Style::Plain);
            out.push_str(&format!("      {} {supply}\n", style.dim("to supply it:")));
        }
    }
    if !decision.clear && !explain {
        out.push_str(&style.dim("  --explain shows what each requirement rests on\n"));
    }
    if let Some(entry) = decided.entry {
        out.push_str(&format!("  {}\n", style.dim(&format!("recorded as entry {entry} of the ledger"))));
    }
    out
}

fn subject(decided: &Decided, place: &Place) -> String {
    let decision = &decided.decision;
    let of_commit = |commit: &str| {
        let subject = subjects(&place.checkout.root, &[commit]).remove(commit);
        let subject = subject.map(|subject| format!(" ({})", harmless(&subject, Style::Plain)));
        format!("{}{}", short(commit), subject.unwrap_or_default())
    };
    match (&decision.subject, &decision.commit) {
        (Subject::Commit(commit), _) => format!("commit {}", of_commit(commit)),
        (Subject::Digest(digest), Some(commit)) => format!("{digest}, built from {}", of_commit(commit)),
        (Subject::Digest(digest), None) => digest.clone(),
    }
}

fn blocks(requirement: &Requirement) -> bool {
    requirement.blocking && !requirement.standing.lets_through()
}

fn line(requirement: &Requirement, width: usize, explain: bool, style: Style) -> String {
    let sign = match (requirement.standing, requirement.blocking) {
        (Standing::Pass, _) => style.green("✓"),
        (Standing::NotNeeded, _) => style.dim("○"),
        (Standing::Missing, true) => style.red("?"),
        (Standing::Fail | Standing::Expired, true) => style.red("✗"),
        (Standing::Fail | Standing::Missing | Standing::Expired, false) => style.yellow("!"),
    };
    let padding = " ".repeat(width.saturating_sub(requirement.what.chars().count()));
    let shown_only = if requirement.blocking { "" } else { " (shown only)" };
    let said = match requirement.findings.split_first() {
        _ if explain => standing(requirement.standing).to_owned(),
        None => standing(requirement.standing).to_owned(),
        Some((first, [])) => first.text.clone(),
        // What is in the way is named, as far as it can be taken in.
        Some((first, rest)) if !requirement.standing.lets_through() => {
            let named = rest.iter().take(NAMED - 1).map(|one| one.text.as_str());
            let said: Vec<&str> = std::iter::once(first.text.as_str()).chain(named).collect();
            let more = rest.len().saturating_sub(NAMED - 1);
            said.join("; ") + &if more == 0 { String::new() } else { format!(" (and {more} more)") }
        }
        Some((first, rest)) => format!("{} (and {} more)", first.text, rest.len()),
    };
    // Names of checks and reasons are anybody's.
    let (what, said) = (harmless(&requirement.what, Style::Plain), harmless(&said, Style::Plain));
    format!("  {sign} {what}{padding}  {said}{}\n", style.dim(shown_only))
}

fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Pass => "passes",
        Standing::NotNeeded => "is not needed",
        Standing::Fail => "fails",
        Standing::Missing => "there is no evidence",
        Standing::Expired => "its evidence is too old",
    }
}

fn found(finding: &Finding, index: &Index, style: Style) -> String {
    let entry = finding.entry.and_then(|number| index.entries().get(usize::try_from(number).ok()?));
    let place = entry.map(|entry| {
        let who = match &entry.evidence.by {
            Witness::Engine => String::new(),
            _ => format!(", {}", words::witness(&entry.evidence)),
        };
        format!("  entry {}, {}{}", entry.number, time(entry.evidence.at), harmless(&who, Style::Plain))
    });
    format!("      {}{}\n", harmless(&finding.text, Style::Plain), style.dim(&place.unwrap_or_default()))
}
