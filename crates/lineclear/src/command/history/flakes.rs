//! `lineclear flakes`: tests that do not always say the same.

use clap::Args;
use serde_json::json;

use super::heading::file_name;
use super::{Shape, print_json};
use crate::exit::Exit;
use crate::history::tests_of_runs::{Flake, cases, flakes};
use crate::history::{History, HistoryError, RunView, Scope, commits, is_of, words};
use crate::output;
use crate::settings::now;

const EXAMPLES: &str = "\
Examples:
  lineclear flakes                       of this repository's last 100 runs
  lineclear flakes -W e2e.yml -n 500     of one workflow, further back
  lineclear flakes --format json

A test is unreliable in a run when it passed only after a failed try, or when it failed on a commit on which it passed in another
run of the same plan. What was changed between two such runs and not committed is not told apart from chance.
Tests are known from the reports that steps leave (docs/history.md).";

/// Arguments of `flakes`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct FlakesArgs {
    #[command(flatten)]
    scope: Scope,

    /// Only runs of this workflow.
    #[arg(short = 'W', long, value_name = "FILE|NAME")]
    workflow: Option<String>,

    /// How many runs to look at, the newest.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 100)]
    limit: usize,

    /// For whom to print.
    #[arg(long, value_enum, default_value_t)]
    format: Shape,
}

/// Carries out `flakes`.
pub(crate) fn run(args: &FlakesArgs) -> Exit {
    HistoryError::end(try_run(args))
}

fn try_run(args: &FlakesArgs) -> Result<Exit, HistoryError> {
    let history = History::open(&args.scope)?;
    let mut runs = history.runs(if args.workflow.is_some() { usize::MAX } else { args.limit })?;
    runs.retain(|run| args.workflow.as_ref().is_none_or(|name| is_of(run, name)));
    runs.truncate(args.limit);
    let views: Vec<RunView> = runs.into_iter().filter_map(|run| RunView::read(&history.store, run).ok()).collect();
    let with_tests = views.iter().filter(|view| cases(view).next().is_some()).count();
    let found = flakes(&views);
    match args.format {
        Shape::Json => print_json(&json!({ "runs": views.len(), "runs_with_tests": with_tests, "flakes": found })),
        Shape::Text => output::print(&in_words(&views, with_tests, &found)),
    }
    Ok(Exit::Success)
}

fn in_words(views: &[RunView], with_tests: usize, found: &[Flake]) -> String {
    let runs = words::count(views.len(), "run");
    if with_tests == 0 {
        return format!("No step of the last {runs} left a report of tests that could be read.\n");
    }
    let of = format!("the last {runs}, {with_tests} of them with reports of tests");
    if found.is_empty() {
        return format!("No test was unreliable in {of}.\n");
    }
    let style = output::stdout_style();
    let mut text = format!("{} unreliable in {of}\n", words::count(found.len(), "test"));
    for flake in found {
        let test = &flake.test;
        let name = match test.suite.as_str() {
            "" => test.name.clone(),
            suite => format!("{suite} › {}", test.name),
        };
        let mut how = Vec::new();
        if flake.retried > 0 {
            how.push(format!("passed on retry {} times", flake.retried));
        }
        if flake.failed > 0 {
            let commits: Vec<&str> = flake.flipped.iter().map(|sha| commits::short(sha)).collect();
            how.push(format!("failed {} times where it passed too ({})", flake.failed, commits.join(", ")));
        }
        text.push_str(&format!(
            "\n{}  {}  {}\n  {} of {} runs: {}; last seen {} in run {}\n",
            style.yellow(&words::percent(flake.unreliable(), flake.runs)),
            style.bold(&name),
            style.dim(&format!("{} › {}", file_name(&test.file), test.job)),
            flake.unreliable(),
            flake.runs,
            how.join(", "),
            words::age(flake.last, now()),
            flake.last_run
        ));
        if let Some(first) = flake.message.lines().find(|line| !line.trim().is_empty()) {
            text.push_str(&format!("  {}\n", lineclear_source::clipped(first.trim(), 160)));
        }
    }
    text
}
