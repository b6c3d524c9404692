//! Commits.

use lineclear_forge::{ApiResponse, NodeKind};
use serde_json::{Value, json};

use super::pull_view::Ends;
use super::pull_view::at_commit;
use super::pulls::{all_pulls, page_of};
use super::{branches, checks, commit_comments, not_offered, statuses, suites};
use crate::call::{Answer, Call, Refusal, encoded_path, named_node};
use crate::git::{Change, Commit, Log, is_object_id};
use crate::journal::Transaction;

/// GitHub shows no more files of a commit than these.
const MAX_FILES: usize = 3000;

pub(super) fn route(call: &Call<'_>, memory: &mut Transaction, method: &str, rest: &[&str]) -> Answer {
    match (method, rest) {
        ("GET", []) => list(call),
        ("GET", [name @ .., "status"]) if !name.is_empty() => statuses::combined(call, memory, &resolved(call, name)?),
        ("GET", [name @ .., "statuses"]) if !name.is_empty() => statuses::list(call, memory, &resolved(call, name)?),
        ("GET", [name @ .., "check-runs"]) if !name.is_empty() => {
            checks::of_commit(call, memory, &resolved(call, name)?)
        }
        ("GET", [name @ .., "check-suites"]) if !name.is_empty() => {
            suites::of_commit(call, memory, &resolved(call, name)?)
        }
        ("GET", [name @ .., "pulls"]) if !name.is_empty() => pulls(call, memory, &resolved(call, name)?),
        ("GET", [name @ .., "branches-where-head"]) if !name.is_empty() => {
            branches::with_head(call, &resolved(call, name)?)
        }
        (_, [name @ .., "comments"]) if !name.is_empty() => {
            commit_comments::of_commit(call, memory, method, &resolved(call, name)?)
        }
        ("GET", name) => get(call, &name.join("/")),
        _ => not_offered(call),
    }
}

/// The commit that a path names. The event's commit is known even where the repository does not have it.
///
/// # Errors
/// 422, as GitHub says it.
fn resolved(call: &Call<'_>, name: &[&str]) -> Result<String, Refusal> {
    let name = name.join("/");
    known(call, &name)
}

pub(super) fn known(call: &Call<'_>, name: &str) -> Result<String, Refusal> {
    let facts = call.facts();
    if is_object_id(name) && (name == facts.sha || facts.pull.as_ref().is_some_and(|pull| pull.head_sha == name)) {
        return Ok(name.to_owned());
    }
    call.git()?.resolve(name)?.ok_or_else(|| {
        let shown: String = name.chars().take(100).collect();
        Refusal::said(422, &format!("No commit found for SHA: {shown}"))
    })
}

fn list(call: &Call<'_>) -> Answer {
    let git = call.git()?;
    let name = call.query("sha").filter(|name| !name.is_empty()).unwrap_or("HEAD");
    let Some(from) = git.resolve(name)? else {
        if call.query("sha").is_none() {
            return Err(Refusal::said(409, "Git Repository is empty."));
        }
        return Err(Refusal::not_found());
    };
    let (page, size) = call.place();
    // One more than shown tells whether there is a next page, and so whether the rest has to be counted.
    let log = Log {
        from: &from,
        path: call.query("path").filter(|path| !path.is_empty()),
        author: call.query("author"),
        since: call.query("since"),
        until: call.query("until"),
        skip: (page - 1).saturating_mul(size).min(1 << 30),
        most: size + 1,
        ..Log::default()
    };
    let found = git.log(&log)?;
    let shown = |place: usize| found.get(place - log.skip).map_or(Value::Null, |one| commit(call, one));
    let total = if found.len() > size { git.count_of(&log)? } else { log.skip.saturating_add(found.len()) };
    Ok(call.page_of(total, shown, |shown, _| Value::Array(shown)))
}

fn get(call: &Call<'_>, name: &str) -> Answer {
    let git = call.git()?;
    let sha = known(call, name)?;
    let found = git.commit(&sha)?.ok_or_else(|| Refusal::said(422, &format!("No commit found for SHA: {sha}")))?;
    let accept = call.request.header("accept").unwrap_or_default();
    if accept.contains(".sha") {
        let headers = vec![("content-type".into(), "application/vnd.github.v3.sha; charset=utf-8".into())];
        return Ok(ApiResponse { status: 200, headers, body: sha.into_bytes() });
    }
    let before = match found.parents.first() {
        Some(parent) if git.object(parent)?.is_some() => parent.clone(),
        _ => git.write_tree(None, &[])?,
    };
    if accept.contains(".diff") || accept.contains(".patch") {
        let headers = vec![("content-type".into(), "application/vnd.github.v3.diff; charset=utf-8".into())];
        return Ok(ApiResponse { status: 200, headers, body: git.diff_text(&before, &sha)? });
    }
    let mut changes = git.changes(&before, &sha)?;
    let (additions, deletions) = sums(&changes);
    changes.truncate(MAX_FILES);
    let (page, size) = call.place();
    let size = if call.query("per_page").is_some() { size } else { 300 };
    let start = (page - 1).saturating_mul(size).min(changes.len());
    let end = start.saturating_add(size).min(changes.len());
    let mut shown = commit(call, &found);
    shown["stats"] = json!({"total": additions + deletions, "additions": additions, "deletions": deletions});
    shown["files"] = json!(changed_files(call, &before, &sha, &changes[start..end])?);
    Ok(ApiResponse::json(200, &shown))
}

pub(super) fn sums(changes: &[Change]) -> (u64, u64) {
    changes.iter().fold((0, 0), |(added, removed), change| (added + change.additions, removed + change.deletions))
}

/// Open pull requests that have this commit.
fn pulls(call: &Call<'_>, memory: &Transaction, sha: &str) -> Answer {
    let git = call.git()?;
    let mut found = Vec::new();
    for (issue, pull) in all_pulls(memory) {
        let head = Ends::of(git, &pull)?.head;
        let merged = pull.merged.as_ref().is_some_and(|merged| merged.sha == sha);
        let of_event =
            call.facts().sha == sha && call.facts().pull.as_ref().is_some_and(|pull| pull.number == issue.number);
        let inside = || -> Result<bool, Refusal> {
            let Ok((from, head)) = Ends::of(git, &pull)?.compared(git) else { return Ok(false) };
            let known = git.resolve(sha)?.is_some();
            Ok(known && git.is_ancestor(sha, &head)? && !git.is_ancestor(sha, &from)?)
        };
        if head == sha || merged || of_event || inside()? {
            found.push((issue, pull));
        }
    }
    page_of(call, memory, &found)
}

pub(super) fn commit(call: &Call<'_>, commit: &Commit) -> Value {
    let url = call.api(&format!("commits/{}", commit.sha));
    let person = |(name, email, date): &(String, String, String)| json!({"name": name, "email": email, "date": date});
    let parents: Vec<Value> = commit.parents.iter().map(|parent| parent_view(call, parent)).collect();
    json!({
        "sha": commit.sha,
        "node_id": named_node(NodeKind::Commit, &commit.sha),
        "commit": {
            "author": person(&commit.author),
            "committer": person(&commit.committer),
            "message": commit.message,
            "tree": {"sha": commit.tree, "url": call.api(&format!("git/trees/{}", commit.tree))},
            "url": call.api(&format!("git/commits/{}", commit.sha)),
            "comment_count": 0,
            "verification": unverified(),
        },
        "url": url,
        "html_url": call.html(&format!("commit/{}", commit.sha)),
        "comments_url": format!("{url}/comments"),
        "author": login_of(&commit.author.1).map(|login| call.user(login)),
        "committer": login_of(&commit.committer.1).map(|login| call.user(login)),
        "parents": parents,
    })
}

fn parent_view(call: &Call<'_>, sha: &str) -> Value {
    json!({
        "sha": sha,
        "url": call.api(&format!("commits/{sha}")),
        "html_url": call.html(&format!("commit/{sha}")),
    })
}

/// No signature is checked here, so none is said to be good.
pub(super) fn unverified() -> Value {
    json!({"verified": false, "reason": "unsigned", "signature": null, "payload": null, "verified_at": null})
}

/// The account behind an address that GitHub gave out: `<id>+<login>@users.noreply.github.com`.
pub(super) fn login_of(mail: &str) -> Option<&str> {
    let local = mail.strip_suffix("@users.noreply.github.com")?;
    Some(local.split_once('+').map_or(local, |(_, login)| login))
}

pub(super) fn changed_files(call: &Call<'_>, from: &str, to: &str, changes: &[Change]) -> Result<Vec<Value>, Refusal> {
    let patches = call.git()?.patches(from, to, changes)?;
    let shown = changes.iter().zip(patches).map(|(change, patch)| {
        let mut file = json!({
            "sha": change.blob,
            "filename": change.path,
            "status": change.status,
            "additions": change.additions,
            "deletions": change.deletions,
            "changes": change.additions + change.deletions,
            "blob_url": at_commit(call, "blob", to, &change.path),
            "raw_url": at_commit(call, "raw", to, &change.path),
            "contents_url": call.api(&format!("contents/{}?ref={to}", encoded_path(&change.path))),
        });
        if let Some(patch) = patch {
            file["patch"] = json!(patch);
        }
        if let Some(previous) = &change.previous {
            file["previous_filename"] = json!(previous);
        }
        file
    });
    Ok(shown.collect())
}
