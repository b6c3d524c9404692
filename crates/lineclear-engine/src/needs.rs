//! What jobs came to, as the jobs that need them see it.

use std::collections::BTreeMap;

use lineclear_event::Conclusion;
use lineclear_expr::{Object, Value};
use lineclear_plan::NeedsStatus;

use crate::run::{NodeId, NodeState, Run};

/// What a job came to, all legs of its matrix together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NodeResult {
    pub(crate) conclusion: Conclusion,
    pub(crate) outputs: BTreeMap<String, String>,
}

impl NodeResult {
    pub(crate) fn without_outputs(conclusion: Conclusion) -> Self {
        Self { conclusion, outputs: BTreeMap::new() }
    }

    /// Adds a leg that finished after those before: the weightier conclusion stays, and of two legs that write the same output
    /// the later one wins, unless it wrote nothing.
    pub(crate) fn add(&mut self, conclusion: Conclusion, outputs: BTreeMap<String, String>) {
        self.conclusion = self.conclusion.worse(conclusion);
        for (name, value) in outputs {
            if !value.is_empty() || !self.outputs.contains_key(&name) {
                self.outputs.insert(name, value);
            }
        }
    }

    /// `needs.<id>` and `jobs.<id>`: `result` and `outputs`.
    pub(crate) fn context(&self) -> Value {
        let mut outputs = Object::new();
        for (name, value) in &self.outputs {
            outputs.insert(name.as_str(), value.as_str());
        }
        let mut context = Object::new();
        context.insert("result", self.conclusion.as_needs_result());
        context.insert("outputs", outputs);
        context.into()
    }
}

/// What status functions have to know of a job and of all that it needed, directly or not.
///
/// # Source
/// `success()` asks for the whole chain: a skipped or failed ancestor reaches past a job that ran thanks to `always()`
/// (`actions/runner`, issues 491 and 2205).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lineage {
    pub(crate) any_failed: bool,
    /// The nearest job that did not succeed; none when all did.
    pub(crate) culprit: Option<(NodeId, Conclusion)>,
}

impl Lineage {
    /// That of nobody: nothing is needed.
    pub(crate) const NONE: Self = Self { any_failed: false, culprit: None };

    /// That of a job which came to `conclusion`, given those of its needs.
    pub(crate) fn of(node: NodeId, conclusion: Conclusion, needs: Self) -> Self {
        let succeeded = conclusion.as_needs_result() == "success";
        Self {
            any_failed: needs.any_failed || conclusion.as_needs_result() == "failure",
            culprit: if succeeded { needs.culprit } else { Some((node, conclusion)) },
        }
    }

    pub(crate) fn status(self, cancelled: bool) -> NeedsStatus {
        NeedsStatus { all_succeeded: self.culprit.is_none(), any_failed: self.any_failed, cancelled }
    }
}

impl Run {
    /// The lineages of all needs of `node` together. Needs that have not finished count for nothing yet.
    pub(crate) fn lineage_of_needs(&self, node: NodeId) -> Lineage {
        let mut together = Lineage::NONE;
        for &need in &self.node(node).needs {
            if let NodeState::Finished(_, lineage) = &self.node(need).state {
                together.any_failed |= lineage.any_failed;
                together.culprit = together.culprit.or(lineage.culprit);
            }
        }
        together
    }

    /// The `needs` context: direct needs only.
    pub(crate) fn needs_context(&self, node: NodeId) -> Value {
        let mut context = Object::new();
        for &need in &self.node(node).needs {
            if let NodeState::Finished(result, _) = &self.node(need).state {
                context.insert(self.job(need).id.value.as_str(), result.context());
            }
        }
        context.into()
    }

    /// "needs build, which failed", or, when a job further up is to blame, "needs deploy, and build before it failed".
    pub(crate) fn blame(&self, node: NodeId, (culprit, conclusion): (NodeId, Conclusion)) -> String {
        let did = match conclusion {
            Conclusion::Success => "succeeded",
            Conclusion::Failure | Conclusion::StartupFailure => "failed",
            Conclusion::Cancelled => "was cancelled",
            Conclusion::Skipped => "was skipped",
            Conclusion::TimedOut => "ran out of time",
        };
        let name = &self.job(culprit).id.value;
        let needs = &self.node(node).needs;
        if needs.contains(&culprit) {
            return format!("needs {name}, which {did}");
        }
        let through = needs.iter().find(|&&need| match &self.node(need).state {
            NodeState::Finished(_, lineage) => lineage.culprit.is_some_and(|(node, _)| node == culprit),
            NodeState::Blocked { .. } | NodeState::Open(_) => false,
        });
        match through {
            Some(&need) => format!("needs {}, and {name} before it {did}", self.job(need).id.value),
            None => format!("{name} before it {did}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outputs(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn trap_56_the_last_leg_that_wrote_something_wins() {
        let mut result = NodeResult { conclusion: Conclusion::Success, outputs: outputs(&[("a", "1"), ("b", "1")]) };
        result.add(Conclusion::Success, outputs(&[("a", "2"), ("b", "")]));
        result.add(Conclusion::Success, outputs(&[("c", "")]));
        assert_eq!(result.outputs, outputs(&[("a", "2"), ("b", "1"), ("c", "")]));
    }

    #[test]
    fn failure_beats_time_out_beats_cancellation_beats_success_beats_skipped() {
        use Conclusion::{Cancelled, Failure, Skipped, Success, TimedOut};
        let order = [Skipped, Success, Cancelled, TimedOut, Failure];
        for (low, &a) in order.iter().enumerate() {
            for &b in &order[low..] {
                for (first, second) in [(a, b), (b, a)] {
                    let mut result = NodeResult::without_outputs(first);
                    result.add(second, BTreeMap::new());
                    assert_eq!(result.conclusion, b, "{first} and {second}");
                }
            }
        }
    }
}
