//! Merging: pull requests, branches, and a pull request's branch with its base. All in the forge's own repository.

use lineclear_forge::ApiResponse;
use serde_json::json;

use super::commits::commit as commit_view;
use super::issues::{happened, tell};
use super::pull_view::{Ends, bot_mail};
use super::pulls::{find_pull, set_head_ref};
use crate::call::{Answer, Call, Refusal, time};
use crate::git::{Git, NewCommit, Person, is_ref_name};
use crate::journal::Transaction;
use crate::person::BOT;
use crate::posted::PostedAction;
use crate::record::Merged;

pub(super) fn bot(call: &Call<'_>) -> Person {
    Person { name: BOT.into(), email: bot_mail(), date: time(call.now) }
}

pub(super) fn pull(call: &Call<'_>, memory: &mut Transaction, method: &str, number: u64) -> Answer {
    let (mut issue, mut pull) = find_pull(memory, number)?;
    if method == "GET" {
        return if pull.merged.is_some() { Ok(ApiResponse::empty(204)) } else { Err(Refusal::not_found()) };
    }
    let fields = call.fields()?;
    let refused = || Refusal::said(405, "Pull Request is not mergeable");
    if !issue.open || pull.draft {
        return Err(refused());
    }
    let git = call.git()?;
    let head = git.resolve(&Ends::of(git, &pull)?.head)?.ok_or_else(refused)?;
    if fields.text("sha")?.is_some_and(|sha| sha != head) {
        return Err(Refusal::said(409, "Head branch was modified. Review and try the merge again."));
    }
    let base = git.resolve(&format!("refs/heads/{}", pull.base_ref))?.ok_or_else(refused)?;
    let tree = git.merged_tree(&base, &head)?.ok_or_else(refused)?;
    let title = fields.text("commit_title")?;
    let body = fields.text("commit_message")?;
    let by = bot(call);
    let make = |parents: &[String], usual: String| {
        let message = [title.unwrap_or(&usual), body.unwrap_or_default()].join("\n\n").trim().to_owned();
        git.write_commit(&NewCommit { tree: &tree, parents, message: &message, author: &by, committer: &by })
    };
    let sha = match fields.text("merge_method")?.unwrap_or("merge") {
        "merge" => {
            let usual = format!("Merge pull request #{number} from {}/{}", call.facts().owner, pull.head_ref);
            make(&[base.clone(), head.clone()], usual)?
        }
        "squash" => make(std::slice::from_ref(&base), format!("{} (#{number})", issue.title))?,
        "rebase" if git.is_ancestor(&base, &head)? => head.clone(),
        "rebase" => return Err(Refusal::said(405, "the embedded forge rebases only a head that its base leads to")),
        _ => return Err(Refusal::invalid("PullRequest", "merge_method", "invalid")),
    };
    git.set_ref(&format!("refs/heads/{}", pull.base_ref), &sha, Some(&base))?;
    pull.head_sha = head;
    pull.base_sha = base;
    pull.merged = Some(Merged { at: call.now, by: BOT.into(), sha: sha.clone() });
    issue.pull = Some(pull);
    (issue.open, issue.closed, issue.closed_by) = (false, Some(call.now), Some(BOT.into()));
    issue.updated = call.now;
    memory.put(&issue);
    happened(memory, number, call.now, "merged", json!({"commit_id": sha}));
    happened(memory, number, call.now, "closed", json!({}));
    tell(call, memory, &issue, PostedAction::Updated);
    let answer = json!({"sha": sha, "merged": true, "message": "Pull Request successfully merged"});
    Ok(ApiResponse::json(200, &answer))
}

pub(super) fn update_branch(call: &Call<'_>, memory: &mut Transaction, number: u64) -> Answer {
    let (issue, pull) = find_pull(memory, number)?;
    let git = call.git()?;
    let branch = format!("refs/heads/{}", pull.head_ref);
    let (head, base) = (git.resolve(&branch)?, git.resolve(&format!("refs/heads/{}", pull.base_ref))?);
    let (Some(head), Some(base)) = (head, base) else {
        return Err(Refusal::said(422, "the branches of this pull request are not in the repository"));
    };
    if !git.is_ancestor(&base, &head)? {
        let conflict = || Refusal::said(422, "merge conflict between base and head");
        let message = format!("Merge branch '{}' into {}", pull.base_ref, pull.head_ref);
        let new = merge(call, git, &head, &base, &message)?.ok_or_else(conflict)?;
        git.set_ref(&branch, &new, Some(&head))?;
        set_head_ref(call, &issue)?;
    }
    let url = call.api(&format!("pulls/{number}"));
    Ok(ApiResponse::json(202, &json!({"message": "Updating pull request branch.", "url": url})))
}

/// `POST /repos/{owner}/{repo}/merges`.
pub(super) fn merge_branches(call: &Call<'_>, method: &str) -> Answer {
    if method != "POST" {
        return super::not_offered(call);
    }
    let fields = call.fields()?;
    let (base, head) = (fields.required("Merge", "base")?, fields.required("Merge", "head")?);
    let git = call.git()?;
    let branch = format!("refs/heads/{base}");
    let onto = if is_ref_name(base) { git.resolve(&branch)? } else { None };
    let onto = onto.ok_or_else(|| Refusal::said(404, "Base does not exist"))?;
    let from = git.resolve(head)?.ok_or_else(|| Refusal::said(404, "Head does not exist"))?;
    if git.is_ancestor(&from, &onto)? {
        return Ok(ApiResponse::empty(204));
    }
    let usual = format!("Merge {head} into {base}");
    let message = fields.text("commit_message")?.unwrap_or(&usual);
    let new = merge(call, git, &onto, &from, message)?.ok_or_else(|| Refusal::said(409, "Merge conflict"))?;
    git.set_ref(&branch, &new, Some(&onto))?;
    let made = git.commit(&new)?.ok_or_else(Refusal::not_found)?;
    Ok(ApiResponse::json(201, &commit_view(call, &made)))
}

fn merge(call: &Call<'_>, git: &Git, ours: &str, theirs: &str, message: &str) -> Result<Option<String>, Refusal> {
    let Some(tree) = git.merged_tree(ours, theirs)? else { return Ok(None) };
    let by = bot(call);
    let parents = [ours.to_owned(), theirs.to_owned()];
    Ok(Some(git.write_commit(&NewCommit { tree: &tree, parents: &parents, message, author: &by, committer: &by })?))
}
