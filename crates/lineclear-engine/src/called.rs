//! Called workflows: entered for the job that calls, and closed into its result.

use std::collections::BTreeMap;

use lineclear_event::{Conclusion, RunEvent};
use lineclear_expr::{MapScope, Object};

use crate::evaluate::fault;
use crate::groups::Ticket;
use crate::job_state::JobEvent;
use crate::run::{Call, Frame, FrameId, LegId, MAX_LEGS, NodeId, NodeState, Run, Work};
use crate::turn::{Todo, Turn};

impl Run {
    /// Adds the jobs of a called workflow. They begin once nothing holds its concurrency group.
    pub(crate) fn call(&mut self, id: LegId, call: Call, turn: &mut Turn) {
        if self.nodes.len() + call.entered.workflow.jobs.len() > MAX_LEGS {
            let reason = format!("the run has more than {MAX_LEGS} jobs in all its matrices and called workflows");
            return self.end_leg(id, Conclusion::Failure, Some(reason), BTreeMap::new(), turn);
        }
        if self.moved(id, JobEvent::Called).is_err() {
            return;
        }
        let Call { entered, inputs, granted, passages, demand } = call;
        let has_group = demand.is_some();
        let frame = Frame {
            entered,
            caller: Some(id),
            inputs,
            granted: Some(granted),
            passages,
            demand,
            nodes: 0..0,
            open: 0,
            is_open: false,
        };
        let frame = self.add_frame(frame, &[]);
        self.leg_mut(id).work = Work::Entered(frame);
        let ticket = Ticket::Frame(self.id, frame);
        turn.then(if has_group { Todo::Ask(ticket) } else { Todo::Granted(ticket) });
    }

    /// A called workflow may begin: nothing, or no longer anything, holds its concurrency group.
    pub(crate) fn enter(&mut self, frame: FrameId, turn: &mut Turn) {
        if let Some(caller) = self.frame(frame).caller {
            // The caller may have been cancelled meanwhile.
            if self.moved(caller, JobEvent::Opened(turn.at)).is_err() {
                return;
            }
            let leg = self.leg(caller);
            turn.tell(self.id, RunEvent::JobStarted { job: leg.key.clone(), name: leg.name.clone() });
        }
        self.open_frame(frame, turn);
    }

    /// All jobs of a called workflow have finished: so has the job that calls it.
    pub(crate) fn close_called(&mut self, id: FrameId, turn: &mut Turn) {
        let Some(caller) = self.frame(id).caller else { return };
        if self.frame(id).demand.is_some() {
            turn.then(Todo::Leave(Ticket::Frame(self.id, id)));
        }
        let (conclusion, culprit) = self.sum_of(id);
        let (conclusion, reason, outputs) = match self.called_outputs(id) {
            Ok(outputs) => (conclusion, self.why_called(caller, conclusion, culprit), outputs),
            Err(fault) => (Conclusion::Failure, Some(fault), BTreeMap::new()),
        };
        self.end_leg(caller, conclusion, reason, outputs, turn);
    }

    /// What the jobs of a frame add up to, and the first of those that weigh most.
    fn sum_of(&self, id: FrameId) -> (Conclusion, Option<NodeId>) {
        let mut sum: Option<(Conclusion, NodeId)> = None;
        for at in self.frame(id).nodes.clone() {
            if let NodeState::Finished(result, _) = &self.nodes[at].state
                && sum.is_none_or(|(worst, _)| result.conclusion.weight() > worst.weight())
            {
                sum = Some((result.conclusion, NodeId(at)));
            }
        }
        sum.map_or((Conclusion::Success, None), |(conclusion, node)| (conclusion, Some(node)))
    }

    fn why_called(&self, caller: LegId, conclusion: Conclusion, culprit: Option<NodeId>) -> Option<String> {
        let job = culprit.map(|node| self.job(node).id.as_str()).unwrap_or_default();
        match conclusion {
            Conclusion::Success => None,
            Conclusion::Skipped => Some("every job of the called workflow was skipped".to_owned()),
            Conclusion::Cancelled => {
                let reason = self.leg(caller).stop_reason.clone();
                let reason = reason.or_else(|| self.cancel.as_ref().map(|_| self.cancelled_because()));
                Some(reason.unwrap_or_else(|| format!("its job {job} was cancelled")))
            }
            Conclusion::TimedOut => Some(format!("its job {job} ran out of time")),
            Conclusion::Failure | Conclusion::StartupFailure => Some(format!("its job {job} failed")),
        }
    }

    /// The outputs that a called workflow declares, as text.
    fn called_outputs(&self, id: FrameId) -> Result<BTreeMap<String, String>, String> {
        let frame = self.frame(id);
        let workflow = &frame.entered.workflow;
        let declared = workflow.on.get("workflow_call").map(|trigger| trigger.outputs.as_slice()).unwrap_or_default();
        if declared.is_empty() {
            return Ok(BTreeMap::new());
        }
        let mut jobs = Object::new();
        for at in frame.nodes.clone() {
            if let NodeState::Finished(result, _) = &self.nodes[at].state {
                jobs.insert(self.job(NodeId(at)).id.as_str(), result.context());
            }
        }
        let mut scope = MapScope::default();
        let contexts = [
            ("github", self.github.value.clone()),
            ("inputs", frame.inputs.value.clone()),
            ("vars", self.vars.value.clone()),
            ("jobs", jobs.into()),
        ];
        scope.contexts.extend(contexts.map(|(name, value)| (name.to_owned(), value)));
        let mut outputs = BTreeMap::new();
        for output in declared {
            let Some(text) = &output.value else { continue };
            let value = text.template.evaluate_text(&scope).map_err(|error| {
                fault(&format!("outputs.{}", output.name.value), &workflow.source, text.span(), &error)
            })?;
            // As for the outputs of a job with steps, an empty value is none.
            if !value.is_empty() {
                outputs.insert(output.name.value.clone(), value);
            }
        }
        Ok(outputs)
    }
}
