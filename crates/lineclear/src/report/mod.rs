//! How a run is shown: events and log lines come in, and each reporter makes of them what its reader needs.

mod closing;
mod digest;
mod hint;
mod json;
mod markdown;
mod plain;
mod posted;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{IsTerminal, Write};
use std::sync::{Arc, OnceLock};

use lineclear_event::{Envelope, JobKey, JobSpec, RunId, Timestamp};

pub(crate) use closing::{duration, sign};
pub(crate) use digest::shell_word;
pub(crate) use hint::hint;
pub(crate) use json::{JsonReporter, badness};
pub(crate) use plain::PlainReporter;
pub(crate) use posted::Reach;
pub(crate) use tree::TreeReporter;

use crate::command::run::Format;
use crate::history::durations::UsualDurations;
use crate::output;

/// Shows what happens. Called under a lock, from many threads.
pub(crate) trait Reporter: Send {
    /// A job is handed out. Comes before every event of the job but those that say that it waits.
    fn dispatched(&mut self, _spec: &JobSpec) {}

    fn event(&mut self, envelope: &Envelope);

    /// Complete masked lines of a step, each ending in a newline.
    fn log(&mut self, run: RunId, job: &JobKey, step: &str, at: Timestamp, lines: &[u8]);

    /// Time has passed: what shows durations may draw again.
    fn tick(&mut self) {}

    /// Whether [`Reporter::tick`] does anything.
    fn wants_ticks(&self) -> bool {
        false
    }

    /// Something else is about to be written to the terminal.
    fn leave_screen(&mut self) {}

    /// Nothing more will come.
    fn close(&mut self);
}

/// How long jobs and steps usually take, by workflow file, once somebody has looked it up.
pub(crate) type Usual = Arc<OnceLock<BTreeMap<String, UsualDurations>>>;

/// What a reporter is told of the invocation, to say how to run a part of it again.
#[derive(Clone, Debug)]
pub(crate) struct Invocation {
    /// The command line as far as it applies to any job: `lineclear run --event push`.
    pub(crate) command: String,
    /// Workflow files that `command` starts: not those that follow others, nor what was replayed of them.
    pub(crate) starts: BTreeSet<String>,
    /// Options of `run` that `lineclear replay RUN --run --` takes as well: secrets, which no record has.
    pub(crate) options: String,
    /// How long things usually take, by workflow file; filled beside the run.
    pub(crate) usual: Usual,
    /// Whether somebody can read what jobs posted.
    pub(crate) reach: Reach,
    /// Whether the event is a pull request of a fork, whose jobs may only read, whatever their `permissions:` say.
    pub(crate) from_fork: bool,
}

/// The reporter for a format; without one, the tree on a terminal and plain lines elsewhere.
pub(crate) fn reporter(format: Option<Format>, invocation: Invocation) -> Box<dyn Reporter> {
    let is_terminal = std::io::stdout().is_terminal();
    let format = format.unwrap_or(if is_terminal { Format::Tree } else { Format::Plain });
    let out: Box<dyn Write + Send> = Box::new(std::io::stdout());
    match format {
        Format::Json => Box::new(JsonReporter::new(out)),
        Format::Tree if is_terminal => Box::new(TreeReporter::new(out, output::stdout_style(), invocation)),
        Format::Tree | Format::Plain => Box::new(PlainReporter::new(out, output::stdout_style(), invocation)),
    }
}

#[cfg(test)]
mod tests;
