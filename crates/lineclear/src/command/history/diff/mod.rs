//! `lineclear diff`: what changed between two runs, and what came out differently.

mod inputs;
mod lines;
mod results;
mod text;

use clap::Args;
use lineclear_event::Conclusion;
use lineclear_store::RunSummary;
use serde_json::json;

use super::heading::entry;
use super::{Shape, print_json};
use crate::exit::Exit;
use crate::history::{History, HistoryError, RunView, Scope, decisions};
use crate::output;
use inputs::Inputs;
use results::Results;

const EXAMPLES: &str = "\
Examples:
  lineclear diff                       the last run that failed, against the last green one of its workflow before it
  lineclear diff ci.yml#12             that run, against the last green one before it
  lineclear diff @2 last               the run before the last, and the last
  lineclear diff @2 last --format json

First what changed: commit and files, workflow texts, actions, called workflows, images, tools, inputs, variables, names of secrets,
machines, caches. Then what came out differently: conclusions, durations, tests, coverage, artifacts.";

/// Arguments of `diff`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DiffArgs {
    /// The earlier run, or the only one: it is then compared with the last green one before it. [default: last-failed]
    #[arg(value_name = "RUN")]
    first: Option<String>,

    /// The later run.
    #[arg(value_name = "RUN")]
    second: Option<String>,

    #[command(flatten)]
    scope: Scope,

    /// Only what changed, not what came out of it.
    #[arg(long)]
    inputs_only: bool,

    /// For whom to print.
    #[arg(long, value_enum, default_value_t)]
    format: Shape,
}

/// Carries out `diff`.
pub(crate) fn run(args: &DiffArgs) -> Exit {
    HistoryError::end(try_run(args))
}

fn try_run(args: &DiffArgs) -> Result<Exit, HistoryError> {
    let history = History::open(&args.scope)?;
    let (old, new) = match (&args.first, &args.second) {
        (Some(old), Some(new)) => (history.select(old)?, history.select(new)?),
        (one, _) => {
            let new = history.select(one.as_deref().unwrap_or("last-failed"))?;
            (last_green(&history, &new)?, new)
        }
    };
    let (old, new) = (RunView::read(&history.store, old)?, RunView::read(&history.store, new)?);
    let requests =
        (decisions::request(&history.store, old.id()).ok(), decisions::request(&history.store, new.id()).ok());
    let inputs = Inputs::compare(&history, (&old, requests.0.as_ref()), (&new, requests.1.as_ref()));
    let results = Results::compare(&history.store, &old, &new)?;
    match args.format {
        Shape::Json => print_json(&json!({
            "old": entry(&history, &old.summary),
            "new": entry(&history, &new.summary),
            "changed": inputs,
            "results": (!args.inputs_only).then_some(&results),
        })),
        Shape::Text => {
            let style = output::stdout_style();
            output::print(&text::headings(&history, &old, &new, style));
            output::print(&text::of_inputs(&inputs, style));
            if !args.inputs_only {
                output::print(&text::of_results(&results, style));
            }
        }
    }
    Ok(Exit::Success)
}

/// The newest successful run of the same workflow before `run`, on the same ref if there is one.
fn last_green(history: &History, run: &RunSummary) -> Result<RunSummary, HistoryError> {
    let header = &run.header;
    let runs = lineclear_store::Store::runs(&history.store, Some(&header.run.repository), usize::MAX)?;
    let green = |other: &&RunSummary| {
        other.header.id < header.id
            && other.header.run.file == header.run.file
            && other.conclusion == Some(Conclusion::Success)
    };
    let on_the_same_ref = |other: &&RunSummary| other.header.run.reference == header.run.reference;
    let found = runs.iter().filter(green).find(on_the_same_ref).or_else(|| runs.iter().find(green));
    found.cloned().ok_or_else(|| {
        HistoryError::Asked(format!(
            "no run of {} before run {} succeeded; name the one to compare with: `lineclear diff OLD {}`",
            header.run.file, header.id, header.id
        ))
    })
}
