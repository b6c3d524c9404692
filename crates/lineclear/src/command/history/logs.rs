//! `lineclear logs`: what the steps of a run printed. Logs are read line by line, however large they are.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use clap::Args;
use lineclear_event::JobKey;
use lineclear_source::Style;
use lineclear_store::{LogLine, LogMark, Store, StoreError};

use super::Shape;
use super::page::Page;
use super::search::{Meaning, Search};
use crate::exit::Exit;
use crate::history::terminal::harmless;
use crate::history::{History, HistoryError, JobView, RunView, Scope, Status};
use crate::output;

/// Between two looks at a run that goes on.
const PAUSE: Duration = Duration::from_millis(200);

const EXAMPLES: &str = "\
Examples:
  lineclear logs                             the log of the last run
  lineclear logs last-failed --failed        only the steps that failed
  lineclear logs ci.yml test                 one job of the last run of ci.yml
  lineclear logs @2 'test (3.12)' pytest     one step
  lineclear logs --search 'error|warning' -i lines that match, with two lines around each
  lineclear logs --tail 50 --timestamps
  lineclear logs --follow                    of a run that goes on, until it ends

A job is given by its key, name, or the beginning of either; a step by its id, name, or the beginning of either.
Exit codes: 0 something was shown, 1 nothing matched the search, 2 no such run, job or step.";

/// Arguments of `logs`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct LogsArgs {
    /// Which run.
    #[arg(value_name = "RUN", default_value = "last")]
    run: String,

    /// Only this job.
    #[arg(value_name = "JOB")]
    job: Option<String>,

    /// Only this step.
    #[arg(value_name = "STEP")]
    step: Option<String>,

    #[command(flatten)]
    scope: Scope,

    /// Only lines that match this regular expression, with lines around them.
    #[arg(short, long, value_name = "PATTERN")]
    search: Option<String>,

    /// With --search: upper and lower case are the same.
    #[arg(short, long, requires = "search")]
    ignore_case: bool,

    /// With --search: the pattern is plain text.
    #[arg(short = 'F', long, requires = "search")]
    fixed: bool,

    /// With --search: show this many lines around each match.
    #[arg(short, long, value_name = "N", default_value_t = 2)]
    context: usize,

    /// Only the steps that failed.
    #[arg(long)]
    failed: bool,

    /// Only the last N lines of each job.
    #[arg(short = 'n', long, value_name = "N")]
    tail: Option<usize>,

    /// Show when each line was printed, in UTC.
    #[arg(short, long)]
    timestamps: bool,

    /// Go on with what a run that is still going on prints, until it ends.
    #[arg(short, long, conflicts_with_all = ["tail", "failed"])]
    follow: bool,

    /// For whom to print; JSON is one object a line.
    #[arg(long, value_enum, default_value_t)]
    format: Shape,
}

/// Carries out `logs`.
pub(crate) fn run(args: &LogsArgs) -> Exit {
    HistoryError::end(try_run(args))
}

fn try_run(args: &LogsArgs) -> Result<Exit, HistoryError> {
    let history = History::open(&args.scope)?;
    let summary = history.select(&args.run)?;
    let meaning = Meaning { ignore_case: args.ignore_case, is_fixed: args.fixed };
    let search = args.search.as_ref().map(|pattern| Search::new(pattern, meaning)).transpose()?;
    let mut printer = Printer {
        args,
        search,
        style: output::stdout_style(),
        page: Page::default(),
        last_place: None,
        several_jobs: args.job.is_none(),
        found: false,
    };
    if args.follow {
        return follow(&history, &mut printer, summary.header.id);
    }
    let view = RunView::read(&history.store, summary)?;
    let jobs: Vec<&JobView> = match &args.job {
        Some(job) => view.jobs_called(job)?,
        None => view.jobs.iter().filter(|job| job.started.is_some()).collect(),
    };
    printer.several_jobs = jobs.len() > 1;
    if let (Some(step), Some(first)) = (&args.step, jobs.first())
        && jobs.iter().all(|job| job.step(step).is_err())
    {
        first.step(step)?;
    }
    view.damage.iter().for_each(|sentence| output::complain(&format!("note: {sentence}")));
    let mut is_complete = true;
    for job in &jobs {
        let steps = steps_of(args, job);
        if steps.as_ref().is_some_and(BTreeSet::is_empty) || !printer.page.is_read() {
            continue;
        }
        is_complete &= show_job(&history.store, &mut printer, &view, job, steps.as_ref())?;
    }
    printer.page.flush();
    if !printer.found {
        if args.search.is_some() {
            return Ok(Exit::WorkFailed);
        }
        output::complain(&nothing(&view, &jobs, args));
    }
    Ok(if is_complete { Exit::Success } else { Exit::EngineFault })
}

/// The ids of the steps to show; `None` for all.
fn steps_of(args: &LogsArgs, job: &JobView) -> Option<BTreeSet<String>> {
    let named = |step: &String| job.step(step).map(|step| BTreeSet::from([step.id.clone()])).unwrap_or_default();
    let mut steps = args.step.as_ref().map(named);
    if args.failed {
        let failed = job.steps.iter().filter(|step| step.is_failure()).map(|step| step.id.clone());
        let failed: BTreeSet<String> = failed.collect();
        steps = Some(steps.map_or(failed.clone(), |steps| &steps & &failed));
    }
    steps
}

/// Shows a job's log; false when it is damaged and ends before its end.
fn show_job(
    store: &dyn Store,
    printer: &mut Printer<'_>,
    view: &RunView,
    job: &JobView,
    steps: Option<&BTreeSet<String>>,
) -> Result<bool, HistoryError> {
    let mut sieve = Sieve::new(printer.args.context, printer.search.is_some());
    let mut tail: Option<VecDeque<Kept>> = printer.args.tail.map(|_| VecDeque::new());
    let limit = printer.args.tail.unwrap_or(0);
    let mut number = 0_u64;
    let read = store.log(view.id(), &job.key, &mut |line| {
        number += 1;
        if steps.is_some_and(|steps| !steps.contains(line.step)) {
            return true;
        }
        let is_match = printer.search.as_ref().is_none_or(|search| search.is_in(&harmless(line.line, Style::Plain)));
        sieve.take(Kept::of(line, number, is_match), &mut |kept| match &mut tail {
            Some(tail) => {
                if tail.len() == limit {
                    tail.pop_front();
                }
                if limit > 0 {
                    tail.push_back(kept);
                }
                true
            }
            None => printer.show(job, &kept),
        })
    });
    for kept in tail.into_iter().flatten() {
        printer.show(job, &kept);
    }
    match read {
        Ok(()) => Ok(true),
        Err(error @ StoreError::Damaged { .. }) => {
            printer.page.flush();
            output::complain_of(&error);
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

/// Shows what comes until the run ends, and ends as the run does.
fn follow(history: &History, printer: &mut Printer<'_>, id: lineclear_event::RunId) -> Result<Exit, HistoryError> {
    let mut marks: BTreeMap<JobKey, (LogMark, u64)> = BTreeMap::new();
    loop {
        // In this order: what was printed before the run was found to have ended is then read below.
        let summary = history.store.run(id)?;
        let status = Status::of(&summary);
        let view = RunView::read(&history.store, summary)?;
        let wanted = |job: &&JobView| {
            let args = printer.args;
            job.started.is_some()
                && args.job.as_ref().is_none_or(|text| {
                    view.jobs_called(text).is_ok_and(|jobs| jobs.iter().any(|wanted| wanted.key == job.key))
                })
        };
        let jobs: Vec<&JobView> = view.jobs.iter().filter(wanted).collect();
        for job in jobs {
            let step = match &printer.args.step {
                Some(text) => match job.step(text) {
                    Ok(step) => Some(step.id.clone()),
                    Err(_) => continue,
                },
                None => None,
            };
            let (mark, number) = marks.entry(job.key.clone()).or_default();
            history.store.log_since(id, &job.key, mark, &mut |line| {
                *number += 1;
                let is_wanted = step.as_ref().is_none_or(|step| step == line.step)
                    && printer.search.as_ref().is_none_or(|search| search.is_in(&harmless(line.line, Style::Plain)));
                !is_wanted || printer.show(job, &Kept::of(line, *number, true))
            })?;
        }
        printer.page.flush();
        if !printer.page.is_read() {
            return Ok(Exit::Success);
        }
        match status {
            Status::Running => std::thread::sleep(PAUSE),
            Status::Ended(conclusion) => return Ok(Exit::of(conclusion)),
            Status::Killed => {
                output::complain(&format!(
                    "note: run {id} was killed: its process is gone and did not say how it ended"
                ));
                return Ok(Exit::WorkFailed);
            }
        }
    }
}

fn nothing(view: &RunView, jobs: &[&JobView], args: &LogsArgs) -> String {
    let id = view.id();
    match jobs {
        _ if args.failed => format!("note: no step of run {id} failed"),
        [] => format!("note: no job of run {id} began; `lineclear why {id}` says why"),
        _ => format!("note: nothing was printed there; `lineclear why {id}` says what happened"),
    }
}

/// A line to be shown.
#[derive(Clone, Debug)]
struct Kept {
    number: u64,
    step: String,
    time: String,
    line: String,
    is_match: bool,
    /// Whether lines before it are left out.
    after_gap: bool,
}

impl Kept {
    fn of(line: LogLine<'_>, number: u64, is_match: bool) -> Self {
        let (step, time, line) = (line.step.to_owned(), line.time.to_owned(), line.line.to_owned());
        Self { number, step, time, line, is_match, after_gap: false }
    }
}

/// Lets lines that match through, and those around them.
#[derive(Debug)]
struct Sieve {
    context: usize,
    is_searching: bool,
    before: VecDeque<Kept>,
    /// Lines still to be shown after a match.
    after: usize,
    left_out: bool,
    has_shown: bool,
}

impl Sieve {
    fn new(context: usize, is_searching: bool) -> Self {
        Self { context, is_searching, before: VecDeque::new(), after: 0, left_out: false, has_shown: false }
    }

    fn take(&mut self, line: Kept, show: &mut dyn FnMut(Kept) -> bool) -> bool {
        if !self.is_searching {
            return show(line);
        }
        if line.is_match {
            self.after = self.context;
            let mut lines: Vec<Kept> = self.before.drain(..).collect();
            lines.push(line);
            lines[0].after_gap = std::mem::take(&mut self.left_out) && self.has_shown && self.context > 0;
            self.has_shown = true;
            return lines.into_iter().all(show);
        }
        if self.after > 0 {
            self.after -= 1;
            return show(line);
        }
        self.before.push_back(line);
        if self.before.len() > self.context {
            self.before.pop_front();
            self.left_out = true;
        }
        true
    }
}

struct Printer<'a> {
    args: &'a LogsArgs,
    search: Option<Search>,
    style: Style,
    page: Page,
    /// Job and step of the last line.
    last_place: Option<(JobKey, String)>,
    several_jobs: bool,
    found: bool,
}

impl Printer<'_> {
    fn show(&mut self, job: &JobView, line: &Kept) -> bool {
        self.found |= line.is_match;
        if self.args.format == Shape::Json {
            return !line.is_match || self.show_json(job, line);
        }
        let place = (job.key.clone(), line.step.clone());
        if self.last_place.as_ref() != Some(&place) {
            let heading = self.heading(job, &line.step);
            self.last_place = Some(place);
            if !heading.is_empty() && !self.page.line(&heading) {
                return false;
            }
        } else if line.after_gap && !self.page.line(&self.style.dim("--")) {
            return false;
        }
        let mut text = String::new();
        if self.search.is_some() {
            text.push_str(&self.style.dim(&format!("{:>6}{}", line.number, if line.is_match { ": " } else { "  " })));
        }
        if self.args.timestamps {
            text.push_str(&self.style.dim(&format!("{} ", line.time)));
        }
        match &self.search {
            Some(search) if line.is_match => {
                text.push_str(&search.highlighted(&harmless(&line.line, Style::Plain), self.style));
            }
            _ => text.push_str(&self.marked(&harmless(&line.line, self.style))),
        }
        self.page.line(&text)
    }

    /// `── test (3.12) › Run pytest`, where it is not clear without.
    fn heading(&self, job: &JobView, step: &str) -> String {
        let name = job.steps.iter().rev().find(|known| known.id == step).map_or(step, |known| known.name.as_str());
        let title = match (self.several_jobs, &self.args.step) {
            (true, _) => format!("── {} › {name}", job.name),
            (false, None) => format!("── {name}"),
            (false, Some(_)) => return String::new(),
        };
        self.style.bold(&harmless(&title, Style::Plain))
    }

    /// What GitHub's page draws for its markers; without colours they stay, so that what is searched for is what is there.
    fn marked(&self, line: &str) -> String {
        let Some((marker, rest)) = line.strip_prefix("##[").and_then(|line| line.split_once(']')) else {
            return line.to_owned();
        };
        match (self.style, marker) {
            (Style::Plain, _) => line.to_owned(),
            (_, "group") => self.style.dim(&format!("▾ {rest}")),
            (_, "endgroup") => String::new(),
            (_, "error") => self.style.red(&format!("error: {rest}")),
            (_, "warning") => self.style.yellow(&format!("warning: {rest}")),
            (_, "notice" | "command" | "section") => self.style.cyan(rest),
            (_, "debug") => self.style.dim(rest),
            _ => line.to_owned(),
        }
    }

    fn show_json(&mut self, job: &JobView, line: &Kept) -> bool {
        let object = serde_json::json!({
            "job": job.key, "step": line.step, "number": line.number, "time": line.time, "line": line.line,
        });
        self.page.line(&object.to_string())
    }
}
