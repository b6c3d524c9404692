//! A recorded decision, decided again on what the ledger said then.

use lineclear_event::{DecisionStatement, Statement};
use lineclear_gate::{ReplayError, Rules};
use lineclear_policy::Policy;
use serde_json::json;

use crate::command::history::Shape;
use crate::exit::Exit;
use crate::gates::{Fault, Place, rules_of};
use crate::output;

/// Decides entry `number` again. Success: it says the same, resting on the same entries.
pub(super) fn replay(number: u64, place: &Place, policy: &Policy, shape: Shape) -> Result<Exit, Fault> {
    let index = place.ledger.index()?;
    let recorded = usize::try_from(number).ok().and_then(|number| index.entries().get(number));
    let name = recorded.and_then(|entry| match &entry.evidence.statement {
        Statement::Decision(decision) => Some(decision.gate.as_str()),
        _ => None,
    });
    let rules = match name.map(|name| (name, policy.gate(name))) {
        Some((_, Some(gate))) => rules_of(gate, policy, &place.checkout),
        Some((name, None)) => {
            return Err(Fault::Input(format!(
                "lineclear.toml has no gate `{name}` any more, which entry {number} asked"
            )));
        }
        // Said below: there is no such entry, or it is no decision.
        None => Rules::default(),
    };
    let (differences, decision) = match lineclear_gate::replay(&index, number, &rules, &place.commits) {
        Ok(decision) => (Vec::new(), Some(decision)),
        Err(error @ (ReplayError::NoEntry(_) | ReplayError::NoDecision(_))) => {
            return Err(Fault::Input(format!("{error}; `lineclear ledger show` lists the entries, counted from 0")));
        }
        Err(ReplayError::Differs { recorded, replayed, .. }) => (differences(&recorded, &replayed), None),
        Err(error @ ReplayError::OtherRules { .. }) => (vec![error.to_string()], None),
    };
    let is_same = differences.is_empty();
    match shape {
        Shape::Json => {
            let document =
                json!({ "entry": number, "same": is_same, "differences": differences, "decision": decision });
            // Plain data always has a JSON form.
            output::print(&format!("{}\n", serde_json::to_string_pretty(&document).unwrap_or_default()));
        }
        Shape::Text => {
            let style = output::stdout_style();
            let mut text = match &decision {
                Some(decision) => {
                    let verdict = if decision.clear { "clear" } else { "blocked" };
                    let gate = &decision.gate;
                    format!("{} entry {number} says the same again: gate {gate} is {verdict}\n", style.green("✓"))
                }
                None => format!("{} entry {number} cannot be confirmed\n", style.red("✗")),
            };
            differences.iter().for_each(|difference| text.push_str(&format!("  {difference}\n")));
            output::print(&text);
        }
    }
    Ok(if is_same { Exit::Success } else { Exit::WorkFailed })
}

fn differences(recorded: &DecisionStatement, again: &DecisionStatement) -> Vec<String> {
    let word = |clear: bool| if clear { "clear" } else { "blocked" };
    let mut differences = Vec::new();
    if recorded.clear != again.clear {
        differences.push(format!("it was {}, and is {} now", word(recorded.clear), word(again.clear)));
    }
    if recorded.commit != again.commit {
        differences.push("it looked at another commit".to_owned());
    }
    if recorded.rests_on != again.rests_on {
        differences
            .push(format!("it rested on entries {:?}, and rests on {:?} now", recorded.rests_on, again.rests_on));
    }
    if recorded.blocked != again.blocked {
        differences.push(format!("it was blocked by {:?}, and is by {:?} now", recorded.blocked, again.blocked));
    }
    if differences.is_empty() {
        differences.push("what was written is not what was decided".to_owned());
    }
    differences
}
