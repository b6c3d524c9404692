//! What a run proves, written into the ledger while it goes on.
//!
//! ```text
//! tell(JobFinished) ─► Checks: a job's legs, together once all have ended ─┐
//! facts of steps ─────► statements of coverage, tests, scans, images ──────┼─► Ledger, on the disk before anybody relies on it
//! run_ended ──────────► what is left, and the run's own statement ─────────┘
//! ```
//!
//! [`Recorder`] hears everything that the engine tells. What it writes is about the event's commit, and counts only if what ran was exactly
//! the contents of that commit: [`inspect`] finds out, beside the run, what was different. Nothing is read or asked before the
//! first job ends, so that a run starts as fast as one without a ledger.

mod checks;
pub(crate) mod closing;
mod facts;
mod inspect;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lineclear_engine::RunRequest;
use lineclear_event::{
    CheckConclusion, CheckContext, CheckLeg, CheckStatement, CommitStatement, Conclusion, Evidence, Fact, ForgeEvent,
    JobKey, JobSpec, RunEvent, RunId, RunStatement, RunWitness, ScanStatement, Severity, Statement, Subject, Timestamp,
    Witness,
};
use lineclear_ledger::{LedgerError, LedgerOf};
use lineclear_policy::Policy;
use lineclear_vulnerability::rate;

use super::prepare::PathFiltered;
use crate::history::commits::{is_commit, short};
use crate::output;
use crate::scanning::Known;
use checks::Checks;
pub(crate) use inspect::{Inspection, commit};

/// Writes evidence of all runs of one command.
pub(crate) struct Recorder {
    ledger: LedgerOf,
    inspection: Inspection,
    images: facts::ImageNames,
    known: Arc<Known>,
    event: ForgeEvent,
    context: CheckContext,
    clock: fn() -> Timestamp,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    runs: BTreeMap<RunId, RunState>,
    /// Entries that were written, the first and the last.
    written: Option<(u64, u64, u64)>,
    /// What could not be written, and why: that ends the command as a fault of Lineclear.
    failed: Option<String>,
    has_commit: bool,
}

/// What is known of one run.
struct RunState {
    /// The commit that it speaks of.
    subject: String,
    event: String,
    context: CheckContext,
    head_branch: String,
    head_repository: String,
    /// What is not as its commit says, beside what holds for all runs of the command.
    adjusted: Vec<String>,
    /// Whether what it builds is known to be of its commit.
    builds: bool,
    file: String,
    workflow: String,
    attempt: u32,
    checks: Checks,
    images: facts::SeenImages,
}

/// What came of the evidence of a command.
pub(crate) struct Recorded {
    pub(crate) entries: u64,
    pub(crate) first: u64,
    pub(crate) last: u64,
    /// Why it clears no gate; empty if it may.
    pub(crate) adjusted: Vec<String>,
}

impl Recorder {
    /// For runs of `event`; `None` where there is no commit that evidence could be about.
    pub(crate) fn new(
        ledger: LedgerOf,
        event: &ForgeEvent,
        policy: &Policy,
        known: Arc<Known>,
        clock: fn() -> Timestamp,
        inspect: impl FnOnce() -> Inspection,
    ) -> Option<Arc<Self>> {
        is_commit(&event.sha).then(|| {
            Arc::new(Self {
                ledger,
                inspection: inspect(),
                images: facts::ImageNames::of(policy, &event.repository),
                known,
                event: event.clone(),
                context: context(&event.name),
                clock,
                state: Mutex::default(),
            })
        })
    }

    /// A run begins: one that the event started, or one that follows it.
    pub(crate) fn begin(&self, request: &RunRequest, workflow: &str) {
        let event = &request.event;
        let mut adjusted = self.inspection.also(request);
        if event.sha != self.event.sha {
            let (own, other) = (short(&self.event.sha), short(&event.sha));
            adjusted.push(format!("it speaks of {other}, and what ran is {own}"));
        }
        // What is built by a run that follows another is of that one's commit, where both are the same here.
        let followed = event.payload.pointer("/workflow_run/head_sha").and_then(serde_json::Value::as_str);
        let run = RunState {
            subject: event.sha.clone(),
            event: event.name.clone(),
            head_branch: head_branch(event),
            head_repository: head_repository(event),
            builds: adjusted.is_empty() && followed.is_none_or(|followed| followed == event.sha),
            context: context(&event.name),
            adjusted,
            file: request.file.clone(),
            workflow: workflow.to_owned(),
            attempt: request.attempt,
            checks: Checks::default(),
            images: facts::SeenImages::default(),
        };
        self.state().runs.insert(request.run, run);
    }

    /// Workflows that the event would have started, but for their paths: each of their jobs was not needed.
    pub(crate) fn path_filtered(&self, filtered: &PathFiltered) {
        for (workflow, reason) in &filtered.workflows {
            let adjusted = [self.inspection.adjusted(), filtered.adjusted.clone()].concat();
            let legs = checks::planned(workflow).into_iter().map(|(job, check, legs)| {
                let leg = |name: String| CheckLeg {
                    name,
                    conclusion: CheckConclusion::PathFiltered,
                    reason: reason.clone(),
                    since: filtered.since.clone(),
                };
                let statement = CheckStatement {
                    check,
                    context: self.context,
                    legs: legs.into_iter().map(leg).collect(),
                    adjusted: adjusted.clone(),
                };
                let witness = RunWitness {
                    run: RunWitness::NOT_STARTED,
                    attempt: 1,
                    file: workflow.file.clone(),
                    event: self.event.name.clone(),
                    job: Some(JobKey::new(job)),
                };
                (Subject::Commit(self.event.sha.clone()), witness, Statement::Check(statement))
            });
            let statements = legs.collect();
            self.write(&mut self.state(), statements);
        }
    }

    /// A job is handed out: what it needs has ended, and stands in the ledger before it starts.
    pub(crate) fn handed_out(&self, spec: &JobSpec) {
        let mut state = self.state();
        let Some(run) = state.runs.get_mut(&spec.run) else { return };
        let ended = run.checks.handed_out(spec);
        self.write_checks(&mut state, spec.run, ended);
    }

    /// How the runner itself saw a job end: `continue-on-error` lets a run go on, and is no success of the check.
    pub(crate) fn job_ended(&self, run: RunId, job: &JobKey, conclusion: Conclusion) {
        if let Some(run) = self.state().runs.get_mut(&run) {
            run.checks.own_end(job, conclusion);
        }
    }

    /// What the engine tells.
    pub(crate) fn see(&self, run: RunId, event: &RunEvent) {
        let RunEvent::JobFinished { job, name, conclusion, reason, .. } = event else { return };
        let mut state = self.state();
        let Some(known) = state.runs.get_mut(&run) else { return };
        known.checks.finished(job, name, *conclusion, reason.as_deref());
        let ended = known.checks.take_whole();
        self.write_checks(&mut state, run, ended);
    }

    /// Looks severities up that a scanner does not say. Without a database they stay unknown, and the policy says what that counts as.
    fn rate(&self, scan: &mut ScanStatement) {
        if !scan.counts.contains_key(&Severity::Unknown) {
            return;
        }
        let rated = match self.known.opened() {
            Ok(Some(database)) => rate(scan, &database).map_err(|error| error.to_string()),
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = rated {
            output::complain(&format!("warning: severities that {} does not say stay unknown: {error}", scan.tool));
        }
    }

    /// What a step did.
    pub(crate) fn fact(&self, run: RunId, job: &JobKey, fact: &Fact) {
        let stated = facts::statements(fact, &self.event.sha, &self.images).unwrap_or_else(|why| {
            output::complain(&format!("warning: {why}"));
            None
        });
        let Some((subject, mut statement)) = stated else { return };
        if let Statement::Scan(scan) = &mut statement {
            self.rate(scan);
        }
        let is_adjusted = !self.inspection.look_again().is_empty();
        let mut state = self.state();
        let Some(known) = state.runs.get_mut(&run) else { return };
        match (&subject, &mut statement) {
            // Whoever pushes it again does not make it their commit's: it is of none.
            (Subject::Digest(_), Statement::Image(image)) if is_adjusted => image.commit.clear(),
            // What else was seen in a run that was not as its commit says is in the run's own record; here it would only be in the way.
            _ if is_adjusted || !known.adjusted.is_empty() => return,
            (Subject::Digest(_), Statement::Image(_)) if !known.builds => return,
            _ => {}
        }
        if let (Subject::Digest(digest), Statement::Image(image)) = (&subject, &statement)
            && !known.images.is_new(digest, image)
        {
            return;
        }
        let group = known.checks.group_of(job);
        let witness = witness(run, known, Some(group));
        self.write(&mut state, vec![(subject, witness, statement)]);
    }

    /// A run is over.
    pub(crate) fn run_ended(&self, run: RunId, conclusion: Conclusion) {
        let mut state = self.state();
        let Some(known) = state.runs.get_mut(&run) else { return };
        let left = known.checks.take_all();
        self.write_checks(&mut state, run, left);
        let Some(known) = state.runs.get(&run) else { return };
        let statement = RunStatement {
            workflow: known.workflow.clone(),
            conclusion: checks::conclusion(conclusion),
            head_branch: known.head_branch.clone(),
            head_repository: known.head_repository.clone(),
            adjusted: known.with(self.inspection.adjusted()),
        };
        let about = (Subject::Commit(known.subject.clone()), witness(run, known, None), Statement::Run(statement));
        self.write(&mut state, vec![about]);
    }

    /// What was written. An error: not everything could be, which was told then.
    pub(crate) fn close(&self) -> Result<Option<Recorded>, String> {
        let state = self.state();
        if let Some(why) = &state.failed {
            return Err(why.clone());
        }
        Ok(state.written.map(|(first, last, entries)| Recorded {
            entries,
            first,
            last,
            adjusted: self.inspection.adjusted(),
        }))
    }

    /// What is not as the commit says, now.
    pub(crate) fn adjusted(&self) -> Vec<String> {
        self.inspection.look_again()
    }

    pub(crate) fn ledger(&self) -> &LedgerOf {
        &self.ledger
    }

    pub(crate) fn commit(&self) -> &str {
        &self.event.sha
    }

    pub(crate) fn context(&self) -> CheckContext {
        self.context
    }

    fn write_checks(&self, state: &mut State, run: RunId, ended: Vec<checks::Ended>) {
        if ended.is_empty() {
            return;
        }
        let adjusted = self.inspection.look_again();
        let Some(known) = state.runs.get(&run) else { return };
        let adjusted = known.with(adjusted);
        let mut statements = Vec::new();
        for job in ended {
            let witness = witness(run, known, Some(job.job.clone()));
            for (name, legs) in job.checks {
                let check = format!("{} / {name}", known.workflow);
                let statement = CheckStatement { check, context: known.context, legs, adjusted: adjusted.clone() };
                let subject = Subject::Commit(known.subject.clone());
                statements.push((subject, witness.clone(), Statement::Check(statement)));
            }
        }
        self.write(state, statements);
    }

    fn write(&self, state: &mut State, statements: Vec<(Subject, RunWitness, Statement)>) {
        // After a failure nothing more is written: a ledger with a gap in the middle of a run would tell another story.
        if statements.is_empty() || state.failed.is_some() {
            return;
        }
        let at = (self.clock)();
        let mut evidence = Vec::with_capacity(statements.len() + 1);
        if !state.has_commit {
            let subject = Subject::Commit(self.event.sha.clone());
            evidence.extend(self.inspection.commit().map(|commit| Evidence {
                subject,
                at,
                by: Witness::Engine,
                statement: Statement::Commit(CommitStatement { tree: commit.tree, parents: commit.parents }),
            }));
        }
        evidence.extend(statements.into_iter().map(|(subject, by, statement)| Evidence {
            subject,
            at,
            by: Witness::Run(by),
            statement,
        }));
        match self.ledger.append(evidence) {
            Ok(numbers) => {
                state.has_commit = true;
                if let (Some(&first), Some(&last)) = (numbers.first(), numbers.last()) {
                    let before = state.written.unwrap_or((first, last, 0));
                    state.written = Some((before.0, last, before.2 + numbers.len() as u64));
                }
            }
            Err(error) => {
                state.failed = Some(lineclear_event::with_causes(&error));
                tell(&error);
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RunState {
    /// All that is not as the commit says.
    fn with(&self, mut adjusted: Vec<String>) -> Vec<String> {
        adjusted.extend_from_slice(&self.adjusted);
        adjusted
    }
}

fn witness(run: RunId, known: &RunState, job: Option<String>) -> RunWitness {
    RunWitness {
        run,
        attempt: known.attempt,
        file: known.file.clone(),
        event: known.event.clone(),
        job: job.map(JobKey::new),
    }
}

/// Said at once: a job that waits for a gate will wait in vain.
fn tell(error: &LedgerError) {
    let sentence = lineclear_event::with_causes(error);
    output::complain(&format!("error: the run goes on, but what it proves is not recorded: {sentence}"));
}

/// On what kind of event a check runs.
pub(crate) fn context(event: &str) -> CheckContext {
    match event {
        "pull_request" | "pull_request_target" => CheckContext::PullRequest,
        "push" => CheckContext::Push,
        _ => CheckContext::Other,
    }
}

fn head_branch(event: &ForgeEvent) -> String {
    if !event.head_ref.is_empty() {
        return event.head_ref.clone();
    }
    let short = ["refs/heads/", "refs/tags/"].iter().find_map(|prefix| event.reference.strip_prefix(prefix));
    short.unwrap_or(&event.reference).to_owned()
}

fn head_repository(event: &ForgeEvent) -> String {
    let head = event.payload.pointer("/pull_request/head/repo/full_name").and_then(serde_json::Value::as_str);
    head.map_or_else(|| event.repository.full_name(), str::to_owned)
}
