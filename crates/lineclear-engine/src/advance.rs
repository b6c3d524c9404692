//! How jobs move forward: a condition decides, a matrix is expanded, legs go out and end.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use lineclear_event::{Conclusion, JobContexts, JobReport, RunEvent};
use lineclear_expr::Value;
use lineclear_plan::matrix::{Combination, combinations};
use lineclear_plan::{JobScope, StrategySettings, evaluate_tree, job_key, job_keys};

use crate::cancel::StopOrder;
use crate::condition::Decided;
use crate::evaluate::{fault, millis};
use crate::graph::entry;
use crate::groups::Ticket;
use crate::job_state::{Impossible, JobEvent, JobState};
use crate::needs::NodeResult;
use crate::prepare::{Common, Place};
use crate::run::{FrameId, LegId, MAX_LEGS, NodeId, NodeState, OpenNode, Run, Work};
use crate::turn::{Todo, Turn};
use crate::{Effect, Stop, TimerId};

impl Run {
    /// The needs of a job have finished: its condition lets it in or not.
    pub(crate) fn consider(&mut self, node: NodeId, turn: &mut Turn) {
        if !matches!(self.node(node).state, NodeState::Blocked { on: 0 }) {
            return;
        }
        if self.cancel.as_ref().is_some_and(|cancel| cancel.kill) {
            let reason = self.cancelled_because();
            return self.end_blocked(node, Conclusion::Cancelled, reason, turn);
        }
        match self.decide(node) {
            Decided::In => self.expand(node, turn),
            Decided::Faulty(reason) => self.end_blocked(node, Conclusion::Failure, reason, turn),
            Decided::Out(reason) => {
                let conclusion = if self.cancel.is_some() { Conclusion::Cancelled } else { Conclusion::Skipped };
                self.end_blocked(node, conclusion, reason, turn);
            }
        }
    }

    /// Makes the legs of a job and lets them go as far as `max-parallel` allows.
    fn expand(&mut self, node: NodeId, turn: &mut Turn) {
        let file = self.file_of(node);
        let job = entry(&file);
        let scope = self.scope(node, None);
        let source = &file.0.workflow.source;
        let settings = StrategySettings::evaluate(job.strategy.as_ref(), &scope);
        let settings = match settings {
            Ok(settings) => settings,
            Err(error) => {
                let reason = fault("strategy", source, error.span, &error);
                return self.end_blocked(node, Conclusion::Failure, reason, turn);
            }
        };
        let matrix = job.strategy.as_ref().and_then(|strategy| strategy.matrix.as_ref());
        let combinations = match matrix {
            None => None,
            Some(tree) => {
                let evaluated =
                    evaluate_tree(tree, &scope).map_err(|error| fault("matrix", source, error.span, &error));
                let expanded = evaluated.and_then(|matrix| {
                    let place = source.position(tree.span().start);
                    combinations(&matrix).map_err(|error| format!("matrix at {}:{place}: {error}", source.name()))
                });
                match expanded {
                    Ok(combinations) => Some(combinations),
                    Err(reason) => return self.end_blocked(node, Conclusion::Failure, reason, turn),
                }
            }
        };
        let wanted = self.wanted_legs(node, combinations.as_deref());
        let nothing = match &combinations {
            Some(all) if all.is_empty() => {
                Some("its matrix has no combination left: `exclude` takes them all".to_owned())
            }
            _ if wanted.is_empty() => Some(format!("no leg of its matrix has {}", self.filter_in_words())),
            _ => None,
        };
        if let Some(reason) = nothing {
            return self.end_blocked(node, Conclusion::Skipped, reason, turn);
        }
        if self.legs.len() + wanted.len() > MAX_LEGS {
            let reason = format!("the run has more than {MAX_LEGS} jobs in all its matrices and called workflows");
            return self.end_blocked(node, Conclusion::Failure, reason, turn);
        }
        let faults = self.add_legs(node, scope, settings, combinations.as_deref(), &wanted);
        self.settle(node, faults, turn);
    }

    /// Adds the legs, and gives those that cannot run with the reason.
    fn add_legs(
        &mut self,
        node: NodeId,
        scope: JobScope,
        settings: StrategySettings,
        combinations: Option<&[Combination]>,
        wanted: &[usize],
    ) -> Vec<(LegId, String)> {
        let file = self.file_of(node);
        let job = entry(&file);
        let caller = self.caller_of(self.node(node).frame).map(|leg| &leg.key);
        let keys = match combinations {
            Some(combinations) => job_keys(caller, &job.id, combinations),
            None => vec![job_key(caller, &job.id)],
        };
        let needs = Arc::new(scope.needs.to_json());
        let contexts = JobContexts { needs, ..self.contexts(self.node(node).frame) };
        let common = Common { run: self, node, entered: &file.0, job, settings, scope, contexts, total: keys.len() };
        let mut legs = Vec::with_capacity(wanted.len());
        for &index in wanted {
            let combination = combinations.and_then(|all| all.get(index));
            legs.push(common.leg(Place { index, key: &keys[index], combination }));
        }
        let first = self.legs.len();
        let mut faults = Vec::new();
        let mut waiting = VecDeque::with_capacity(legs.len());
        for (leg, fault) in legs {
            let id = LegId(self.legs.len());
            self.by_key.insert(leg.key.clone(), id);
            self.legs.push(leg);
            match fault {
                Some(reason) => faults.push((id, reason)),
                None => waiting.push_back(id),
            }
        }
        self.nodes[node.0].state = NodeState::Open(OpenNode {
            legs: first..self.legs.len(),
            open: wanted.len(),
            fail_fast: settings.fail_fast,
            slots: settings.max_parallel.unwrap_or(usize::MAX),
            slots_used: 0,
            waiting,
            result: None,
        });
        faults
    }

    /// Ends the faulty legs, sends the first of the others on, and tells of those that have to wait.
    fn settle(&mut self, node: NodeId, faults: Vec<(LegId, String)>, turn: &mut Turn) {
        // First, so that fail-fast keeps the others from beginning.
        for (leg, reason) in faults {
            self.end_leg(leg, Conclusion::Failure, Some(reason), BTreeMap::new(), turn);
        }
        self.fill_slots(node, turn);
        let Some(open) = self.open_node(node) else { return };
        let (waiting, slots) = (open.waiting.clone(), open.slots);
        for leg in waiting {
            let leg = self.leg(leg);
            turn.waiting(self.id, &leg.key, &leg.name, format!("max-parallel {slots}"));
        }
    }

    /// Places of the combinations that were asked for; a job without a matrix has one place.
    fn wanted_legs(&self, node: NodeId, combinations: Option<&[Combination]>) -> Vec<usize> {
        let Some(combinations) = combinations else { return vec![0] };
        let filter: &[(String, String)] = if self.node(node).frame == FrameId(0) { &self.matrix_filter } else { &[] };
        let has =
            |leg: &Combination, axis: &str| matches!(&leg.values, Value::Object(values) if values.get(axis).is_some());
        // A matrix that knows nothing of an axis is not asked about it.
        let asked: Vec<_> = filter.iter().filter(|(axis, _)| combinations.iter().any(|leg| has(leg, axis))).collect();
        let fits = |leg: &Combination| {
            asked.iter().all(|(axis, text)| has(leg, axis) && leg.values.get(axis).to_text() == *text)
        };
        (0..combinations.len()).filter(|&at| fits(&combinations[at])).collect()
    }

    fn filter_in_words(&self) -> String {
        let pairs: Vec<_> = self.matrix_filter.iter().map(|(axis, text)| format!("{axis}={text}")).collect();
        pairs.join(", ")
    }

    fn fill_slots(&mut self, node: NodeId, turn: &mut Turn) {
        loop {
            let Some(open) = self.open_node(node).filter(|open| open.slots_used < open.slots) else { return };
            let Some(leg) = open.waiting.pop_front() else { return };
            open.slots_used += 1;
            self.leg_mut(leg).has_slot = true;
            turn.then(Todo::Proceed(self.id, leg));
        }
    }

    /// A leg has its slot: next is its concurrency group, if it names one.
    ///
    /// What an environment asks for before a job may enter it (approvals, a wait) belongs between the two.
    pub(crate) fn proceed(&mut self, id: LegId, turn: &mut Turn) {
        let leg = self.leg(id);
        match leg.state {
            JobState::Held if leg.demand.is_some() => turn.then(Todo::Ask(Ticket::Leg(self.id, id))),
            JobState::Held => self.go(id, turn),
            _ => {}
        }
    }

    /// Nothing holds the leg back: it is handed out, or its workflow is entered.
    pub(crate) fn go(&mut self, id: LegId, turn: &mut Turn) {
        let run = self.id;
        match std::mem::replace(&mut self.leg_mut(id).work, Work::Nothing) {
            Work::Steps(spec) if self.moved(id, JobEvent::HandedOut).is_ok() => {
                turn.waiting(run, &spec.job, &spec.name, "a runner".to_owned());
                turn.effects.push(Effect::Dispatch(spec));
            }
            Work::Call(call) => self.call(id, *call, turn),
            other => self.leg_mut(id).work = other,
        }
    }

    /// A runner began with a leg.
    pub(crate) fn began(&mut self, id: LegId, turn: &mut Turn) -> Result<(), Impossible> {
        self.moved(id, JobEvent::Began(turn.at))?;
        let leg = self.leg(id);
        turn.tell(self.id, RunEvent::JobStarted { job: leg.key.clone(), name: leg.name.clone() });
        if matches!(leg.state, JobState::Running { .. }) {
            let timer = TimerId::JobTimeout { run: self.id, job: leg.key.clone() };
            turn.effects.push(Effect::SetTimer { timer, at: turn.at.plus_millis(millis(leg.timeout_minutes)) });
        }
        Ok(())
    }

    /// A runner reports the end of a leg.
    pub(crate) fn reported(&mut self, id: LegId, report: &JobReport, turn: &mut Turn) -> Result<(), Impossible> {
        let leg = self.leg(id);
        if matches!(leg.state, JobState::Held | JobState::Calling { .. }) {
            // Neither was ever handed out: only a finished one is as far from reporting an end.
            return JobState::Finished(Conclusion::Skipped).after(JobEvent::Ended(report.conclusion)).map(|_| ());
        }
        leg.state.after(JobEvent::Ended(report.conclusion))?;
        let own = || report.reason.clone();
        let (conclusion, reason) = match report.conclusion {
            _ if matches!(leg.state, JobState::Stopping { .. }) => (Conclusion::Cancelled, leg.stop_reason.clone()),
            Conclusion::Failure | Conclusion::StartupFailure if leg.continue_on_error => {
                let why = report.reason.as_deref().unwrap_or("its runner gave no reason");
                (Conclusion::Success, Some(format!("failed, and `continue-on-error` lets it pass: {why}")))
            }
            Conclusion::Failure | Conclusion::StartupFailure => {
                (Conclusion::Failure, own().or_else(|| Some("its runner reported a failure without a reason".into())))
            }
            Conclusion::Success => (Conclusion::Success, own()),
            other => (other, own().or_else(|| Some(format!("its runner reported {other} without a reason")))),
        };
        self.end_leg(id, conclusion, reason, report.outputs.clone(), turn);
        Ok(())
    }

    /// Moves a leg to its end and draws the consequences for its matrix and for the jobs that need it.
    ///
    /// A leg that was told to stop ends as what it was stopped for, whatever `conclusion` says.
    pub(crate) fn end_leg(
        &mut self,
        id: LegId,
        conclusion: Conclusion,
        reason: Option<String>,
        outputs: BTreeMap<String, String>,
        turn: &mut Turn,
    ) {
        let before = self.leg(id).state.clone();
        if self.moved(id, JobEvent::Ended(conclusion)).is_err() {
            return;
        }
        let leg = self.leg(id);
        let JobState::Finished(conclusion) = leg.state else { return };
        let (node, job, name) = (leg.node, leg.key.clone(), leg.name.clone());
        let timer = match before {
            JobState::Running { .. } => Some(TimerId::JobTimeout { run: self.id, job: job.clone() }),
            JobState::Stopping { told: Stop::Cancel, .. } => {
                Some(TimerId::CancelTimeout { run: self.id, job: job.clone() })
            }
            _ => None,
        };
        turn.effects.extend(timer.map(|timer| Effect::ClearTimer { timer }));
        let duration_ms = before.since().map_or(0, |since| turn.at.millis_since(since));
        if leg.demand.is_some() {
            turn.then(Todo::Leave(Ticket::Leg(self.id, id)));
        }
        let has_slot = leg.has_slot;
        turn.tell(
            self.id,
            RunEvent::JobFinished { job, name, conclusion, outputs: outputs.clone(), duration_ms, reason },
        );
        self.tally.add(conclusion);
        self.count_leg(node, id, has_slot, conclusion, outputs, turn);
    }

    fn count_leg(
        &mut self,
        node: NodeId,
        id: LegId,
        has_slot: bool,
        conclusion: Conclusion,
        outputs: BTreeMap<String, String>,
        turn: &mut Turn,
    ) {
        let run = self.id;
        let Some(open) = self.open_node(node) else { return };
        open.open -= 1;
        open.slots_used -= usize::from(has_slot);
        match &mut open.result {
            Some(result) => result.add(conclusion, outputs),
            None => open.result = Some(NodeResult { conclusion, outputs }),
        }
        if open.open == 0 {
            if let Some(result) = open.result.take() {
                self.finish(node, result, turn);
            }
            return;
        }
        if open.fail_fast && matches!(conclusion, Conclusion::Failure | Conclusion::TimedOut) {
            // Once is enough: the legs that are left are on their way out.
            open.fail_fast = false;
            open.waiting.clear();
            let siblings = open.legs.clone();
            let did = if conclusion == Conclusion::TimedOut { "ran out of time" } else { "failed" };
            let reason = format!("{} {did}, and fail-fast cancels the other legs of its matrix", self.leg(id).key);
            for sibling in siblings.filter(|&at| !self.legs[at].state.is_finished()) {
                let order = StopOrder { conclusion: Conclusion::Cancelled, how: Stop::Cancel, reason: reason.clone() };
                turn.then(Todo::Stop(run, LegId(sibling), order));
            }
        }
        self.fill_slots(node, turn);
    }

    /// Moves a leg, or leaves it where it is if that cannot happen.
    pub(crate) fn moved(&mut self, id: LegId, event: JobEvent) -> Result<(), Impossible> {
        let leg = self.leg_mut(id);
        leg.state = leg.state.after(event)?;
        Ok(())
    }
}
