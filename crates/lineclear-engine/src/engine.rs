//! The engine: takes inputs in, leads them to their runs, and lets runs meet in concurrency groups.

use std::collections::{BTreeMap, BTreeSet};

use lineclear_event::{Conclusion, JobKey, JobReport, RunId, Timestamp};

use crate::groups::{Answer, Demand, Groups, MAX_PENDING, Ticket};
use crate::run::{FrameId, LegId, Run};
use crate::start::start;
use crate::turn::{Todo, Turn};
use crate::{Effect, Input, RunRequest, TimerId};

/// All runs of one repository, and how far each is.
#[derive(Debug, Default)]
pub struct Engine {
    runs: BTreeMap<RunId, Run>,
    /// Runs that have ended: none of them begins again but as a new attempt.
    over: BTreeMap<RunId, Over>,
    groups: Groups,
}

/// A run that has ended.
#[derive(Clone, Copy, Debug)]
struct Over {
    attempt: u32,
    conclusion: Conclusion,
}

/// The input cannot be a fact in this state, such as the end of a job that never started. It changed nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

impl Engine {
    pub fn new() -> Self {
        Self::default()
    }

    /// One turn: what has to be done now that `input` is a fact.
    ///
    /// Starts nothing and reads no clock: the input carries its time, and a timer that fires is an input too. The effects are
    /// in the order in which they are to be carried out.
    ///
    /// # Errors
    /// [`Refused`] for what cannot have happened as things stand: a report that comes twice or too late, a timer that was
    /// cleared before it fired, a run or job that is not known. The engine is then as it was before.
    pub fn apply(&mut self, input: &Input) -> Result<Vec<Effect>, Refused> {
        match input {
            Input::RunRequested { at, request } => self.run_requested(*at, request),
            Input::JobStarted { at, run, job } => self.job_started(*at, *run, job),
            Input::JobEnded { at, run, job, report } => self.job_ended(*at, *run, job, report),
            Input::TimerFired { at, timer } => self.timer_fired(*at, timer),
            Input::CancelRequested { at, run, reason } => self.cancel_requested(*at, *run, reason),
        }
    }

    /// Whether no run is going on.
    pub fn is_idle(&self) -> bool {
        self.runs.is_empty()
    }

    /// How the last attempt at a run ended; `None` for one that has never ended.
    pub fn conclusion(&self, run: RunId) -> Option<Conclusion> {
        self.over.get(&run).map(|over| over.conclusion)
    }

    /// The jobs of a run that goes on, as far as they are known, each with a few words on where it stands.
    pub fn jobs(&self, run: RunId) -> impl Iterator<Item = (&JobKey, &'static str)> {
        self.runs.get(&run).into_iter().flat_map(|run| run.legs.iter().map(|leg| (&leg.key, leg.state.in_words())))
    }

    fn run_requested(&mut self, at: Timestamp, request: &RunRequest) -> Result<Vec<Effect>, Refused> {
        let id = request.run;
        let is_old = self.over.get(&id).is_some_and(|over| request.attempt <= over.attempt);
        if self.runs.contains_key(&id) || is_old {
            return Err(Refused(format!("run {id} was asked for before")));
        }
        let mut turn = Turn::new(at);
        let started = start(request, at);
        turn.tell(id, started.began);
        for (level, message) in started.findings {
            turn.notice(id, level, message);
        }
        match started.run {
            Some(run) => {
                let root = Ticket::Run(id);
                let has_group = run.frame(FrameId(0)).demand.is_some();
                self.runs.insert(id, run);
                turn.then(if has_group { Todo::Ask(root) } else { Todo::Granted(root) });
            }
            None => {
                turn.run_ended(id, Conclusion::StartupFailure, at);
                self.over.insert(id, Over { attempt: request.attempt, conclusion: Conclusion::StartupFailure });
            }
        }
        Ok(self.carry_through(turn))
    }

    fn job_started(&mut self, at: Timestamp, id: RunId, job: &JobKey) -> Result<Vec<Effect>, Refused> {
        let mut turn = Turn::new(at);
        let (run, leg) = self.leg(id, job)?;
        run.began(leg, &mut turn).map_err(|impossible| Refused(format!("{job} of run {id}: {impossible}")))?;
        Ok(self.carry_through(turn))
    }

    fn job_ended(
        &mut self,
        at: Timestamp,
        id: RunId,
        job: &JobKey,
        report: &JobReport,
    ) -> Result<Vec<Effect>, Refused> {
        let mut turn = Turn::new(at);
        let (run, leg) = self.leg(id, job)?;
        let ended = run.reported(leg, report, &mut turn);
        ended.map_err(|impossible| Refused(format!("{job} of run {id}: {impossible}")))?;
        Ok(self.carry_through(turn))
    }

    fn timer_fired(&mut self, at: Timestamp, timer: &TimerId) -> Result<Vec<Effect>, Refused> {
        let mut turn = Turn::new(at);
        let (TimerId::JobTimeout { run: id, job } | TimerId::CancelTimeout { run: id, job }) = timer;
        let (run, leg) = self.leg(*id, job)?;
        let is_due = match timer {
            TimerId::JobTimeout { .. } => run.out_of_time(leg, &mut turn),
            TimerId::CancelTimeout { .. } => run.out_of_patience(leg, &mut turn),
        };
        if !is_due {
            let stands = run.leg(leg).state.in_words();
            return Err(Refused(format!("the timer of {job} of run {id} fired too late: it {stands}")));
        }
        Ok(self.carry_through(turn))
    }

    fn cancel_requested(&mut self, at: Timestamp, id: Option<RunId>, reason: &str) -> Result<Vec<Effect>, Refused> {
        let mut turn = Turn::new(at);
        match id {
            Some(id) => self.run(id)?.cancel_requested(reason, &mut turn),
            None if self.runs.is_empty() => return Err(Refused("no run is going on".to_owned())),
            None => self.runs.values_mut().for_each(|run| run.cancel_requested(reason, &mut turn)),
        }
        Ok(self.carry_through(turn))
    }

    fn run(&mut self, id: RunId) -> Result<&mut Run, Refused> {
        match self.runs.get_mut(&id) {
            Some(run) => Ok(run),
            None if self.over.contains_key(&id) => Err(Refused(format!("run {id} is over"))),
            None => Err(Refused(format!("run {id} was never asked for"))),
        }
    }

    fn leg(&mut self, id: RunId, job: &JobKey) -> Result<(&mut Run, LegId), Refused> {
        let run = self.run(id)?;
        match run.by_key.get(job) {
            Some(&leg) => Ok((run, leg)),
            None => Err(Refused(format!("run {id} has no job `{job}`, or not yet"))),
        }
    }

    /// Takes the turn to its end: until nothing follows any more.
    fn carry_through(&mut self, mut turn: Turn) -> Vec<Effect> {
        while let Some(todo) = turn.next() {
            self.carry(todo, &mut turn);
        }
        turn.effects
    }

    fn carry(&mut self, todo: Todo, turn: &mut Turn) {
        match todo {
            Todo::Ask(ticket) => self.ask(ticket, turn),
            Todo::Leave(ticket) => turn.follow(self.groups.leave(ticket).map(Todo::Granted)),
            Todo::Close(id, FrameId(0)) => self.close(id, turn),
            Todo::Granted(ticket) => self.with(ticket.run(), |run| match ticket {
                Ticket::Run(_) => run.enter(FrameId(0), turn),
                Ticket::Frame(_, frame) => run.enter(frame, turn),
                Ticket::Leg(_, leg) => run.go(leg, turn),
            }),
            Todo::Revoked(ticket, reason) => self.with(ticket.run(), |run| run.revoked(ticket, reason, turn)),
            Todo::Consider(id, node) => self.with(id, |run| run.consider(node, turn)),
            Todo::Proceed(id, leg) => self.with(id, |run| run.proceed(leg, turn)),
            Todo::Stop(id, leg, order) => self.with(id, |run| run.stop_leg(leg, order, turn)),
            Todo::Close(id, frame) => self.with(id, |run| run.close_called(frame, turn)),
        }
    }

    /// A run may have ended since something was put down for it to do.
    fn with(&mut self, id: RunId, act: impl FnOnce(&mut Run)) {
        if let Some(run) = self.runs.get_mut(&id) {
            act(run);
        }
    }

    fn close(&mut self, id: RunId, turn: &mut Turn) {
        if let Some(run) = self.runs.remove(&id) {
            let conclusion = run.tally.conclusion();
            turn.run_ended(id, conclusion, run.requested);
            self.over.insert(id, Over { attempt: run.attempt, conclusion });
            turn.follow(self.groups.leave(Ticket::Run(id)).map(Todo::Granted));
        }
    }

    fn ask(&mut self, ticket: Ticket, turn: &mut Turn) {
        let Some(demand) = self.runs.get(&ticket.run()).and_then(|run| run.demand_of(ticket)) else { return };
        let demand = demand.clone();
        if let Some(holder) = self.groups.holder(&demand.group)
            && self.would_wait_for_itself(ticket, holder)
        {
            let reason = format!(
                "it would wait for ever: concurrency group `{}` is held by {}, which waits for it to end",
                demand.group,
                self.in_words(holder, ticket.run())
            );
            return turn.then(Todo::Revoked(ticket, reason));
        }
        match self.groups.ask(ticket, &demand) {
            Answer::Granted => turn.then(Todo::Granted(ticket)),
            Answer::Full => {
                let reason = format!("{MAX_PENDING} wait for concurrency group `{}` already", demand.group);
                turn.then(Todo::Revoked(ticket, reason));
            }
            Answer::Waits { holder, replaced } => self.wait(ticket, &demand, holder, replaced, turn),
        }
    }

    fn wait(&self, ticket: Ticket, demand: &Demand, holder: Ticket, replaced: Vec<Ticket>, turn: &mut Turn) {
        let group = &demand.group;
        if let Some(run) = self.runs.get(&ticket.run()) {
            let held_by = self.in_words(holder, ticket.run());
            run.tell_waiting(ticket, format!("concurrency group `{group}`, held by {held_by}"), turn);
        }
        for old in replaced {
            let newcomer = self.in_words(ticket, old.run());
            let reason = format!("{newcomer} took its place in the queue of concurrency group `{group}`");
            turn.then(Todo::Revoked(old, reason));
        }
        if demand.cancel_in_progress {
            let newcomer = self.in_words(ticket, holder.run());
            let reason = format!("{newcomer} takes over concurrency group `{group}` (cancel-in-progress)");
            turn.then(Todo::Revoked(holder, reason));
        }
    }

    /// Whether `holder` cannot end before `ticket` does: because the ticket is part of it, or because something in it waits,
    /// perhaps through further groups, for what the ticket is part of.
    ///
    /// # Source
    /// GitHub cancels the newcomer too: "a deadlock for concurrency group … was detected between …".
    fn would_wait_for_itself(&self, ticket: Ticket, holder: Ticket) -> bool {
        let around = |ticket: Ticket| self.runs.get(&ticket.run()).map(|run| run.around(ticket)).unwrap_or_default();
        let own = around(ticket);
        let mut seen = BTreeSet::new();
        let mut todo = vec![holder];
        while let Some(holder) = todo.pop() {
            if own.contains(&holder) {
                return true;
            }
            let holds_others = match holder {
                Ticket::Run(_) | Ticket::Frame(..) => true,
                Ticket::Leg(id, leg) => self.runs.get(&id).is_some_and(|run| run.leg(leg).is_call()),
            };
            if holds_others && seen.insert(holder) {
                let inside = |&(waiting, _): &(Ticket, Ticket)| {
                    waiting.run() == holder.run() && around(waiting).contains(&holder)
                };
                todo.extend(self.groups.waiting().filter(inside).map(|(_, next)| next));
            }
        }
        false
    }

    /// "run 7", "job `deploy`", "job `deploy` of run 7", as seen from run `from`.
    fn in_words(&self, ticket: Ticket, from: RunId) -> String {
        let leg = match ticket {
            Ticket::Run(_) => None,
            Ticket::Leg(_, leg) => Some(leg),
            Ticket::Frame(id, frame) => self.runs.get(&id).and_then(|run| run.frame(frame).caller),
        };
        let key = leg.and_then(|leg| self.runs.get(&ticket.run()).map(|run| run.leg(leg).key.to_string()));
        match key {
            Some(key) if ticket.run() == from => format!("job `{key}`"),
            Some(key) => format!("job `{key}` of run {}", ticket.run()),
            None if ticket.run() == from => "its own run".to_owned(),
            None => format!("run {}", ticket.run()),
        }
    }
}
