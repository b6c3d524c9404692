//! What a tag that somebody chose says of the image: a commit, or a version. What it says has to be true, for such tags never move again.

use std::collections::BTreeSet;

use lineclear_gate::Naming;

use super::choice::{is_version, short};
use crate::gates::GitCommits;
use crate::history::commits::is_commit;

/// Fewer digits of a commit are a word like others.
const FEWEST_DIGITS: usize = 7;

/// Holds what `templates` make against `naming.commit`.
///
/// # Errors
/// A sentence that says what the first tag would have to be that names another commit, or a version that this commit does not have.
pub(super) fn check(templates: &[String], naming: &Naming<'_>, commits: &GitCommits) -> Result<(), String> {
    for template in templates {
        let Ok(named) = naming.tags([template.as_str()]) else { continue };
        // `${version}-…` and `${tag}` are this commit's, whatever stands around them, where they are taken from it.
        let is_of_its_version = ["${version}", "${tag}"].iter().any(|placeholder| template.contains(placeholder))
            && (naming.version.is_some()
                || commits.resolve(naming.reference).is_some_and(|at| commits.is_same(&at, naming.commit)));
        for tag in named.tags.iter().map(|wanted| wanted.tag.to_string()) {
            if let Some(digits) = commit_in(&tag, commits) {
                of_commit(&tag, digits, naming.commit, commits)?;
            } else if is_version(&tag) && !is_of_its_version {
                of_version(&tag, naming, commits)?;
            }
        }
    }
    Ok(())
}

/// The digits of the commit that `tag` names, if it names one.
fn commit_in<'t>(tag: &'t str, commits: &GitCommits) -> Option<&'t str> {
    let is_hex = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if let Some(digits) = tag.strip_prefix("sha-").or_else(|| tag.strip_prefix("sha_")) {
        return is_hex(digits).then_some(digits);
    }
    let bytes = || tag.bytes();
    let is_mixed = bytes().any(|byte| byte.is_ascii_digit()) && bytes().any(|byte| byte.is_ascii_alphabetic());
    // A date and a word have digits of one kind only, and are a commit if there is one that is called so.
    let is_one = is_hex(tag)
        && tag.len() >= FEWEST_DIGITS
        && (is_mixed || is_commit(tag) || commits.resolve(tag).is_some_and(|found| begins_with(&found, tag)));
    is_one.then_some(tag)
}

fn of_commit(tag: &str, digits: &str, commit: &str, commits: &GitCommits) -> Result<(), String> {
    let is_its_own = begins_with(commit, digits) && digits.len() >= FEWEST_DIGITS.min(commit.len());
    let of_same_contents = || {
        let found = commits.resolve(digits).filter(|found| begins_with(found, digits));
        digits.len() >= FEWEST_DIGITS && found.is_some_and(|found| commits.is_same(&found, commit))
    };
    if is_its_own || of_same_contents() {
        return Ok(());
    }
    let digits_of_its_own = if is_commit(digits) { commit } else { short(commit) };
    let should_be = tag.replace(digits, digits_of_its_own);
    Err(format!(
        "tag `{tag}` names another commit than {}, which the image was built from: of this one it would have to be `{should_be}`",
        short(commit)
    ))
}

fn of_version(tag: &str, naming: &Naming<'_>, commits: &GitCommits) -> Result<(), String> {
    let plain = |text: &str| text.strip_prefix('v').unwrap_or(text).replace('+', "-");
    let wanted = plain(tag);
    // `1.2` is one of 1.2.3.
    let covers = |version: &str| {
        let version = plain(version.rsplit('/').next().unwrap_or(version));
        version == wanted
            || (wanted.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
                && version.strip_prefix(&wanted).is_some_and(|rest| rest.starts_with('.')))
    };
    let git_tags: Vec<String> = commits.tags_at(naming.commit);
    let versions: BTreeSet<&str> = git_tags
        .iter()
        .filter_map(|name| name.strip_prefix("refs/tags/"))
        .chain(naming.version)
        .filter(|name| is_version(name.rsplit('/').next().unwrap_or(name)))
        .collect();
    if versions.iter().any(|version| covers(version)) {
        return Ok(());
    }
    let here = [tag.to_owned(), format!("v{wanted}"), wanted.clone()];
    let elsewhere = here.iter().find_map(|name| Some((name, commits.resolve(&format!("refs/tags/{name}"))?)));
    if elsewhere.as_ref().is_some_and(|(_, commit)| commits.is_same(commit, naming.commit)) {
        return Ok(());
    }
    let commit = short(naming.commit);
    let why = match &elsewhere {
        Some((name, other)) => format!("git's tag `{name}` is at {}, which has other contents", short(other)),
        None => format!("no tag of {commit} in git is called so"),
    };
    let versions: Vec<String> = versions.iter().map(|version| format!("`{version}`")).collect();
    Err(match (versions.as_slice(), elsewhere) {
        ([], None) => format!(
            "tag `{tag}` names a version that {commit}, which the image was built from, does not have: {why}; `git tag {tag} {commit}` \
             makes it one"
        ),
        ([], Some(_)) => format!(
            "tag `{tag}` names a version that {commit}, which the image was built from, does not have: {why}, and {commit} has no version"
        ),
        (versions, _) => format!(
            "tag `{tag}` names a version that {commit}, which the image was built from, does not have: {why}; it would have to be {}",
            versions.join(" or ")
        ),
    })
}

fn begins_with(commit: &str, digits: &str) -> bool {
    commit.get(..digits.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(digits))
}
