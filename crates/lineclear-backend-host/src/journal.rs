//! What the guard has to know, written as it happens into memory that outlives this process.
//!
//! A record is one letter, a value and a NUL: `+pid`, `-pid`, `dfolder`, `xfolder`. Writing one wakes nobody; the guard reads
//! the journal only when this process has ended.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::fs::{MemfdFlags, memfd_create};

/// Beyond this length the journal is written anew, with what still holds only.
const LONGEST: u64 = 1 << 20;

/// What holds at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    /// Entry processes of steps, which are the leaders of their process groups.
    pub(crate) processes: BTreeSet<u32>,
    /// Folders to remove.
    pub(crate) folders: BTreeSet<PathBuf>,
}

/// The writing end.
#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
    length: u64,
    state: State,
}

impl Journal {
    pub(crate) fn new() -> io::Result<Self> {
        let file = memfd_create("lineclear-journal", MemfdFlags::CLOEXEC)?;
        Ok(Self { file: File::from(file), length: 0, state: State::default() })
    }

    /// A handle for the guard.
    pub(crate) fn share(&self) -> io::Result<OwnedFd> {
        Ok(self.file.try_clone()?.into())
    }

    pub(crate) fn process_started(&mut self, pid: u32) {
        self.state.processes.insert(pid);
        self.append(b'+', pid.to_string().as_bytes());
    }

    pub(crate) fn process_ended(&mut self, pid: u32) {
        if self.state.processes.remove(&pid) {
            self.append(b'-', pid.to_string().as_bytes());
        }
    }

    pub(crate) fn folder_made(&mut self, folder: &Path) {
        self.state.folders.insert(folder.to_owned());
        self.append(b'd', folder.as_os_str().as_bytes());
    }

    pub(crate) fn folder_removed(&mut self, folder: &Path) {
        if self.state.folders.remove(folder) {
            self.append(b'x', folder.as_os_str().as_bytes());
        }
    }

    fn append(&mut self, kind: u8, value: &[u8]) {
        let mut record = Vec::with_capacity(value.len() + 2);
        record.push(kind);
        record.extend_from_slice(value);
        record.push(0);
        // Memory is all that could be lacking, and then this process will not live to need the guard's help less.
        if self.file.write_all_at(&record, self.length).is_ok() {
            self.length += record.len() as u64;
        }
        if self.length > LONGEST {
            self.shorten();
        }
    }

    /// Writes what still holds over the beginning, followed by a mark at which a reader stops until the rest is cut off.
    fn shorten(&mut self) {
        let mut text = self.state.write();
        let length = text.len() as u64;
        text.extend_from_slice(b".\0");
        if length >= LONGEST / 2 {
            return; // So much holds that shortening would not pay.
        }
        let shortened = self.file.write_all_at(&text, 0).and_then(|()| self.file.set_len(length));
        if shortened.is_ok() {
            self.length = length;
        }
    }
}

impl State {
    fn write(&self) -> Vec<u8> {
        let mut text = Vec::new();
        for pid in &self.processes {
            text.extend_from_slice(format!("+{pid}\0").as_bytes());
        }
        for folder in &self.folders {
            text.push(b'd');
            text.extend_from_slice(folder.as_os_str().as_bytes());
            text.push(0);
        }
        text
    }

    /// Reads a journal. A last record that was cut short is left out.
    pub(crate) fn read(text: &[u8]) -> Self {
        let mut state = Self::default();
        let whole = text.iter().rposition(|&byte| byte == 0).map_or(0, |end| end + 1);
        for record in text.get(..whole).unwrap_or_default().split(|&byte| byte == 0) {
            let Some((kind, value)) = record.split_first() else { continue };
            let pid = || std::str::from_utf8(value).ok()?.parse::<u32>().ok();
            let folder = || PathBuf::from(OsStr::from_bytes(value));
            match kind {
                b'+' => state.processes.extend(pid()),
                b'-' => {
                    if let Some(pid) = pid() {
                        state.processes.remove(&pid);
                    }
                }
                b'd' => {
                    state.folders.insert(folder());
                }
                b'x' => {
                    state.folders.remove(&folder());
                }
                _ => return state,
            }
        }
        state
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::fd::AsRawFd;

    use super::*;

    fn read_back(journal: &Journal) -> State {
        State::read(&fs::read(format!("/proc/self/fd/{}", journal.file.as_raw_fd())).expect("memory can be read"))
    }

    #[test]
    fn what_was_undone_does_not_hold() {
        let mut journal = Journal::new().expect("memory");
        journal.process_started(7);
        journal.folder_made(Path::new("/a\nb"));
        journal.process_started(8);
        journal.process_ended(7);
        journal.folder_made(Path::new("/c"));
        journal.folder_removed(Path::new("/c"));
        let state = read_back(&journal);
        assert_eq!(state.processes, BTreeSet::from([8]));
        assert_eq!(state.folders, BTreeSet::from([PathBuf::from("/a\nb")]));
    }

    #[test]
    fn a_record_cut_short_is_left_out() {
        let state = State::read(b"d/keep\0d/hom");
        assert_eq!(state.folders, BTreeSet::from([PathBuf::from("/keep")]));
        assert_eq!(State::read(b""), State::default());
    }

    #[test]
    fn a_long_life_does_not_make_it_grow() {
        let mut journal = Journal::new().expect("memory");
        journal.folder_made(Path::new("/kept"));
        journal.process_started(3);
        for pid in 10..200_000 {
            journal.process_started(pid);
            journal.process_ended(pid);
        }
        assert!(journal.length <= LONGEST);
        let state = read_back(&journal);
        assert_eq!(state.processes, BTreeSet::from([3]));
        assert_eq!(state.folders, BTreeSet::from([PathBuf::from("/kept")]));
    }

    #[test]
    fn a_reader_stops_at_the_mark_while_the_journal_is_being_shortened() {
        let state = State::read(b"d/kept\0.\0+123\0+456\0");
        assert_eq!(state.processes, BTreeSet::new());
        assert_eq!(state.folders.len(), 1);
    }
}
