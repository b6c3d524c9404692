//! Fields that stand in REST's answer under another name.

use serde_json::Value;

use super::fact;
use crate::failure::Failure;
use crate::object::Object;
use crate::rest::Rest;

/// What a field is where REST does not say it.
#[derive(Clone, Copy)]
enum Else {
    Null,
    False,
    Zero,
    Empty,
}

pub(super) fn field(rest: &Rest, object: &Object, field: &str) -> Result<Value, Failure> {
    let (pointer, otherwise) = pointer(object.of, field);
    let value = match pointer {
        Some(pointer) => fact(rest, object, pointer)?,
        None => object.rest().get(field).cloned().unwrap_or(Value::Null),
    };
    Ok(match (value, otherwise) {
        (Value::Null, Else::False) => false.into(),
        (Value::Null, Else::Zero) => 0.into(),
        (Value::Null, Else::Empty) => "".into(),
        (value, _) => value,
    })
}

fn pointer(of: &str, field: &str) -> (Option<&'static str>, Else) {
    use Else::{Empty, False, Null, Zero};
    let (pointer, otherwise) = match (of, field) {
        (_, "url" | "permalink") => ("/html_url", Empty),
        (_, "createdAt") => ("/created_at", Null),
        (_, "updatedAt") => ("/updated_at", Null),
        (_, "closedAt") => ("/closed_at", Null),
        (_, "avatarUrl") => ("/avatar_url", Empty),
        (_, "databaseId") => ("/id", Null),
        ("Repository", "nameWithOwner") => ("/full_name", Null),
        ("Repository", "name") => ("/name", Null),
        ("Repository", "description") => ("/description", Null),
        ("Repository", "homepageUrl") => ("/homepage", Null),
        ("Repository", "pushedAt") => ("/pushed_at", Null),
        ("Repository", "sshUrl") => ("/ssh_url", Empty),
        ("Repository", "isPrivate") => ("/private", False),
        ("Repository", "isFork") => ("/fork", False),
        ("Repository", "isArchived") => ("/archived", False),
        ("Repository", "isTemplate") => ("/is_template", False),
        ("Repository", "hasIssuesEnabled") => ("/has_issues", False),
        ("Repository", "hasDiscussionsEnabled") => ("/has_discussions", False),
        ("Repository", "autoMergeAllowed") => ("/allow_auto_merge", False),
        ("Repository", "deleteBranchOnMerge") => ("/delete_branch_on_merge", False),
        ("Repository", "mergeCommitAllowed") => ("/allow_merge_commit", False),
        ("Repository", "squashMergeAllowed") => ("/allow_squash_merge", False),
        ("Repository", "rebaseMergeAllowed") => ("/allow_rebase_merge", False),
        ("Repository", "stargazerCount") => ("/stargazers_count", Zero),
        ("Repository", "forkCount") => ("/forks_count", Zero),
        ("PullRequest", "additions") => ("/additions", Zero),
        ("PullRequest", "deletions") => ("/deletions", Zero),
        ("PullRequest", "changedFiles") => ("/changed_files", Zero),
        ("PullRequest", "baseRefName") => ("/base/ref", Null),
        ("PullRequest", "baseRefOid") => ("/base/sha", Null),
        ("PullRequest", "headRefName") => ("/head/ref", Null),
        ("PullRequest", "headRefOid") => ("/head/sha", Null),
        ("PullRequest", "isDraft") => ("/draft", False),
        ("PullRequest", "merged") => ("/merged", False),
        ("PullRequest", "mergedAt") => ("/merged_at", Null),
        ("PullRequest", "maintainerCanModify") => ("/maintainer_can_modify", False),
        (_, "locked") => ("/locked", False),
        (_, "body" | "bodyText") => ("/body", Empty),
        ("Commit", "oid") => ("/sha", Null),
        ("Commit", "message") => ("/commit/message", Empty),
        ("Commit", "committedDate") => ("/commit/committer/date", Null),
        ("Commit", "authoredDate") => ("/commit/author/date", Null),
        ("Commit", "additions") => ("/stats/additions", Zero),
        ("Commit", "deletions") => ("/stats/deletions", Zero),
        ("PullRequestReview", "submittedAt") => ("/submitted_at", Null),
        ("Label", "isDefault") => ("/default", False),
        ("Milestone", "dueOn") => ("/due_on", Null),
        ("Release", "isDraft") => ("/draft", False),
        ("Release", "isPrerelease") => ("/prerelease", False),
        ("Release", "tagName") => ("/tag_name", Null),
        ("Release", "publishedAt") => ("/published_at", Null),
        ("Release", "description") => ("/body", Null),
        ("ReleaseAsset", "contentType") => ("/content_type", Empty),
        ("ReleaseAsset", "downloadCount") => ("/download_count", Zero),
        ("ReleaseAsset", "downloadUrl") => ("/browser_download_url", Empty),
        ("StatusContext", "targetUrl") => ("/target_url", Null),
        ("CheckRun", "detailsUrl") => ("/details_url", Null),
        ("CheckRun", "startedAt") => ("/started_at", Null),
        ("CheckRun", "completedAt") => ("/completed_at", Null),
        ("CheckRun", "summary") => ("/output/summary", Null),
        ("CheckRun", "title") => ("/output/title", Null),
        // Under the same name.
        (_, "number") => ("/number", Null),
        (_, "title") => ("/title", Empty),
        _ => return (None, if matches!(field, "isTruncated") { False } else { Null }),
    };
    (Some(pointer), otherwise)
}
