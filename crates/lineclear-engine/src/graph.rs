//! The jobs of a workflow as a graph, and how a job that has finished sets others free.

use std::collections::BTreeMap;
use std::sync::Arc;

use lineclear_event::{Conclusion, JobKey, RunEvent};
use lineclear_plan::{called_name, job_key};
use lineclear_workflow::Job;

use crate::needs::{Lineage, NodeResult};
use crate::run::{Entered, Frame, FrameId, Node, NodeId, NodeState, Run};
use crate::start::Choice;
use crate::turn::{Todo, Turn};

impl Run {
    /// Adds a workflow with the jobs that `choices` lets in, all of them if it is empty. Nothing begins yet.
    pub(crate) fn add_frame(&mut self, mut frame: Frame, choices: &[Choice]) -> FrameId {
        let id = FrameId(self.frames.len());
        let entered = Arc::clone(&frame.entered);
        let first = self.nodes.len();
        let mut places: BTreeMap<String, NodeId> = BTreeMap::new();
        for (at, job) in entered.workflow.jobs.iter().enumerate() {
            let node = NodeId(self.nodes.len());
            let state = match choices.get(at) {
                Some(Choice::Out) => continue,
                Some(Choice::Given(result)) => {
                    let lineage = Lineage::of(node, result.conclusion, Lineage::NONE);
                    NodeState::Finished(result.clone(), lineage)
                }
                Some(Choice::Runs) | None => NodeState::Blocked { on: 0 },
            };
            places.insert(job.id.to_lowercase(), node);
            self.nodes.push(Node { frame: id, job: at, needs: Vec::new(), dependants: Vec::new(), state });
        }
        frame.nodes = first..self.nodes.len();
        for at in frame.nodes.clone() {
            if matches!(self.nodes[at].state, NodeState::Finished(..)) {
                continue;
            }
            frame.open += 1;
            let written = &entered.workflow.jobs[self.nodes[at].job].needs;
            let needs: Vec<NodeId> = written.iter().filter_map(|id| places.get(&id.to_lowercase()).copied()).collect();
            let mut on = 0;
            for &need in &needs {
                if !matches!(self.nodes[need.0].state, NodeState::Finished(..)) {
                    self.nodes[need.0].dependants.push(NodeId(at));
                    on += 1;
                }
            }
            self.nodes[at].needs = needs;
            self.nodes[at].state = NodeState::Blocked { on };
        }
        self.frames.push(frame);
        id
    }

    /// Lets the jobs of a workflow begin.
    pub(crate) fn open_frame(&mut self, id: FrameId, turn: &mut Turn) {
        let frame = &mut self.frames[id.0];
        frame.is_open = true;
        if frame.open == 0 {
            turn.then(Todo::Close(self.id, id));
        }
        for at in frame.nodes.clone() {
            match self.nodes[at].state {
                NodeState::Blocked { on: 0 } => turn.then(Todo::Consider(self.id, NodeId(at))),
                NodeState::Blocked { .. } => self.tell_blocked(NodeId(at), turn),
                NodeState::Open(_) | NodeState::Finished(..) => {}
            }
        }
    }

    fn tell_blocked(&self, node: NodeId, turn: &mut Turn) {
        let waits_for = |need: &&NodeId| !matches!(self.node(**need).state, NodeState::Finished(..));
        let needs = self.node(node).needs.iter().filter(waits_for);
        let needs: Vec<_> = needs.map(|&need| self.job(need).id.as_str()).collect();
        let (key, name) = self.key_and_name(node);
        turn.waiting(self.id, &key, &name, format!("needs {}", needs.join(", ")));
    }

    /// What a job is called as long as its matrix is not known. Expressions in its name stand as they were written.
    pub(crate) fn key_and_name(&self, node: NodeId) -> (JobKey, String) {
        let job = self.job(node);
        let name = match &job.name {
            Some(name) if !name.raw().is_empty() => name.raw(),
            Some(_) | None => job.id.as_str(),
        };
        match self.caller_of(self.node(node).frame) {
            Some(caller) => (job_key(Some(&caller.key), &job.id), called_name(&caller.name, name)),
            None => (job_key(None, &job.id), name.to_owned()),
        }
    }

    /// Ends a job that never got as far as having legs.
    pub(crate) fn end_blocked(&mut self, node: NodeId, conclusion: Conclusion, reason: String, turn: &mut Turn) {
        let (job, name) = self.key_and_name(node);
        let outputs = BTreeMap::new();
        let reason = Some(reason);
        turn.tell(self.id, RunEvent::JobFinished { job, name, conclusion, outputs, duration_ms: 0, reason });
        self.tally.add(conclusion);
        self.finish(node, NodeResult::without_outputs(conclusion), turn);
    }

    /// Marks a job as finished, all its legs together, and sets free what waited for it.
    pub(crate) fn finish(&mut self, node: NodeId, result: NodeResult, turn: &mut Turn) {
        let lineage = Lineage::of(node, result.conclusion, self.lineage_of_needs(node));
        self.nodes[node.0].state = NodeState::Finished(result, lineage);
        // Nothing waits for the job any more, so the list has had its use.
        for dependant in std::mem::take(&mut self.nodes[node.0].dependants) {
            if let NodeState::Blocked { on } = &mut self.nodes[dependant.0].state {
                *on -= 1;
                if *on == 0 {
                    turn.then(Todo::Consider(self.id, dependant));
                }
            }
        }
        let id = self.nodes[node.0].frame;
        let frame = &mut self.frames[id.0];
        frame.open -= 1;
        if frame.open == 0 {
            turn.then(Todo::Close(self.id, id));
        }
    }

    /// The file of a node and its entry there, held apart from the run so that the run can be changed meanwhile.
    pub(crate) fn file_of(&self, node: NodeId) -> (Arc<Entered>, usize) {
        (Arc::clone(self.entered(node)), self.node(node).job)
    }
}

/// The entry of [`Run::file_of`].
pub(crate) fn entry((entered, job): &(Arc<Entered>, usize)) -> &Job {
    &entered.workflow.jobs[*job]
}
