//! Runs in memory.

use lineclear_event::{Conclusion, Envelope, JobKey, RunId, Timestamp};

use super::{Logs, MemoryStore};
use crate::{LogLine, NewRun, RunHeader, RunRecord, RunSummary, Store, StoreError};

#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) header: RunHeader,
    inputs: Vec<String>,
    events: Vec<Envelope>,
    pub(super) logs: Logs,
    finish: Option<(Conclusion, Timestamp)>,
    pub(super) alive: bool,
}

/// The record of a run in a [`MemoryStore`].
#[derive(Debug)]
struct MemoryRecord {
    store: MemoryStore,
    header: RunHeader,
}

impl MemoryRecord {
    fn with<T>(&self, change: impl FnOnce(&mut Run) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut kept = self.store.kept();
        change(kept.runs.get_mut(&self.header.id).ok_or_else(|| no_such(self.header.id))?)
    }
}

impl Drop for MemoryRecord {
    fn drop(&mut self) {
        if let Some(run) = self.store.kept().runs.get_mut(&self.header.id) {
            run.alive = false;
        }
    }
}

impl RunRecord for MemoryRecord {
    fn header(&self) -> &RunHeader {
        &self.header
    }

    fn input(&self, json: &str) -> Result<(), StoreError> {
        let line = json.replace(['\n', '\r'], " ");
        self.with(|run| {
            run.inputs.push(line);
            Ok(())
        })
    }

    fn event(&self, event: &Envelope) -> Result<(), StoreError> {
        self.with(|run| {
            run.events.push(event.clone());
            Ok(())
        })
    }

    fn log(&self, job: &JobKey, step: &str, at: Timestamp, lines: &[u8]) -> Result<(), StoreError> {
        if lines.is_empty() {
            return Ok(());
        }
        let time = format!("{}0000Z", at.to_string().trim_end_matches('Z'));
        let lines = lines.strip_suffix(b"\n").unwrap_or(lines);
        let lines = lines.split(|byte| *byte == b'\n').map(|line| (step.to_owned(), time.clone(), line.to_vec()));
        self.with(|run| {
            run.logs.entry(job.clone()).or_default().extend(lines);
            Ok(())
        })
    }

    fn finish(&self, conclusion: Conclusion, at: Timestamp) -> Result<(), StoreError> {
        self.with(|run| {
            if run.finish.is_some() {
                return Err(StoreError::Refused(format!("run {} has already been finished", run.header.id)));
            }
            run.finish = Some((conclusion, at));
            run.alive = false;
            Ok(())
        })
    }
}

impl Store for MemoryStore {
    fn begin(&self, run: NewRun) -> Result<Box<dyn RunRecord>, StoreError> {
        let mut kept = self.kept();
        let mut id = u64::try_from(run.started.0).unwrap_or(0).clamp(1, 1 << 52);
        while kept.runs.contains_key(&RunId(id)) {
            id += 1;
        }
        let last = kept.numbers.entry((run.repository.clone(), run.file.clone())).or_default();
        *last += 1;
        let header = RunHeader { id: RunId(id), number: *last, run };
        let record = Run {
            header: header.clone(),
            inputs: Vec::new(),
            events: Vec::new(),
            logs: Logs::new(),
            finish: None,
            alive: true,
        };
        kept.runs.insert(header.id, record);
        Ok(Box::new(MemoryRecord { store: self.clone(), header }))
    }

    fn runs(&self, repository: Option<&str>, limit: usize) -> Result<Vec<RunSummary>, StoreError> {
        let kept = self.kept();
        let ours =
            kept.runs.values().rev().filter(|run| repository.is_none_or(|name| run.header.run.repository == name));
        Ok(ours
            .take(limit)
            .map(|run| RunSummary {
                header: run.header.clone(),
                conclusion: run.finish.map(|(conclusion, _)| conclusion),
                alive: run.alive,
                finished: run.finish.map(|(_, at)| at),
            })
            .collect())
    }

    fn events(&self, run: RunId) -> Result<Vec<Envelope>, StoreError> {
        Ok(self.kept().runs.get(&run).ok_or_else(|| no_such(run))?.events.clone())
    }

    fn inputs(&self, run: RunId) -> Result<Vec<String>, StoreError> {
        Ok(self.kept().runs.get(&run).ok_or_else(|| no_such(run))?.inputs.clone())
    }

    fn log(&self, run: RunId, job: &JobKey, each: &mut dyn FnMut(LogLine<'_>) -> bool) -> Result<(), StoreError> {
        let lines = {
            let kept = self.kept();
            kept.runs.get(&run).ok_or_else(|| no_such(run))?.logs.get(job).cloned().unwrap_or_default()
        };
        for (step, time, line) in &lines {
            if !each(LogLine { step, time, line: &String::from_utf8_lossy(line) }) {
                break;
            }
        }
        Ok(())
    }
}

fn no_such(run: RunId) -> StoreError {
    StoreError::NotFound { what: format!("run {run}") }
}
