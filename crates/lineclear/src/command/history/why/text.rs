//! The answer as people read it.

use lineclear_event::AnnotationLevel;
use lineclear_source::Style;

use super::causes::{Cause, Causes, Kind};
use crate::command::history::heading::heading;
use crate::history::terminal::harmless;
use crate::history::{History, RunView};
use crate::report::duration;

/// A shorter wait is no news where the whole run is asked about.
const LEAST_WAIT_MS: u64 = 1_000;

/// The heading of the run, then each cause, then what to type next. `in_full`: also what is no news.
pub(super) fn of(history: &History, view: &RunView, causes: &Causes, in_full: bool, style: Style) -> String {
    let mut text = heading(history, &view.summary, style);
    for sentence in &view.damage {
        text.push_str(&format!("{}: {sentence}\n", style.yellow("damaged")));
    }
    for (level, message) in &causes.notices {
        let word = match level {
            AnnotationLevel::Notice => style.cyan("notice"),
            AnnotationLevel::Warning => style.yellow("warning"),
            AnnotationLevel::Error => style.red("error"),
        };
        let first = message.lines().next().unwrap_or_default();
        text.push_str(&format!("{word}: {}\n", harmless(first, Style::Plain)));
    }
    let is_news = |cause: &&Cause| in_full || cause.kind != Kind::Waited || cause.took_ms >= Some(LEAST_WAIT_MS);
    causes.all.iter().filter(is_news).for_each(|cause| text.push_str(&shown(cause, style)));
    if !causes.all.iter().any(|cause| is_news(&cause)) {
        text.push_str("Everything ran and succeeded at once: there is nothing to explain.\n");
    }
    let left_out = causes.all.iter().filter(|cause| !is_news(cause)).count();
    if left_out > 0 {
        let waits = crate::history::words::count(left_out, "wait");
        let less =
            format!("{waits} of less than a second left out: `lineclear why {} JOB` has those of a job", view.id());
        text.push_str(&format!("\n{}\n", style.dim(&less)));
    }
    if !causes.next.is_empty() {
        text.push_str("\nType next:\n");
        causes.next.iter().for_each(|command| text.push_str(&format!("  {command}\n")));
    }
    text
}

fn shown(cause: &Cause, style: Style) -> String {
    let word = match cause.kind {
        Kind::Ran => style.green("ran"),
        Kind::Succeeded => style.green("succeeded"),
        Kind::Waited => style.dim("waited"),
        Kind::Skipped => style.dim("skipped"),
        Kind::Failed => style.red("failed"),
        Kind::Tolerated => style.yellow("failed, tolerated"),
        Kind::TimedOut => style.red("timed out"),
        Kind::Cancelled => style.yellow("cancelled"),
        Kind::CacheHit => style.green("cache hit"),
        Kind::CacheMiss => style.yellow("cache miss"),
        Kind::Killed => style.red("killed"),
        Kind::Running => style.cyan("running"),
    };
    let usually = cause.usually_ms.map(|millis| format!(", usually {}", duration(millis))).unwrap_or_default();
    let took = cause.took_ms.map(|millis| style.dim(&format!("  {}{usually}", duration(millis)))).unwrap_or_default();
    let mut text = format!("\n{word}  {}{took}\n", style.bold(&harmless(&cause.name, Style::Plain)));
    let mut field = |name: &str, value: &str| {
        text.push_str(&format!("  {:<12}{}\n", format!("{name}:"), harmless(value, Style::Plain)));
    };
    field("why", &cause.reason.replace('\n', " "));
    if let Some(condition) = cause.condition.as_ref().filter(|condition| !cause.reason.contains(condition.as_str())) {
        field("if", &condition.replace('\n', " "));
    }
    if let Some(place) = &cause.place {
        field("where", place);
    }
    if let Some(code) = cause.exit_code.filter(|code| cause.reason != format!("exit code {code}")) {
        field("exit code", &code.to_string());
    }
    if !cause.last_lines.is_empty() {
        text.push_str("  last lines:\n");
        cause.last_lines.iter().for_each(|line| text.push_str(&format!("    {line}\n")));
    }
    if let Some(hint) = cause.hint {
        text.push_str(&format!("  {:<12}{hint}\n", "hint:"));
    }
    text
}
