//! The differences as people read them.

use lineclear_source::{Style, clipped};

use super::inputs::{Change, Inputs};
use super::results::Results;
use crate::command::history::heading::heading;
use crate::history::terminal::harmless;
use crate::history::{History, RunView, commits};

/// Files, and tests, that a list shows.
const LISTED: usize = 25;
/// Characters of a value.
const LONGEST: usize = 100;

pub(super) fn headings(history: &History, old: &RunView, new: &RunView, style: Style) -> String {
    let mut text = format!("old  {}", heading(history, &old.summary, style));
    text.push_str(&format!("new  {}", heading(history, &new.summary, style)));
    for sentence in old.damage.iter().chain(&new.damage) {
        text.push_str(&format!("{}: {sentence}\n", style.yellow("damaged")));
    }
    text
}

pub(super) fn of_inputs(inputs: &Inputs, style: Style) -> String {
    let mut text = format!("\n{}\n", style.bold("What changed"));
    if inputs.is_empty() {
        text.push_str("  Nothing that was recorded: the same commit, workflows, actions, inputs and variables.\n");
        text.push_str("  Files that were not committed are not recorded; they can differ.\n");
        return text;
    }
    list(&mut text, "", &inputs.event, style);
    if let Some(why) = &inputs.files_unknown {
        text.push_str(&format!("  files of the repository: git cannot tell ({why})\n"));
    }
    if !inputs.files.is_empty() {
        text.push_str("  files of the repository\n");
        for file in inputs.files.iter().take(LISTED) {
            let lines = match (file.added, file.removed) {
                (Some(added), Some(removed)) => {
                    format!("{} {}", style.green(&format!("+{added}")), style.red(&format!("-{removed}")))
                }
                _ => "binary".to_owned(),
            };
            text.push_str(&format!("    {}  {lines}\n", harmless(&file.path, Style::Plain)));
        }
        more(&mut text, inputs.files.len());
    }
    for change in &inputs.workflows {
        text.push_str(&format!("  {} {}\n", change.file, change.how));
        for hunk in &change.hunks {
            text.push_str(&format!("    {}\n", style.cyan(&format!("line {}, now {}", hunk.old, hunk.new))));
            for line in &hunk.lines {
                let line = harmless(line, Style::Plain);
                let line = match line.as_bytes().first() {
                    Some(b'-') => style.red(&line),
                    Some(b'+') => style.green(&line),
                    _ => line.into_owned(),
                };
                text.push_str(&format!("    {line}\n"));
            }
        }
    }
    for (title, changes) in [
        ("actions", &inputs.actions),
        ("called workflows", &inputs.called_workflows),
        ("images", &inputs.images),
        ("tools", &inputs.tools),
        ("inputs", &inputs.inputs),
        ("variables", &inputs.variables),
        ("secrets that are read", &inputs.secrets),
        ("selection", &inputs.selection),
        ("machines", &inputs.machines),
        ("caches", &inputs.caches),
    ] {
        list(&mut text, title, changes, style);
    }
    text
}

pub(super) fn of_results(results: &Results, style: Style) -> String {
    let mut text = format!("\n{}\n", style.bold("What came out differently"));
    if results.is_empty() {
        text.push_str("  Nothing: the same conclusions, tests and artifacts.\n");
        return text;
    }
    list(&mut text, "", &results.conclusion.clone().into_iter().collect::<Vec<_>>(), style);
    for (title, changes) in [
        ("jobs", &results.jobs),
        ("steps", &results.steps),
        ("tests", &results.tests),
        ("coverage", &results.coverage),
        ("findings", &results.findings),
        ("artifacts", &results.artifacts),
    ] {
        list(&mut text, title, changes, style);
    }
    if !results.durations.is_empty() {
        text.push_str("  durations\n");
        for one in results.durations.iter().take(LISTED) {
            let words = one.in_words();
            let words = if one.new_ms > one.old_ms { style.red(&words) } else { style.green(&words) };
            text.push_str(&format!("    {}  {words}\n", harmless(&one.name, Style::Plain)));
        }
        more(&mut text, results.durations.len());
    }
    text
}

fn list(text: &mut String, title: &str, changes: &[Change], style: Style) {
    if changes.is_empty() {
        return;
    }
    let indent = if title.is_empty() { "  " } else { "    " };
    if !title.is_empty() {
        text.push_str(&format!("  {title}\n"));
    }
    for change in changes.iter().take(LISTED) {
        let value = |value: &String| {
            let value =
                if commits::is_commit(value) { commits::short(value).to_owned() } else { clipped(value, LONGEST) };
            harmless(&value, Style::Plain).into_owned()
        };
        let (old, new) = (change.old.as_ref().map(value), change.new.as_ref().map(value));
        let words = match (old, new) {
            (Some(old), Some(new)) => format!("{} → {}", style.red(&old), style.green(&new)),
            (None, Some(new)) => format!("{} {}", style.green("new:"), new),
            (Some(old), None) => format!("{} {}", style.red("gone:"), old),
            (None, None) => continue,
        };
        text.push_str(&format!("{indent}{}  {words}\n", harmless(&change.name, Style::Plain)));
    }
    more(text, changes.len());
}

fn more(text: &mut String, count: usize) {
    if count > LISTED {
        text.push_str(&format!("    … and {} more (--format json has all)\n", count - LISTED));
    }
}
