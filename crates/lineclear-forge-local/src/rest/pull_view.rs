//! Pull requests as they are shown, and where their two ends are.

use lineclear_forge::NodeKind;
use serde_json::{Value, json};

use super::issue_view::{IssueView, page, state};
use super::repository;
use crate::call::{Call, Refusal, encoded, node, time};
use crate::git::{Git, GitError};
use crate::journal::Transaction;
use crate::person::BOT;
use crate::record::{Issue, Pull, Review, ReviewComment};

/// The commits that a pull request is about. Empty where the repository does not have them.
#[derive(Clone, Debug)]
pub(super) struct Ends {
    pub(super) head: String,
    pub(super) base: String,
}

impl Ends {
    pub(super) fn of(git: &Git, pull: &Pull) -> Result<Self, GitError> {
        let branch = |name: &str| git.resolve(&format!("heads/{name}"));
        let or_branch = |sha: &str, name: &str| -> Result<String, GitError> {
            Ok(if sha.is_empty() { branch(name)?.unwrap_or_default() } else { sha.to_owned() })
        };
        let merged = pull.merged.is_some();
        let head = match pull.follows_branch && !merged {
            true => branch(&pull.head_ref)?.unwrap_or_else(|| pull.head_sha.clone()),
            false => or_branch(&pull.head_sha, &pull.head_ref)?,
        };
        let base = match pull.follows_branch && !merged {
            true => branch(&pull.base_ref)?.unwrap_or_else(|| pull.base_sha.clone()),
            false => or_branch(&pull.base_sha, &pull.base_ref)?,
        };
        Ok(Self { head, base })
    }

    /// What the head is compared with: where it left the base, or the base where they have nothing in common.
    ///
    /// # Errors
    /// 404 when one of the two is not in the repository.
    pub(super) fn compared(&self, git: &Git) -> Result<(String, String), Refusal> {
        let missing = |sha: &str| Refusal::said(404, &format!("Not Found: commit `{sha}` is not in the repository"));
        let head = git.resolve(&self.head)?.ok_or_else(|| missing(&self.head))?;
        let base = git.resolve(&self.base)?.ok_or_else(|| missing(&self.base))?;
        let from = git.merge_base(&base, &head)?.unwrap_or(base);
        Ok((from, head))
    }
}

/// What lists show of a pull request.
pub(super) fn short(call: &Call<'_>, view: &IssueView<'_>, issue: &Issue, pull: &Pull) -> Result<Value, Refusal> {
    let ends = Ends::of(call.git()?, pull)?;
    let number = issue.number;
    let url = call.api(&format!("pulls/{number}"));
    let issue_url = call.api(&format!("issues/{number}"));
    let html = page(call, issue);
    let facts = call.facts();
    let owner = facts.owner.as_str();
    let head_owner = pull.head_repository.split('/').next().filter(|name| !name.is_empty()).unwrap_or(owner);
    let repo = repository::brief(call);
    let head_repo =
        if pull.head_repository.is_empty() { repo.clone() } else { repository::other(call, &pull.head_repository) };
    let statuses = call.api(&format!("statuses/{}", ends.head));
    let shared = view.issue(issue);
    Ok(json!({
        "url": url,
        "id": issue.id,
        "node_id": node(NodeKind::PullRequest, number),
        "html_url": html,
        "diff_url": format!("{html}.diff"),
        "patch_url": format!("{html}.patch"),
        "issue_url": issue_url,
        "commits_url": format!("{url}/commits"),
        "review_comments_url": format!("{url}/comments"),
        "review_comment_url": call.api("pulls/comments{/number}"),
        "comments_url": format!("{issue_url}/comments"),
        "statuses_url": statuses,
        "number": number,
        "state": state(issue),
        "locked": issue.locked.is_some(),
        "title": issue.title,
        "user": shared["user"],
        "body": issue.body,
        "labels": shared["labels"],
        "milestone": shared["milestone"],
        "active_lock_reason": shared["active_lock_reason"],
        "created_at": time(issue.created),
        "updated_at": time(issue.updated),
        "closed_at": issue.closed.map(time),
        "merged_at": pull.merged.as_ref().map(|merged| time(merged.at)),
        "merge_commit_sha": merge_commit(call, number, pull),
        "assignee": shared["assignee"],
        "assignees": shared["assignees"],
        "requested_reviewers": pull.reviewers.iter().map(|login| call.user(login)).collect::<Vec<_>>(),
        "requested_teams": pull.team_reviewers.iter().map(|slug| json!({"name": slug, "slug": slug})).collect::<Vec<_>>(),
        "head": {
            "label": format!("{head_owner}:{}", pull.head_ref),
            "ref": pull.head_ref,
            "sha": ends.head,
            "user": call.user(head_owner),
            "repo": head_repo,
        },
        "base": {
            "label": format!("{owner}:{}", pull.base_ref),
            "ref": pull.base_ref,
            "sha": ends.base,
            "user": call.user(owner),
            "repo": repo,
        },
        "_links": {
            "self": {"href": url},
            "html": {"href": html},
            "issue": {"href": issue_url},
            "comments": {"href": format!("{issue_url}/comments")},
            "review_comments": {"href": format!("{url}/comments")},
            "review_comment": {"href": call.api("pulls/comments{/number}")},
            "commits": {"href": format!("{url}/commits")},
            "statuses": {"href": statuses},
        },
        "author_association": call.association(&issue.user),
        "auto_merge": null,
        "draft": pull.draft,
    }))
}

/// The whole pull request, with what has to be counted.
pub(super) fn full(call: &Call<'_>, memory: &Transaction, issue: &Issue, pull: &Pull) -> Result<Value, Refusal> {
    let view = IssueView::new(call, memory);
    let git = call.git()?;
    let mut shown = short(call, &view, issue, pull)?;
    let ends = Ends::of(git, pull)?;
    let (mut commits, mut additions, mut deletions, mut files) = (0, 0, 0, 0);
    let mut mergeable = None;
    if let Ok((from, head)) = ends.compared(git) {
        commits = git.count(&head, &from)?;
        let changes = git.changes(&from, &head)?;
        files = changes.len();
        additions = changes.iter().map(|change| change.additions).sum();
        deletions = changes.iter().map(|change| change.deletions).sum::<u64>();
        let onto = git.resolve(&format!("heads/{}", pull.base_ref))?.unwrap_or_else(|| ends.base.clone());
        if issue.open {
            mergeable = Some(git.merged_tree(&onto, &head)?.is_some());
        }
    }
    let remarks = memory.all::<ReviewComment>().iter().filter(|comment| comment.pull == issue.number).count();
    let state = match mergeable {
        None => "unknown",
        Some(false) => "dirty",
        Some(true) if pull.draft => "draft",
        Some(true) => "clean",
    };
    for (name, value) in [
        ("merged", json!(pull.merged.is_some())),
        ("mergeable", json!(mergeable)),
        ("rebaseable", json!(mergeable)),
        ("mergeable_state", json!(state)),
        ("merged_by", pull.merged.as_ref().map_or(Value::Null, |merged| call.user(&merged.by))),
        ("comments", json!(view.comments_of(issue.number))),
        ("review_comments", json!(remarks)),
        ("maintainer_can_modify", json!(pull.maintainer_can_modify)),
        ("commits", json!(commits)),
        ("additions", json!(additions)),
        ("deletions", json!(deletions)),
        ("changed_files", json!(files)),
    ] {
        shown[name] = value;
    }
    Ok(shown)
}

/// The merge commit: made, or of the event.
fn merge_commit(call: &Call<'_>, number: u64, pull: &Pull) -> Option<String> {
    let facts = call.facts();
    let of_event = facts.pull.as_ref().is_some_and(|pull| pull.number == number) && !facts.sha.is_empty();
    pull.merged.as_ref().map(|merged| merged.sha.clone()).or_else(|| of_event.then(|| facts.sha.clone()))
}

pub(super) fn review(call: &Call<'_>, review: &Review) -> Value {
    let page = format!("{}#pullrequestreview-{}", call.html(&format!("pull/{}", review.pull)), review.id);
    let pull = call.api(&format!("pulls/{}", review.pull));
    json!({
        "id": review.id,
        "node_id": node(NodeKind::Review, review.id),
        "user": call.user(&review.user),
        "body": review.body,
        "state": review.state,
        "html_url": page,
        "pull_request_url": pull,
        "author_association": call.association(&review.user),
        "_links": {"html": {"href": page}, "pull_request": {"href": pull}},
        "submitted_at": review.submitted.map(time),
        "commit_id": review.commit,
    })
}

pub(super) fn review_comment(call: &Call<'_>, comment: &ReviewComment) -> Value {
    let url = call.api(&format!("pulls/comments/{}", comment.id));
    let page = format!("{}#discussion_r{}", call.html(&format!("pull/{}", comment.pull)), comment.id);
    let pull = call.api(&format!("pulls/{}", comment.pull));
    json!({
        "url": url,
        "pull_request_review_id": comment.review,
        "id": comment.id,
        "node_id": node(NodeKind::ReviewComment, comment.id),
        "diff_hunk": "",
        "path": comment.path,
        "commit_id": comment.commit,
        "original_commit_id": comment.commit,
        "user": call.user(&comment.user),
        "body": comment.body,
        "created_at": time(comment.created),
        "updated_at": time(comment.updated),
        "html_url": page,
        "pull_request_url": pull,
        "author_association": call.association(&comment.user),
        "_links": {"self": {"href": url}, "html": {"href": page}, "pull_request": {"href": pull}},
        "position": comment.position,
        "original_position": comment.position,
        "line": comment.line,
        "original_line": comment.line,
        "start_line": comment.start_line,
        "original_start_line": comment.start_line,
        "side": comment.side,
        "start_side": comment.start_side,
        "subject_type": if comment.line.is_some() || comment.position.is_some() { "line" } else { "file" },
        "in_reply_to_id": comment.reply_to,
    })
}

/// The mail address of a job's commits, when nobody says another.
pub(super) fn bot_mail() -> String {
    format!("41898282+{BOT}@users.noreply.github.com")
}

/// An address in the repository for a path at a commit.
pub(super) fn at_commit(call: &Call<'_>, kind: &str, commit: &str, path: &str) -> String {
    let path: Vec<String> = path.split('/').map(encoded).collect();
    call.html(&format!("{kind}/{commit}/{}", path.join("/")))
}
