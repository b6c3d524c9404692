//! What the ledger says, by subject.

use std::collections::HashMap;

use lineclear_event::Subject;

use crate::Entry;

/// All entries of a ledger, found by what they speak of.
#[derive(Clone, Debug, Default)]
pub struct Index {
    entries: Vec<Entry>,
    by_subject: HashMap<Subject, Vec<usize>>,
}

impl Index {
    /// Takes the next entry in.
    pub fn add(&mut self, entry: Entry) {
        self.by_subject.entry(entry.evidence.subject.clone()).or_default().push(self.entries.len());
        self.entries.push(entry);
    }

    /// All entries, in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// What is said of `subject`, in order.
    pub fn of<'i>(&'i self, subject: &Subject) -> impl DoubleEndedIterator<Item = &'i Entry> + use<'i> {
        self.by_subject.get(subject).into_iter().flatten().filter_map(|&at| self.entries.get(at))
    }
}
