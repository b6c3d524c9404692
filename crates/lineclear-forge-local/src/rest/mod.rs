//! The calls of GitHub's REST API, one module for each kind of thing.

mod artifacts;
mod assets;
mod attestations;
mod branches;
mod caches;
mod checks;
mod comments;
mod commit_comments;
mod commits;
mod compare;
mod contents;
mod dependencies;
mod deployments;
mod dispatches;
mod git_data;
mod issue_view;
mod issues;
mod labels;
mod lookup;
mod merging;
mod milestones;
mod pages;
mod permissions;
mod pull_code;
mod pull_view;
mod pulls;
mod reactions;
mod refs;
mod releases;
mod repository;
mod review_comments;
mod reviews;
mod run_view;
mod runs;
mod sarif;
mod scanning;
mod statuses;
mod suites;
mod variables;
mod workflows;

use crate::call::{Answer, Call, Refusal};
use crate::journal::Transaction;

/// `below` is what stands behind `/repos/{owner}/{repo}/`.
pub(crate) fn in_repository(call: &Call<'_>, memory: &mut Transaction, method: &str, below: &[&str]) -> Answer {
    match below {
        ["issues", "comments", rest @ ..] => comments::route(call, memory, method, rest),
        ["issues", "events", rest @ ..] => issues::events(call, memory, method, rest),
        ["issues", rest @ ..] => issues::route(call, memory, method, rest),
        ["labels", rest @ ..] => labels::route(call, memory, method, rest),
        ["milestones", rest @ ..] => milestones::route(call, memory, method, rest),
        ["assignees", rest @ ..] => issues::assignable(call, method, rest),
        ["pulls", rest @ ..] => pulls::route(call, memory, method, rest),
        ["comments", rest @ ..] => commit_comments::route(call, memory, method, rest),
        ["commits", rest @ ..] => commits::route(call, memory, method, rest),
        ["statuses", rest @ ..] => statuses::route(call, memory, method, rest),
        ["check-runs", rest @ ..] => checks::route(call, memory, method, rest),
        ["check-suites", rest @ ..] => suites::route(call, memory, method, rest),
        ["releases", rest @ ..] => releases::route(call, memory, method, rest),
        ["deployments", rest @ ..] => deployments::route(call, memory, method, rest),
        ["environments", rest @ ..] => deployments::environments(call, memory, method, rest),
        ["code-scanning", rest @ ..] => scanning::route(call, memory, method, rest),
        ["contents", rest @ ..] => contents::route(call, method, rest),
        ["readme"] => contents::readme(call, method),
        ["git", rest @ ..] => git_data::route(call, method, rest),
        ["compare", rest @ ..] => compare::route(call, memory, method, rest),
        ["branches", rest @ ..] => branches::route(call, method, rest),
        ["tags"] => branches::tags(call, method),
        ["merges"] => merging::merge_branches(call, method),
        ["tarball" | "zipball", ..] => contents::archive(call, method, below),
        ["actions", "permissions", rest @ ..] => permissions::route(method, rest, call),
        ["actions", "variables", rest @ ..] => variables::route(call, memory, method, rest),
        ["actions", "artifacts", rest @ ..] => artifacts::route(call, method, rest),
        ["actions", "caches" | "cache", ..] => caches::route(call, method, &below[1..]),
        ["actions", "workflows", rest @ ..] => workflows::route(call, memory, method, rest),
        ["actions", "runs" | "jobs", ..] => runs::route(call, method, &below[1..]),
        ["dispatches"] => dispatches::repository(call, memory, method),
        ["dependency-graph", rest @ ..] => dependencies::route(call, method, rest),
        ["attestations", rest @ ..] => attestations::route(call, memory, method, rest),
        ["pages", rest @ ..] => pages::route(call, memory, method, rest),
        rest => repository::route(call, memory, method, rest),
    }
}

/// Calls that belong to no repository.
pub(crate) fn elsewhere(call: &Call<'_>, method: &str, path: &[&str]) -> Answer {
    lookup::route(call, method, path)
}

/// What is said to a call that no module knows.
fn not_offered(call: &Call<'_>) -> Answer {
    let shown: String = format!("{} {}", call.request.method, call.request.path).chars().take(200).collect();
    Err(Refusal::said(404, &format!("Not Found: the embedded forge does not offer `{shown}`")))
}

/// A number in a path; what is none names nothing.
fn number(text: &str) -> Result<u64, Refusal> {
    text.parse().map_err(|_| Refusal::not_found())
}
