//! `lineclear replay`: decides again on what a run recorded, and runs it again.

use clap::Args;
use lineclear_engine::{Effect, Input, TimerId};
use lineclear_event::{Envelope, RunEvent};
use lineclear_source::Style;
use lineclear_store::{RunSummary, Store};
use serde_json::json;

use super::heading::{entry, heading};
use super::{Shape, print_json};
use crate::exit::Exit;
use crate::history::decisions::{Decision, Decisions, request, time_of};
use crate::history::{History, HistoryError, Scope, Status};
use crate::output;
use crate::report::duration;
use crate::session::rerun;

/// Differences that are shown.
const SHOWN: usize = 20;

const EXAMPLES: &str = "\
Examples:
  lineclear replay                       decide again on what the last run recorded, and compare
  lineclear replay ci.yml#12 --quiet     only whether it is equal
  lineclear replay last-failed --run     run it again: same commit, event, inputs, variables and workflow texts
  lineclear replay last --run -- --secret TOKEN --format plain
                                         what follows -- are options of `lineclear run`

Without --run nothing is started: the recorded inputs are given to a new engine, and what it decides is compared with the recorded
events. Exit codes: 0 equal, 1 different, 2 no such run, 3 a record that cannot be read; with --run as `lineclear run`.

A run keeps no secrets and no files that were not committed: --run takes secrets as `lineclear run` does, and works in a copy of
the recorded commit, not of the working tree.";

/// Arguments of `replay`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ReplayArgs {
    /// Which run.
    #[arg(value_name = "RUN", default_value = "last")]
    run: String,

    #[command(flatten)]
    scope: Scope,

    /// Compare the decisions with the record (the default).
    #[arg(long, conflicts_with = "again")]
    check: bool,

    /// Run it again, with what was recorded of it.
    #[arg(long = "run")]
    again: bool,

    /// Do not print the decisions, only whether they are equal.
    #[arg(short, long, conflicts_with = "again")]
    quiet: bool,

    /// For whom to print.
    #[arg(long, value_enum, default_value_t)]
    format: Shape,

    /// With --run: options of `lineclear run`, such as secrets.
    #[arg(last = true, requires = "again", value_name = "OPTION")]
    options: Vec<String>,
}

/// Carries out `replay`.
pub(crate) fn run(args: &ReplayArgs) -> Exit {
    HistoryError::end(try_run(args))
}

fn try_run(args: &ReplayArgs) -> Result<Exit, HistoryError> {
    let history = History::open(&args.scope)?;
    let run = history.select(&args.run)?;
    if args.again {
        let request = request(&history.store, run.header.id)?;
        return Ok(rerun::rerun(&history.checkout.root, &run, request, &args.options));
    }
    let recorded = history.store.events(run.header.id)?;
    let mut decisions = Decisions::alone(&history.store, run.header.id)?;
    let mut compared = Compared::new(&run, &decisions, &recorded);
    if !compared.is_equal() {
        // Runs of one command share concurrency groups: what happened in one may decide another.
        let together = Decisions::together(&history, &run)?;
        let again = Compared::new(&run, &together, &recorded);
        if again.differences.len() < compared.differences.len() {
            (decisions, compared) = (together, again);
        }
    }
    match args.format {
        Shape::Json => print_json(&document(&history, &run, &decisions, &compared)),
        Shape::Text => {
            let style = output::stdout_style();
            if !args.quiet {
                output::print(&heading(&history, &run, style));
                output::print(&decision_table(&decisions, style));
            }
            output::print(&verdict(&run, &decisions, &compared, style));
        }
    }
    Ok(if compared.is_equal() { Exit::Success } else { Exit::WorkFailed })
}

/// What the engine decides now beside what it told then.
struct Compared {
    /// Events that are equal.
    equal: usize,
    /// Decided now and not recorded, because the run was killed in between.
    unrecorded: usize,
    /// Text of what is decided now, and of what was recorded; one of them may be missing.
    differences: Vec<(Option<String>, Option<String>)>,
}

impl Compared {
    fn new(run: &RunSummary, decisions: &Decisions, recorded: &[Envelope]) -> Self {
        let json = |envelope: &Envelope| serde_json::to_string(envelope).unwrap_or_default();
        let now: Vec<Envelope> = decisions.told().collect();
        // Jobs add notices of their own, which nobody decides.
        let is_decided = |envelope: &&Envelope| match &envelope.event {
            RunEvent::Notice { .. } => now.contains(envelope),
            RunEvent::RunStarted { .. }
            | RunEvent::JobWaiting { .. }
            | RunEvent::JobStarted { .. }
            | RunEvent::JobFinished { .. }
            | RunEvent::RunFinished { .. } => true,
            _ => false,
        };
        let then: Vec<&Envelope> = recorded.iter().filter(is_decided).collect();
        let mut compared = Self { equal: 0, unrecorded: 0, differences: Vec::new() };
        for at in 0..now.len().max(then.len()) {
            match (now.get(at), then.get(at)) {
                (Some(now), Some(then)) if now == *then => compared.equal += 1,
                (Some(_), None) if run.conclusion.is_none() => compared.unrecorded += 1,
                (now, then) => compared.differences.push((now.map(json), then.map(|then| json(then)))),
            }
        }
        compared
    }

    fn is_equal(&self) -> bool {
        self.differences.is_empty()
    }
}

fn verdict(run: &RunSummary, decisions: &Decisions, compared: &Compared, style: Style) -> String {
    let mut text = String::new();
    if !decisions.together_with.is_empty() {
        let ids: Vec<String> = decisions.together_with.iter().map(ToString::to_string).collect();
        text.push_str(&format!("Decided together with what came in for {}, of the same command.\n", ids.join(", ")));
    }
    if compared.is_equal() {
        let inputs = decisions.all.len();
        text.push_str(&format!(
            "{} {} inputs give the {} recorded events again.\n",
            style.green("equal:"),
            inputs,
            compared.equal
        ));
    } else {
        let count = compared.differences.len();
        text.push_str(&format!(
            "{} {count} of what is decided now is not what was recorded:\n",
            style.red("different:")
        ));
        for (now, then) in compared.differences.iter().take(SHOWN) {
            let or_nothing = |text: &Option<String>| text.clone().unwrap_or_else(|| "nothing".to_owned());
            text.push_str(&format!("  now   {}\n  then  {}\n", or_nothing(now), or_nothing(then)));
        }
        if count > SHOWN {
            text.push_str(&format!("  … and {} more\n", count - SHOWN));
        }
        text.push_str("Either the record was changed, or another version of Lineclear made it.\n");
    }
    if compared.unrecorded > 0 {
        let word = if Status::of(run) == Status::Running { "is going on" } else { "was killed" };
        text.push_str(&format!("The run {word}: {} more follow from its last inputs.\n", compared.unrecorded));
    }
    text
}

fn decision_table(decisions: &Decisions, style: Style) -> String {
    let Some(first) = decisions.all.first().map(|decision| time_of(&decision.input)) else {
        return "No input was recorded.\n".to_owned();
    };
    let mut text = String::new();
    for decision in decisions.all.iter().filter(|decision| concerns(decision, decisions)) {
        let at = duration(time_of(&decision.input).millis_since(first));
        text.push_str(&format!("{:>8}  {}\n", format!("+{at}"), style.bold(&input_in_words(&decision.input))));
        match &decision.effects {
            Ok(effects) => {
                for words in effects.iter().filter_map(|effect| effect_in_words(effect, decisions)) {
                    text.push_str(&format!("            → {words}\n"));
                }
            }
            Err(why) => text.push_str(&format!("            {}\n", style.dim(&format!("does not apply: {why}")))),
        }
    }
    text
}

/// Whether an input is of this run, or did something to it.
fn concerns(decision: &Decision, decisions: &Decisions) -> bool {
    let run = decisions.run;
    let own = match &decision.input {
        Input::RunRequested { request, .. } => request.run == run,
        Input::JobStarted { run: id, .. } | Input::JobEnded { run: id, .. } => *id == run,
        Input::TimerFired {
            timer: TimerId::JobTimeout { run: id, .. } | TimerId::CancelTimeout { run: id, .. },
            ..
        } => *id == run,
        Input::CancelRequested { run: id, .. } => id.is_none_or(|id| id == run),
    };
    own || decision.effects.iter().flatten().any(|effect| effect_in_words(effect, decisions).is_some())
}

fn input_in_words(input: &Input) -> String {
    match input {
        Input::RunRequested { request, .. } => {
            format!("run {} of {} is asked for by {}", request.run, request.file, request.event.name)
        }
        Input::JobStarted { job, .. } => format!("{job} began"),
        Input::JobEnded { job, report, .. } => match &report.reason {
            Some(reason) => format!("{job} ended: {} ({})", report.conclusion, one_line(reason)),
            None => format!("{job} ended: {}", report.conclusion),
        },
        Input::TimerFired { timer: TimerId::JobTimeout { job, .. }, .. } => format!("the time of {job} is up"),
        Input::TimerFired { timer: TimerId::CancelTimeout { job, .. }, .. } => {
            format!("the time that {job} had to stop is up")
        }
        Input::CancelRequested { reason, .. } => format!("it is to be cancelled: {}", one_line(reason)),
    }
}

/// An order for this run; `None` for what concerns others and for timers that are cleared.
fn effect_in_words(effect: &Effect, decisions: &Decisions) -> Option<String> {
    let ours = |id: &lineclear_event::RunId| *id == decisions.run;
    match effect {
        Effect::Dispatch(spec) if ours(&spec.run) => {
            Some(format!("hand {} out, to {}", spec.job, spec.runs_on.join(", ")))
        }
        Effect::StopJob { run, job, stop } if ours(run) => Some(format!("stop {job} ({stop:?})").to_lowercase()),
        Effect::Tell { run, event, .. } if ours(run) => told_in_words(event),
        Effect::RunEnded { run, conclusion } if ours(run) => Some(format!("close the record: {conclusion}")),
        Effect::Dispatch(_)
        | Effect::StopJob { .. }
        | Effect::Tell { .. }
        | Effect::RunEnded { .. }
        | Effect::SetTimer { .. }
        | Effect::ClearTimer { .. } => None,
    }
}

fn told_in_words(event: &RunEvent) -> Option<String> {
    match event {
        RunEvent::JobWaiting { job, reason, .. } => Some(format!("{job} waits: {}", one_line(reason))),
        RunEvent::JobFinished { job, conclusion, reason, .. } => {
            let reason = reason.as_ref().map(|reason| format!(" ({})", one_line(reason))).unwrap_or_default();
            Some(format!("{job} is {}{reason}", conclusion.as_str().replace('_', " ")))
        }
        RunEvent::Notice { message, .. } => Some(format!("tell: {}", one_line(message))),
        _ => None,
    }
}

fn one_line(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    crate::history::terminal::harmless(first, Style::Plain).into_owned()
}

fn document(history: &History, run: &RunSummary, decisions: &Decisions, compared: &Compared) -> serde_json::Value {
    let decided: Vec<_> = decisions
        .all
        .iter()
        .filter(|decision| concerns(decision, decisions))
        .map(|decision| {
            let effects = decision.effects.iter().flatten();
            let effects: Vec<String> = effects.filter_map(|effect| effect_in_words(effect, decisions)).collect();
            json!({
                "at": time_of(&decision.input),
                "input": input_in_words(&decision.input),
                "effects": effects,
                "refused": decision.effects.as_ref().err(),
            })
        })
        .collect();
    let differences: Vec<_> =
        compared.differences.iter().map(|(now, then)| json!({ "now": now, "then": then })).collect();
    json!({
        "run": entry(history, run),
        "equal": compared.is_equal(),
        "equal_events": compared.equal,
        "unrecorded_events": compared.unrecorded,
        "differences": differences,
        "together_with": decisions.together_with,
        "decisions": decided,
    })
}
