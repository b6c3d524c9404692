//! What the checkout is at, for `context: git`.

use lineclear_runner::native::{Call, NativeError, RunOptions};

/// The ref and the commit that are checked out.
///
/// # Errors
/// The workspace is no checkout, or nothing names the commit it is at.
pub(super) fn of_checkout(call: &mut Call<'_>) -> Result<(String, String), NativeError> {
    let mut git = |args: &[&str]| {
        let quiet = RunOptions { quiet: true, ..RunOptions::default() };
        call.effects.capture("git", args, quiet).map(|said| said.trim().to_owned())
    };
    let sha = git(&["rev-parse", "HEAD"])?;
    if let Ok(reference) = git(&["symbolic-ref", "--quiet", "HEAD"]) {
        return Ok((reference, sha));
    }
    let decorations = git(&["show", "-s", "--pretty=%D", "HEAD"])?;
    if let Some(reference) = of_decorations(&decorations) {
        return Ok((reference, sha));
    }
    // Nothing points here: a branch or tag that holds the commit will do.
    let format = "--format=%(refname)";
    for args in [
        ["for-each-ref", format, "--contains", "HEAD", "refs/heads/"],
        ["for-each-ref", format, "--contains", "HEAD", "refs/remotes/"],
        ["for-each-ref", format, "--contains", "HEAD", "refs/tags/"],
    ] {
        let found = git(&args)?;
        let first = found.lines().find(|name| !name.ends_with("/HEAD"));
        if let Some(first) = first {
            return Ok((without_remote(first), sha));
        }
    }
    Err(NativeError(format!("Cannot infer ref from detached HEAD: no branch or tag holds the commit {sha}")))
}

/// What git shows beside a commit: `grafted, HEAD, tag: v1, origin/main, main`.
fn of_decorations(decorations: &str) -> Option<String> {
    let decorations = decorations.strip_prefix("grafted, ").unwrap_or(decorations);
    let rest = decorations.strip_prefix("HEAD, ")?.trim();
    let first = rest.split(", ").next()?;
    if let Some(tag) = first.strip_prefix("tag: ") {
        return Some(format!("refs/tags/{tag}"));
    }
    if first.starts_with("pull/") && (first.ends_with("/merge") || first.ends_with("/head")) {
        return Some(format!("refs/{first}"));
    }
    // A branch of a remote, perhaps with the local one behind it.
    let local = rest.split(", ").nth(1).filter(|_| first.contains('/'));
    let branch = local.or_else(|| first.split_once('/').map(|(_, branch)| branch))?;
    Some(format!("refs/heads/{branch}"))
}

fn without_remote(reference: &str) -> String {
    match reference.strip_prefix("refs/remotes/").and_then(|rest| rest.split_once('/')) {
        Some((_, branch)) => format!("refs/heads/{branch}"),
        None => reference.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detached_head_is_known_by_what_points_at_it() {
        let cases = [
            ("HEAD, tag: v1.2.3", Some("refs/tags/v1.2.3")),
            ("grafted, HEAD, pull/15/merge", Some("refs/pull/15/merge")),
            ("HEAD, origin/feature/x", Some("refs/heads/feature/x")),
            ("grafted, HEAD, origin/main, main", Some("refs/heads/main")),
            ("HEAD", None),
            ("", None),
        ];
        for (decorations, expected) in cases {
            assert_eq!(of_decorations(decorations).as_deref(), expected, "{decorations}");
        }
        assert_eq!(without_remote("refs/remotes/origin/a/b"), "refs/heads/a/b");
    }
}
