//! The files and commits of pull requests.

use serde_json::Value;

use super::commits::{changed_files, commit};
use super::pull_view::Ends;
use super::pulls::find_pull;
use crate::call::{Answer, Call};
use crate::git::Log;
use crate::journal::Transaction;

/// GitHub lists no more files and commits than these.
const MAX_FILES: usize = 3000;
const MAX_COMMITS: usize = 250;

pub(super) fn files(call: &Call<'_>, memory: &Transaction, number: u64) -> Answer {
    let (_, pull) = find_pull(memory, number)?;
    let git = call.git()?;
    let (from, head) = Ends::of(git, &pull)?.compared(git)?;
    let mut changes = git.changes(&from, &head)?;
    changes.truncate(MAX_FILES);
    let (page, size) = call.place();
    let start = (page - 1).saturating_mul(size).min(changes.len());
    let end = start.saturating_add(size).min(changes.len());
    let shown = changed_files(call, &from, &head, &changes[start..end])?;
    Ok(call.page_of(changes.len(), |place| shown[place - start].clone(), |shown, _| Value::Array(shown)))
}

pub(super) fn commits(call: &Call<'_>, memory: &Transaction, number: u64) -> Answer {
    let (_, pull) = find_pull(memory, number)?;
    let git = call.git()?;
    let (from, head) = Ends::of(git, &pull)?.compared(git)?;
    let log = Log { from: &head, without: Some(&from), reverse: true, ..Log::default() };
    let mut all = git.log(&log)?;
    all.truncate(MAX_COMMITS);
    Ok(call.page(&all, |one| commit(call, one)))
}
