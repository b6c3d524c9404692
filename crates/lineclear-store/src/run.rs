//! Runs: their header, inputs, events and logs.

use std::fmt;

use lineclear_event::{Conclusion, Envelope, JobKey, RunId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::StoreError;

/// Keeps runs.
///
/// A run id is made of the milliseconds of its start, so that ids order by time, and stays below 2^53, so that every reader of
/// JSON takes it exactly.
pub trait Store: Send + Sync + fmt::Debug {
    /// Starts the record of a new run, under an id that no other run has, and the next run number of its workflow.
    fn begin(&self, header: NewRun) -> Result<Box<dyn RunRecord>, StoreError>;

    /// Runs, newest first, at most `limit`.
    fn runs(&self, repository: Option<&str>, limit: usize) -> Result<Vec<RunSummary>, StoreError>;

    /// The events of a run, in order. A torn last line (from a kill) is left out.
    fn events(&self, run: RunId) -> Result<Vec<Envelope>, StoreError>;

    /// The events of a run as far as they can be read, in order, and a sentence on each line that cannot: damage at one place
    /// must not hide what stands at the others.
    fn readable_events(&self, run: RunId) -> Result<(Vec<Envelope>, Vec<String>), StoreError> {
        Ok((self.events(run)?, Vec::new()))
    }

    /// One run.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the store has no such run.
    fn run(&self, run: RunId) -> Result<RunSummary, StoreError> {
        let found = self.runs(None, usize::MAX)?.into_iter().find(|summary| summary.header.id == run);
        found.ok_or_else(|| StoreError::NotFound { what: format!("run {run}") })
    }

    /// The recorded inputs of a run's engine, one JSON text each.
    fn inputs(&self, run: RunId) -> Result<Vec<String>, StoreError>;

    /// The log of a job, line by line in order, given to `each` until it answers false. A job that wrote nothing has no lines.
    /// Bytes that are no UTF-8 are shown as U+FFFD.
    fn log(&self, run: RunId, job: &JobKey, each: &mut dyn FnMut(LogLine<'_>) -> bool) -> Result<(), StoreError>;

    /// As [`Store::log`], from `mark` on, and `mark` is moved behind the last line given: for whoever follows a log that grows.
    fn log_since(
        &self,
        run: RunId,
        job: &JobKey,
        mark: &mut LogMark,
        each: &mut dyn FnMut(LogLine<'_>) -> bool,
    ) -> Result<(), StoreError> {
        let mut at = 0;
        self.log(run, job, &mut |line| {
            at += 1;
            if at <= mark.lines {
                return true;
            }
            mark.lines = at;
            each(line)
        })
    }
}

/// How far a reader of a job's log has come; the default is its beginning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogMark {
    /// Lines that were read.
    pub lines: u64,
    /// Where the next one begins, for the stores that count bytes.
    pub offset: u64,
    /// The step of the last line.
    pub step: Option<String>,
}

/// What is known of a run before it starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewRun {
    /// `owner/name`.
    pub repository: String,
    /// Path of the workflow file in the repository.
    pub file: String,
    pub workflow: String,
    pub event: String,
    pub reference: String,
    pub sha: String,
    pub started: Timestamp,
}

/// [`NewRun`] with what the store gave it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunHeader {
    pub id: RunId,
    /// Counts the runs of this workflow in this repository, from one.
    pub number: u64,
    #[serde(flatten)]
    pub run: NewRun,
}

/// The record of a run that is going on. Written to from several threads.
///
/// What a call recorded before it returned survives a kill of this process. Dropping the record without
/// [`RunRecord::finish`] leaves a run without a conclusion that is not alive, as a kill does.
pub trait RunRecord: Send + Sync + fmt::Debug {
    fn header(&self) -> &RunHeader;

    /// An input of the engine as one JSON text; line breaks in it become spaces. Durable against a kill of this process when it
    /// returns.
    fn input(&self, json: &str) -> Result<(), StoreError>;

    /// Every event but log lines, which come in bulk through [`RunRecord::log`]. The end of a job tells the store that hardly any
    /// more lines of it will come.
    fn event(&self, event: &Envelope) -> Result<(), StoreError>;

    /// Complete masked lines of one step, each ending in a newline, with their common time. Made for many lines at once: the
    /// cost of a call is that of one write.
    fn log(&self, job: &JobKey, step: &str, at: Timestamp, lines: &[u8]) -> Result<(), StoreError>;

    /// Closes the record: from now on the run is not alive. The first conclusion counts; a second one is refused.
    fn finish(&self, conclusion: Conclusion, at: Timestamp) -> Result<(), StoreError>;
}

/// One line of a stored log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogLine<'a> {
    pub step: &'a str,
    /// RFC 3339 in UTC with seven decimals, as in GitHub's logs.
    pub time: &'a str,
    pub line: &'a str,
}

/// A run as lists show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    #[serde(flatten)]
    pub header: RunHeader,
    /// `None`: still going on, or killed before it could say.
    pub conclusion: Option<Conclusion>,
    /// Whether a process is still working on it.
    pub alive: bool,
    pub finished: Option<Timestamp>,
}
