//! What is told while containers and images are made, as lines of a step.

use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use lineclear_backend::Told;
use lineclear_event::{Fact, Timestamp, UsedKind};

use crate::job::Job;
use crate::log::StepLog;
use crate::ports::lock;
use crate::stage::Stage;
use crate::step::{self, Finished};

/// How often the progress of one pull is told: a log is no terminal.
const BETWEEN_PROGRESS: Duration = Duration::from_secs(5);

/// A step of the runner's own that tells what something else does. It begins with the first line, unless it is begun before: nothing
/// told, no step.
pub(crate) struct ToldStep<'a> {
    job: &'a Job<'a>,
    id: String,
    name: String,
    log: StepLog<'a>,
    begun: OnceLock<Timestamp>,
    lines: LogTold<'a>,
}

impl<'a> ToldStep<'a> {
    pub(crate) fn new(job: &'a Job<'a>, id: &str, name: &str) -> Self {
        let log = StepLog::new(job, id);
        let lines = LogTold::new(log.clone());
        let name = job.masker.mask(name).into_owned();
        Self { job, id: id.to_owned(), name, log, begun: OnceLock::new(), lines }
    }

    /// The log of the step, which begins now.
    pub(crate) fn begin(&self) -> &StepLog<'a> {
        self.begun.get_or_init(|| {
            step::tell_started(self.job, &self.id, &self.name);
            (self.job.hands.clock)()
        });
        &self.log
    }

    /// Ends the step, if it ever began.
    pub(crate) fn end(self, stage: Stage) -> Option<Finished> {
        self.lines.close_group();
        let begun = *self.begun.get()?;
        let mut finished = Finished::skipped(self.name);
        step::apply_stage(&mut finished, stage, false);
        finished.mask(self.job);
        step::tell_finished(self.job, &self.id, &finished, begun);
        Some(finished)
    }
}

impl Told for ToldStep<'_> {
    fn line(&self, text: &str) {
        self.begin();
        self.lines.line(text);
    }

    fn group(&self, title: &str) {
        self.begin();
        self.lines.group(title);
    }

    fn progress(&self, what: &str, done: u64, total: Option<u64>) {
        self.begin();
        self.lines.progress(what, done, total);
    }

    fn image(&self, name: &str, digest: &str) {
        self.begin();
        self.lines.image(name, digest);
    }
}

/// Tells within a step that runs.
pub(crate) struct LogTold<'a> {
    log: StepLog<'a>,
    in_group: Mutex<bool>,
    /// When the progress of each pull is told again.
    next: Mutex<BTreeMap<String, Instant>>,
}

impl<'a> LogTold<'a> {
    pub(crate) fn new(log: StepLog<'a>) -> Self {
        Self { log, in_group: Mutex::default(), next: Mutex::default() }
    }

    pub(crate) fn close_group(&self) {
        if std::mem::take(&mut *lock(&self.in_group)) {
            self.log.show("##[endgroup]");
        }
    }
}

impl Told for LogTold<'_> {
    fn line(&self, text: &str) {
        self.log.show(text);
    }

    fn group(&self, title: &str) {
        self.close_group();
        *lock(&self.in_group) = true;
        self.log.show(&format!("##[group]{title}"));
    }

    fn progress(&self, what: &str, done: u64, total: Option<u64>) {
        let now = Instant::now();
        let mut next = lock(&self.next);
        match next.get(what) {
            // What is done within the first seconds needs no word.
            None => drop(next.insert(what.to_owned(), now + BETWEEN_PROGRESS)),
            Some(&due) if now >= due => {
                next.insert(what.to_owned(), now + BETWEEN_PROGRESS);
                drop(next);
                let of = total.map(|total| format!(" of {}", megabytes(total))).unwrap_or_default();
                self.log.show(&format!("{what}: {}{of}", megabytes(done)));
            }
            Some(_) => {}
        }
    }

    fn image(&self, name: &str, digest: &str) {
        self.log.fact(&Fact::Used { kind: UsedKind::Image, name: name.to_owned(), version: digest.to_owned() });
    }
}

fn megabytes(bytes: u64) -> String {
    let tenths = bytes.saturating_add(50_000) / 100_000;
    format!("{}.{} MB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_in_megabytes() {
        assert_eq!([0, 49_999, 1_234_567].map(megabytes), ["0.0 MB", "0.0 MB", "1.2 MB"]);
    }
}
