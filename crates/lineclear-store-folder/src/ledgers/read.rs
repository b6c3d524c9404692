//! Reading a ledger.

use std::io::{BufRead, BufReader, Read};

use lineclear_store::StoreError;

use super::Ledger;
use super::end::{End, Tail};

impl Ledger<'_> {
    pub(super) fn read(&self, from: u64, each: &mut dyn FnMut(u64, &str) -> bool) -> Result<(), StoreError> {
        let Some(file) = self.open_if_written()? else { return Ok(()) };
        // What is wrong with the end is told after the lines before it.
        let (end, damage) = match self.end_shared(&file) {
            Ok(end) => (Some(end), None),
            Err(damage @ StoreError::Damaged { .. }) => (None, Some(damage)),
            Err(error) => return Err(error),
        };
        let start = end.map_or((0, 0), |end| start(&end, from));
        let bytes = match end {
            Some(end) => end.bytes,
            None => file.metadata().map_err(|error| self.fault(error))?.len(),
        };
        let (mut number, at) = start;
        let mut reader = BufReader::with_capacity(1 << 16, Tail { file: &file, at }.take(bytes - at.min(bytes)));
        let mut line = Vec::new();
        loop {
            line.clear();
            reader.read_until(b'\n', &mut line).map_err(|error| self.fault(error))?;
            let Some(text) = line.strip_suffix(b"\n") else { return damage.map_or(Ok(()), Err) };
            if text.is_empty() {
                continue;
            }
            if number >= from {
                let text = std::str::from_utf8(text).map_err(|_| self.damaged(format!("entry {number} is no text")))?;
                if !each(number, text) {
                    return Ok(());
                }
            }
            number += 1;
        }
    }
}

/// A line at or before `from`, and where it begins: near the end that is known without looking.
fn start(end: &End, from: u64) -> (u64, u64) {
    let entries = end.head.entries;
    if from >= entries {
        (entries, end.bytes)
    } else if from + 1 == entries {
        (from, end.bytes - end.last - 2)
    } else {
        (0, 0)
    }
}
