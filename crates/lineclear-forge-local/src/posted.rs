//! What a run showed to people.

use std::collections::BTreeSet;

use lineclear_event::RunId;
use lineclear_forge::Caller;

use crate::journal::Transaction;
use crate::record::PostedRecord;

/// Something that a run would have shown to people on a real forge, in its last form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    /// `comment`, `issue`, `pull`, `review`, `commit_comment`, `status`, `check`, `release`, `deployment`, `labels`, `code_scanning`.
    pub kind: String,
    /// One line: "Comment on #7".
    pub title: String,
    /// What people would read; empty where the title says it all.
    pub markdown: String,
    pub url: String,
    pub action: PostedAction,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PostedAction {
    Created,
    /// It was there before this run.
    Updated,
}

/// What a handler says of something it posted.
#[derive(Debug)]
pub(crate) struct Posting<'a> {
    pub(crate) kind: &'a str,
    pub(crate) object: u64,
    pub(crate) title: String,
    pub(crate) markdown: &'a str,
    pub(crate) url: String,
    pub(crate) action: PostedAction,
}

impl Transaction {
    pub(crate) fn posted(&mut self, caller: &Caller, posting: Posting<'_>) {
        let earlier =
            self.all::<PostedRecord>().into_iter().find(|known| same(known, caller, posting.kind, posting.object));
        let (id, created) = match &earlier {
            Some(earlier) => (earlier.id, earlier.created),
            None => (self.new_id(), posting.action == PostedAction::Created),
        };
        self.put(&PostedRecord {
            id,
            run: caller.run.0,
            kind: posting.kind.to_owned(),
            object: posting.object,
            title: posting.title,
            markdown: posting.markdown.to_owned(),
            url: posting.url,
            created,
        });
    }

    /// What was posted and deleted in one run was never shown.
    pub(crate) fn unposted(&mut self, caller: &Caller, kind: &str, object: u64) {
        let known = self.all::<PostedRecord>();
        for record in known.into_iter().filter(|known| same(known, caller, kind, object)) {
            self.remove::<PostedRecord>(record.id);
        }
    }

    /// What the newest runs posted is kept; of older ones only the things themselves are.
    pub(crate) fn forget_old_postings(&mut self) {
        const KEPT_RUNS: usize = 200;
        let all = self.all::<PostedRecord>();
        let runs: BTreeSet<u64> = all.iter().map(|record| record.run).collect();
        let Some(first_kept) = runs.iter().rev().nth(KEPT_RUNS - 1).copied() else { return };
        for record in all.iter().filter(|record| record.run < first_kept) {
            self.remove::<PostedRecord>(record.id);
        }
    }

    pub(crate) fn postings(&self, run: RunId) -> Vec<Posted> {
        let records = self.all::<PostedRecord>().into_iter().filter(|record| record.run == run.0);
        let shown = records.map(|record| Posted {
            kind: record.kind,
            title: record.title,
            markdown: record.markdown,
            url: record.url,
            action: if record.created { PostedAction::Created } else { PostedAction::Updated },
        });
        shown.collect()
    }
}

fn same(known: &PostedRecord, caller: &Caller, kind: &str, object: u64) -> bool {
    known.run == caller.run.0 && known.kind == kind && known.object == object
}
