//! Milestones.

use lineclear_forge::ApiResponse;
use serde_json::Value;

use super::issue_view::IssueView;
use super::{not_offered, number};
use crate::call::{Answer, Call, Fields, Refusal};
use crate::journal::Transaction;
use crate::record::{Issue, Milestone};

pub(super) fn route(call: &Call<'_>, memory: &mut Transaction, method: &str, rest: &[&str]) -> Answer {
    match (method, rest) {
        ("GET", []) => {
            let view = IssueView::new(call, memory);
            let wanted = call.query("state").unwrap_or("open");
            let fits = |one: &&Milestone| wanted == "all" || (wanted == "open") == one.open;
            let found: Vec<u64> = view.milestones().iter().filter(fits).map(|one| one.number).collect();
            Ok(call.page(&found, |number| view.milestone(*number).unwrap_or_default()))
        }
        ("POST", []) => {
            let fields = call.fields()?;
            let title = fields.required("Milestone", "title")?.to_owned();
            let next = memory.all::<Milestone>().last().map_or(1, |last| last.number + 1);
            let mut new = Milestone {
                number: next,
                id: memory.new_id(),
                title,
                description: None,
                open: true,
                due_on: None,
                created: call.now,
                updated: call.now,
                closed: None,
            };
            take(call, memory, &fields, &mut new)?;
            memory.put(&new);
            Ok(shown(call, memory, 201, next))
        }
        ("GET", [n]) => Ok(shown(call, memory, 200, known(memory, n)?.number)),
        ("PATCH", [n]) => {
            let mut milestone = known(memory, n)?;
            take(call, memory, &call.fields()?, &mut milestone)?;
            milestone.updated = call.now;
            memory.put(&milestone);
            Ok(shown(call, memory, 200, milestone.number))
        }
        ("DELETE", [n]) => {
            let gone = known(memory, n)?.number;
            for mut issue in memory.all::<Issue>().into_iter().filter(|issue| issue.milestone == Some(gone)) {
                issue.milestone = None;
                memory.put(&issue);
            }
            memory.remove::<Milestone>(gone);
            Ok(ApiResponse::empty(204))
        }
        ("GET", [n, "labels"]) => {
            let wanted = known(memory, n)?.number;
            let mut names = Vec::new();
            for issue in memory.all::<Issue>().into_iter().filter(|issue| issue.milestone == Some(wanted)) {
                names.extend(issue.labels);
            }
            names.sort();
            names.dedup();
            Ok(call.page(&IssueView::new(call, memory).labels(&names), Value::clone))
        }
        _ => not_offered(call),
    }
}

fn known(memory: &Transaction, text: &str) -> Result<Milestone, Refusal> {
    memory.get(number(text)?).ok_or_else(Refusal::not_found)
}

fn shown(call: &Call<'_>, memory: &Transaction, status: u16, number: u64) -> ApiResponse {
    ApiResponse::json(status, &IssueView::new(call, memory).milestone(number).unwrap_or_default())
}

fn take(call: &Call<'_>, memory: &Transaction, fields: &Fields, milestone: &mut Milestone) -> Result<(), Refusal> {
    if let Some(title) = fields.text("title")? {
        let taken =
            memory.all::<Milestone>().iter().any(|other| other.number != milestone.number && other.title == title);
        if taken {
            return Err(Refusal::invalid("Milestone", "title", "already_exists"));
        }
        title.clone_into(&mut milestone.title);
    }
    if fields.has("description") {
        milestone.description = fields.owned("description")?;
    }
    if fields.has("due_on") {
        milestone.due_on = fields.owned("due_on")?;
    }
    match fields.text("state")? {
        None => {}
        Some("open") => (milestone.open, milestone.closed) = (true, None),
        Some("closed") => (milestone.open, milestone.closed) = (false, Some(call.now)),
        Some(_) => return Err(Refusal::invalid("Milestone", "state", "invalid")),
    }
    Ok(())
}
