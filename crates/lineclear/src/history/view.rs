//! One run, read from its events.

use lineclear_event::{
    Annotation, AnnotationLevel, Conclusion, Envelope, Fact, JobKey, Outcome, RunEvent, RunId, Timestamp,
};
use lineclear_source::suggest;
use lineclear_store::{RunSummary, Store, StoreError};

use super::{HistoryError, Status};

/// A run with what happened in it.
#[derive(Debug)]
pub(crate) struct RunView {
    pub(crate) summary: RunSummary,
    pub(crate) run_name: String,
    pub(crate) plan_hash: String,
    /// In the order of their first event.
    pub(crate) jobs: Vec<JobView>,
    pub(crate) notices: Vec<(AnnotationLevel, String)>,
    /// Of its end; `None` while it goes on and where it was killed.
    pub(crate) duration_ms: Option<u64>,
    /// The time of the last thing that was recorded.
    pub(crate) last: Timestamp,
    /// What of the record cannot be read, a sentence each.
    pub(crate) damage: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct JobView {
    pub(crate) key: JobKey,
    pub(crate) name: String,
    /// What it waited for, in order, each with the time from which on.
    pub(crate) waits: Vec<(Timestamp, String)>,
    pub(crate) started: Option<Timestamp>,
    pub(crate) end: Option<JobEnd>,
    pub(crate) steps: Vec<StepView>,
    pub(crate) annotations: Vec<Annotation>,
    /// With the id of the step.
    pub(crate) facts: Vec<(String, Fact)>,
}

#[derive(Clone, Debug)]
pub(crate) struct JobEnd {
    pub(crate) at: Timestamp,
    pub(crate) conclusion: Conclusion,
    pub(crate) reason: Option<String>,
    pub(crate) duration_ms: u64,
}

#[derive(Debug)]
pub(crate) struct StepView {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) end: Option<StepEnd>,
}

#[derive(Clone, Debug)]
pub(crate) struct StepEnd {
    pub(crate) outcome: Outcome,
    pub(crate) conclusion: Conclusion,
    pub(crate) duration_ms: u64,
    pub(crate) exit_code: Option<i32>,
    pub(crate) reason: Option<String>,
}

impl RunView {
    /// Reads a run as far as its record can be read.
    ///
    /// # Errors
    /// There is no such run, or its file cannot be read at all.
    pub(crate) fn read(store: &dyn Store, summary: RunSummary) -> Result<Self, StoreError> {
        let (events, damage) = store.readable_events(summary.header.id)?;
        Ok(Self::of(summary, &events, damage))
    }

    pub(crate) fn of(summary: RunSummary, events: &[Envelope], damage: Vec<String>) -> Self {
        let last = summary.header.run.started;
        let mut view = Self {
            summary,
            run_name: String::new(),
            plan_hash: String::new(),
            jobs: Vec::new(),
            notices: Vec::new(),
            duration_ms: None,
            last,
            damage,
        };
        events.iter().for_each(|envelope| view.add(envelope));
        view
    }

    pub(crate) fn id(&self) -> RunId {
        self.summary.header.id
    }

    pub(crate) fn status(&self) -> Status {
        Status::of(&self.summary)
    }

    /// The jobs that `text` means: the job of this key or name, all legs of the matrix and all called jobs of this id, or the
    /// one job whose key or name begins so. Never none.
    ///
    /// # Errors
    /// No job, or several that only begin so; the sentence lists them.
    pub(crate) fn jobs_called(&self, text: &str) -> Result<Vec<&JobView>, HistoryError> {
        let jobs = || self.jobs.iter();
        let family: Vec<&JobView> = jobs().filter(|job| job.is_of_family(text)).collect();
        // Before its legs are known, a matrix waits under its plain key; such an entry never starts or ends.
        let known: Vec<&JobView> = family.iter().copied().filter(|job| !job.is_placeholder()).collect();
        if !family.is_empty() {
            return Ok(if known.is_empty() { family } else { known });
        }
        let named: Vec<&JobView> = jobs().filter(|job| job.name == text).collect();
        if !named.is_empty() {
            return Ok(named);
        }
        let folded = text.to_lowercase();
        let begins = |job: &&JobView| {
            job.key.as_str().to_lowercase().starts_with(&folded) || job.name.to_lowercase().starts_with(&folded)
        };
        let found: Vec<&JobView> = jobs().filter(begins).collect();
        let listed = |jobs: &mut dyn Iterator<Item = &JobView>| {
            jobs.map(|job| format!("`{}`", job.key)).collect::<Vec<_>>().join(", ")
        };
        match found.as_slice() {
            [_one] => Ok(found),
            [] => {
                let near = suggest(text, jobs().map(|job| job.key.as_str()));
                let advice = match near {
                    Some(near) => format!("; did you mean `{near}`?"),
                    None if self.jobs.is_empty() => "; no job of it was recorded".to_owned(),
                    None => format!("; there are {}", listed(&mut self.jobs.iter())),
                };
                Err(HistoryError::Asked(format!("run {} has no job `{text}`{advice}", self.id())))
            }
            [first, rest @ ..] => {
                // All of one matrix, such as `tes` for `test (1)` and `test (2)`.
                let id = first.key.as_str().split([' ', '/']).next().unwrap_or_default();
                if rest.iter().all(|job| job.is_of_family(id)) {
                    return self.jobs_called(id);
                }
                let names = listed(&mut found.iter().copied());
                Err(HistoryError::Asked(format!("`{text}` may be any of the jobs {names}")))
            }
        }
    }

    fn add(&mut self, envelope: &Envelope) {
        let at = envelope.at;
        self.last = self.last.max(at);
        match &envelope.event {
            RunEvent::RunStarted { plan_hash, run_name, .. } => {
                self.plan_hash.clone_from(plan_hash);
                self.run_name.clone_from(run_name);
            }
            RunEvent::JobWaiting { job, name, reason } => {
                self.entry(job, name).waits.push((at, reason.clone()));
            }
            RunEvent::JobStarted { job, name } => self.entry(job, name).started = Some(at),
            RunEvent::StepStarted { job, step, name } => {
                let steps = &mut self.entry(job, "").steps;
                steps.push(StepView { id: step.clone(), name: name.clone(), end: None });
            }
            // Lines are in the log files.
            RunEvent::Log { .. } | RunEvent::Summary { .. } => {}
            RunEvent::Annotation(annotation) => {
                self.entry(&annotation.job, "").annotations.push(annotation.clone());
            }
            RunEvent::Fact { job, step, fact } => self.entry(job, "").facts.push((step.clone(), fact.clone())),
            RunEvent::StepFinished { job, step, name, outcome, conclusion, duration_ms, exit_code, reason } => {
                let end = StepEnd {
                    outcome: *outcome,
                    conclusion: *conclusion,
                    duration_ms: *duration_ms,
                    exit_code: *exit_code,
                    reason: reason.clone(),
                };
                self.entry(job, "").step_ended(step, name, end);
            }
            RunEvent::JobFinished { job, name, conclusion, duration_ms, reason, .. } => {
                let (conclusion, duration_ms) = (*conclusion, *duration_ms);
                let end = JobEnd { at, conclusion, duration_ms, reason: reason.clone() };
                self.entry(job, name).end = Some(end);
            }
            RunEvent::Notice { level, message } => self.notices.push((*level, message.clone())),
            RunEvent::RunFinished { duration_ms, .. } => self.duration_ms = Some(*duration_ms),
        }
    }

    fn entry(&mut self, key: &JobKey, name: &str) -> &mut JobView {
        let at = self.jobs.iter().rposition(|job| job.key == *key).unwrap_or_else(|| {
            self.jobs.push(JobView {
                key: key.clone(),
                name: key.to_string(),
                waits: Vec::new(),
                started: None,
                end: None,
                steps: Vec::new(),
                annotations: Vec::new(),
                facts: Vec::new(),
            });
            self.jobs.len() - 1
        });
        let job = &mut self.jobs[at];
        if !name.is_empty() {
            name.clone_into(&mut job.name);
        }
        job
    }
}

impl JobView {
    /// Whether it is the job `id` itself, a leg of its matrix, or called by it.
    fn is_of_family(&self, id: &str) -> bool {
        let key = self.key.as_str();
        match (key.get(..id.len()), key.get(id.len()..)) {
            (Some(start), Some(rest)) if start.eq_ignore_ascii_case(id) => {
                rest.is_empty() || rest.starts_with(" (") || rest.starts_with('/')
            }
            _ => false,
        }
    }

    /// Whether it only stands for what came of it.
    fn is_placeholder(&self) -> bool {
        self.started.is_none() && self.end.is_none()
    }

    pub(crate) fn conclusion(&self) -> Option<Conclusion> {
        self.end.as_ref().map(|end| end.conclusion)
    }

    /// The step that `text` means: its id, its name, or the beginning of either.
    ///
    /// # Errors
    /// No step, or several; the sentence lists them.
    pub(crate) fn step(&self, text: &str) -> Result<&StepView, HistoryError> {
        let steps = || self.steps.iter();
        if let Some(step) = steps().find(|step| step.id == text).or_else(|| steps().find(|step| step.name == text)) {
            return Ok(step);
        }
        let folded = text.to_lowercase();
        let begins = |step: &&StepView| {
            let name = step.name.to_lowercase();
            let bare = name.strip_prefix("run ").unwrap_or(&name);
            [step.id.to_lowercase().as_str(), name.as_str(), bare].iter().any(|one| one.starts_with(&folded))
        };
        let found: Vec<&StepView> = steps().filter(begins).collect();
        let listed = |steps: &mut dyn Iterator<Item = &StepView>| {
            steps.map(|step| format!("`{}` ({})", step.id, step.name)).collect::<Vec<_>>().join(", ")
        };
        match found.as_slice() {
            [one] => Ok(one),
            [] => {
                let names = steps().flat_map(|step| [step.id.as_str(), step.name.as_str()]);
                let advice = match suggest(text, names) {
                    Some(near) => format!("; did you mean `{near}`?"),
                    None if self.steps.is_empty() => "; none of its steps began".to_owned(),
                    None => format!("; there are {}", listed(&mut self.steps.iter())),
                };
                Err(HistoryError::Asked(format!("job `{}` has no step `{text}`{advice}", self.key)))
            }
            several => {
                let names = listed(&mut several.iter().copied());
                Err(HistoryError::Asked(format!("`{text}` may be any of the steps {names}")))
            }
        }
    }

    fn step_ended(&mut self, id: &str, name: &str, end: StepEnd) {
        let known = self.steps.iter().rposition(|known| known.id == id && known.end.is_none());
        let at = known.unwrap_or_else(|| {
            self.steps.push(StepView { id: id.to_owned(), name: name.to_owned(), end: None });
            self.steps.len() - 1
        });
        name.clone_into(&mut self.steps[at].name);
        self.steps[at].end = Some(end);
    }
}

impl StepView {
    /// Whether it failed and that was not to be ignored.
    pub(crate) fn is_failure(&self) -> bool {
        self.end.as_ref().is_some_and(|end| end.outcome == Outcome::Failure && is_failure(end.conclusion))
    }
}

fn is_failure(conclusion: Conclusion) -> bool {
    matches!(conclusion, Conclusion::Failure | Conclusion::TimedOut | Conclusion::StartupFailure)
}
