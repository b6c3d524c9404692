//! `lineclear ledger show`.

use clap::Args;
use lineclear_event::{Statement, Subject};
use lineclear_gate::{Commits, Entry, Index};
use lineclear_source::Style;
use serde_json::json;

use super::summary::Summary;
use crate::command::history::Shape;
use crate::exit::Exit;
use crate::gates::{Fault, Place, subject, words};
use crate::history::commits::short;
use crate::history::terminal::harmless;
use crate::history::words::{count, time};
use crate::output;

const EXAMPLES: &str = "\
Examples:
  lineclear ledger show                  the last entries
  lineclear ledger show HEAD             what is known of a commit, and of others with the same contents
  lineclear ledger show sha256:5f3a…     what is known of an image
  lineclear ledger show --summary        how many moves there were, and how many without a clear gate
  lineclear ledger show -n 1000 --format json

Exit codes: 0 shown, 1 something was moved without a clear gate (--summary), 2 wrong input, 3 Lineclear itself failed, or the ledger is damaged.
More: docs/ledger.md";

/// Arguments of `ledger show`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ShowArgs {
    /// Only what is stated of this commit, digest, or image with its tag.
    #[arg(value_name = "SUBJECT")]
    subject: Option<String>,

    /// How many entries, the last ones.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 40)]
    limit: usize,

    /// Count what there is: entries by kind, moves, and moves without a clear gate.
    #[arg(long, conflicts_with_all = ["subject", "limit"])]
    summary: bool,

    /// For whom to print (JSON: docs/ledger.md).
    #[arg(long, value_enum, default_value_t)]
    format: Shape,
}

pub(super) fn run(args: &ShowArgs, repository: Option<&str>) -> Result<Exit, Fault> {
    let place = Place::open(repository)?;
    let index = place.ledger.index()?;
    if args.summary {
        let summary = Summary::of(&index);
        match args.format {
            Shape::Json => print_json(&json!(summary)),
            Shape::Text => output::print(&summary.text(place.ledger.repository(), output::stdout_style())),
        }
        return Ok(if summary.moves_without_clear_gate == 0 { Exit::Success } else { Exit::WorkFailed });
    }
    let entries: Vec<&Entry> = match &args.subject {
        None => index.entries().iter().collect(),
        Some(text) => about(&subject::find(Some(text), &place, &index, None)?, &index, &place.commits),
    };
    let shown = entries.get(entries.len().saturating_sub(args.limit)..).unwrap_or_default();
    match args.format {
        Shape::Json => print_json(&json!({ "repository": place.ledger.repository(), "entries": shown })),
        Shape::Text => {
            let mut text = entries_text(shown, output::stdout_style());
            if entries.is_empty() {
                let of = args.subject.as_ref().map(|subject| format!(" of `{subject}`")).unwrap_or_default();
                text = format!("Nothing is stated{of} in the ledger of {}.\n", place.ledger.repository());
            } else if shown.len() < entries.len() {
                let before = entries.len() - shown.len();
                text.push_str(&format!(
                    "{} before these; -n shows more\n",
                    count(before, "entry").replace("entrys", "entries")
                ));
            }
            output::print(&text);
        }
    }
    Ok(Exit::Success)
}

/// What is stated of a commit and of those with the same contents, or of a digest.
pub(crate) fn about<'i>(subject: &Subject, index: &'i Index, commits: &dyn Commits) -> Vec<&'i Entry> {
    let Subject::Commit(commit) = subject else { return index.of(subject).collect() };
    let stated = |commit: &str| {
        index.of(&Subject::Commit(commit.to_owned())).find_map(|entry| match &entry.evidence.statement {
            Statement::Commit(commit) => Some(commit.tree.clone()),
            _ => None,
        })
    };
    let tree = commits.tree(commit).or_else(|| stated(commit));
    let with_tree = |entry: &&Entry| match (&entry.evidence.subject, &entry.evidence.statement) {
        (Subject::Commit(_), Statement::Commit(commit)) => Some(&commit.tree) == tree.as_ref(),
        _ => false,
    };
    let mut same: Vec<&str> =
        index.entries().iter().filter(with_tree).map(|entry| entry.evidence.subject.id()).collect();
    same.push(commit);
    same.sort_unstable();
    same.dedup();
    let is_about = |entry: &&Entry| match &entry.evidence.subject {
        Subject::Commit(id) => same.binary_search(&id.as_str()).is_ok(),
        Subject::Digest(_) => false,
    };
    index.entries().iter().filter(is_about).collect()
}

/// Entries, a line each.
pub(crate) fn entries_text(entries: &[&Entry], style: Style) -> String {
    let width = entries.last().map_or(1, |entry| entry.number.to_string().len());
    let mut text = String::new();
    for entry in entries {
        let (sign, said) = words::statement(&entry.evidence.statement);
        let of = match &entry.evidence.subject {
            Subject::Commit(commit) => short(commit).to_owned(),
            Subject::Digest(digest) => digest.get(..19).unwrap_or(digest).to_owned(),
        };
        text.push_str(&format!(
            "{} {}  {:19}  {} {}  {}\n",
            style.dim(&format!("{:>width$}", entry.number)),
            style.dim(&time(entry.evidence.at)),
            of,
            sign.show(style),
            // Names and notes are anybody's: they stay on their line, and do not steer the terminal.
            harmless(&said, Style::Plain),
            style.dim(&harmless(&words::witness(&entry.evidence), Style::Plain))
        ));
    }
    text
}

fn print_json(document: &serde_json::Value) {
    // Plain data always has a JSON form.
    output::print(&format!("{}\n", serde_json::to_string_pretty(document).unwrap_or_default()));
}
