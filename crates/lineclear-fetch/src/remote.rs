//! What a server says of a repository, and a commit brought from it.

use std::path::Path;

use crate::error::{GitFailure, Meaning};
use crate::git::{Address, Patience, local, talk};
use crate::place::{Place, is_commit};

/// Where a ref points, as a server has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pointed {
    /// The full name: `refs/tags/v1`.
    pub(crate) name: String,
    /// The commit; of an annotated tag, the one it names.
    pub(crate) commit: String,
}

/// Asks a server where the ref points. A tag comes before a branch of the same name.
///
/// # Errors
/// As git said; an answer that is not a list of refs counts as such too.
pub(crate) fn pointed(
    git_dir: &Path,
    address: &Address,
    place: &Place,
    patience: Patience<'_>,
) -> Result<Option<Pointed>, GitFailure> {
    let reference = &place.reference;
    let names = match reference.starts_with("refs/") {
        true => vec![reference.clone()],
        false => vec![format!("refs/tags/{reference}"), format!("refs/heads/{reference}")],
    };
    let peeled: Vec<String> = names.iter().map(|name| format!("{name}^{{}}")).collect();
    let mut arguments = vec!["ls-remote", "--quiet", address.program(), "--", &address.url];
    arguments.extend(names.iter().chain(&peeled).map(String::as_str));
    arguments.push("HEAD");
    let said = match talk(git_dir, address, &arguments, patience, &mut |_| {}) {
        // Git reads a list with the ids that its own repository has.
        Err(GitFailure::Said(said)) if said.contains("mismatched algorithms") => {
            let other = git_dir.with_extension("sha256");
            prepare(&other, &"0".repeat(64))?;
            talk(&other, address, &arguments, patience, &mut |_| {})?
        }
        said => said?,
    };
    let said = String::from_utf8_lossy(&said).into_owned();
    let mut listed = Vec::new();
    for line in said.lines() {
        match line.split_once('\t') {
            Some((commit, name)) if is_commit(commit) => listed.push((name, commit)),
            _ => return Err(GitFailure::Said("the server's list of refs cannot be read".into())),
        }
    }
    if listed.is_empty() {
        // A sign-in page or a proxy's error reads as an empty list by git's oldest protocol; a repository has a `HEAD`.
        return Err(GitFailure::Said("it lists no refs: the repository is empty, or this is no git server".into()));
    }
    let find = |wanted: &str| listed.iter().find(|(name, _)| *name == wanted).map(|(_, commit)| (*commit).to_owned());
    let found = names.iter().zip(&peeled).find_map(|(name, peeled)| Some((name, find(peeled).or_else(|| find(name))?)));
    Ok(found.map(|(name, commit)| Pointed { name: name.clone(), commit }))
}

/// Brings `commit` into the empty bare repository at `git_dir`. `name` is the ref that points to it, where one does.
///
/// # Errors
/// As git said, or that what came is not the commit: git itself checks each object against its id.
pub(crate) fn bring(
    git_dir: &Path,
    address: &Address,
    commit: &str,
    name: Option<&str>,
    patience: Patience<'_>,
    said: &mut dyn FnMut(&str),
) -> Result<(), GitFailure> {
    let mut fetch = |more: &[&str]| {
        let options = [
            "-c",
            "fetch.fsckObjects=false",
            "-c",
            "transfer.unpackLimit=1",
            "fetch",
            "--progress",
            "--no-tags",
            "--no-auto-gc",
        ];
        let mut arguments = options.to_vec();
        arguments.extend(["--recurse-submodules=no", "--no-write-fetch-head", address.program()]);
        arguments.extend(more);
        talk(git_dir, address, &arguments, patience, said).map(drop)
    };
    let to = "refs/heads/fetched";
    let url = address.url.as_str();
    let asked = fetch(&["--depth=1", "--", url, &format!("+{commit}:{to}")]);
    match asked {
        Ok(()) => {}
        // Old servers give only what a ref names.
        Err(failure) if failure.meaning() == Meaning::NoObject => match name {
            Some(name) => fetch(&["--depth=1", "--", url, &format!("+{name}:refs/tags/fetched")])?,
            None => fetch(&["--", url, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"])?,
        },
        Err(failure) => return Err(failure),
    }
    let kind = local(git_dir, &["cat-file", "-t", commit]).unwrap_or_default();
    match kind.as_slice() {
        b"commit\n" => Ok(()),
        b"" => Err(GitFailure::Said(format!("not our ref {commit}: the server sent something else"))),
        _ => Err(GitFailure::Said(format!("not our ref {commit}: it is no commit"))),
    }
}

/// Makes an empty bare repository for objects named like `commit`; one that is there already stays.
pub(crate) fn prepare(git_dir: &Path, commit: &str) -> Result<(), GitFailure> {
    let format = if commit.len() == 64 { "--object-format=sha256" } else { "--object-format=sha1" };
    local(git_dir, &["init", "--quiet", "--bare", "--template=", format]).map(drop)
}
