//! What the ledger is told of a tag that a job sets.

use std::sync::Arc;

use lineclear_deliver::Turn;
use lineclear_event::{
    Evidence, MoveKind, MovePhase, MoveStatement, MovedTag, RunWitness, Statement, Subject, Witness, with_causes,
};
use lineclear_ledger::LedgerOf;
use lineclear_registry_server::Permit;

use crate::settings::now;

/// A tag that is being set: written down as begun. Dropped without a word, as by a kill, it stays begun, and the next move settles it.
pub(super) struct Begun {
    pub(super) ledger: Arc<LedgerOf>,
    pub(super) witness: RunWitness,
    pub(super) moved: MoveStatement,
    pub(super) warn: Arc<dyn Fn(&str) + Send + Sync>,
    /// Who else wants to move an image of this repository waits until now.
    pub(super) _turn: Turn,
}

/// A move of one tag.
pub(super) fn a_move(
    witness: &RunWitness,
    image: &str,
    repository: &str,
    commit: &str,
    tag: MovedTag,
    decision: u64,
) -> MoveStatement {
    let job = witness.job.as_ref().map_or("", |job| job.as_str());
    MoveStatement {
        // The decision is of this push alone, and so is its number.
        id: format!("push-{}-{job}-{decision}", witness.run),
        kind: MoveKind::Publish,
        phase: MovePhase::Begun,
        image: image.to_owned(),
        repository: repository.to_owned(),
        source: format!("{repository}@{}", tag.to),
        commit: commit.to_owned(),
        tags: vec![tag],
        decision,
        target: None,
        reason: String::new(),
    }
}

pub(super) fn evidence(witness: &RunWitness, subject: Subject, statement: Statement) -> Evidence {
    Evidence { subject, at: now(), by: Witness::Run(witness.clone()), statement }
}

impl Begun {
    fn end(self, phase: MovePhase, reason: &str) {
        let moved = MoveStatement { phase, reason: reason.to_owned(), ..self.moved };
        let subject = Subject::Digest(moved.tags.first().map(|tag| tag.to.clone()).unwrap_or_default());
        if let Err(error) = self.ledger.append(vec![evidence(&self.witness, subject, Statement::Move(moved))]) {
            (self.warn)(&format!(
                "the end of a move is not in the ledger, and the next move settles it: {}",
                with_causes(&error)
            ));
        }
    }
}

impl Permit for Begun {
    fn used(self: Box<Self>) {
        self.end(MovePhase::Done, "");
    }

    fn unused(self: Box<Self>, why: &str) {
        self.end(MovePhase::Undone, why);
    }
}
