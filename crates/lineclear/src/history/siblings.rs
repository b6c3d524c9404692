//! Runs of the same command: they share the engine, and with it its concurrency groups.

use std::collections::BTreeMap;

use lineclear_drive::Recorded;
use lineclear_event::RunId;
use lineclear_store::{RunSummary, Store};

use super::decisions::{read, time_of};
use super::{History, HistoryError};

/// All runs of a command are begun within this time of each other.
const BEGUN_WITHIN_MS: u64 = 10_000;

/// The other runs of the command that `run` belongs to, with their inputs.
///
/// No record says which command it was. But the inputs of a command are counted through, and time does not go back: inputs of
/// two commands, put into one order by their numbers, have a number twice for different inputs, or a time that goes back.
pub(super) fn of(
    history: &History,
    run: &RunSummary,
    own: &[Recorded],
) -> Result<Vec<(RunId, Vec<Recorded>)>, HistoryError> {
    let header = &run.header;
    let mut found: Vec<(RunId, Vec<Recorded>)> = Vec::new();
    let mut together: BTreeMap<u64, Recorded> = own.iter().map(|one| (one.sequence, one.clone())).collect();
    for other in history.store.runs(Some(&header.run.repository), usize::MAX)? {
        let apart = other.header.run.started.0.abs_diff(header.run.started.0);
        let same = other.header.run.event == header.run.event && other.header.run.sha == header.run.sha;
        if other.header.id == header.id || apart > BEGUN_WITHIN_MS || !same {
            continue;
        }
        let Ok(inputs) = read(&history.store, other.header.id) else { continue };
        let mut with = together.clone();
        let agree = inputs.iter().all(|one| with.insert(one.sequence, one.clone()).is_none_or(|known| known == *one));
        let times: Vec<_> = with.values().map(|one| time_of(&one.input)).collect();
        if agree && !inputs.is_empty() && times.is_sorted() {
            together = with;
            found.push((other.header.id, inputs));
        }
    }
    Ok(found)
}
