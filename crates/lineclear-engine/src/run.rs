//! One run as the engine keeps it: workflows that were entered, the jobs in them, and the legs of those jobs.
//!
//! Everything is kept in three lists and named by its place in them, so that a chain of a thousand jobs needs no recursion
//! and no search: a [`Frame`] is a workflow that was entered (the run's own, or one that a job calls), a [`Node`] is a job
//! as the file has it, a [`Leg`] is what runs: the job itself, or one combination of its matrix.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use lineclear_event::{Conclusion, JobContexts, JobKey, JobSpec, RunId, SecretPassage, Timestamp, WorkflowOrigin};
use lineclear_expr::Value;
use lineclear_plan::{Calls, TokenPermissions};
use lineclear_workflow::{Job, Workflow};

use crate::groups::{Demand, Ticket};
use crate::job_state::JobState;
use crate::needs::{Lineage, NodeResult};

/// Place of a frame in [`Run::frames`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FrameId(pub(crate) usize);

/// Place of a node in [`Run::nodes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NodeId(pub(crate) usize);

/// Place of a leg in [`Run::legs`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LegId(pub(crate) usize);

/// One run that has not ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) id: RunId,
    pub(crate) number: u64,
    pub(crate) attempt: u32,
    pub(crate) requested: Timestamp,
    /// The `github` and `vars` contexts: for expressions, and shared by all job specifications.
    pub(crate) github: Context,
    pub(crate) vars: Context,
    /// The workflows that it calls, and their texts as they were given.
    pub(crate) calls: Calls,
    pub(crate) texts: BTreeMap<String, Arc<str>>,
    /// Whether the event is a pull request from a fork: then no job may write.
    pub(crate) from_fork: bool,
    /// Only matrix legs with these values, in the run's own workflow.
    pub(crate) matrix_filter: Vec<(String, String)>,
    pub(crate) frames: Vec<Frame>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) legs: Vec<Leg>,
    pub(crate) by_key: BTreeMap<JobKey, LegId>,
    pub(crate) cancel: Option<Cancel>,
    pub(crate) tally: Tally,
}

/// A context in both of its forms.
#[derive(Clone, Debug, Default)]
pub(crate) struct Context {
    pub(crate) value: Value,
    pub(crate) json: Arc<serde_json::Value>,
}

impl Context {
    pub(crate) fn from_json(json: serde_json::Value) -> Self {
        Self { value: Value::from_json(&json), json: Arc::new(json) }
    }

    pub(crate) fn from_value(value: Value) -> Self {
        Self { json: Arc::new(value.to_json()), value }
    }
}

/// A workflow file: what it says, and where it came from.
#[derive(Debug)]
pub(crate) struct Entered {
    pub(crate) workflow: Arc<Workflow>,
    pub(crate) origin: WorkflowOrigin,
    pub(crate) text: Arc<str>,
}

/// That a run was cancelled.
#[derive(Clone, Debug)]
pub(crate) struct Cancel {
    pub(crate) reason: String,
    /// How often someone asked; a concurrency group that cancels the run does not count.
    pub(crate) requests: u32,
    /// The second request ends everything at once.
    pub(crate) kill: bool,
}

/// A workflow that was entered.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) entered: Arc<Entered>,
    /// The calling leg; none for the run's own workflow.
    pub(crate) caller: Option<LegId>,
    pub(crate) inputs: Context,
    /// What the calling job's token may do; none for the run's own workflow, which is bounded by nothing.
    pub(crate) granted: Option<TokenPermissions>,
    pub(crate) passages: Vec<SecretPassage>,
    /// What the workflow's own `concurrency` asks for.
    pub(crate) demand: Option<Demand>,
    pub(crate) nodes: Range<usize>,
    /// Nodes that have not finished.
    pub(crate) open: usize,
    /// Whether its jobs may begin: false while its concurrency group is held by another.
    pub(crate) is_open: bool,
}

/// A job as its file has it.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) frame: FrameId,
    /// Place of the job in the frame's workflow.
    pub(crate) job: usize,
    pub(crate) needs: Vec<NodeId>,
    pub(crate) dependants: Vec<NodeId>,
    pub(crate) state: NodeState,
}

/// Where a job of the file stands.
///
/// ```text
/// Blocked ─► Open ─► Finished
///    └─ skipped, cancelled ─▲
/// ```
#[derive(Debug)]
pub(crate) enum NodeState {
    /// Waits for `on` of its needs.
    Blocked {
        on: usize,
    },
    /// Its matrix is expanded; its legs are on their way.
    Open(OpenNode),
    Finished(NodeResult, Lineage),
}

/// A job whose legs are known.
#[derive(Debug)]
pub(crate) struct OpenNode {
    pub(crate) legs: Range<usize>,
    /// Legs that have not finished.
    pub(crate) open: usize,
    pub(crate) fail_fast: bool,
    /// Legs that may be under way at once.
    pub(crate) slots: usize,
    pub(crate) slots_used: usize,
    /// Legs that wait for a slot, first come first served.
    pub(crate) waiting: VecDeque<LegId>,
    /// What the finished legs add up to.
    pub(crate) result: Option<NodeResult>,
}

/// What runs: a job without a matrix, or one combination of one that has it.
#[derive(Debug)]
pub(crate) struct Leg {
    pub(crate) node: NodeId,
    pub(crate) key: JobKey,
    pub(crate) name: String,
    pub(crate) state: JobState,
    pub(crate) work: Work,
    pub(crate) demand: Option<Demand>,
    pub(crate) has_slot: bool,
    pub(crate) timeout_minutes: f64,
    pub(crate) cancel_timeout_minutes: f64,
    pub(crate) continue_on_error: bool,
    /// Why it was told to stop.
    pub(crate) stop_reason: Option<String>,
}

/// Most legs that one run may have. A limit of Lineclear's own: matrices of calls could otherwise ask for more than a machine holds.
pub(crate) const MAX_LEGS: usize = 50_000;

/// What a leg does once nothing holds it back.
#[derive(Debug)]
pub(crate) enum Work {
    /// To hand out.
    Steps(Box<JobSpec>),
    /// To enter.
    Call(Box<Call>),
    /// It was entered.
    Entered(FrameId),
    /// Nothing any more: it was handed out, or a key of it has no value.
    Nothing,
}

/// A called workflow before it is entered.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) entered: Arc<Entered>,
    pub(crate) inputs: Context,
    pub(crate) granted: TokenPermissions,
    pub(crate) passages: Vec<SecretPassage>,
    /// What the called workflow's own `concurrency` asks for.
    pub(crate) demand: Option<Demand>,
}

/// What the jobs of a run have come to so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    /// The weightiest conclusion; none while no job has finished.
    worst: Option<Conclusion>,
}

impl Tally {
    pub(crate) fn add(&mut self, conclusion: Conclusion) {
        self.worst = Some(self.worst.map_or(conclusion, |worst| worst.worse(conclusion)));
    }

    /// A run in which no job had to run has nothing to complain of.
    pub(crate) fn conclusion(self) -> Conclusion {
        self.worst.unwrap_or(Conclusion::Success)
    }
}

impl Run {
    pub(crate) fn frame(&self, id: FrameId) -> &Frame {
        &self.frames[id.0]
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    pub(crate) fn leg(&self, id: LegId) -> &Leg {
        &self.legs[id.0]
    }

    pub(crate) fn leg_mut(&mut self, id: LegId) -> &mut Leg {
        &mut self.legs[id.0]
    }

    /// The file's entry for a node.
    pub(crate) fn job(&self, id: NodeId) -> &Job {
        let node = self.node(id);
        &self.frame(node.frame).entered.workflow.jobs[node.job]
    }

    /// The file that a node stands in.
    pub(crate) fn entered(&self, id: NodeId) -> &Arc<Entered> {
        &self.frame(self.node(id).frame).entered
    }

    pub(crate) fn open_node(&mut self, id: NodeId) -> Option<&mut OpenNode> {
        match &mut self.nodes[id.0].state {
            NodeState::Open(open) => Some(open),
            NodeState::Blocked { .. } | NodeState::Finished(..) => None,
        }
    }

    /// Key and name of the leg that calls the workflow of `frame`.
    pub(crate) fn caller_of(&self, frame: FrameId) -> Option<&Leg> {
        self.frame(frame).caller.map(|leg| self.leg(leg))
    }

    /// Everything that `ticket` is part of, from the inside out: a job is part of its called workflow, that of the job that
    /// calls it, and all are part of the run.
    pub(crate) fn around(&self, ticket: Ticket) -> Vec<Ticket> {
        let mut around = Vec::new();
        let mut caller = match ticket {
            Ticket::Run(_) => return around,
            Ticket::Leg(_, leg) => {
                let frame = self.node(self.leg(leg).node).frame;
                around.push(Ticket::Frame(self.id, frame));
                self.frame(frame).caller
            }
            Ticket::Frame(_, frame) => self.frame(frame).caller,
        };
        while let Some(leg) = caller {
            let frame = self.node(self.leg(leg).node).frame;
            around.extend([Ticket::Leg(self.id, leg), Ticket::Frame(self.id, frame)]);
            caller = self.frame(frame).caller;
        }
        around.push(Ticket::Run(self.id));
        around
    }

    /// The contexts of a frame's jobs, without `needs`, `matrix` and `strategy`.
    pub(crate) fn contexts(&self, frame: FrameId) -> JobContexts {
        JobContexts {
            github: Arc::clone(&self.github.json),
            inputs: Arc::clone(&self.frame(frame).inputs.json),
            vars: Arc::clone(&self.vars.json),
            ..JobContexts::default()
        }
    }
}
