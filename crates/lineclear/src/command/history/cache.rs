//! `lineclear cache`: what is cached, what it was worth, and why a look-up found something or not.

use clap::{Args, Subcommand};
use lineclear_source::Style;
use lineclear_store::{CacheEntry, Caches};
use serde_json::json;
use std::collections::BTreeMap;

use super::heading::{file_name, short_reference};
use super::{Shape, cache_why, print_json};
use crate::exit::Exit;
use crate::history::caching::{self, Comparison, Rate};
use crate::history::{History, HistoryError, RunView, Scope, is_of, table, words};
use crate::output;
use crate::report::duration;
use crate::settings::now;

const EXAMPLES: &str = "\
Examples:
  lineclear cache ls --key pip-              entries whose keys begin with pip-
  lineclear cache why last test              why the look-ups of a job found something or not
  lineclear cache why pip-linux-0a1b --ref refs/heads/feature
                                             what a look-up of this key would find from that branch, and why
  lineclear cache stats                      the hit rate, and how long jobs took with caches and without
  lineclear cache rm 12                      one entry, by its id
  lineclear cache rm pip-linux-0a1b --all    all entries of a key";

/// Arguments of `cache`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CacheArgs {
    #[command(subcommand)]
    command: CacheCommand,
}

#[derive(Debug, Subcommand)]
enum CacheCommand {
    /// List the entries, newest first.
    Ls(ListArgs),
    /// Remove entries.
    Rm(RemoveArgs),
    /// Say why look-ups found something or not: of a run, or of a key.
    Why(cache_why::WhyArgs),
    /// The hit rate of recent runs, and how long jobs took with caches and without.
    Stats(StatsArgs),
}

#[derive(Debug, Args)]
struct ListArgs {
    #[command(flatten)]
    scope: Scope,

    /// Only keys that begin so.
    #[arg(short, long, value_name = "PREFIX")]
    key: Option<String>,

    /// For whom to print.
    #[arg(long, value_enum, default_value_t)]
    format: Shape,
}

#[derive(Debug, Args)]
struct RemoveArgs {
    /// The id of an entry, or a key.
    #[arg(value_name = "ID|KEY", required_unless_present = "all")]
    target: Option<String>,

    /// Every entry of the key; without a key, every entry of the repository.
    #[arg(long)]
    all: bool,

    #[command(flatten)]
    scope: Scope,
}

#[derive(Debug, Args)]
struct StatsArgs {
    #[command(flatten)]
    scope: Scope,

    /// Only runs of this workflow.
    #[arg(short = 'W', long, value_name = "FILE|NAME")]
    workflow: Option<String>,

    /// How many runs to look at, the newest.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 50)]
    limit: usize,

    /// For whom to print.
    #[arg(long, value_enum, default_value_t)]
    format: Shape,
}

/// Carries out `cache`.
pub(crate) fn run(args: &CacheArgs) -> Exit {
    HistoryError::end(match &args.command {
        CacheCommand::Ls(args) => list(args),
        CacheCommand::Rm(args) => remove(args),
        CacheCommand::Why(args) => cache_why::run(args),
        CacheCommand::Stats(args) => stats(args),
    })
}

fn list(args: &ListArgs) -> Result<Exit, HistoryError> {
    let history = History::open(&args.scope)?;
    let mut entries = Caches::list(&history.store, history.repository.as_deref())?;
    if let Some(prefix) = &args.key {
        entries.retain(|entry| entry.key.starts_with(prefix));
    }
    match args.format {
        Shape::Json => print_json(&json!({ "caches": entries })),
        Shape::Text if entries.is_empty() => output::print("There are no such caches.\n"),
        Shape::Text => {
            let style = output::stdout_style();
            let row = |entry: &CacheEntry| row(entry, history.repository.is_none(), style);
            output::print(&table::columns(&entries.iter().map(row).collect::<Vec<_>>()));
            let total = entries.iter().map(|entry| entry.size).sum();
            let stored = entries.iter().map(|entry| entry.stored).sum();
            let count = match entries.len() {
                1 => "1 entry".to_owned(),
                several => format!("{several} entries"),
            };
            output::print(&format!("{count}, {}; {} on the disk\n", words::size(total), words::size(stored)));
        }
    }
    Ok(Exit::Success)
}

/// One entry in a list.
pub(super) fn row(entry: &CacheEntry, with_repository: bool, style: Style) -> Vec<String> {
    let mut scope = short_reference(&entry.scope.0);
    if with_repository {
        scope = format!("{} {scope}", entry.repository);
    }
    vec![
        entry.id.to_string(),
        style.bold(&entry.key),
        scope,
        words::size(entry.size),
        words::count(usize::try_from(entry.files).unwrap_or(usize::MAX), "file"),
        format!("made {}", words::age(entry.created, now())),
        format!("used {}", words::age(entry.used, now())),
        style.dim(entry.version.get(..12).unwrap_or(&entry.version)),
    ]
}

fn remove(args: &RemoveArgs) -> Result<Exit, HistoryError> {
    let history = History::open(&args.scope)?;
    let mut entries = Caches::list(&history.store, history.repository.as_deref())?;
    if let Some(target) = &args.target {
        let by_key: Vec<CacheEntry> = entries.iter().filter(|entry| entry.key == *target).cloned().collect();
        let by_id: Vec<CacheEntry> = entries.iter().filter(|entry| entry.id.to_string() == *target).cloned().collect();
        let found = if by_id.is_empty() { by_key } else { by_id };
        if found.is_empty() {
            let keys = entries.iter().map(|entry| entry.key.as_str());
            let advice = match lineclear_source::suggest(target, keys) {
                Some(near) => format!("; did you mean `{near}`?"),
                None => "; `lineclear cache ls` lists them".to_owned(),
            };
            return Err(HistoryError::Asked(format!("no cache has the id or the key `{target}`{advice}")));
        }
        entries = found;
    }
    if entries.len() > 1 && !args.all {
        let style = output::stderr_style();
        let rows: Vec<_> = entries.iter().map(|entry| row(entry, false, style)).collect();
        let listed = table::columns(&rows);
        return Err(HistoryError::Asked(format!(
            "{} entries have this key; name one by its id, or say --all\n{}",
            entries.len(),
            listed.trim_end()
        )));
    }
    for entry in &entries {
        history.store.remove(entry.id)?;
        output::print(&format!("removed {} ({}, {})\n", entry.key, entry.scope.0, words::size(entry.size)));
    }
    if entries.is_empty() {
        output::print("There was nothing to remove.\n");
    } else {
        output::print("`lineclear prune` gives their room on the disk back.\n");
    }
    Ok(Exit::Success)
}

fn stats(args: &StatsArgs) -> Result<Exit, HistoryError> {
    let history = History::open(&args.scope)?;
    let mut runs = history.runs(if args.workflow.is_some() { usize::MAX } else { args.limit })?;
    runs.retain(|run| args.workflow.as_ref().is_none_or(|name| is_of(run, name)));
    runs.truncate(args.limit);
    let views: Vec<RunView> = runs.into_iter().filter_map(|run| RunView::read(&history.store, run).ok()).collect();
    let mut total = Rate::default();
    let mut families: BTreeMap<String, Rate> = BTreeMap::new();
    for look_up in views.iter().flat_map(caching::look_ups) {
        total.add(&look_up);
        families.entry(caching::family(&look_up.key)).or_default().add(&look_up);
    }
    let compared = caching::compare(&views);
    match args.format {
        Shape::Json => {
            let keys: Vec<_> = families
                .iter()
                .map(|(keys, rate)| json!({ "keys": keys, "rate": rate, "hit_percent": share(rate) }))
                .collect();
            let jobs: Vec<_> = compared
                .iter()
                .map(|one| {
                    let mut entry = json!(one);
                    entry["saved_percent"] = one.saved_percent().into();
                    entry
                })
                .collect();
            print_json(&json!({
                "runs": views.len(), "rate": total, "hit_percent": share(&total), "keys": keys, "comparison": jobs,
            }));
        }
        Shape::Text => output::print(&shown(&views, &total, &families, &compared, output::stdout_style())),
    }
    Ok(Exit::Success)
}

/// Hits in percent of the look-ups; none where there was no look-up.
fn share(rate: &Rate) -> Option<u64> {
    (rate.look_ups > 0).then(|| rate.hits() * 100 / rate.look_ups)
}

fn shown(
    views: &[RunView],
    total: &Rate,
    families: &BTreeMap<String, Rate>,
    compared: &[Comparison],
    style: Style,
) -> String {
    let runs = words::count(views.len(), "run");
    if total.look_ups == 0 {
        return format!("No step of the last {runs} looked for a cache.\n");
    }
    let mut text = format!(
        "{} of {} look-ups found something ({}) in the last {runs}: {} exactly, {} by a restore key; {} restored\n\n",
        total.hits(),
        total.look_ups,
        style.bold(&words::percent(total.hits(), total.look_ups)),
        total.exact,
        total.partial,
        words::size(total.restored)
    );
    let row = |(keys, rate): (&String, &Rate)| {
        vec![
            format!("  {keys}"),
            words::percent(rate.hits(), rate.look_ups),
            format!("{} exact", rate.exact),
            format!("{} partial", rate.partial),
            format!("{} missed", rate.missed),
            words::size(rate.restored),
        ]
    };
    text.push_str(&table::columns(&families.iter().map(row).collect::<Vec<_>>()));
    if compared.is_empty() {
        text.push_str("\nNo job succeeded both with all its caches and without: there is nothing to compare yet.\n");
        return text;
    }
    text.push_str("\nWith caches and without, the middle of the times of jobs that succeeded:\n");
    let jobs = |count: u64| words::count(usize::try_from(count).unwrap_or(usize::MAX), "job");
    let row = |one: &Comparison| {
        let saved = match one.saved_percent() {
            percent if percent >= 0 => style.green(&format!("{percent} % saved")),
            percent => style.yellow(&format!("{} % slower with caches", -percent)),
        };
        vec![
            format!("  {} › {}", file_name(&one.file), one.job),
            format!("{} with ({})", duration(one.with_ms), jobs(one.with)),
            format!("{} without ({})", duration(one.without_ms), jobs(one.without)),
            saved,
        ]
    };
    text.push_str(&table::columns(&compared.iter().map(row).collect::<Vec<_>>()));
    text
}
