//! The hands of the engine on this machine: jobs run on threads, a few at once.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use lineclear_drive::{Hands, Inbox};
use lineclear_engine::Stop;
use lineclear_event::{Conclusion, Envelope, JobKey, JobReport, JobSpec, RunEvent, RunId};
use lineclear_runner::JobControl;

use super::chain::Chain;
use super::evidence::Recorder;
use super::sink::Telling;

/// What the engine's orders come to on this machine.
pub(crate) struct LocalHands {
    pub(crate) pool: Pool,
    pub(crate) telling: Arc<Telling>,
    pub(crate) conclusions: BTreeMap<RunId, Conclusion>,
    pub(super) chain: Chain,
    /// `None` where there is no commit that anything could be stated of.
    pub(crate) recorder: Option<Arc<Recorder>>,
}

impl Hands for LocalHands {
    fn dispatch(&mut self, spec: Box<JobSpec>) {
        if let Some(recorder) = &self.recorder {
            recorder.handed_out(&spec);
        }
        self.telling.dispatched(&spec);
        self.pool.dispatch(*spec);
    }

    fn stop(&mut self, run: RunId, job: &JobKey, stop: Stop) {
        self.pool.stop(run, job, stop);
    }

    fn tell(&mut self, event: &Envelope) {
        self.telling.show(event);
        if let Some(recorder) = &self.recorder {
            recorder.see(event.run, &event.event);
        }
        if let RunEvent::JobStarted { job, .. } = &event.event {
            self.pool.start_was_told(event.run, job);
        }
        self.chain.hear(event);
    }

    fn run_ended(&mut self, run: RunId, conclusion: Conclusion) {
        if let Some(recorder) = &self.recorder {
            recorder.run_ended(run, conclusion);
        }
        self.conclusions.insert(run, conclusion);
    }
}

/// Runs one job; everything it needs beside the specification is in the closure.
pub(crate) type RunJob = dyn Fn(&JobSpec, &JobControl) -> JobReport + Send + Sync;

/// Threads that take jobs from a queue, in the order in which they were handed out.
pub(crate) struct Pool {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    limit: usize,
}

struct Shared {
    state: Mutex<State>,
    /// A job waits in the queue, or no more will come.
    queued: Condvar,
    /// A job's start was told, or nobody is left to tell it.
    told: Condvar,
    inbox: Inbox,
    run_job: Box<RunJob>,
}

#[derive(Default)]
struct State {
    queue: VecDeque<JobSpec>,
    running: BTreeMap<(RunId, JobKey), Running>,
    idle: usize,
    closed: bool,
}

struct Running {
    control: JobControl,
    /// Whether the job's start has been told: its own events may follow only then.
    told: bool,
}

impl Pool {
    pub(crate) fn new(limit: usize, inbox: Inbox, run_job: Box<RunJob>) -> Self {
        let shared = Shared { state: Mutex::default(), queued: Condvar::new(), told: Condvar::new(), inbox, run_job };
        Self { shared: Arc::new(shared), threads: Vec::new(), limit }
    }

    /// Takes a job. It starts at once where a thread is free.
    pub(crate) fn dispatch(&mut self, spec: JobSpec) {
        let mut state = self.shared.state();
        state.queue.push_back(spec);
        let needed = state.queue.len() > state.idle && self.threads.len() < self.limit;
        drop(state);
        if needed {
            let shared = Arc::clone(&self.shared);
            self.threads.push(std::thread::spawn(move || shared.work()));
        }
        self.shared.queued.notify_one();
    }

    /// Stops a job: one that still waits for a thread ends as cancelled, without having started.
    pub(crate) fn stop(&mut self, run: RunId, job: &JobKey, stop: Stop) {
        let mut state = self.shared.state();
        if let Some(running) = state.running.get(&(run, job.clone())) {
            match stop {
                Stop::Cancel => running.control.cancel(),
                Stop::Kill => running.control.kill(),
            }
        } else if let Some(at) = state.queue.iter().position(|spec| spec.run == run && spec.job == *job) {
            state.queue.remove(at);
            drop(state);
            let reason = Some("cancelled before it started".to_owned());
            let report = JobReport { conclusion: Conclusion::Cancelled, outputs: BTreeMap::new(), reason };
            self.shared.inbox.job_ended(run, job.clone(), report);
        }
    }

    /// The engine has told of this job's start.
    pub(crate) fn start_was_told(&self, run: RunId, job: &JobKey) {
        if let Some(running) = self.shared.state().running.get_mut(&(run, job.clone())) {
            running.told = true;
        }
        self.shared.told.notify_all();
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.state().closed = true;
        self.shared.queued.notify_all();
        self.shared.told.notify_all();
        for thread in self.threads.drain(..) {
            // A panic of a job's thread has been reported as that job's end.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        while let Some(spec) = self.next_job() {
            let (run, job) = (spec.run, spec.job.clone());
            let report = self.run_one(&spec);
            self.state().running.remove(&(run, job.clone()));
            self.inbox.job_ended(run, job, report);
        }
    }

    fn next_job(&self) -> Option<JobSpec> {
        let mut state = self.state();
        loop {
            if let Some(spec) = state.queue.pop_front() {
                return Some(spec);
            }
            if state.closed {
                return None;
            }
            state.idle += 1;
            state = self.queued.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }

    fn run_one(&self, spec: &JobSpec) -> JobReport {
        let failed = |reason: String| JobReport {
            conclusion: Conclusion::Failure,
            outputs: BTreeMap::new(),
            reason: Some(reason),
        };
        let control = match JobControl::new() {
            Ok(control) => control,
            Err(error) => return failed(format!("this machine has no room for another job: {error}")),
        };
        let place = (spec.run, spec.job.clone());
        self.state().running.insert(place.clone(), Running { control: control.clone(), told: false });
        self.inbox.job_started(spec.run, spec.job.clone());
        let mut state = self.state();
        while !state.closed && state.running.get(&place).is_some_and(|running| !running.told) {
            state = self.told.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        drop(state);
        // A fault in the runner ends its job, not the others.
        let run = std::panic::AssertUnwindSafe(|| (self.run_job)(spec, &control));
        std::panic::catch_unwind(run)
            .unwrap_or_else(|_| failed("the runner itself failed; please report this".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use lineclear_drive::{Message, inbox};
    use lineclear_engine::Input;
    use lineclear_event::{JobContexts, Timestamp, WorkflowOrigin};

    use super::*;

    fn spec(job: &str) -> JobSpec {
        JobSpec {
            run: RunId(1),
            run_number: 1,
            attempt: 1,
            job: JobKey::new(job),
            id: job.into(),
            name: job.into(),
            file: WorkflowOrigin::Local { path: "w.yml".into() },
            text: "".into(),
            contexts: JobContexts::default(),
            runs_on: Vec::new(),
            runner_group: None,
            environment: None,
            timeout_minutes: 1.0,
            permissions: BTreeMap::new(),
            secret_passages: Vec::new(),
        }
    }

    #[test]
    fn a_job_waits_for_a_thread_starts_when_told_and_can_be_stopped_before() {
        let (sender, messages) = inbox(|| Timestamp(0));
        let run_job = |_: &JobSpec, control: &JobControl| {
            while !control.is_cancelled() {
                std::thread::sleep(Duration::from_millis(1));
            }
            JobReport { conclusion: Conclusion::Cancelled, outputs: BTreeMap::new(), reason: None }
        };
        let mut pool = Pool::new(1, sender, Box::new(run_job));
        pool.dispatch(spec("a"));
        pool.dispatch(spec("b"));
        let next = || match messages.recv_timeout(Duration::from_secs(5)) {
            Ok(Message::Input(input)) => input,
            other => panic!("expected an input, got {other:?}"),
        };
        assert!(matches!(next(), Input::JobStarted { job, .. } if job.as_str() == "a"));
        pool.start_was_told(RunId(1), &JobKey::new("a"));
        pool.stop(RunId(1), &JobKey::new("b"), Stop::Cancel);
        assert!(matches!(next(), Input::JobEnded { job, report, .. } if job.as_str() == "b"
            && report.reason.as_deref() == Some("cancelled before it started")));
        pool.stop(RunId(1), &JobKey::new("a"), Stop::Cancel);
        assert!(matches!(next(), Input::JobEnded { job, .. } if job.as_str() == "a"));
    }
}
