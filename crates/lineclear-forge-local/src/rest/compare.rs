//! Comparing two commits.

use lineclear_forge::ApiResponse;
use serde_json::json;

use super::commits::{changed_files, commit};
use super::not_offered;
use crate::call::{Answer, Call, Refusal, encoded};
use crate::git::Log;
use crate::journal::Transaction;

/// GitHub lists no more files of a comparison.
const MAX_FILES: usize = 300;

pub(super) fn route(call: &Call<'_>, _memory: &mut Transaction, method: &str, rest: &[&str]) -> Answer {
    match (method, rest) {
        ("GET", name) if !name.is_empty() => compare(call, &name.join("/")),
        _ => not_offered(call),
    }
}

/// The two commits of `base...head` (or `base..head`); an owner before a colon has to be the repository's.
pub(super) fn ends(call: &Call<'_>, text: &str) -> Result<(String, String), Refusal> {
    let (base, head) = text.split_once("...").or_else(|| text.split_once("..")).ok_or_else(Refusal::not_found)?;
    let git = call.git()?;
    let resolve = |name: &str| -> Result<String, Refusal> {
        let name = match name.rsplit_once(':') {
            Some((owner, name))
                if owner.split(':').next().is_some_and(|o| o.eq_ignore_ascii_case(&call.facts().owner)) =>
            {
                name
            }
            Some(_) => return Err(Refusal::not_found()),
            None => name,
        };
        git.resolve(name)?.ok_or_else(Refusal::not_found)
    };
    Ok((resolve(base)?, resolve(head)?))
}

fn compare(call: &Call<'_>, text: &str) -> Answer {
    let git = call.git()?;
    let (base, head) = ends(call, text)?;
    let nothing_common = || Refusal::said(404, &format!("No common ancestor between {base} and {head}."));
    let parted = git.merge_base(&base, &head)?.ok_or_else(nothing_common)?;
    let accept = call.request.header("accept").unwrap_or_default();
    if accept.contains(".diff") || accept.contains(".patch") {
        let headers = vec![("content-type".into(), "application/vnd.github.v3.diff; charset=utf-8".into())];
        let body =
            if accept.contains(".diff") { git.diff_text(&parted, &head)? } else { git.patch_text(&parted, &head)? };
        return Ok(ApiResponse { status: 200, headers, body });
    }
    let (ahead, behind) = (git.count(&head, &base)?, git.count(&base, &head)?);
    let status = match (ahead, behind) {
        (0, 0) => "identical",
        (_, 0) => "ahead",
        (0, _) => "behind",
        _ => "diverged",
    };
    let commits = git.log(&Log { from: &head, without: Some(&base), reverse: true, ..Log::default() })?;
    let mut changes = git.changes(&parted, &head)?;
    changes.truncate(MAX_FILES);
    let files = changed_files(call, &parted, &head, &changes)?;
    let (one, merge_base) = (git.commit(&base)?, git.commit(&parted)?);
    let url = call.api(&format!("compare/{}", encoded(text)));
    let html = call.html(&format!("compare/{base}...{head}"));
    Ok(call.page_in(
        &commits,
        |one| commit(call, one),
        |shown, total| {
            json!({
                "url": url,
                "html_url": html,
                "permalink_url": html,
                "diff_url": format!("{html}.diff"),
                "patch_url": format!("{html}.patch"),
                "base_commit": one.as_ref().map(|one| commit(call, one)),
                "merge_base_commit": merge_base.as_ref().map(|one| commit(call, one)),
                "status": status,
                "ahead_by": ahead,
                "behind_by": behind,
                "total_commits": total,
                "commits": shown,
                "files": files,
            })
        },
    ))
}
