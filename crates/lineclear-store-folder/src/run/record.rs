//! Writing the record of a run.

use std::collections::HashMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lineclear_event::{Conclusion, Envelope, JobKey, RunEvent, RunId, Timestamp};
use lineclear_store::{NewRun, RunHeader, RunRecord, StoreError};
use serde::{Deserialize, Serialize};

use super::log::JobLog;
use crate::fault;
use crate::store::{Durability, Place};

/// Name of the record's file in the run's folder.
pub(crate) const RECORD: &str = "record.jsonl";

/// The first line of a record.
#[derive(Serialize, Deserialize)]
pub(crate) struct HeaderLine {
    pub(crate) header: RunHeader,
}

/// The line that says how the run ended.
#[derive(Serialize, Deserialize)]
pub(crate) struct FinishLine {
    pub(crate) finish: Finish,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Finish {
    pub(crate) conclusion: Conclusion,
    pub(crate) at: Timestamp,
}

/// How the line of an input begins; the JSON of the input and `}` follow.
pub(crate) const INPUT: &[u8] = b"{\"input\":";

/// How the line of the conclusion begins.
pub(crate) const FINISH: &[u8] = b"{\"finish\":";

/// The record of a run that this process works on.
pub(crate) struct FolderRecord {
    place: Arc<Place>,
    header: RunHeader,
    folder: PathBuf,
    lines: Mutex<Lines>,
    logs: Mutex<HashMap<JobKey, Arc<Mutex<JobLog>>>>,
}

/// The record's file. It is locked for as long as the run is alive.
struct Lines {
    file: File,
    /// Bytes of complete lines.
    length: u64,
    finished: bool,
    line: Vec<u8>,
}

impl std::fmt::Debug for FolderRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FolderRecord").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl FolderRecord {
    /// Starts a record: takes an id by making its folder, then shows it to readers with its first line written and locked.
    pub(crate) fn begin(place: &Arc<Place>, run: NewRun) -> Result<Self, StoreError> {
        let counter = format!("run-{}", crate::store::file_name(&format!("{}/{}", run.repository, run.file)));
        let number = place.next_number(&counter, || place.highest_number(&run.repository, &run.file))?;
        let (id, folder) = new_folder(place, run.started)?;
        let header = HeaderLine { header: RunHeader { id, number, run } };
        let mut line = json(&header);
        line.push(b'\n');

        let temporary = folder.join("record.new");
        let path = folder.join(RECORD);
        let file = (|| {
            let file = OpenOptions::new().append(true).create_new(true).mode(0o600).open(&temporary)?;
            file.lock()?;
            (&file).write_all(&line)?;
            if place.settings.durability == Durability::PowerLoss {
                file.sync_all()?;
            }
            fs::rename(&temporary, &path)?;
            if place.settings.durability == Durability::PowerLoss {
                File::open(&folder)?.sync_all()?;
                File::open(place.root.join("runs"))?.sync_all()?;
            }
            Ok::<_, io::Error>(file)
        })();
        let file = file.map_err(|error| {
            let _best_effort = fs::remove_dir_all(&folder);
            place.full_or(&path, error)
        })?;
        let lines = Lines { file, length: line.len() as u64, finished: false, line };
        Ok(Self {
            place: Arc::clone(place),
            header: header.header,
            folder,
            lines: Mutex::new(lines),
            logs: Mutex::default(),
        })
    }

    /// Appends one line by one write. A line that does not fit on the disk is taken back, so that the next one stands alone.
    fn append(&self, sync: bool, write: impl FnOnce(&mut Lines) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let lines = &mut *unpoisoned(&self.lines);
        lines.line.clear();
        write(lines)?;
        lines.line.push(b'\n');
        let outcome = lines.file.write_all(&lines.line);
        let outcome = match outcome {
            Ok(()) => {
                lines.length += lines.line.len() as u64;
                if sync && self.place.settings.durability == Durability::PowerLoss {
                    lines.file.sync_data()
                } else {
                    Ok(())
                }
            }
            Err(error) => {
                let _a_torn_line_is_left_out_by_readers = lines.file.set_len(lines.length);
                Err(error)
            }
        };
        outcome.map_err(|error| self.place.full_or(&self.folder.join(RECORD), error))
    }

    fn log_of(&self, job: &JobKey) -> Result<Arc<Mutex<JobLog>>, StoreError> {
        let mut logs = unpoisoned(&self.logs);
        if let Some(log) = logs.get(job) {
            return Ok(Arc::clone(log));
        }
        let path = super::log::path(&self.folder, job);
        let log = JobLog::create(&path).map_err(|error| self.place.full_or(&path, error))?;
        let log = Arc::new(Mutex::new(log));
        logs.insert(job.clone(), Arc::clone(&log));
        Ok(log)
    }
}

impl RunRecord for FolderRecord {
    fn header(&self) -> &RunHeader {
        &self.header
    }

    fn input(&self, json: &str) -> Result<(), StoreError> {
        self.append(true, |lines| {
            lines.line.extend_from_slice(INPUT);
            let start = lines.line.len();
            lines.line.extend_from_slice(json.as_bytes());
            // Inside a JSON text a line break is only ever space between tokens.
            for byte in lines.line[start..].iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')) {
                *byte = b' ';
            }
            lines.line.push(b'}');
            Ok(())
        })
    }

    fn event(&self, event: &Envelope) -> Result<(), StoreError> {
        self.append(false, |lines| {
            serde_json::to_writer(&mut lines.line, event).expect("an event is plain data and a Vec takes all bytes");
            Ok(())
        })?;
        if let RunEvent::JobFinished { job, .. } = &event.event {
            // A run may have more jobs than a process may have open files. What still comes opens the log again.
            unpoisoned(&self.logs).remove(job);
        }
        Ok(())
    }

    fn log(&self, job: &JobKey, step: &str, at: Timestamp, lines: &[u8]) -> Result<(), StoreError> {
        if lines.is_empty() {
            return Ok(());
        }
        let log = self.log_of(job)?;
        let outcome = unpoisoned(&log).append(step, at, lines);
        outcome.map_err(|error| self.place.full_or(&super::log::path(&self.folder, job), error))
    }

    fn finish(&self, conclusion: Conclusion, at: Timestamp) -> Result<(), StoreError> {
        self.append(true, |lines| {
            if lines.finished {
                return Err(StoreError::Refused(format!("run {} has already been finished", self.header.id)));
            }
            lines.line.extend_from_slice(&json(&FinishLine { finish: Finish { conclusion, at } }));
            lines.finished = true;
            Ok(())
        })?;
        let path = self.folder.join(RECORD);
        unpoisoned(&self.lines).file.unlock().map_err(|error| fault::at(&path, error))
    }
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("the lines of a record are plain data")
}

/// A panic in another thread leaves a line complete or to be cleared, so the value behind a poisoned lock is good.
fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes the first free id from the milliseconds of `started`. Making a folder fails when it exists, in whichever process.
fn new_folder(place: &Place, started: Timestamp) -> Result<(RunId, PathBuf), StoreError> {
    let runs = place.root.join("runs");
    let wanted = u64::try_from(started.0).unwrap_or(0).clamp(1, 1 << 52);
    let hint = place.last_run.load(Ordering::Relaxed);
    // Only a hint from about the same time is one: a clock set back, or a test's, must not drag later ids along.
    let mut id = if hint >= wanted && hint - wanted < 60_000 { hint + 1 } else { wanted };
    loop {
        let folder = runs.join(id.to_string());
        match DirBuilder::new().mode(0o700).create(&folder) {
            Ok(()) => {
                place.last_run.store(id, Ordering::Relaxed);
                return Ok((RunId(id), folder));
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => id += 1,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(&runs).map_err(|error| place.full_or(&runs, error))?;
            }
            Err(error) => return Err(place.full_or(&folder, error)),
        }
    }
}
