//! Reactions to anything that can have them.

use lineclear_forge::{ApiResponse, NodeKind};
use serde_json::{Value, json};

use super::issue_view::REACTIONS;
use super::{not_offered, number};
use crate::call::{Answer, Call, Refusal, node, time};
use crate::journal::Transaction;
use crate::person::BOT;
use crate::record::Reaction;

/// `subject` has been found to exist.
pub(super) fn route(call: &Call<'_>, memory: &mut Transaction, method: &str, subject: &str, rest: &[&str]) -> Answer {
    let of_subject = |memory: &Transaction| -> Vec<Reaction> {
        memory.all::<Reaction>().into_iter().filter(|reaction| reaction.subject == subject).collect()
    };
    match (method, rest) {
        ("GET", []) => {
            let mut all = of_subject(memory);
            if let Some(content) = call.query("content") {
                all.retain(|reaction| reaction.content == content);
            }
            Ok(call.page(&all, |reaction| shown(call, reaction)))
        }
        ("POST", []) => {
            let fields = call.fields()?;
            let content = fields.required("Reaction", "content")?.to_owned();
            if !REACTIONS.contains(&content.as_str()) {
                return Err(Refusal::invalid("Reaction", "content", "invalid"));
            }
            // One may react once with the same content.
            if let Some(known) = of_subject(memory).iter().find(|known| known.content == content && known.user == BOT) {
                return Ok(ApiResponse::json(200, &shown(call, known)));
            }
            let id = memory.new_id();
            let new = Reaction { id, subject: subject.into(), content, user: BOT.into(), created: call.now };
            memory.put(&new);
            Ok(ApiResponse::json(201, &shown(call, &new)))
        }
        ("DELETE", [id]) => {
            let id = number(id)?;
            let known = of_subject(memory).iter().any(|reaction| reaction.id == id);
            if !known {
                return Err(Refusal::not_found());
            }
            memory.remove::<Reaction>(id);
            Ok(ApiResponse::empty(204))
        }
        _ => not_offered(call),
    }
}

fn shown(call: &Call<'_>, reaction: &Reaction) -> Value {
    json!({
        "id": reaction.id,
        "node_id": node(NodeKind::Reaction, reaction.id),
        "user": call.user(&reaction.user),
        "content": reaction.content,
        "created_at": time(reaction.created),
    })
}
