//! Reading runs: lists, events, inputs and logs.

use std::fs::{self, File, TryLockError};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use lineclear_event::{Envelope, JobKey, RunId};
use lineclear_store::{LogLine, LogMark, NewRun, RunHeader, RunRecord, RunSummary, Store, StoreError};
use serde::de::IgnoredAny;

use super::record::{FINISH, Finish, FinishLine, FolderRecord, HeaderLine, INPUT, RECORD};
use crate::fault;
use crate::store::{FolderStore, Place};

/// How much of a record's end is read to find its conclusion before the whole record is.
const TAIL: u64 = 16 * 1024;

impl Store for FolderStore {
    fn begin(&self, header: NewRun) -> Result<Box<dyn RunRecord>, StoreError> {
        Ok(Box::new(FolderRecord::begin(&self.place, header)?))
    }

    fn runs(&self, repository: Option<&str>, limit: usize) -> Result<Vec<RunSummary>, StoreError> {
        let mut found = Vec::new();
        for id in self.place.run_ids()? {
            if found.len() >= limit {
                break;
            }
            // A record that is gone or damaged must not hide the others; reading it by its id says what is wrong with it.
            let Ok(Some((file, header))) = self.place.open_record(id) else { continue };
            if repository.is_some_and(|wanted| header.run.repository != wanted) {
                continue;
            }
            if let Ok(summary) = summarise(&file, header, &self.place.record(id)) {
                found.push(summary);
            }
        }
        Ok(found)
    }

    fn run(&self, run: RunId) -> Result<RunSummary, StoreError> {
        let (file, header) = self.place.open_record(run)?.ok_or_else(|| no_such(run))?;
        summarise(&file, header, &self.place.record(run))
    }

    fn events(&self, run: RunId) -> Result<Vec<Envelope>, StoreError> {
        let mut events = Vec::new();
        self.place.each_line(run, |line| {
            if !line.starts_with(INPUT) && !line.starts_with(FINISH) {
                events.push(serde_json::from_slice(line).map_err(|error| format!("it is no event: {error}"))?);
            }
            Ok(())
        })?;
        Ok(events)
    }

    fn readable_events(&self, run: RunId) -> Result<(Vec<Envelope>, Vec<String>), StoreError> {
        let (mut events, mut damage, mut number) = (Vec::new(), Vec::new(), 1_u64);
        self.place.each_line(run, |line| {
            number += 1;
            if !line.starts_with(INPUT) && !line.starts_with(FINISH) {
                match serde_json::from_slice(line) {
                    Ok(event) => events.push(event),
                    Err(error) => damage.push(format!("runs/{run}/{RECORD} line {number} is no event: {error}")),
                }
            }
            Ok(())
        })?;
        Ok((events, damage))
    }

    fn inputs(&self, run: RunId) -> Result<Vec<String>, StoreError> {
        let mut inputs = Vec::new();
        self.place.each_line(run, |line| {
            if let Some(json) = line.strip_prefix(INPUT).and_then(|rest| rest.strip_suffix(b"}")) {
                let text = std::str::from_utf8(json).map_err(|error| format!("an input is no UTF-8: {error}"))?;
                serde_json::from_str::<IgnoredAny>(text).map_err(|error| format!("an input is no JSON: {error}"))?;
                inputs.push(text.to_owned());
            } else if !line.starts_with(b"{\"") {
                return Err("it is no JSON object".into());
            }
            Ok(())
        })?;
        Ok(inputs)
    }

    fn log(&self, run: RunId, job: &JobKey, each: &mut dyn FnMut(LogLine<'_>) -> bool) -> Result<(), StoreError> {
        self.log_since(run, job, &mut LogMark::default(), each)
    }

    fn log_since(
        &self,
        run: RunId,
        job: &JobKey,
        mark: &mut LogMark,
        each: &mut dyn FnMut(LogLine<'_>) -> bool,
    ) -> Result<(), StoreError> {
        let folder = self.place.run_folder(run);
        if !folder.is_dir() {
            return Err(no_such(run));
        }
        let path = super::log::path(&folder, job);
        let shown = path.strip_prefix(&self.place.root).unwrap_or(&path).display().to_string();
        super::log::read(&path, &shown, mark, each)
    }
}

fn no_such(run: RunId) -> StoreError {
    StoreError::NotFound { what: format!("run {run}") }
}

impl Place {
    pub(crate) fn run_folder(&self, run: RunId) -> PathBuf {
        self.root.join("runs").join(run.to_string())
    }

    fn record(&self, run: RunId) -> PathBuf {
        self.run_folder(run).join(RECORD)
    }

    /// The ids of all runs, newest first.
    pub(crate) fn run_ids(&self) -> Result<Vec<RunId>, StoreError> {
        let runs = self.root.join("runs");
        let Some(entries) = fault::found(&runs, fs::read_dir(&runs))? else { return Ok(Vec::new()) };
        let mut ids = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| fault::at(&runs, error))?;
            ids.extend(entry.file_name().to_str().and_then(|name| name.parse().ok()).map(RunId));
        }
        ids.sort_unstable_by(|left, right| right.cmp(left));
        Ok(ids)
    }

    /// The record of a run with its header; `None` when there is none, as between the two steps of beginning a run.
    pub(crate) fn open_record(&self, run: RunId) -> Result<Option<(File, RunHeader)>, StoreError> {
        let path = self.record(run);
        let Some(file) = fault::found(&path, File::open(&path))? else { return Ok(None) };
        let mut line = Vec::new();
        let mut reader = BufReader::with_capacity(1024, &file);
        reader.read_until(b'\n', &mut line).map_err(|error| fault::at(&path, error))?;
        let what = || format!("runs/{run}/{RECORD} line 1");
        if line.pop() != Some(b'\n') {
            return Err(fault::damaged(what(), "the header is not complete"));
        }
        let parsed: HeaderLine = serde_json::from_slice(&line)
            .map_err(|error| fault::damaged(what(), format!("it is no header: {error}")))?;
        drop(reader);
        Ok(Some((file, parsed.header)))
    }

    /// The highest number that a run of this workflow has.
    pub(crate) fn highest_number(&self, repository: &str, file: &str) -> Result<u64, StoreError> {
        let headers = self.run_ids()?.into_iter().filter_map(|id| self.open_record(id).ok().flatten());
        let ours = headers.filter(|(_, header)| header.run.repository == repository && header.run.file == file);
        Ok(ours.map(|(_, header)| header.number).max().unwrap_or(0))
    }

    /// Gives each complete line after the header to `each`; what it finds wrong is told with the line's number.
    fn each_line(&self, run: RunId, mut each: impl FnMut(&[u8]) -> Result<(), String>) -> Result<(), StoreError> {
        let path = self.record(run);
        let bytes = fault::found(&path, fs::read(&path))?.ok_or_else(|| no_such(run))?;
        let end = memchr::memrchr(b'\n', &bytes).unwrap_or(0);
        let lines = bytes[..end].split(|byte| *byte == b'\n').enumerate().skip(1);
        for (index, line) in lines {
            each(line).map_err(|why| fault::damaged(format!("runs/{run}/{RECORD} line {}", index + 1), why))?;
        }
        Ok(())
    }
}

/// Whether a process still holds the record. The kernel lets go of the lock when the process ends, however it ends.
pub(crate) fn is_alive(record: &File) -> bool {
    // Shared, so that two readers do not take each other for the writer. Closing the file lets go of it.
    matches!(record.try_lock_shared(), Err(TryLockError::WouldBlock))
}

fn summarise(file: &File, header: RunHeader, path: &Path) -> Result<RunSummary, StoreError> {
    // In this order: a run that finishes in between is then found finished, not dead without a conclusion.
    let alive = is_alive(file);
    let finish = if alive { None } else { conclusion(file).map_err(|error| fault::at(path, error))? };
    Ok(RunSummary {
        header,
        conclusion: finish.as_ref().map(|finish| finish.conclusion),
        alive,
        finished: finish.map(|finish| finish.at),
    })
}

/// The conclusion at the end of a record; of a record that goes on behind it, the whole is searched.
fn conclusion(file: &File) -> std::io::Result<Option<Finish>> {
    let length = file.metadata()?.len();
    for from in [length.saturating_sub(TAIL), 0] {
        let mut bytes = Vec::new();
        let mut reader = AtOffset { file, offset: from };
        reader.read_to_end(&mut bytes)?;
        let end = memchr::memrchr(b'\n', &bytes).unwrap_or(0);
        let finish = bytes[..end].split(|byte| *byte == b'\n').rev().find(|line| line.starts_with(FINISH));
        if let Some(line) = finish {
            return Ok(serde_json::from_slice(line).ok().map(|line: FinishLine| line.finish));
        }
        if from == 0 {
            break;
        }
    }
    Ok(None)
}

/// Reads a file from an offset without moving the offset that others see.
struct AtOffset<'a> {
    file: &'a File,
    offset: u64,
}

impl Read for AtOffset<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read_at(buffer, self.offset)?;
        self.offset += read as u64;
        Ok(read)
    }
}
