//! `lineclear cache why`: why a look-up found something or not.

use clap::Args;
use lineclear_source::Style;
use lineclear_store::{CacheEntry, CacheScope, Caches, Lookup, choose};
use serde::Serialize;
use serde_json::json;

use super::cache::row;
use super::heading::{entry, heading, short_reference};
use super::{Shape, print_json};
use crate::exit::Exit;
use crate::history::caching::{self, Found, LookUp};
use crate::history::{History, HistoryError, RunView, Scope, Selector, table, words};
use crate::output;
use crate::settings::now;

/// Runs that are looked through for what a key found before.
const LOOKED_AT: usize = 200;
/// Entries of similar keys that are shown.
const NEAREST: usize = 5;

const EXAMPLES: &str = "\
Examples:
  lineclear cache why                        the look-ups of the last run
  lineclear cache why last-failed test       those of one job
  lineclear cache why pip-linux-0a1b2c       what a look-up of this key would find from the current branch
  lineclear cache why pip-linux-0a1b2c --ref feature --paths ~/.cache/pip
                                             from another branch, for these paths

A key that reads like a run (`last`, digits) is taken for one; --key says that it is a key.";

/// Arguments of `cache why`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct WhyArgs {
    /// A run, or a key.
    #[arg(value_name = "RUN|KEY", default_value = "last")]
    target: String,

    /// Of a run: only this job.
    #[arg(value_name = "JOB")]
    job: Option<String>,

    /// The first argument is a key.
    #[arg(long)]
    key: bool,

    /// Of a key: the paths that the step caches, as they are written there; may be repeated.
    #[arg(long, value_name = "PATH", conflicts_with = "version")]
    paths: Vec<String>,

    /// Of a key: the version, which stands for the paths; its beginning is enough.
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,

    /// Of a key: the ref that looks. [default: the branch that is checked out]
    #[arg(long = "ref", value_name = "REF")]
    reference: Option<String>,

    #[command(flatten)]
    scope: Scope,

    /// For whom to print.
    #[arg(long, value_enum, default_value_t)]
    format: Shape,
}

pub(super) fn run(args: &WhyArgs) -> Result<Exit, HistoryError> {
    let history = History::open(&args.scope)?;
    let asks_of_key = args.key || !args.paths.is_empty() || args.version.is_some() || args.reference.is_some();
    if asks_of_key {
        return of_key(&history, args);
    }
    match history.select(&args.target) {
        Ok(run) => of_run(&history, args, run),
        Err(wrong @ HistoryError::Asked(_)) if args.job.is_some() || is_surely_a_run(&args.target) => Err(wrong),
        Err(HistoryError::Asked(_)) => of_key(&history, args),
        Err(error) => Err(error),
    }
}

fn is_surely_a_run(text: &str) -> bool {
    match Selector::parse(text) {
        Ok(
            Selector::Back { workflow: None, .. }
            | Selector::LastFailed { .. }
            | Selector::Number { workflow: None, .. },
        ) => true,
        Ok(_) | Err(_) => false,
    }
}

fn of_run(history: &History, args: &WhyArgs, run: lineclear_store::RunSummary) -> Result<Exit, HistoryError> {
    let view = RunView::read(&history.store, run)?;
    let look_ups = match &args.job {
        Some(job) => view.jobs_called(job)?.into_iter().flat_map(|job| caching::of_job(&view, job)).collect(),
        None => caching::look_ups(&view),
    };
    if args.format == Shape::Json {
        print_json(&json!({ "run": entry(history, &view.summary), "look_ups": look_ups }));
        return Ok(Exit::Success);
    }
    let style = output::stdout_style();
    output::print(&heading(history, &view.summary, style));
    if look_ups.is_empty() {
        output::print("No step of it looked for a cache.\n");
    }
    for look_up in &look_ups {
        output::print(&shown(look_up, style));
    }
    Ok(Exit::Success)
}

fn shown(look_up: &LookUp, style: Style) -> String {
    let word = match look_up.found {
        Found::Exact => style.green("hit"),
        Found::Partial => style.yellow("partial hit"),
        Found::Nothing => style.red("miss"),
    };
    let mut text = format!("\n{word}  {} › {}  {}\n", look_up.job, look_up.step, style.bold(&look_up.key));
    if let (Some(matched), Found::Partial) = (&look_up.matched, look_up.found) {
        text.push_str(&format!("  found:  {matched}\n"));
    }
    text.push_str(&format!("  why:    {}\n", look_up.reason));
    if look_up.size > 0 {
        text.push_str(&format!("  size:   {}\n", words::size(look_up.size)));
    }
    text
}

/// What a key would find, and everything that stands near it.
#[derive(Debug, Serialize)]
struct Answer {
    key: String,
    scopes: Vec<String>,
    /// For each version that is asked about, or that the key has: what the look-up comes to.
    outcomes: Vec<Outcome>,
    /// Entries of this key that cannot be read from here.
    elsewhere: Vec<CacheEntry>,
    /// Entries with the longest common beginning.
    nearest: Vec<CacheEntry>,
    /// Look-ups of runs that found this key, the newest first.
    found_before: Vec<LookUp>,
    /// Why what was found before is not there any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    gone: Option<String>,
}

#[derive(Debug, Serialize)]
struct Outcome {
    version: String,
    found: bool,
    reason: String,
}

fn of_key(history: &History, args: &WhyArgs) -> Result<Exit, HistoryError> {
    let repository = history.repository.clone().ok_or_else(|| {
        HistoryError::Asked("caches belong to a repository: go into its folder, or name it by --repository".to_owned())
    })?;
    let answer = answer(history, args, &repository)?;
    match args.format {
        Shape::Json => print_json(&answer),
        Shape::Text => output::print(&in_words(&answer, output::stdout_style())),
    }
    Ok(if answer.outcomes.iter().any(|outcome| outcome.found) { Exit::Success } else { Exit::WorkFailed })
}

fn answer(history: &History, args: &WhyArgs, repository: &str) -> Result<Answer, HistoryError> {
    let key = &args.target;
    let entries = Caches::list(&history.store, Some(repository))?;
    let own = match &args.reference {
        Some(reference) if reference.starts_with("refs/") => reference.clone(),
        Some(branch) => format!("refs/heads/{branch}"),
        None => history.checkout.branch_reference().unwrap_or_else(|| history.checkout.default_reference()),
    };
    let mut scopes = vec![CacheScope(own), CacheScope(history.checkout.default_reference())];
    scopes.dedup();
    let mut versions: Vec<String> = if args.paths.is_empty() {
        let asked = |entry: &&CacheEntry| args.version.as_ref().is_none_or(|asked| entry.version.starts_with(asked));
        let near =
            |entry: &&CacheEntry| args.version.is_some() || entry.key == *key || entry.key.starts_with(key.as_str());
        entries.iter().filter(asked).filter(near).map(|entry| entry.version.clone()).collect()
    } else {
        vec![lineclear_native::cache_version(&args.paths)]
    };
    versions.sort_unstable();
    versions.dedup();
    if versions.is_empty() {
        // A look-up for a version that nothing has says what there is instead.
        versions.push(args.version.clone().unwrap_or_default());
    }
    let outcome = |version: String| {
        let keys = vec![key.clone()];
        let lookup = Lookup { repository: repository.to_owned(), keys, version, scopes: scopes.clone(), now: now() };
        // Files that a step keeps and archives that a client packs never stand in for each other.
        let kinds: Vec<_> = entries.iter().map(|entry| entry.kind).collect();
        let hit = kinds.iter().find_map(|kind| choose(&entries, *kind, &lookup, &[]).ok());
        let (found, reason) = match hit {
            Some(hit) => (true, format!("`{}`: {}", hit.entry.key, hit.reason)),
            None => {
                let kind = kinds.first().copied().unwrap_or_default();
                let miss = choose(&entries, kind, &lookup, &[]).err();
                (false, miss.map(|miss| miss.reason).unwrap_or_default())
            }
        };
        Outcome { version: lookup.version, found, reason }
    };
    let outcomes: Vec<Outcome> = versions.into_iter().map(outcome).collect();
    let is_elsewhere = |entry: &&CacheEntry| entry.key == *key && !scopes.contains(&entry.scope);
    let found_before = found_before(history, key)?;
    let is_kept = entries.iter().any(|entry| entry.key == *key);
    let gone = (!is_kept && !found_before.is_empty()).then(|| {
        "it was there and is gone: entries go when no run used them for 7 days, when the repository's caches are larger than their \
         limit (the least used first), and with `lineclear cache rm`"
            .to_owned()
    });
    Ok(Answer {
        key: key.clone(),
        outcomes,
        elsewhere: entries.iter().filter(is_elsewhere).cloned().collect(),
        nearest: nearest(&entries, key),
        found_before,
        gone,
        scopes: scopes.into_iter().map(|scope| scope.0).collect(),
    })
}

fn found_before(history: &History, key: &str) -> Result<Vec<LookUp>, HistoryError> {
    let mut found = Vec::new();
    for run in history.runs(LOOKED_AT)? {
        let Ok(view) = RunView::read(&history.store, run) else { continue };
        let ours = |look_up: &LookUp| look_up.matched.as_deref() == Some(key);
        found.extend(caching::look_ups(&view).into_iter().filter(ours));
    }
    Ok(found)
}

/// The entries of other keys that begin most like `key`.
fn nearest(entries: &[CacheEntry], key: &str) -> Vec<CacheEntry> {
    let common =
        |entry: &CacheEntry| entry.key.bytes().zip(key.bytes()).take_while(|(left, right)| left == right).count();
    let mut others: Vec<&CacheEntry> =
        entries.iter().filter(|entry| entry.key != key && common(entry) >= 3.min(key.len())).collect();
    others.sort_by_key(|entry| std::cmp::Reverse((common(entry), entry.created)));
    others.into_iter().take(NEAREST).cloned().collect()
}

fn in_words(answer: &Answer, style: Style) -> String {
    let scopes: Vec<String> = answer.scopes.iter().map(|scope| short_reference(scope)).collect();
    let mut text = format!("{} as seen from {}\n", style.bold(&answer.key), scopes.join(", then "));
    for outcome in &answer.outcomes {
        let word = if outcome.found { style.green("hit") } else { style.red("miss") };
        let version = match outcome.version.get(..12).unwrap_or(&outcome.version) {
            "" => String::new(),
            version => style.dim(&format!("  (version {version})")),
        };
        text.push_str(&format!("  {word}: {}{version}\n", outcome.reason));
    }
    let list = |title: &str, entries: &[CacheEntry]| {
        let rows: Vec<_> = entries
            .iter()
            .map(|entry| {
                let mut cells = row(entry, false, style);
                cells[0] = format!("  {}", cells[0]);
                cells
            })
            .collect();
        format!("\n{title}\n{}", table::columns(&rows))
    };
    if !answer.elsewhere.is_empty() {
        text.push_str(&list(
            "Other branches have this key; only they, and pull requests into them, can read it:",
            &answer.elsewhere,
        ));
    }
    if !answer.nearest.is_empty() {
        text.push_str(&list("Keys that begin alike:", &answer.nearest));
    }
    if let Some(last) = answer.found_before.first() {
        let age = words::age(last.started, now());
        text.push_str(&format!("\nLast found {age} by {} of run {}.\n", last.job, last.run));
    }
    if let Some(gone) = &answer.gone {
        text.push_str(&format!("{gone}\n"));
    }
    text
}
