//! Pull requests.

use lineclear_forge::ApiResponse;
use serde_json::{Value, json};

use super::issue_view::IssueView;
use super::issues::{find, happened, new_issue, take_fields, tell};
use super::pull_view::{Ends, full, short};
use super::{merging, not_offered, number, pull_code, review_comments, reviews};
use crate::call::{Answer, Call, Fields, Refusal};
use crate::git::is_ref_name;
use crate::journal::Transaction;
use crate::posted::PostedAction;
use crate::record::{Issue, Pull};

pub(super) fn route(call: &Call<'_>, memory: &mut Transaction, method: &str, rest: &[&str]) -> Answer {
    match (method, rest) {
        ("GET", []) => list(call, memory),
        ("POST", []) => create(call, memory),
        (_, ["comments", rest @ ..]) => review_comments::route(call, memory, method, rest),
        ("GET", [n]) => get(call, memory, number(n)?),
        ("PATCH", [n]) => edit(call, memory, number(n)?),
        ("GET", [n, "files"]) => pull_code::files(call, memory, number(n)?),
        ("GET", [n, "commits"]) => pull_code::commits(call, memory, number(n)?),
        ("GET" | "PUT", [n, "merge"]) => merging::pull(call, memory, method, number(n)?),
        (_, [n, "requested_reviewers"]) => reviewers(call, memory, method, number(n)?),
        (_, [n, "reviews", rest @ ..]) => reviews::route(call, memory, method, number(n)?, rest),
        (_, [n, "comments", rest @ ..]) => review_comments::of_pull(call, memory, method, number(n)?, rest),
        ("PUT", [n, "update-branch"]) => merging::update_branch(call, memory, number(n)?),
        _ => not_offered(call),
    }
}

pub(super) fn find_pull(memory: &Transaction, number: u64) -> Result<(Issue, Pull), Refusal> {
    let issue = find(memory, number)?;
    let pull = issue.pull.clone().ok_or_else(Refusal::not_found)?;
    Ok((issue, pull))
}

pub(super) fn all_pulls(memory: &Transaction) -> Vec<(Issue, Pull)> {
    memory.all::<Issue>().into_iter().filter_map(|issue| issue.pull.clone().map(|pull| (issue, pull))).collect()
}

fn get(call: &Call<'_>, memory: &Transaction, number: u64) -> Answer {
    let (issue, pull) = find_pull(memory, number)?;
    let accept = call.request.header("accept").unwrap_or_default();
    let as_text = |text: Vec<u8>| {
        let headers = vec![("content-type".into(), "application/vnd.github.v3.diff; charset=utf-8".into())];
        ApiResponse { status: 200, headers, body: text }
    };
    if accept.contains(".diff") || accept.contains(".patch") {
        let git = call.git()?;
        let (from, head) = Ends::of(git, &pull)?.compared(git)?;
        let text = if accept.contains(".diff") { git.diff_text(&from, &head)? } else { git.patch_text(&from, &head)? };
        return Ok(as_text(text));
    }
    Ok(ApiResponse::json(200, &full(call, memory, &issue, &pull)?))
}

fn list(call: &Call<'_>, memory: &Transaction) -> Answer {
    let owner = &call.facts().owner;
    let wanted = call.query("state").unwrap_or("open");
    let mut found = all_pulls(memory);
    found.retain(|(issue, pull)| {
        let head_owner = pull.head_repository.split('/').next().filter(|name| !name.is_empty()).unwrap_or(owner);
        (wanted == "all" || (wanted == "open") == issue.open)
            && call.query("base").is_none_or(|base| pull.base_ref == base)
            // Without a colon GitHub takes no notice of `head`.
            && call.query("head").and_then(|head| head.split_once(':')).is_none_or(|(user, branch)| {
                user.eq_ignore_ascii_case(head_owner) && branch == pull.head_ref
            })
    });
    let sort = call.query("sort").unwrap_or("created");
    match sort {
        "updated" => found.sort_by_key(|(issue, _)| (issue.updated, issue.number)),
        "popularity" => {
            let view = IssueView::new(call, memory);
            found.sort_by_key(|(issue, _)| (view.comments_of(issue.number), issue.number));
        }
        _ => {}
    }
    let usual = if sort == "created" { "desc" } else { "asc" };
    if call.query("direction").unwrap_or(usual) == "desc" {
        found.reverse();
    }
    page_of(call, memory, &found)
}

/// One page of pull requests; git is asked for those on it only.
pub(super) fn page_of(call: &Call<'_>, memory: &Transaction, found: &[(Issue, Pull)]) -> Answer {
    let view = IssueView::new(call, memory);
    let mut fault = None;
    let page = call.page(found, |(issue, pull)| {
        short(call, &view, issue, pull).unwrap_or_else(|refusal| {
            fault = Some(refusal);
            Value::Null
        })
    });
    fault.map_or(Ok(page), Err)
}

fn create(call: &Call<'_>, memory: &mut Transaction) -> Answer {
    let fields = call.fields()?;
    let git = call.git()?;
    let owner = &call.facts().owner;
    let named = fields.required("PullRequest", "head")?;
    let head = match named.split_once(':') {
        Some((user, branch)) if user.eq_ignore_ascii_case(owner) => branch,
        Some(_) => return Err(Refusal::invalid("PullRequest", "head", "invalid")),
        None => named,
    };
    let base = fields.required("PullRequest", "base")?;
    let branch = |field: &str, name: &str| -> Result<String, Refusal> {
        let found = if is_ref_name(name) { git.resolve(&format!("refs/heads/{name}"))? } else { None };
        found.ok_or_else(|| Refusal::invalid("PullRequest", field, "invalid"))
    };
    let (head_sha, base_sha) = (branch("head", head)?, branch("base", base)?);
    let same = |(issue, pull): &(Issue, Pull)| {
        issue.open && pull.head_ref == head && pull.base_ref == base && pull.head_repository.is_empty()
    };
    if all_pulls(memory).iter().any(same) {
        return Err(Refusal::custom("PullRequest", &format!("A pull request already exists for {owner}:{head}.")));
    }
    if git.count(&head_sha, &base_sha)? == 0 {
        return Err(Refusal::custom("PullRequest", &format!("No commits between {base} and {head}")));
    }
    let pull = Pull {
        head_ref: head.to_owned(),
        head_sha,
        head_repository: String::new(),
        follows_branch: true,
        base_ref: base.to_owned(),
        base_sha,
        draft: fields.flag("draft")?.unwrap_or(false),
        reviewers: Vec::new(),
        team_reviewers: Vec::new(),
        maintainer_can_modify: fields.flag("maintainer_can_modify")?.unwrap_or(false),
        merged: None,
    };
    let mut issue = match fields.number("issue")? {
        Some(number) => find(memory, number)?,
        None => new_issue(call, memory, fields.required("PullRequest", "title")?),
    };
    if issue.pull.is_some() {
        return Err(Refusal::invalid("PullRequest", "issue", "invalid"));
    }
    issue.pull = Some(pull);
    take_common(call, memory, &mut issue, &fields)?;
    memory.put(&issue);
    set_head_ref(call, &issue)?;
    tell(call, memory, &issue, PostedAction::Created);
    let (issue, pull) = find_pull(memory, issue.number)?;
    let mut response = ApiResponse::json(201, &full(call, memory, &issue, &pull)?);
    response.headers.push(("location".into(), call.api(&format!("pulls/{}", issue.number))));
    Ok(response)
}

/// Title, body and state; labels and the like are changed through the issue.
fn take_common(call: &Call<'_>, memory: &mut Transaction, issue: &mut Issue, fields: &Fields) -> Result<(), Refusal> {
    let mut common = json!({});
    for name in ["title", "body", "state"] {
        if fields.has(name) {
            common[name] = fields.value(name).clone();
        }
    }
    take_fields(call, memory, issue, &Fields(common))
}

/// `refs/pull/N/head`, which checkouts ask for.
pub(super) fn set_head_ref(call: &Call<'_>, issue: &Issue) -> Result<(), Refusal> {
    let git = call.git()?;
    if let Some(pull) = &issue.pull {
        let ends = Ends::of(git, pull)?;
        if let Some(head) = git.resolve(&ends.head)? {
            git.set_ref(&format!("refs/pull/{}/head", issue.number), &head, None)?;
        }
    }
    Ok(())
}

fn edit(call: &Call<'_>, memory: &mut Transaction, number: u64) -> Answer {
    let (mut issue, mut pull) = find_pull(memory, number)?;
    let fields = call.fields()?;
    if let Some(base) = fields.text("base")? {
        let sha = if is_ref_name(base) { call.git()?.resolve(&format!("refs/heads/{base}"))? } else { None };
        pull.base_sha = sha.ok_or_else(|| Refusal::invalid("PullRequest", "base", "invalid"))?;
        base.clone_into(&mut pull.base_ref);
    }
    if let Some(flag) = fields.flag("maintainer_can_modify")? {
        pull.maintainer_can_modify = flag;
    }
    // Not in GitHub's REST API, where GraphQL does it: `draft` turns a pull request into a draft, or makes it ready.
    if let Some(draft) = fields.flag("draft")? {
        if draft != pull.draft {
            let event = if draft { "convert_to_draft" } else { "ready_for_review" };
            happened(memory, number, call.now, event, json!({}));
        }
        pull.draft = draft;
    }
    if pull.merged.is_some() && fields.text("state")? == Some("open") {
        return Err(Refusal::custom("PullRequest", "state cannot be changed. The pull request was merged."));
    }
    issue.pull = Some(pull);
    take_common(call, memory, &mut issue, &fields)?;
    issue.updated = call.now;
    memory.put(&issue);
    tell(call, memory, &issue, PostedAction::Updated);
    let (issue, pull) = find_pull(memory, number)?;
    Ok(ApiResponse::json(200, &full(call, memory, &issue, &pull)?))
}

fn reviewers(call: &Call<'_>, memory: &mut Transaction, method: &str, number: u64) -> Answer {
    let (mut issue, mut pull) = find_pull(memory, number)?;
    if method == "GET" {
        let users: Vec<Value> = pull.reviewers.iter().map(|login| call.user(login)).collect();
        let teams: Vec<Value> = pull.team_reviewers.iter().map(|slug| json!({"name": slug, "slug": slug})).collect();
        return Ok(ApiResponse::json(200, &json!({"users": users, "teams": teams})));
    }
    let fields = call.fields()?;
    let users = fields.texts("reviewers")?.unwrap_or_default();
    let teams = fields.texts("team_reviewers")?.unwrap_or_default();
    match method {
        "POST" => {
            if users.iter().any(|login| login.eq_ignore_ascii_case(&issue.user)) {
                return Err(Refusal::said(422, "Review cannot be requested from pull request author."));
            }
            for login in users.iter().filter(|login| !pull.reviewers.contains(login)) {
                happened(memory, number, call.now, "review_requested", json!({"requested_reviewer": call.user(login)}));
            }
            pull.reviewers.extend(users);
            pull.team_reviewers.extend(teams);
            for list in [&mut pull.reviewers, &mut pull.team_reviewers] {
                list.sort();
                list.dedup();
            }
        }
        "DELETE" => {
            pull.reviewers.retain(|known| !users.contains(known));
            pull.team_reviewers.retain(|known| !teams.contains(known));
        }
        _ => return not_offered(call),
    }
    issue.pull = Some(pull.clone());
    issue.updated = call.now;
    memory.put(&issue);
    let status = if method == "POST" { 201 } else { 200 };
    Ok(ApiResponse::json(status, &short(call, &IssueView::new(call, memory), &issue, &pull)?))
}
