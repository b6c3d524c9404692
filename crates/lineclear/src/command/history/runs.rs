//! `lineclear runs`: which runs there were.

use clap::Args;
use lineclear_source::Style;
use lineclear_store::RunSummary;

use super::heading::{RunEntry, file_name, short_reference};
use super::{Shape, print_json};
use crate::exit::Exit;
use crate::history::{History, HistoryError, Scope, Status, StatusFilter, commits, is_of, table, words};
use crate::output;
use crate::report::duration;
use crate::settings::now;

const EXAMPLES: &str = "\
Examples:
  lineclear runs                             the newest runs of this repository
  lineclear runs --status failure -n 5       the last five that failed
  lineclear runs -W ci.yml --branch main     one workflow on one branch
  lineclear runs --all-repositories --format json

A run without an end whose process is gone is shown as killed: what it did until then can be read like any other.
Every other command takes a run as its id (or first or last digits), `last`, `last-failed`, `@2`, `ci.yml`, `ci.yml#12`.";

/// Arguments of `runs`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RunsArgs {
    #[command(flatten)]
    scope: Scope,

    /// Only runs of this workflow: its file, with or without folder and ending, or its name.
    #[arg(short = 'W', long, value_name = "FILE|NAME")]
    workflow: Option<String>,

    /// Only runs on this branch or tag.
    #[arg(short, long, value_name = "BRANCH")]
    branch: Option<String>,

    /// Only runs of this event.
    #[arg(short, long, value_name = "EVENT")]
    event: Option<String>,

    /// Only runs that stand so.
    #[arg(short, long, value_name = "STATUS")]
    status: Option<StatusFilter>,

    /// At most this many, the newest.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    limit: usize,

    /// For whom to print.
    #[arg(long, value_enum, default_value_t)]
    format: Shape,
}

/// Carries out `runs`.
pub(crate) fn run(args: &RunsArgs) -> Exit {
    HistoryError::end(try_run(args))
}

fn try_run(args: &RunsArgs) -> Result<Exit, HistoryError> {
    let history = History::open(&args.scope)?;
    let is_narrow = args.workflow.is_some() || args.branch.is_some() || args.event.is_some() || args.status.is_some();
    let mut runs = history.runs(if is_narrow { usize::MAX } else { args.limit })?;
    runs.retain(|run| fits(run, args));
    runs.truncate(args.limit);
    let shas: Vec<&str> = runs.iter().map(|run| run.header.run.sha.as_str()).collect();
    let subjects = commits::subjects(&history.checkout.root, &shas);
    let entries: Vec<RunEntry> = runs.iter().map(|run| RunEntry::new(run, &subjects)).collect();
    match args.format {
        Shape::Json => print_json(&serde_json::json!({ "runs": entries })),
        Shape::Text if runs.is_empty() => output::print(&nothing(&history, is_narrow)),
        Shape::Text => output::print(&listed(&history, &runs, &entries, output::stdout_style())),
    }
    Ok(Exit::Success)
}

fn fits(run: &RunSummary, args: &RunsArgs) -> bool {
    let header = &run.header.run;
    let on_branch = |branch: &String| {
        [branch.clone(), format!("refs/heads/{branch}"), format!("refs/tags/{branch}")].contains(&header.reference)
    };
    args.workflow.as_ref().is_none_or(|name| is_of(run, name))
        && args.branch.as_ref().is_none_or(on_branch)
        && args.event.as_ref().is_none_or(|event| *event == header.event)
        && args.status.is_none_or(|status| Status::of(run).fits(status))
}

fn listed(history: &History, runs: &[RunSummary], entries: &[RunEntry], style: Style) -> String {
    let row = |(run, entry): (&RunSummary, &RunEntry)| {
        let status = Status::of(run);
        let mut name = format!("{}#{}", file_name(&entry.file), entry.number);
        if history.repository.is_none() {
            name = format!("{} {name}", entry.repository);
        }
        let commit = if commits::is_commit(&entry.sha) { commits::short(&entry.sha) } else { "" };
        let subject = entry.subject.as_deref().unwrap_or_default();
        vec![
            status.sign(style),
            entry.id.to_string(),
            style.bold(&name),
            status.word(style),
            entry.event.clone(),
            short_reference(&entry.reference),
            entry.duration_ms.map(duration).unwrap_or_else(|| "–".to_owned()),
            style.dim(&words::age(run.header.run.started, now())),
            style.dim(&format!("{commit} {}", lineclear_source::clipped(subject, 50))),
        ]
    };
    table::columns(&runs.iter().zip(entries).map(row).collect::<Vec<_>>())
}

fn nothing(history: &History, is_narrow: bool) -> String {
    match (&history.repository, is_narrow) {
        (_, true) => "No run fits.\n".to_owned(),
        (Some(repository), false) => format!(
            "Nothing of {repository} has run here yet: `lineclear run` begins, `lineclear runs --all-repositories` looks at the others.\n"
        ),
        (None, false) => "Nothing has run here yet: `lineclear run` begins.\n".to_owned(),
    }
}
