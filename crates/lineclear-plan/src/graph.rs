//! The needs of a workflow's jobs: in which order they are decided, and what one hands on to the next.

use std::collections::{HashMap, VecDeque};

use lineclear_expr::{Object, Value};
use lineclear_workflow::{Job, Workflow};

use crate::decide::Ancestors;
use crate::model::{PlannedJob, Verdict};

/// The needs of each job and an order in which every job comes after what it needs.
#[derive(Debug)]
pub(crate) struct Graph {
    pub(crate) needs: Vec<Vec<usize>>,
    /// Jobs in a circle come last, in file order: the reader has reported them.
    pub(crate) order: Vec<usize>,
}

impl Graph {
    pub(crate) fn of(workflow: &Workflow) -> Self {
        let ids: HashMap<String, usize> =
            workflow.jobs.iter().enumerate().map(|(at, job)| (job.id.to_ascii_lowercase(), at)).collect();
        let find = |job: &Job| -> Vec<usize> {
            job.needs.iter().filter_map(|need| ids.get(&need.to_ascii_lowercase()).copied()).collect()
        };
        let needs: Vec<_> = workflow.jobs.iter().map(find).collect();
        let mut waiting: Vec<usize> = needs.iter().map(Vec::len).collect();
        let mut needed_by = vec![Vec::new(); needs.len()];
        for (at, needs) in needs.iter().enumerate() {
            for need in needs {
                needed_by[*need].push(at);
            }
        }
        let mut ready: VecDeque<usize> = (0..needs.len()).filter(|at| waiting[*at] == 0).collect();
        let mut order = Vec::with_capacity(needs.len());
        while let Some(at) = ready.pop_front() {
            order.push(at);
            for next in &needed_by[at] {
                waiting[*next] -= 1;
                if waiting[*next] == 0 {
                    ready.push_back(*next);
                }
            }
        }
        order.extend((0..needs.len()).filter(|at| waiting[*at] > 0));
        Self { needs, order }
    }
}

/// What is known of a job, for those that need it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Standing {
    pub(crate) verdict: Option<Verdict>,
    /// The nearest job upwards, itself included, that is skipped, fails, or is open.
    skipped: Option<String>,
    failed: Option<String>,
    open: Option<String>,
    /// Whether it or any before it may run.
    may_run: bool,
}

/// What is known of everything before a job.
pub(crate) fn ancestors(job: &Job, needs: &[usize], standings: &[Standing]) -> Ancestors {
    let before = || needs.iter().filter_map(|need| standings.get(*need));
    Ancestors {
        needs: job.needs.iter().map(|need| need.value.clone()).collect(),
        skipped: before().find_map(|need| need.skipped.clone()),
        failed: before().find_map(|need| need.failed.clone()),
        open: before().find_map(|need| need.open.clone()),
        may_fail: before().any(|need| need.may_run),
    }
}

/// Trap 46: what stops a job also stops what comes after a later job that runs in spite of it.
pub(crate) fn standing(job: &Job, entries: &[PlannedJob], before: Ancestors) -> Standing {
    let id = &job.id.value;
    let depth = entries.first().map(|first| first.id.matches('/').count());
    let own = || {
        entries.iter().filter(|entry| Some(entry.id.matches('/').count()) == depth).map(|entry| entry.decision.verdict)
    };
    let verdict = if own().any(|verdict| verdict == Verdict::Fails) {
        Verdict::Fails
    } else if own().all(|verdict| verdict == Verdict::Skipped) {
        Verdict::Skipped
    } else if own().any(|verdict| verdict == Verdict::KnownAtRunTime) {
        Verdict::KnownAtRunTime
    } else {
        Verdict::Runs
    };
    let named = |is: Verdict, earlier: Option<String>| if verdict == is { Some(id.clone()) } else { earlier };
    Standing {
        verdict: Some(verdict),
        skipped: named(Verdict::Skipped, before.skipped),
        failed: named(Verdict::Fails, before.failed),
        open: named(Verdict::KnownAtRunTime, before.open),
        may_run: before.may_fail || verdict != Verdict::Skipped,
    }
}

/// The `needs` context for needs that are all skipped for certain.
pub(crate) fn skipped_needs(job: &Job) -> Value {
    let mut needs = Object::new();
    for need in &job.needs {
        let mut entry = Object::new();
        entry.insert("result", "skipped");
        entry.insert("outputs", Object::new());
        needs.insert(need.value.as_str(), entry);
    }
    needs.into()
}
