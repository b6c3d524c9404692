//! Labels: of the repository, and on issues.

use lineclear_forge::ApiResponse;
use serde_json::Value;

use super::issue_view::label;
use super::issues::{find, find_to_change, label_values, set_labels};
use super::not_offered;
use crate::call::{Answer, Call, Fields, Refusal, texts};
use crate::journal::Transaction;
use crate::posted::{PostedAction, Posting};
use crate::record::{Issue, Label};
use crate::seed::LABEL_COLOR;

const MAX_NAME: usize = 50;
const MAX_LABELS: usize = 100;

pub(super) fn route(call: &Call<'_>, memory: &mut Transaction, method: &str, rest: &[&str]) -> Answer {
    match (method, rest) {
        ("GET", []) => Ok(call.page(&sorted(memory), |one| label(call, one))),
        ("POST", []) => create(call, memory),
        ("GET", [name]) => Ok(ApiResponse::json(200, &label(call, &named(memory, name)?))),
        ("PATCH", [name]) => edit(call, memory, named(memory, name)?),
        ("DELETE", [name]) => {
            let gone = named(memory, name)?;
            for mut issue in memory.all::<Issue>().into_iter().filter(|issue| issue.labels.contains(&gone.name)) {
                issue.labels.retain(|known| *known != gone.name);
                memory.put(&issue);
            }
            memory.remove::<Label>(gone.id);
            Ok(ApiResponse::empty(204))
        }
        _ => not_offered(call),
    }
}

pub(super) fn of_issue(call: &Call<'_>, memory: &mut Transaction, method: &str, number: u64, name: &[&str]) -> Answer {
    if method == "GET" && name.is_empty() {
        let issue = find(memory, number)?;
        return Ok(call.page(&label_values(call, memory, &issue), Value::clone));
    }
    let mut issue = find_to_change(call, memory, number)?;
    let mut names = issue.labels.clone();
    match (method, name) {
        ("POST", []) => names.extend(given(call)?),
        ("PUT", []) => names = given(call)?,
        ("DELETE", []) => names.clear(),
        ("DELETE", [name]) => {
            if !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                return Err(Refusal::said(404, "Label does not exist"));
            }
            names.retain(|known| !known.eq_ignore_ascii_case(name));
        }
        _ => return not_offered(call),
    }
    set_labels(call, memory, &mut issue, &names)?;
    issue.updated = call.now;
    memory.put(&issue);
    let shown: Vec<String> = issue.labels.iter().map(|name| format!("`{name}`")).collect();
    let posting = Posting {
        kind: "labels",
        object: issue.number,
        title: format!(
            "Labels of #{}: {}",
            issue.number,
            if shown.is_empty() { "none".into() } else { shown.join(", ") }
        ),
        markdown: "",
        url: super::issue_view::page(call, &issue),
        action: PostedAction::Updated,
    };
    memory.posted(call.caller, posting);
    if method == "DELETE" && name.is_empty() {
        return Ok(ApiResponse::empty(204));
    }
    Ok(ApiResponse::json(200, &Value::Array(label_values(call, memory, &issue))))
}

/// The labels of a body: a list, or an object with one.
fn given(call: &Call<'_>) -> Result<Vec<String>, Refusal> {
    let body = call.json()?;
    let list = if body.is_object() { &body["labels"] } else { &body };
    Ok(texts(list, "labels")?.unwrap_or_default())
}

pub(super) fn check_names(names: &[String]) -> Result<(), Refusal> {
    let wrong =
        |name: &String| name.trim().is_empty() || name.chars().count() > MAX_NAME || name.chars().any(char::is_control);
    if names.iter().any(wrong) {
        return Err(Refusal::invalid("Label", "name", "invalid"));
    }
    if names.len() > MAX_LABELS {
        return Err(Refusal::custom("Issue", &format!("an issue has at most {MAX_LABELS} labels")));
    }
    Ok(())
}

fn sorted(memory: &Transaction) -> Vec<Label> {
    let mut all = memory.all::<Label>();
    all.sort_by_key(|label| label.name.to_lowercase());
    all
}

fn named(memory: &Transaction, name: &str) -> Result<Label, Refusal> {
    let found = memory.all::<Label>().into_iter().find(|label| label.name.eq_ignore_ascii_case(name));
    found.ok_or_else(Refusal::not_found)
}

fn create(call: &Call<'_>, memory: &mut Transaction) -> Answer {
    let fields = call.fields()?;
    let name = fields.required("Label", "name")?.to_owned();
    check_names(std::slice::from_ref(&name))?;
    if named(memory, &name).is_ok() {
        return Err(Refusal::invalid("Label", "name", "already_exists"));
    }
    let mut new = Label { id: memory.new_id(), name, color: LABEL_COLOR.into(), description: None };
    take(&fields, &mut new)?;
    memory.put(&new);
    Ok(ApiResponse::json(201, &label(call, &new)))
}

fn edit(call: &Call<'_>, memory: &mut Transaction, mut known: Label) -> Answer {
    let fields = call.fields()?;
    if let Some(new) = fields.text("new_name")?.filter(|new| *new != known.name) {
        check_names(&[new.to_owned()])?;
        if named(memory, new).is_ok_and(|other| other.id != known.id) {
            return Err(Refusal::invalid("Label", "name", "already_exists"));
        }
        for mut issue in memory.all::<Issue>() {
            if let Some(place) = issue.labels.iter_mut().find(|label| **label == known.name) {
                new.clone_into(place);
                memory.put(&issue);
            }
        }
        new.clone_into(&mut known.name);
    }
    take(&fields, &mut known)?;
    memory.put(&known);
    Ok(ApiResponse::json(200, &label(call, &known)))
}

fn take(fields: &Fields, label: &mut Label) -> Result<(), Refusal> {
    if let Some(color) = fields.text("color")? {
        let color = color.trim_start_matches('#').to_lowercase();
        if color.len() != 6 || !color.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Refusal::invalid("Label", "color", "invalid"));
        }
        label.color = color;
    }
    if fields.has("description") {
        label.description = fields.owned("description")?;
    }
    Ok(())
}
