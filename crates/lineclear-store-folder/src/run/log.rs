//! The log of a job: one file.
//!
//! ```text
//! step "build"
//! 2026-11-21T08:15:30.1230000Z Compiling…
//! 2026-11-21T08:15:30.1230000Z Done.
//! step "test"
//! 2026-11-21T08:15:31.0040000Z running 3 tests
//! ```
//! A line of text always stands behind its time, so no text can be taken for a line that says which step follows; the step's
//! name is a JSON string, so it cannot end the line. Steps that run side by side alternate. The file is for `grep` and `less` too.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use lineclear_event::{JobKey, Timestamp};
use lineclear_store::{LogLine, LogMark, StoreError};

use crate::fault;

/// How many bytes are gathered for one write.
const BLOCK: usize = 256 * 1024;

/// How a line begins that names the step of those that follow.
const STEP: &[u8] = b"step ";

pub(super) fn path(folder: &Path, job: &JobKey) -> PathBuf {
    folder.join(format!("{}.log", crate::store::file_name(job.as_str())))
}

/// The writing end of a job's log.
pub(super) struct JobLog {
    file: File,
    /// Bytes in the file.
    length: u64,
    /// The step of the last line.
    step: Option<String>,
    /// What waits to be written, empty between calls.
    block: Vec<u8>,
}

impl JobLog {
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
        let length = file.metadata()?.len();
        Ok(Self { file, length, step: None, block: Vec::new() })
    }

    /// Appends `lines`, each behind the time `at`. A last line without a newline gets one.
    pub(super) fn append(&mut self, step: &str, at: Timestamp, lines: &[u8]) -> io::Result<()> {
        let before = self.length;
        let outcome = self.write(step, at, lines);
        self.block.clear();
        if outcome.is_err() {
            // Take back what there is of the call, so that what comes later does not continue half a line.
            let _a_torn_line_is_left_out_by_readers = self.file.set_len(before);
            (self.length, self.step) = (before, None);
        }
        outcome
    }

    fn write(&mut self, step: &str, at: Timestamp, lines: &[u8]) -> io::Result<()> {
        let stamp = stamp(at);
        if self.step.as_deref() != Some(step) {
            self.block.extend_from_slice(STEP);
            serde_json::to_writer(&mut self.block, step)?;
            self.block.push(b'\n');
            self.step = Some(step.to_owned());
        }
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', lines) {
            self.line(&stamp, &lines[start..=end])?;
            start = end + 1;
        }
        if start < lines.len() {
            self.line(&stamp, &lines[start..])?;
            self.block.push(b'\n');
        }
        self.flush()
    }

    fn line(&mut self, stamp: &[u8], line: &[u8]) -> io::Result<()> {
        if self.block.len() + stamp.len() + line.len() > BLOCK {
            self.flush()?;
        }
        self.block.extend_from_slice(stamp);
        if line.len() < BLOCK {
            self.block.extend_from_slice(line);
            return Ok(());
        }
        // A huge line goes to the file as it is: what is kept in memory stays small, whatever a step prints.
        self.file.write_all(&self.block)?;
        self.file.write_all(line)?;
        self.length += (self.block.len() + line.len()) as u64;
        self.block.clear();
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write_all(&self.block)?;
        self.length += self.block.len() as u64;
        self.block.clear();
        Ok(())
    }
}

/// The time as GitHub's logs have it: seven decimals, and a space behind.
fn stamp(at: Timestamp) -> Vec<u8> {
    let mut text = at.to_string();
    text.pop();
    text.push_str("0000Z ");
    text.into_bytes()
}

/// Gives the lines of the log at `path` from `mark` on to `each` until it answers false. A torn last line is left out.
pub(super) fn read(
    path: &Path,
    shown: &str,
    mark: &mut LogMark,
    each: &mut dyn FnMut(LogLine<'_>) -> bool,
) -> Result<(), StoreError> {
    let Some(mut file) = fault::found(path, File::open(path))? else { return Ok(()) };
    if mark.offset > 0 {
        file.seek(SeekFrom::Start(mark.offset)).map_err(|error| fault::at(path, error))?;
    }
    let mut reader = BufReader::with_capacity(BLOCK, file);
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line).map_err(|error| fault::at(path, error))?;
        if line.pop() != Some(b'\n') {
            return Ok(());
        }
        let place = || format!("{shown} at byte {}", mark.offset);
        if let Some(name) = line.strip_prefix(STEP) {
            let name = serde_json::from_slice(name)
                .map_err(|_| fault::damaged(place(), "the name of a step is no JSON text"))?;
            mark.step = Some(name);
            mark.offset += length as u64;
            continue;
        }
        let text = String::from_utf8_lossy(&line);
        let (Some(step), Some((time, rest))) = (&mark.step, split_stamp(&text)) else {
            return Err(fault::damaged(place(), "it has no time, or no step before it"));
        };
        mark.offset += length as u64;
        mark.lines += 1;
        if !each(LogLine { step, time, line: rest }) {
            return Ok(());
        }
    }
}

fn split_stamp(line: &str) -> Option<(&str, &str)> {
    let (time, rest) = line.split_once(' ')?;
    let shape = time.len() >= 28 && time.ends_with('Z') && time.contains('T');
    shape.then_some((time, rest))
}
