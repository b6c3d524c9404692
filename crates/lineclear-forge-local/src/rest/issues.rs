//! Issues, and what pull requests share with them.

use lineclear_event::Timestamp;
use lineclear_forge::{ApiResponse, NodeKind};
use serde_json::{Value, json};

use super::issue_view::{IssueView, label, page, state};
use super::{comments, labels, not_offered, number, reactions};
use crate::call::{Answer, Call, Fields, Refusal, node, time};
use crate::journal::Transaction;
use crate::person::BOT;
use crate::posted::{PostedAction, Posting};
use crate::record::{Happening, Issue, Label, Milestone};
use crate::seed::make_labels;

const MAX_TITLE: usize = 256;
const MAX_ASSIGNEES: usize = 10;

pub(super) fn route(call: &Call<'_>, memory: &mut Transaction, method: &str, rest: &[&str]) -> Answer {
    match (method, rest) {
        ("GET", []) => list(call, memory),
        ("POST", []) => create(call, memory),
        ("GET", [n]) => {
            let issue = find(memory, number(n)?)?;
            Ok(ApiResponse::json(200, &IssueView::new(call, memory).issue(&issue)))
        }
        ("PATCH", [n]) => edit(call, memory, number(n)?),
        (_, [n, "comments"]) => comments::of_issue(call, memory, method, number(n)?),
        (_, [n, "labels", name @ ..]) => labels::of_issue(call, memory, method, number(n)?, name),
        ("POST" | "DELETE", [n, "assignees"]) => assign(call, memory, method, number(n)?),
        ("GET", [_, "assignees", login]) => assignable(call, method, &[login]),
        ("GET", [n, "events" | "timeline"]) => {
            let issue = find(memory, number(n)?)?;
            let happenings: Vec<Happening> =
                memory.all::<Happening>().into_iter().filter(|one| one.issue == issue.number).collect();
            Ok(call.page(&happenings, |one| happening(call, one)))
        }
        ("PUT" | "DELETE", [n, "lock"]) => lock(call, memory, method, number(n)?),
        (_, [n, "reactions", rest @ ..]) => {
            let issue = find(memory, number(n)?)?;
            reactions::route(call, memory, method, &format!("issue/{}", issue.number), rest)
        }
        ("GET", [n, "sub_issues"]) => {
            find(memory, number(n)?)?;
            Ok(ApiResponse::json(200, &json!([])))
        }
        _ => not_offered(call),
    }
}

pub(super) fn find(memory: &Transaction, number: u64) -> Result<Issue, Refusal> {
    memory.get(number).ok_or_else(Refusal::not_found)
}

/// As [`find`], for a change: a token that may write pull requests alone changes no plain issue.
pub(super) fn find_to_change(call: &Call<'_>, memory: &Transaction, number: u64) -> Result<Issue, Refusal> {
    let issue = find(memory, number)?;
    let writes = |scope: &str| call.caller.permissions.get(scope).is_some_and(|level| level == "write");
    if issue.pull.is_none() && writes("pull-requests") && !writes("issues") {
        return Err(Refusal::said(403, "Resource not accessible by integration"));
    }
    Ok(issue)
}

pub(super) fn next_number(memory: &Transaction) -> u64 {
    memory.all::<Issue>().last().map_or(1, |issue| issue.number + 1)
}

pub(super) fn happened(memory: &mut Transaction, issue: u64, now: Timestamp, event: &str, detail: Value) {
    let id = memory.new_id();
    memory.put(&Happening { id, issue, event: event.into(), user: BOT.into(), created: now, detail });
}

pub(super) fn events(call: &Call<'_>, memory: &mut Transaction, method: &str, rest: &[&str]) -> Answer {
    let shown = |one: &Happening| {
        let mut shown = happening(call, one);
        if let Some(issue) = memory.get::<Issue>(one.issue) {
            shown["issue"] = IssueView::new(call, memory).issue(&issue);
        }
        shown
    };
    match (method, rest) {
        ("GET", []) => {
            let mut all = memory.all::<Happening>();
            all.reverse();
            Ok(call.page(&all, shown))
        }
        ("GET", [id]) => {
            let found: Happening = memory.get(number(id)?).ok_or_else(Refusal::not_found)?;
            Ok(ApiResponse::json(200, &shown(&found)))
        }
        _ => not_offered(call),
    }
}

/// Whom issues can be assigned to: the owner and who acts in the run; nobody else is known.
pub(super) fn assignable(call: &Call<'_>, method: &str, rest: &[&str]) -> Answer {
    let mut known = vec![call.facts().owner.clone()];
    if !known.contains(&call.caller.actor) && !call.caller.actor.is_empty() {
        known.push(call.caller.actor.clone());
    }
    match (method, rest) {
        ("GET", []) => Ok(call.page(&known, |login| call.user(login))),
        ("GET", [login]) if known.iter().any(|one| one.eq_ignore_ascii_case(login)) => Ok(ApiResponse::empty(204)),
        ("GET", [_]) => Err(Refusal::not_found()),
        _ => not_offered(call),
    }
}

fn happening(call: &Call<'_>, one: &Happening) -> Value {
    let mut shown = json!({
        "id": one.id,
        "node_id": node(NodeKind::IssueEvent, one.id),
        "url": call.api(&format!("issues/events/{}", one.id)),
        "actor": call.user(&one.user),
        "event": one.event,
        "commit_id": null,
        "commit_url": null,
        "created_at": time(one.created),
        "performed_via_github_app": null,
    });
    for (name, value) in one.detail.as_object().into_iter().flatten() {
        shown[name.as_str()] = value.clone();
    }
    shown
}

fn list(call: &Call<'_>, memory: &Transaction) -> Answer {
    let view = IssueView::new(call, memory);
    let wanted = call.query("state").unwrap_or("open");
    let labels: Vec<&str> =
        call.query("labels").unwrap_or_default().split(',').filter(|name| !name.is_empty()).collect();
    let person = |query: &str, matches: &dyn Fn(&str) -> bool| match call.query(query) {
        None | Some("*") => true,
        Some(login) => matches(login),
    };
    let mut found: Vec<Issue> = memory.all();
    found.retain(|issue| {
        (wanted == "all" || wanted == state(issue))
            && labels.iter().all(|name| issue.labels.iter().any(|known| known.eq_ignore_ascii_case(name)))
            && person("creator", &|login| issue.user.eq_ignore_ascii_case(login))
            && person("assignee", &|login| match login {
                "none" => issue.assignees.is_empty(),
                login => issue.assignees.iter().any(|known| known.eq_ignore_ascii_case(login)),
            })
            && person("mentioned", &|login| {
                issue.body.as_deref().is_some_and(|body| body.contains(&format!("@{login}")))
            })
            && call.query("since").is_none_or(|since| time(issue.updated).as_str() >= since)
            && match call.query("milestone") {
                None => true,
                Some("*") => issue.milestone.is_some(),
                Some("none") => issue.milestone.is_none(),
                Some(number) => issue.milestone.is_some_and(|known| number.parse() == Ok(known)),
            }
    });
    match call.query("sort") {
        Some("updated") => found.sort_by_key(|issue| (issue.updated, issue.number)),
        Some("comments") => found.sort_by_key(|issue| (view.comments_of(issue.number), issue.number)),
        _ => {}
    }
    if call.query("direction") != Some("asc") {
        found.reverse();
    }
    Ok(call.page(&found, |issue| view.issue(issue)))
}

/// An open issue, or the issue side of a pull request.
pub(super) fn new_issue(call: &Call<'_>, memory: &mut Transaction, title: &str) -> Issue {
    Issue {
        number: next_number(memory),
        id: memory.new_id(),
        title: title.to_owned(),
        body: None,
        user: BOT.into(),
        open: true,
        state_reason: None,
        labels: Vec::new(),
        assignees: Vec::new(),
        milestone: None,
        locked: None,
        created: call.now,
        updated: call.now,
        closed: None,
        closed_by: None,
        pull: None,
    }
}

fn create(call: &Call<'_>, memory: &mut Transaction) -> Answer {
    let fields = call.fields()?;
    let title = fields.required("Issue", "title")?;
    let mut issue = new_issue(call, memory, title);
    take_fields(call, memory, &mut issue, &fields)?;
    memory.put(&issue);
    tell(call, memory, &issue, PostedAction::Created);
    let url = call.api(&format!("issues/{}", issue.number));
    let mut response = ApiResponse::json(201, &IssueView::new(call, memory).issue(&issue));
    response.headers.push(("location".into(), url));
    Ok(response)
}

fn edit(call: &Call<'_>, memory: &mut Transaction, number: u64) -> Answer {
    let mut issue = find_to_change(call, memory, number)?;
    let fields = call.fields()?;
    take_fields(call, memory, &mut issue, &fields)?;
    issue.updated = call.now;
    memory.put(&issue);
    tell(call, memory, &issue, PostedAction::Updated);
    Ok(ApiResponse::json(200, &IssueView::new(call, memory).issue(&issue)))
}

/// The fields that issues and pull requests share, as a body names them.
pub(super) fn take_fields(
    call: &Call<'_>,
    memory: &mut Transaction,
    issue: &mut Issue,
    fields: &Fields,
) -> Result<(), Refusal> {
    if let Some(title) = fields.text("title")? {
        if title.trim().is_empty() {
            return Err(Refusal::invalid("Issue", "title", "missing_field"));
        }
        if title.chars().count() > MAX_TITLE {
            return Err(Refusal::custom("Issue", &format!("title is too long (maximum is {MAX_TITLE} characters)")));
        }
        if issue.title != title {
            if !issue.title.is_empty() && memory.get::<Issue>(issue.number).is_some() {
                let rename = json!({"rename": {"from": issue.title, "to": title}});
                happened(memory, issue.number, call.now, "renamed", rename);
            }
            title.clone_into(&mut issue.title);
        }
    }
    if fields.has("body") {
        issue.body = fields.markdown("body")?.map(str::to_owned);
    }
    if let Some(names) = fields.texts("labels")? {
        set_labels(call, memory, issue, &names)?;
    }
    let assignees = match fields.texts("assignees")? {
        None => fields.text("assignee")?.map(|login| vec![login.to_owned()]),
        some => some,
    };
    if let Some(assignees) = assignees {
        set_assignees(call, memory, issue, assignees);
    }
    if fields.has("milestone") {
        issue.milestone = fields.number("milestone")?;
        if issue.milestone.is_some_and(|number| memory.get::<Milestone>(number).is_none()) {
            return Err(Refusal::invalid("Issue", "milestone", "invalid"));
        }
    }
    match fields.text("state")? {
        None => Ok(()),
        Some("open") => {
            if !issue.open {
                happened(memory, issue.number, call.now, "reopened", json!({}));
                (issue.open, issue.closed, issue.closed_by) = (true, None, None);
                issue.state_reason = Some("reopened".into());
            }
            Ok(())
        }
        Some("closed") => {
            let reason = fields.text("state_reason")?.unwrap_or("completed").to_owned();
            if issue.open {
                happened(memory, issue.number, call.now, "closed", json!({"state_reason": reason}));
                (issue.open, issue.closed, issue.closed_by) = (false, Some(call.now), Some(BOT.into()));
            }
            issue.state_reason = if issue.pull.is_some() { None } else { Some(reason) };
            Ok(())
        }
        Some(_) => Err(Refusal::invalid("Issue", "state", "invalid")),
    }
}

/// Gives the issue exactly these labels; those that the repository does not have are made.
pub(super) fn set_labels(
    call: &Call<'_>,
    memory: &mut Transaction,
    issue: &mut Issue,
    names: &[String],
) -> Result<(), Refusal> {
    labels::check_names(names)?;
    make_labels(memory, names);
    let known = memory.all::<Label>();
    let canonical = |name: &String| known.iter().find(|label| label.name.eq_ignore_ascii_case(name)).cloned();
    let mut wanted: Vec<Label> = Vec::new();
    for found in names.iter().filter_map(canonical) {
        if !wanted.iter().any(|label| label.id == found.id) {
            wanted.push(found);
        }
    }
    let detail = |one: &Label| json!({"label": {"name": one.name, "color": one.color}});
    for added in wanted.iter().filter(|label| !issue.labels.contains(&label.name)) {
        happened(memory, issue.number, call.now, "labeled", detail(added));
    }
    let lost: Vec<&Label> = known.iter().filter(|label| issue.labels.contains(&label.name)).collect();
    for lost in lost.into_iter().filter(|label| !wanted.iter().any(|kept| kept.id == label.id)) {
        happened(memory, issue.number, call.now, "unlabeled", detail(lost));
    }
    issue.labels = wanted.into_iter().map(|label| label.name).collect();
    Ok(())
}

fn set_assignees(call: &Call<'_>, memory: &mut Transaction, issue: &mut Issue, mut logins: Vec<String>) {
    logins.retain(|login| !login.is_empty());
    logins.dedup();
    logins.truncate(MAX_ASSIGNEES);
    for (event, these, those) in [("assigned", &logins, &issue.assignees), ("unassigned", &issue.assignees, &logins)] {
        for login in these.iter().filter(|login| !those.contains(login)) {
            happened(memory, issue.number, call.now, event, json!({"assignee": call.user(login)}));
        }
    }
    issue.assignees = logins;
}

fn assign(call: &Call<'_>, memory: &mut Transaction, method: &str, number: u64) -> Answer {
    let mut issue = find_to_change(call, memory, number)?;
    let named = call.fields()?.texts("assignees")?.unwrap_or_default();
    let mut logins = issue.assignees.clone();
    if method == "POST" {
        logins.extend(named.into_iter().filter(|login| !issue.assignees.contains(login)));
    } else {
        logins.retain(|login| !named.contains(login));
    }
    set_assignees(call, memory, &mut issue, logins);
    issue.updated = call.now;
    memory.put(&issue);
    let status = if method == "POST" { 201 } else { 200 };
    Ok(ApiResponse::json(status, &IssueView::new(call, memory).issue(&issue)))
}

fn lock(call: &Call<'_>, memory: &mut Transaction, method: &str, number: u64) -> Answer {
    let mut issue = find_to_change(call, memory, number)?;
    issue.locked = if method == "PUT" {
        let fields = call.fields()?;
        let reason = fields.text("lock_reason")?.unwrap_or_default();
        if !matches!(reason, "" | "off-topic" | "too heated" | "resolved" | "spam") {
            return Err(Refusal::invalid("Issue", "lock_reason", "invalid"));
        }
        Some(reason.to_owned())
    } else {
        None
    };
    happened(memory, number, call.now, if method == "PUT" { "locked" } else { "unlocked" }, json!({}));
    memory.put(&issue);
    Ok(ApiResponse::empty(204))
}

pub(super) fn tell(call: &Call<'_>, memory: &mut Transaction, issue: &Issue, action: PostedAction) {
    let (kind, word) = if issue.pull.is_some() { ("pull", "Pull request") } else { ("issue", "Issue") };
    let closed = if issue.open { "" } else { " (closed)" };
    let posting = Posting {
        kind,
        object: issue.id,
        title: format!("{word} #{}: {}{closed}", issue.number, issue.title),
        markdown: issue.body.as_deref().unwrap_or_default(),
        url: page(call, issue),
        action,
    };
    memory.posted(call.caller, posting);
}

pub(super) fn label_values(call: &Call<'_>, memory: &Transaction, issue: &Issue) -> Vec<Value> {
    let known = memory.all::<Label>();
    let of = |name: &String| known.iter().find(|label| label.name.eq_ignore_ascii_case(name));
    issue.labels.iter().filter_map(of).map(|found| label(call, found)).collect()
}
