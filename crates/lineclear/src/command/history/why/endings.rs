//! The last lines of the steps that failed: one pass over each log, however large.

use std::collections::{BTreeMap, VecDeque};

use lineclear_event::{JobKey, RunId};
use lineclear_source::{Style, clipped};
use lineclear_store::{Store, StoreError};

use super::causes::{Cause, Kind};
use crate::history::terminal::harmless;

/// Lines shown of each.
const LINES: usize = 12;
/// Characters of each line.
const LONGEST: usize = 300;

/// The end of one step's log.
#[derive(Default)]
struct Ending {
    lines: VecDeque<String>,
    /// Inside of the group that shows script, shell and environment.
    in_head: bool,
}

impl Ending {
    fn add(&mut self, line: &str) {
        if line.starts_with("##[group]Run ") {
            self.in_head = true;
        } else if self.in_head {
            self.in_head = line != "##[endgroup]";
        } else if !line.starts_with("##[group]") && !line.starts_with("##[endgroup]") {
            if self.lines.len() == LINES {
                self.lines.pop_front();
            }
            // Colours would run on past the lines that are cut.
            let line = line.strip_prefix("##[error]").unwrap_or(line);
            let start: String = line.chars().take(4 * LONGEST).collect();
            self.lines.push_back(clipped(&harmless(&start, Style::Plain), LONGEST));
        }
    }
}

/// Fills in the last lines of every step that failed, ran out of time, or was under way at a kill.
pub(super) fn add_last_lines(store: &dyn Store, run: RunId, causes: &mut [Cause]) -> Result<(), StoreError> {
    let telling = |cause: &Cause| {
        matches!(cause.kind, Kind::Failed | Kind::Tolerated | Kind::TimedOut | Kind::Killed | Kind::Cancelled)
    };
    let mut wanted: BTreeMap<String, BTreeMap<String, Ending>> = BTreeMap::new();
    for cause in causes.iter().filter(|cause| telling(cause)) {
        if let (Some(job), Some(step)) = (&cause.job, &cause.step) {
            wanted.entry(job.clone()).or_default().insert(step.clone(), Ending::default());
        }
    }
    for (job, steps) in &mut wanted {
        let read = store.log(run, &JobKey::new(job.as_str()), &mut |line| {
            if let Some(ending) = steps.get_mut(line.step) {
                ending.add(line.line);
            }
            true
        });
        match read {
            // What can be read before the damage is shown.
            Ok(()) | Err(StoreError::Damaged { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    for cause in causes.iter_mut().filter(|cause| telling(cause)) {
        if let (Some(job), Some(step)) = (&cause.job, &cause.step)
            && let Some(ending) = wanted.get(job).and_then(|steps| steps.get(step))
        {
            cause.last_lines = ending.lines.iter().cloned().collect();
        }
    }
    Ok(())
}
