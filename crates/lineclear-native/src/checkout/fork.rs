//! Code of a fork's pull request is not checked out where it would run with the secrets of the base repository.
//!
//! # Source
//! `src/unsafe-pr-checkout-helper` of `actions/checkout`.

use lineclear_runner::native::{Call, NativeError};
use serde_json::Value;

use super::settings::Settings;
use crate::caching::text;

/// # Errors
/// The workflow runs with the base repository's trust, and the inputs name a fork's code.
pub(super) fn refuse(call: &Call<'_>, settings: &Settings) -> Result<(), NativeError> {
    let github = &call.contexts.github;
    let event_name = text(github, "event_name");
    // What the run itself names is what GitHub trusts.
    if settings.allow_fork
        || (settings.is_own && settings.is_default)
        || !names_fork(event_name, &github["event"], settings)
    {
        return Ok(());
    }
    Err(NativeError(format!(
        "Refusing to check out fork pull request code from a '{event_name}' workflow: it would run with the base repository's \
         token, secrets and caches. If that is meant, set 'allow-unsafe-pr-checkout: true' on the actions/checkout step; the \
         risks are described at https://gh.io/securely-using-pull_request_target"
    )))
}

fn names_fork(event_name: &str, event: &Value, settings: &Settings) -> bool {
    let (head, commits): (&Value, Vec<&Value>) = match event_name {
        "pull_request_target" => {
            let request = &event["pull_request"];
            (&request["head"]["repo"], vec![&request["head"]["sha"], &request["merge_commit_sha"]])
        }
        "workflow_run" => {
            let run = &event["workflow_run"];
            let kind = run["event"].as_str().unwrap_or_default();
            if !kind.starts_with("pull_request") {
                return false;
            }
            let mut commits = vec![&run["head_commit"]["id"]];
            // Of a run that itself had the base's trust, this is a commit of the base.
            if kind != "pull_request_target" {
                commits.push(&run["head_sha"]);
            }
            (&run["head_repository"], commits)
        }
        _ => return false,
    };
    let base = event["repository"]["id"].as_u64();
    if base.is_none() || head["id"].as_u64().is_none() || head["id"].as_u64() == base {
        return false;
    }
    let is_head_repository =
        head["full_name"].as_str().is_some_and(|name| name.eq_ignore_ascii_case(&settings.repository));
    let is_head_commit = settings.commit.as_ref().is_some_and(|commit| {
        commits.iter().filter_map(|sha| sha.as_str()).any(|sha| sha.eq_ignore_ascii_case(commit))
    });
    is_head_repository || is_head_commit || is_pull_ref(&settings.reference)
}

/// `refs/pull/7/head` and `refs/pull/7/merge`.
fn is_pull_ref(reference: &str) -> bool {
    let Some((number, side)) = reference.strip_prefix("refs/pull/").and_then(|rest| rest.split_once('/')) else {
        return false;
    };
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) && matches!(side, "head" | "merge")
}
