//! What came of moves, for people and as JSON.

use lineclear_deliver::{Foreseen, MoveError, Refusal, Settled};
use lineclear_event::{MoveKind, MovePhase, MovedTag};
use lineclear_gate::Decision;
use serde_json::{Value, json};

use super::choice::short;
use super::moving::{End, Outcome};
use crate::exit::Exit;

/// The exit code of all outcomes together: the worst of them.
pub(crate) fn exit(outcomes: &[Outcome]) -> Exit {
    let of = |outcome: &Outcome| match &outcome.end {
        End::Moved(_) | End::Foreseen(_) => Exit::Success,
        End::Failed(error) => match &**error {
            MoveError::Cancelled => Exit::Cancelled,
            error if error.is_of_the_work() => Exit::WorkFailed,
            _ => Exit::EngineFault,
        },
        End::Fault(_) => Exit::EngineFault,
        End::NotTried => Exit::WorkFailed,
    };
    let exits: Vec<Exit> = outcomes.iter().map(of).collect();
    let worst = [Exit::Cancelled, Exit::EngineFault, Exit::WorkFailed];
    worst.into_iter().find(|exit| exits.contains(exit)).unwrap_or(Exit::Success)
}

/// All outcomes in words: what has moved, and what has not and why.
pub(crate) fn text(outcomes: &[Outcome]) -> String {
    outcomes.iter().map(text_of).collect()
}

fn text_of(outcome: &Outcome) -> String {
    let order = &outcome.chosen.order;
    let mut text = String::new();
    for settled in &outcome.settled {
        text.push_str(&format!("{}\n", settled_text(settled)));
    }
    for note in &outcome.chosen.notes {
        text.push_str(&format!("note: {note}\n"));
    }
    let to = order.target.as_ref().map_or_else(String::new, |target| format!(" for {target}"));
    let what = format!("`{}` {} of {} to {}{to}", order.image, order.digest, short(&order.commit), order.repository);
    let (done, will) = match order.kind {
        MoveKind::Publish => ("published", "would publish"),
        MoveKind::Promote => ("promoted", "would promote"),
    };
    match &outcome.end {
        End::Moved(moved) => {
            let moves = if moved.id.is_some() { done } else { "nothing to move:" };
            text.push_str(&format!(
                "{moves} {what}\n  gate `{}` is clear (entry {} of the ledger)\n{}",
                moved.decision.gate,
                moved.entry,
                tags(&moved.tags)
            ));
        }
        End::Foreseen(foreseen) => text.push_str(&format!(
            "{} {what}\n  from {}\n  gate `{}` is clear\n{}",
            if would_move(foreseen) { will } else { "nothing to move:" },
            order.source,
            foreseen.decision.gate,
            tags(&foreseen.tags)
        )),
        End::Failed(error) => {
            text.push_str(&format!("not {done}: {what}\n"));
            match &**error {
                MoveError::Refused(refusal) => {
                    let from = refusal.decision.commit.as_deref();
                    let from = from.map_or_else(String::new, |commit| format!(", built from {}", short(commit)));
                    let recorded = blocked(refusal, "; nothing was moved");
                    text.push_str(&format!("  {error} for {}{from}\n{recorded}", order.digest));
                }
                MoveError::Withdrawn(refusal) => {
                    text.push_str(&format!("  {error}\n{}", blocked(refusal, "")));
                }
                error => text.push_str(&format!("  {}\n", lineclear_event::with_causes(error))),
            }
        }
        End::Fault(why) => text.push_str(&format!("not {done}: {what}\n  {why}\n")),
        End::NotTried => {
            text.push_str(&format!("not {done}: {what}\n  another image was not moved, and this one waits for it\n"))
        }
    }
    text
}

/// Whether there is a tag that would not stay.
fn would_move(foreseen: &Foreseen) -> bool {
    foreseen.tags.iter().any(|tag| tag.stays.is_none())
}

/// Every tag with its digest.
fn tags(tags: &[MovedTag]) -> String {
    let wide = tags.iter().map(|tag| tag.tag.len()).max().unwrap_or_default();
    let line = |tag: &MovedTag| {
        let (digest, how) = match (&tag.stays, &tag.from) {
            (Some(why), from) => (from.as_ref().unwrap_or(&tag.to), format!("stays: {why}")),
            (None, None) => (&tag.to, "new".to_owned()),
            (None, Some(from)) => match &tag.taken {
                Some(who) => (&tag.to, format!("was {from}, which is not known to this ledger; taken by {who}")),
                None => (&tag.to, format!("was {from}")),
            },
        };
        format!("  {:wide$}  {digest}  {how}\n", tag.tag)
    };
    tags.iter().map(line).collect()
}

/// What is missing, and where it is written down; `and` is said with it.
fn blocked(refusal: &Refusal, and: &str) -> String {
    let mut text = String::new();
    let blocking = |one: &&lineclear_gate::Requirement| one.blocking && !one.standing.lets_through();
    for requirement in refusal.decision.requirements.iter().filter(blocking) {
        text.push_str(&format!("  ✗ {}\n", requirement.sentence()));
        if let Some(supply) = &requirement.supply {
            text.push_str(&format!("    {supply}\n"));
        }
    }
    if let Some(entry) = refusal.entry {
        text.push_str(&format!("  entry {entry} of the ledger{and}\n"));
    }
    text
}

/// What became of a move that was interrupted.
pub(crate) fn settled_text(settled: &Settled) -> String {
    let statement = &settled.statement;
    match settled.phase {
        MovePhase::Undone | MovePhase::Refused => {
            format!("undid move {} of `{}`: {}", statement.id, statement.image, statement.reason)
        }
        MovePhase::Done | MovePhase::Begun => {
            format!("finished move {} of `{}`, which was interrupted", statement.id, statement.image)
        }
    }
}

/// As one document.
pub(crate) fn json(outcomes: &[Outcome], notes: &[String]) -> Value {
    let images: Vec<Value> = outcomes.iter().map(json_of).collect();
    json!({ "version": 1, "images": images, "notes": notes })
}

fn json_of(outcome: &Outcome) -> Value {
    let order = &outcome.chosen.order;
    let mut value = json!({
        "image": order.image,
        "kind": order.kind,
        "repository": order.repository.to_string(),
        "source": order.source,
        "digest": order.digest.to_string(),
        "commit": order.commit,
        "target": order.target,
        "notes": outcome.chosen.notes,
        "settled": outcome.settled.iter().map(|one| &one.statement).collect::<Vec<_>>(),
    });
    let more = match &outcome.end {
        End::Moved(moved) => json!({
            "outcome": if moved.id.is_some() { "moved" } else { "nothing_to_move" },
            "move": moved.id,
            "tags": moved.tags,
            "gate": gate(&moved.decision, Some(moved.entry)),
        }),
        End::Foreseen(foreseen) => json!({
            "outcome": if would_move(foreseen) { "would_move" } else { "nothing_to_move" },
            "tags": foreseen.tags,
            "gate": gate(&foreseen.decision, None),
        }),
        End::Failed(error) => match &**error {
            MoveError::Refused(refusal) | MoveError::Withdrawn(refusal) => json!({
                "outcome": "refused",
                "error": error.to_string(),
                "gate": gate(&refusal.decision, refusal.entry),
            }),
            error @ MoveError::Part(_) => json!({ "outcome": "refused", "error": error.to_string() }),
            error => json!({ "outcome": "failed", "error": lineclear_event::with_causes(error) }),
        },
        End::Fault(why) => json!({ "outcome": "failed", "error": why }),
        End::NotTried => json!({ "outcome": "not_tried" }),
    };
    if let (Value::Object(value), Value::Object(more)) = (&mut value, more) {
        value.extend(more);
    }
    value
}

fn gate(decision: &Decision, entry: Option<u64>) -> Value {
    json!({ "name": decision.gate, "clear": decision.clear, "entry": entry, "requirements": decision.requirements })
}

/// Whether a gate was blocked, be it for an image in an index.
pub(crate) fn is_refused(outcome: &Outcome) -> bool {
    let is_refusal =
        |error: &MoveError| matches!(error, MoveError::Refused(_) | MoveError::Withdrawn(_) | MoveError::Part(_));
    matches!(&outcome.end, End::Failed(error) if is_refusal(error))
}

/// The entry of the decision, where one is recorded.
pub(crate) fn decision_of(outcome: &Outcome) -> Option<u64> {
    match &outcome.end {
        End::Moved(moved) => Some(moved.entry),
        End::Failed(error) => match &**error {
            MoveError::Refused(refusal) | MoveError::Withdrawn(refusal) => refusal.entry,
            _ => None,
        },
        End::Foreseen(_) | End::Fault(_) | End::NotTried => None,
    }
}

/// The tags that stand for the image now, for outputs of steps.
pub(crate) fn tags_of(outcome: &Outcome) -> Vec<String> {
    let tags = match &outcome.end {
        End::Moved(moved) => &moved.tags,
        End::Foreseen(foreseen) => &foreseen.tags,
        _ => return Vec::new(),
    };
    let there = tags.iter().filter(|tag| tag.stays.is_none() || tag.from.as_ref() == Some(&tag.to));
    there.map(|tag| format!("{}:{}", outcome.chosen.order.repository, tag.tag)).collect()
}
