//! How long jobs and steps usually take.

use std::collections::BTreeMap;

use lineclear_event::{Conclusion, JobKey, Outcome, RunEvent};
use lineclear_store::{Store, StoreError};

use super::words::median;

/// Successful ones that the middle is taken of.
const COUNTED: usize = 10;
/// Runs that are looked through for them.
const LOOKED_AT: usize = 60;

/// How long the jobs of a workflow, and their steps, usually take, in milliseconds.
#[derive(Clone, Debug, Default)]
pub(crate) struct UsualDurations(BTreeMap<(JobKey, Option<String>), u64>);

impl UsualDurations {
    /// The median of the last [`COUNTED`] times that each succeeded in runs of the workflow `file`.
    ///
    /// Reads the records of those runs: for something that is shown while a run goes on, ask once.
    pub(crate) fn of(store: &dyn Store, repository: &str, file: &str) -> Result<Self, StoreError> {
        let mut known: BTreeMap<(JobKey, Option<String>), Vec<u64>> = BTreeMap::new();
        let runs = store.runs(Some(repository), LOOKED_AT)?;
        for run in runs.iter().filter(|run| run.header.run.file == file) {
            // What cannot be read tells nothing.
            let Ok((events, _)) = store.readable_events(run.header.id) else { continue };
            for envelope in events {
                let (key, took) = match envelope.event {
                    RunEvent::JobFinished { job, conclusion: Conclusion::Success, duration_ms, .. } => {
                        ((job, None), duration_ms)
                    }
                    RunEvent::StepFinished { job, step, outcome: Outcome::Success, duration_ms, .. } => {
                        ((job, Some(step)), duration_ms)
                    }
                    _ => continue,
                };
                let times = known.entry(key).or_default();
                if times.len() < COUNTED {
                    times.push(took);
                }
            }
        }
        Ok(Self(known.into_iter().filter_map(|(key, times)| Some((key, median(times)?))).collect()))
    }

    /// `None` for what never succeeded.
    pub(crate) fn job(&self, job: &JobKey) -> Option<u64> {
        self.0.get(&(job.clone(), None)).copied()
    }

    pub(crate) fn step(&self, job: &JobKey, step: &str) -> Option<u64> {
        self.0.get(&(job.clone(), Some(step.to_owned()))).copied()
    }
}

/// As [`UsualDurations`], for one job or step.
pub(crate) fn usual_duration(
    store: &dyn Store,
    repository: &str,
    file: &str,
    job: &JobKey,
    step: Option<&str>,
) -> Result<Option<u64>, StoreError> {
    let usual = UsualDurations::of(store, repository, file)?;
    Ok(step.map_or_else(|| usual.job(job), |step| usual.step(job, step)))
}

#[cfg(test)]
mod tests {
    use lineclear_event::{Envelope, Timestamp};
    use lineclear_store::{MemoryStore, NewRun};

    use super::*;

    #[test]
    fn the_usual_duration_is_the_middle_of_those_that_succeeded() {
        let store = MemoryStore::default();
        let job = JobKey::new("test");
        for (at, (duration_ms, conclusion)) in [
            (900, Conclusion::Success),
            (5, Conclusion::Failure),
            (1000, Conclusion::Success),
            (40_000, Conclusion::Success),
        ]
        .into_iter()
        .enumerate()
        {
            let at = Timestamp(at as i64 + 1);
            let record = store
                .begin(NewRun {
                    repository: "o/r".into(),
                    file: "ci.yml".into(),
                    workflow: "ci".into(),
                    event: "push".into(),
                    reference: "refs/heads/main".into(),
                    sha: String::new(),
                    started: at,
                })
                .expect("a run");
            let (job, name, outputs) = (job.clone(), "test".to_owned(), BTreeMap::new());
            let event = RunEvent::JobFinished { job, name, conclusion, outputs, duration_ms, reason: None };
            record.event(&Envelope { event, run: record.header().id, at }).expect("recorded");
        }
        let usual = |repository, file, job: &str| {
            usual_duration(&store, repository, file, &JobKey::new(job), None).expect("a store")
        };
        assert_eq!(usual("o/r", "ci.yml", "test"), Some(1000));
        assert_eq!(usual("o/r", "other.yml", "test"), None);
        assert_eq!(usual("o/r", "ci.yml", "lint"), None);
        assert_eq!(usual("o/other", "ci.yml", "test"), None);
    }
}
