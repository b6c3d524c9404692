//! Writing to a ledger.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;

use lineclear_store::{AppendError, LedgerHead, StoreError, check_ledger_lines};

use super::Ledger;
use super::end::End;
use crate::store::make_folder;

impl Ledger<'_> {
    pub(super) fn append(&self, expected: &LedgerHead, lines: &[String]) -> Result<LedgerHead, AppendError> {
        check_ledger_lines(lines)?;
        let file = loop {
            let file = self.open_for_writing()?;
            file.lock().map_err(|error| self.fault(error))?;
            if self.is_in_place(&file)? {
                break file;
            }
        };
        let end = self.end(&file)?;
        if end.head != *expected {
            return Err(AppendError::Moved(end.head));
        }
        let Some(last) = lines.last() else { return Ok(end.head) };
        let text: String = lines.iter().map(String::as_str).chain(["", ""]).collect::<Vec<_>>().join("\n");
        if let Err(error) = self.write(&file, &end, text.as_bytes()) {
            // Only what no append has completed is after `end`; if this fails too, the next append does it.
            let _left_out_by_readers = file.set_len(end.bytes);
            return Err(self.fault(error).into());
        }
        let head = end.head.after(lines);
        let end = End { head, bytes: end.bytes + text.len() as u64, last: last.len() as u64 };
        // The lines are written, and that is what was promised: a note that cannot be written only lags behind.
        let _the_next_one_notes_it = self.note(&end);
        Ok(head)
    }

    fn write(&self, mut file: &File, end: &End, text: &[u8]) -> io::Result<()> {
        if file.metadata()?.len() > end.bytes {
            file.set_len(end.bytes)?;
        }
        file.write_all(text)?;
        file.sync_data()?;
        if end.bytes == 0 {
            for folder in self.path.ancestors().skip(1).take(2) {
                File::open(folder)?.sync_all()?;
            }
        }
        Ok(())
    }

    fn open_for_writing(&self) -> Result<File, StoreError> {
        let open = || OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(&self.path);
        let opened = match (open(), self.path.parent()) {
            (Err(error), Some(folder)) if error.kind() == io::ErrorKind::NotFound => {
                make_folder(folder).and_then(|()| open())
            }
            (opened, _) => opened,
        };
        opened.map_err(|error| self.fault(error))
    }
}
