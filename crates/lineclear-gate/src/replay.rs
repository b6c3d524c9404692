//! Decisions made once more: the same evidence and rules have to say the same.

use lineclear_event::{DecisionStatement, Statement};

use crate::{Asked, Commits, Decision, Index, Rules, decide};

/// Why a decision could not be made once more, or came out differently.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    #[error("the ledger has no entry {0}")]
    NoEntry(u64),
    #[error("entry {0} is no decision")]
    NoDecision(u64),
    /// It was made by other rules than these: the policy has changed since.
    #[error(
        "entry {number} was decided by other rules of the gate `{gate}`: their hash is {recorded}, and that of these is {given}"
    )]
    OtherRules { number: u64, gate: String, recorded: String, given: String },
    #[error("entry {number} says something else than the evidence before it")]
    Differs { number: u64, recorded: Box<DecisionStatement>, replayed: Box<DecisionStatement> },
}

/// Makes the decision of entry `number` once more, from the entries before it alone, at the time that it was made.
///
/// `commits` is only asked for what the ledger does not say: the order of commits for a ratchet, and trees that no entry names.
///
/// # Errors
/// [`ReplayError`]; with [`ReplayError::Differs`] someone wrote a decision that was never made, or git no longer knows what it knew.
pub fn replay(index: &Index, number: u64, rules: &Rules, commits: &dyn Commits) -> Result<Decision, ReplayError> {
    let at = usize::try_from(number).unwrap_or(usize::MAX);
    let entry = index.entries().get(at).ok_or(ReplayError::NoEntry(number))?;
    let Statement::Decision(recorded) = &entry.evidence.statement else { return Err(ReplayError::NoDecision(number)) };
    let given = rules.hash();
    if given != recorded.rules || rules.gate != recorded.gate {
        let (gate, recorded) = (recorded.gate.clone(), recorded.rules.clone());
        return Err(ReplayError::OtherRules { number, gate, recorded, given });
    }
    let mut before = Index::default();
    index.entries().iter().take(at).for_each(|entry| before.add(entry.clone()));
    let asked = Asked { subject: entry.evidence.subject.clone(), context: recorded.context, now: entry.evidence.at };
    let decision = decide(rules, &asked, &before, commits);
    let replayed = decision.statement();
    if replayed != *recorded {
        return Err(ReplayError::Differs {
            number,
            recorded: Box::new(recorded.clone()),
            replayed: Box::new(replayed),
        });
    }
    Ok(decision)
}
