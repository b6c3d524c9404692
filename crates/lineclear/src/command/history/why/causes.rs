//! What there is to explain of a run, gathered from its record and, where the record lacks it, decided again.

use lineclear_event::{AnnotationLevel, Conclusion, Outcome};
use lineclear_expr::Value;
use lineclear_plan::{JobScope, NeedsStatus};
use lineclear_workflow::Condition;
use serde::Serialize;

use super::endings;
use crate::history::caching::{self, Found};
use crate::history::decisions::Decisions;
use crate::history::durations::usual_duration;
use crate::history::places::JobPlace;
use crate::history::{History, HistoryError, JobView, RunView, Status, StepView};
use crate::report::{hint, shell_word};

/// A value that decided is shown in so many characters.
const LONGEST_VALUE: usize = 80;

/// What kind of thing is explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Ran,
    Succeeded,
    Waited,
    Skipped,
    Failed,
    /// It failed, and `continue-on-error` let the job go on.
    Tolerated,
    TimedOut,
    Cancelled,
    CacheHit,
    CacheMiss,
    /// It was under way when the process of the run was killed.
    Killed,
    Running,
}

/// One thing, and why it is so.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Cause {
    pub(super) kind: Kind,
    /// Key of the job; none: the run as a whole.
    pub(super) job: Option<String>,
    pub(super) step: Option<String>,
    /// What people see it called.
    pub(super) name: String,
    pub(super) reason: String,
    /// The `if` as it is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) condition: Option<String>,
    /// `file:line` in the workflow as it was then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) place: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) exit_code: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) took_ms: Option<u64>,
    /// The middle of the last times that it succeeded; only of a job that is asked about by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) usually_ms: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) last_lines: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hint: Option<&'static str>,
}

/// What is asked about.
#[derive(Clone, Debug)]
pub(super) enum Narrow<'v> {
    Run,
    Jobs(Vec<&'v JobView>),
    Steps(Vec<(&'v JobView, &'v StepView)>),
}

/// Everything that is explained.
#[derive(Debug)]
pub(super) struct Causes {
    pub(super) all: Vec<Cause>,
    pub(super) notices: Vec<(AnnotationLevel, String)>,
    /// What to type next.
    pub(super) next: Vec<String>,
}

impl Causes {
    pub(super) fn gather(history: &History, view: &RunView, narrow: Narrow<'_>) -> Result<Self, HistoryError> {
        // A record that cannot be decided on again still has its own reasons.
        let decisions = Decisions::alone(&history.store, view.id()).ok();
        let mut gathering = Gathering { view, decisions: decisions.as_ref(), all: Vec::new() };
        match &narrow {
            Narrow::Run => {
                gathering.run();
                // As they began; what never did comes last.
                let mut jobs: Vec<&JobView> = view.jobs.iter().collect();
                jobs.sort_by_key(|job| (job.started.is_none(), job.started));
                jobs.into_iter().for_each(|job| gathering.job(job, false));
            }
            Narrow::Jobs(jobs) => jobs.iter().for_each(|job| gathering.job(job, true)),
            Narrow::Steps(steps) => steps.iter().for_each(|(job, step)| gathering.step(job, step, true)),
        }
        let mut all = gathering.all;
        if let Narrow::Jobs(jobs) = &narrow {
            let header = &view.summary.header.run;
            for job in jobs {
                let usually = usual_duration(&history.store, &header.repository, &header.file, &job.key, None)?;
                let whole = |cause: &&mut Cause| {
                    cause.job.as_deref() == Some(job.key.as_str())
                        && cause.step.is_none()
                        && cause.took_ms.is_some()
                        && cause.kind != Kind::Waited
                };
                all.iter_mut().filter(whole).for_each(|cause| cause.usually_ms = usually);
            }
        }
        endings::add_last_lines(&history.store, view.id(), &mut all)?;
        for cause in &mut all {
            // The signals of a step that ran out of time were Lineclear's own: they say nothing about the machine.
            let code = cause.exit_code.filter(|_| !cause.reason.contains("timeout-minutes"));
            if matches!(cause.kind, Kind::Failed | Kind::Tolerated) {
                cause.hint = hint(code, cause.last_lines.iter().map(String::as_str));
            }
        }
        let notices = if matches!(narrow, Narrow::Run) { view.notices.clone() } else { Vec::new() };
        let next = next(history, view, &all, decisions.as_ref());
        Ok(Self { all, notices, next })
    }
}

struct Gathering<'a> {
    view: &'a RunView,
    decisions: Option<&'a Decisions>,
    all: Vec<Cause>,
}

impl Gathering<'_> {
    fn place(&self, job: &JobView) -> Option<JobPlace> {
        let decisions = self.decisions?;
        let key = job.key.as_str();
        let spec = decisions.spec(key).and_then(JobPlace::of);
        spec.or_else(|| JobPlace::in_request(decisions.request()?, key))
    }

    fn cause(&mut self, kind: Kind, job: &JobView, reason: impl Into<String>) -> &mut Cause {
        self.all.push(Cause {
            kind,
            job: Some(job.key.to_string()),
            step: None,
            name: job.name.clone(),
            reason: reason.into(),
            condition: None,
            place: None,
            exit_code: None,
            took_ms: None,
            usually_ms: None,
            last_lines: Vec::new(),
            hint: None,
        });
        self.all.last_mut().expect("one was pushed just now")
    }

    /// The run as a whole, where that says more than its jobs.
    fn run(&mut self) {
        let (kind, reason) = match self.view.status() {
            Status::Killed => {
                let under_way: Vec<String> = self
                    .view
                    .jobs
                    .iter()
                    .filter(|job| job.started.is_some() && job.end.is_none())
                    .map(|job| format!("`{}`", job.key))
                    .collect();
                let jobs = match under_way.as_slice() {
                    [] => "no job was under way".to_owned(),
                    jobs => format!("{} under way", jobs.join(", ")),
                };
                let last = crate::history::words::time(self.view.last);
                let reason = format!(
                    "its process is gone and never said how it ended (a kill, or a loss of power); the last thing it recorded is of \
                     {last} UTC, with {jobs}"
                );
                (Kind::Killed, reason)
            }
            Status::Ended(Conclusion::StartupFailure) => {
                let errors = self.view.notices.iter().filter(|(level, _)| *level == AnnotationLevel::Error);
                let errors: Vec<&str> = errors.map(|(_, message)| message.lines().next().unwrap_or_default()).collect();
                (Kind::Failed, format!("it could not begin: {}", errors.join("; ")))
            }
            Status::Ended(_) | Status::Running => return,
        };
        let name = self.view.summary.header.run.workflow.clone();
        self.all.push(Cause {
            kind,
            job: None,
            step: None,
            name,
            reason,
            condition: None,
            place: None,
            exit_code: None,
            took_ms: None,
            usually_ms: None,
            last_lines: Vec::new(),
            hint: None,
        });
    }

    /// `in_full`: also what went well.
    fn job(&mut self, job: &JobView, in_full: bool) {
        self.waits(job);
        let place = self.place(job);
        let condition = place.as_ref().and_then(|place| JobPlace::condition(place.job().condition.as_ref()));
        let at = place.as_ref().map(JobPlace::place);
        let at_condition = |place: &JobPlace| place.job().condition.as_ref().map(|one| place.at(one.span()));
        let at_condition = place.as_ref().and_then(at_condition).or_else(|| at.clone());
        if in_full && job.started.is_some() {
            let reason = self.why_it_ran(job, place.as_ref());
            let cause = self.cause(Kind::Ran, job, reason);
            (cause.condition, cause.place) = (condition.clone(), at_condition.clone());
        }
        let steps_failed = job.steps.iter().any(StepView::is_failure);
        match &job.end {
            Some(end) => {
                let reason = end.reason.clone().or_else(|| self.decisions?.reason(job.key.as_str()));
                let reason = reason.unwrap_or_else(|| match end.conclusion {
                    Conclusion::Success => "all that it had to do succeeded".to_owned(),
                    other => format!("it ended as {other}"),
                });
                let kind = match end.conclusion {
                    Conclusion::Skipped => Kind::Skipped,
                    Conclusion::Cancelled => Kind::Cancelled,
                    Conclusion::TimedOut => Kind::TimedOut,
                    Conclusion::Failure | Conclusion::StartupFailure => Kind::Failed,
                    Conclusion::Success if in_full => Kind::Succeeded,
                    Conclusion::Success => return self.steps(job, in_full),
                };
                // Its step says it with more.
                if kind != Kind::Failed || !steps_failed {
                    let took = job.started.map(|_| end.duration_ms);
                    let is_skip = kind == Kind::Skipped;
                    let cause = self.cause(kind, job, reason);
                    (cause.place, cause.took_ms) = (if is_skip { at_condition } else { at }, took);
                    cause.condition = condition.filter(|_| is_skip);
                }
            }
            None if job.started.is_some() => {
                let (kind, word) = self.unfinished();
                self.cause(kind, job, format!("it was under way when {word}")).place = at;
            }
            None => {}
        }
        self.steps(job, in_full);
    }

    fn unfinished(&self) -> (Kind, &'static str) {
        match self.view.status() {
            Status::Running => (Kind::Running, "this was asked"),
            Status::Killed | Status::Ended(_) => (Kind::Killed, "the record ends"),
        }
    }

    fn waits(&mut self, job: &JobView) {
        let until = job.started.or(job.end.as_ref().map(|end| end.at)).unwrap_or(self.view.last);
        for (at, (since, reason)) in job.waits.iter().enumerate() {
            let end = job.waits.get(at + 1).map_or(until, |(next, _)| *next);
            self.cause(Kind::Waited, job, reason.clone()).took_ms = Some(end.millis_since(*since));
        }
    }

    fn steps(&mut self, job: &JobView, in_full: bool) {
        for step in &job.steps {
            self.step(job, step, in_full);
        }
        // Look-ups of steps that are not known by themselves.
        for look_up in caching::of_job(self.view, job) {
            if !job.steps.iter().any(|step| step.id == look_up.step) {
                self.cause(Kind::CacheMiss, job, look_up.reason);
            }
        }
    }

    fn step(&mut self, job: &JobView, step: &StepView, in_full: bool) {
        let place = self.place(job);
        let written = place.as_ref().and_then(|place| place.step(&step.id));
        let condition = written.and_then(|written| JobPlace::condition(written.condition.as_ref()));
        let at = place.as_ref().zip(written).map(|(place, written)| place.at(written.span));
        for look_up in caching::of_job(self.view, job).into_iter().filter(|look_up| look_up.step == step.id) {
            let is_first =
                job.steps.iter().find(|known| known.id == step.id).is_some_and(|known| std::ptr::eq(known, step));
            let kind = if look_up.found == Found::Nothing { Kind::CacheMiss } else { Kind::CacheHit };
            if is_first && (in_full || look_up.found != Found::Exact) {
                let cause = self.cause(kind, job, format!("{}: {}", look_up.key, look_up.reason));
                (cause.step, cause.name) = (Some(step.id.clone()), format!("{} › {}", job.name, step.name));
                cause.place.clone_from(&at);
            }
        }
        let (kind, reason, end) = match &step.end {
            Some(end) => {
                let kind = match (end.outcome, end.conclusion) {
                    (Outcome::Skipped, _) => Kind::Skipped,
                    (Outcome::Cancelled, _) => Kind::Cancelled,
                    (Outcome::Failure, Conclusion::Success) => Kind::Tolerated,
                    (Outcome::Failure, _) => Kind::Failed,
                    (Outcome::Success, _) if in_full => Kind::Succeeded,
                    (Outcome::Success, _) => return,
                };
                let own = end.reason.clone().or_else(|| end.exit_code.map(|code| format!("exit code {code}")));
                let fallback = || match (&condition, kind) {
                    (Some(condition), Kind::Succeeded) => format!("`{condition}` held"),
                    (None, Kind::Succeeded) => "all steps before it had succeeded".to_owned(),
                    _ => format!("it ended as {}", end.outcome),
                };
                (kind, own.unwrap_or_else(fallback), Some(end))
            }
            None => {
                let (kind, word) = self.unfinished();
                (kind, format!("it was under way when {word}"), None)
            }
        };
        let cause = self.cause(kind, job, reason);
        (cause.step, cause.name) = (Some(step.id.clone()), format!("{} › {}", job.name, step.name));
        (cause.place, cause.condition) = (at, condition);
        cause.exit_code = end.and_then(|end| end.exit_code);
        cause.took_ms = end.filter(|end| end.outcome != Outcome::Skipped).map(|end| end.duration_ms);
    }

    /// The `if` of a job that ran, evaluated again with what the job was handed out with.
    fn why_it_ran(&self, job: &JobView, place: Option<&JobPlace>) -> String {
        let condition = place.and_then(|place| place.job().condition.as_ref());
        let spec = self.decisions.and_then(|decisions| decisions.spec(job.key.as_str()));
        let (Some(condition), Some(spec)) = (condition, spec) else {
            let needs = place.map(|place| place.job().needs.iter().map(|need| need.value.as_str()).collect::<Vec<_>>());
            return match needs.as_deref() {
                Some([]) | None => "it has no `if` and needs nothing".to_owned(),
                Some(needs) => format!("it has no `if`, and what it needs succeeded: {}", needs.join(", ")),
            };
        };
        let mut scope = JobScope::from_contexts(&spec.contexts);
        let results: Vec<&str> = spec
            .contexts
            .needs
            .as_object()
            .into_iter()
            .flat_map(|needs| needs.values())
            .filter_map(|need| need["result"].as_str())
            .collect();
        scope.status = Some(NeedsStatus {
            all_succeeded: results.iter().all(|result| *result == "success"),
            any_failed: results.contains(&"failure"),
            cancelled: false,
        });
        reason_of(condition, &scope)
    }
}

/// "`github.ref == 'refs/heads/main'` is true: github.ref = refs/heads/main".
fn reason_of(condition: &Condition, scope: &JobScope) -> String {
    let written = condition.raw().trim();
    match condition.expr.explain(scope) {
        Ok(explanation) => {
            let parts = explanation.parts.iter().map(|(text, value)| {
                let value = match value {
                    Value::Null => "null".to_owned(),
                    Value::String(text) if text.is_empty() => "''".to_owned(),
                    other => lineclear_source::clipped(&other.to_text(), LONGEST_VALUE),
                };
                format!("{text} = {value}")
            });
            let parts: Vec<String> = parts.collect();
            let truth = if explanation.value.is_truthy() { "true" } else { "false" };
            let because = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
            format!("`{written}` is {truth}{because}")
        }
        Err(error) => format!("`{written}` held; it cannot be evaluated again: {}", error.message),
    }
}

/// What to type next, most telling first.
fn next(history: &History, view: &RunView, causes: &[Cause], decisions: Option<&Decisions>) -> Vec<String> {
    let id = view.id();
    let mut commands = Vec::new();
    if let Some(failed) =
        causes.iter().find(|cause| matches!(cause.kind, Kind::Failed | Kind::TimedOut) && cause.job.is_some())
    {
        let job = failed.job.as_deref().unwrap_or_default();
        let step = failed.step.as_ref().map(|step| format!(" {}", shell_word(step))).unwrap_or_default();
        commands.push(format!("lineclear logs {id} {}{step}", shell_word(job)));
        if let Some(request) = decisions.and_then(Decisions::request) {
            let top = job.split(['/', ' ']).next().unwrap_or(job);
            let mut command = format!(
                "lineclear run --event {} -W {} -j {}",
                shell_word(&request.event.name),
                shell_word(&request.file),
                shell_word(top)
            );
            let matrix = decisions.and_then(|decisions| decisions.spec(job)).map(|spec| &spec.contexts.matrix);
            for (axis, value) in matrix.and_then(|matrix| matrix.as_object()).into_iter().flatten() {
                let text = match value {
                    serde_json::Value::String(text) => text.clone(),
                    serde_json::Value::Array(_) | serde_json::Value::Object(_) => continue,
                    other => other.to_string(),
                };
                command.push_str(&format!(" --matrix {}", shell_word(&format!("{axis}:{text}"))));
            }
            commands.push(command);
        }
    }
    if view.status().is_failure() || view.status() == Status::Killed {
        let file = view.summary.header.run.file.as_str();
        let earlier = history.runs(200).unwrap_or_default();
        let green = earlier.iter().any(|run| {
            run.header.id < id && run.header.run.file == file && run.conclusion == Some(Conclusion::Success)
        });
        if green {
            commands.push(format!("lineclear diff {id}"));
        }
        commands.push(format!("lineclear replay {id} --run"));
    }
    commands
}
