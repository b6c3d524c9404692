//! Whole histories without a machine: a clock that jumps, and hands that play a script.
//!
//! A [`World`] is the clock and the inbox of a drive; its [`Actor`] stands in for runners. Nothing waits: when nothing is left
//! to do now, time moves to the next thing that will happen, so a time-out of ten minutes takes no time.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use lineclear_engine::{Input, Refused, RunRequest, Stop};
use lineclear_event::{Conclusion, Envelope, JobKey, JobReport, JobSpec, RunId, Timestamp};
use lineclear_store::RunRecord;

use crate::{Clock, Drive, Hands, Message, Next, inbox};

/// Simulated time and what will happen in it. Clones are the same world.
#[derive(Clone, Debug, Default)]
pub struct World(Rc<RefCell<Agenda>>);

/// A place in the agenda: a time and, for equal times, which was put down first.
type Moment = (Timestamp, u64);

#[derive(Debug, Default)]
struct Agenda {
    now: Timestamp,
    coming: BTreeMap<Moment, Message>,
    count: u64,
}

/// How a job goes.
#[derive(Clone, Debug)]
pub struct Play {
    /// From being handed out to its start.
    pub starts_after_ms: i64,
    /// From its start to its end; `None`: it never ends by itself.
    pub takes_ms: Option<i64>,
    pub report: JobReport,
    /// From being told to stop to its end; `None`: it does not listen, and has to be killed.
    pub stops_after_ms: Option<i64>,
}

/// Stands in for runners: plays what a script says of each job.
pub struct Actor {
    world: World,
    script: Box<dyn FnMut(&JobSpec) -> Play>,
    /// The planned end of each job that was handed out and has not ended.
    ends: BTreeMap<(RunId, JobKey), (Option<Moment>, Play)>,
    pub dispatched: Vec<JobSpec>,
    pub told: Vec<Envelope>,
    pub ended: Vec<(RunId, Conclusion)>,
    pub refused: Vec<(Input, Refused)>,
}

impl Play {
    /// A job that takes `takes_ms`, succeeds, and stops at once when it is told to.
    pub fn success(takes_ms: i64) -> Self {
        Self::ending(takes_ms, Conclusion::Success, None)
    }

    pub fn failure(takes_ms: i64, reason: &str) -> Self {
        Self::ending(takes_ms, Conclusion::Failure, Some(reason.to_owned()))
    }

    fn ending(takes_ms: i64, conclusion: Conclusion, reason: Option<String>) -> Self {
        let report = JobReport { conclusion, outputs: BTreeMap::new(), reason };
        Self { starts_after_ms: 0, takes_ms: Some(takes_ms), report, stops_after_ms: Some(0) }
    }

    /// A job that never ends by itself.
    pub fn endless() -> Self {
        Self { takes_ms: None, ..Self::success(0) }
    }

    /// The same, deaf to being told to stop.
    #[must_use]
    pub fn deaf(mut self) -> Self {
        self.stops_after_ms = None;
        self
    }

    #[must_use]
    pub fn output(mut self, name: &str, value: &str) -> Self {
        self.report.outputs.insert(name.to_owned(), value.to_owned());
        self
    }
}

impl World {
    /// A drive in this world whose jobs go as `script` says.
    pub fn drive(&self, script: impl FnMut(&JobSpec) -> Play + 'static) -> Drive<World, Actor> {
        // Everything comes through the agenda; the channel only has to exist.
        let (_, receiver) = inbox(|| Timestamp(0));
        let actor = Actor {
            world: self.clone(),
            script: Box::new(script),
            ends: BTreeMap::new(),
            dispatched: Vec::new(),
            told: Vec::new(),
            ended: Vec::new(),
            refused: Vec::new(),
        };
        Drive::new(receiver, self.clone(), actor)
    }

    pub fn now(&self) -> Timestamp {
        self.0.borrow().now
    }

    /// A run is asked for `after_ms` from now.
    pub fn request(&self, after_ms: i64, request: RunRequest, record: Arc<dyn RunRecord>) {
        let run = request.run;
        self.put(after_ms, |at| Message::Begin {
            input: Input::RunRequested { at, request: Box::new(request) },
            run,
            record,
        });
    }

    /// Someone cancels `after_ms` from now.
    pub fn cancel(&self, after_ms: i64, run: Option<RunId>, reason: &str) {
        let reason = reason.to_owned();
        self.put(after_ms, |at| Message::Input(Input::CancelRequested { at, run, reason }));
    }

    fn put(&self, after_ms: i64, message: impl FnOnce(Timestamp) -> Message) -> Moment {
        let mut agenda = self.0.borrow_mut();
        agenda.count += 1;
        let entry = (agenda.now.plus_millis(after_ms), agenda.count);
        agenda.coming.insert(entry, message(entry.0));
        entry
    }

    fn forget(&self, entry: Moment) {
        self.0.borrow_mut().coming.remove(&entry);
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        World::now(self)
    }

    fn next(&mut self, _inbox: &Receiver<Message>, until: Option<Timestamp>) -> Next {
        let mut agenda = self.0.borrow_mut();
        let coming = agenda.coming.keys().next().copied();
        match (coming, until) {
            (Some((at, _)), until) if until.is_none_or(|until| at <= until) => {
                agenda.now = agenda.now.max(at);
                match agenda.coming.pop_first() {
                    Some((_, message)) => Next::Message(message),
                    None => Next::Closed,
                }
            }
            (_, Some(until)) => {
                agenda.now = agenda.now.max(until);
                Next::TimeUp
            }
            (_, None) => Next::Closed,
        }
    }
}

impl Actor {
    fn end(&mut self, run: RunId, job: &JobKey, after_ms: i64, report: JobReport) -> Moment {
        let job = job.clone();
        self.world.put(after_ms, |at| Message::Input(Input::JobEnded { at, run, job, report }))
    }
}

impl Hands for Actor {
    fn dispatch(&mut self, spec: Box<JobSpec>) {
        let play = (self.script)(&spec);
        let (run, job) = (spec.run, spec.job.clone());
        let started = job.clone();
        self.world.put(play.starts_after_ms, |at| Message::Input(Input::JobStarted { at, run, job: started }));
        let end = play.takes_ms.map(|takes| self.end(run, &job, play.starts_after_ms + takes, play.report.clone()));
        self.ends.insert((run, job), (end, play));
        self.dispatched.push(*spec);
    }

    fn stop(&mut self, run: RunId, job: &JobKey, stop: Stop) {
        let Some((end, play)) = self.ends.remove(&(run, job.clone())) else { return };
        let after = match stop {
            Stop::Cancel => play.stops_after_ms,
            Stop::Kill => Some(0),
        };
        let planned = match after {
            None => end,
            Some(after) => {
                if let Some(end) = end {
                    self.world.forget(end);
                }
                let report = JobReport { conclusion: Conclusion::Cancelled, ..play.report.clone() };
                Some(self.end(run, job, after, report))
            }
        };
        self.ends.insert((run, job.clone()), (planned, play));
    }

    fn tell(&mut self, event: &Envelope) {
        self.told.push(event.clone());
    }

    fn run_ended(&mut self, run: RunId, conclusion: Conclusion) {
        self.ends.retain(|(of, _), _| *of != run);
        self.ended.push((run, conclusion));
    }

    fn refused(&mut self, input: &Input, why: &Refused) {
        self.refused.push((input.clone(), why.clone()));
    }
}

impl fmt::Debug for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Actor").field("dispatched", &self.dispatched.len()).finish_non_exhaustive()
    }
}
