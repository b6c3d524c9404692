//! Clear or blocked.

use lineclear_event::{CheckContext, Subject, Timestamp};

use crate::{Commits, Decision, Index, Requirement, Rules, Standing};

/// What is asked of a gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub subject: Subject,
    pub context: CheckContext,
    pub now: Timestamp,
}

/// Whether `asked` may pass. A digest passes when the commit that it was built from does, and it has what is asked of digests.
pub fn decide(rules: &Rules, asked: &Asked, _index: &Index, _commits: &dyn Commits) -> Decision {
    let requirements: Vec<Requirement> = Vec::new();
    Decision {
        gate: rules.gate.clone(),
        subject: asked.subject.clone(),
        commit: None,
        context: asked.context,
        at: asked.now,
        clear: !requirements.is_empty()
            && requirements.iter().all(|one: &Requirement| !one.blocking || one.standing != Standing::Fail),
        requirements,
        rules: String::new(),
    }
}
