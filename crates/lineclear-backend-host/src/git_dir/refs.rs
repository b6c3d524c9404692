//! The references of a repository, and those that its copy has.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::config::Config;
use super::{GitDirError, GitDirOptions, Head, Refs, Source};
use crate::git;

/// What a copy has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Selection {
    /// The text of `HEAD`.
    pub(super) head: String,
    /// The commit of a `HEAD` on no branch.
    detached: Option<String>,
    /// Names and the objects they stand for.
    objects: BTreeMap<String, String>,
    /// Names and the names they stand for.
    pub(super) symbolic: BTreeMap<String, String>,
}

impl Selection {
    /// The text of `packed-refs`.
    pub(super) fn packed(&self) -> String {
        let mut text = String::from("# pack-refs with: sorted \n");
        for (name, object) in &self.objects {
            text.push_str(&format!("{object} {name}\n"));
        }
        text
    }

    /// All that history begins at.
    pub(super) fn tips(&self) -> Vec<&str> {
        self.detached.iter().chain(self.objects.values()).map(String::as_str).collect()
    }
}

/// The references of one repository.
#[derive(Clone, Debug, Default)]
struct All {
    head: String,
    objects: BTreeMap<String, String>,
    symbolic: BTreeMap<String, String>,
}

pub(super) fn select(source: &Source, settings: &Config, options: &GitDirOptions) -> Result<Selection, GitDirError> {
    let all = if settings.has_refs_in_files() { in_files(source)? } else { by_git(source)? };
    let mut selection = Selection::default();
    for (name, object) in &all.objects {
        let wanted = if name.starts_with("refs/tags/") { options.tags } else { options.refs == Refs::All };
        if wanted && is_shared(name) {
            selection.objects.insert(name.clone(), object.clone());
        }
    }
    if options.refs == Refs::All {
        selection.symbolic = all.symbolic.into_iter().filter(|(name, _)| is_shared(name)).collect();
    }
    let (branch, commit) = match &options.head {
        Head::AsSource => match all.head.strip_prefix("ref:").map(str::trim) {
            // A branch without a commit is one in a new repository.
            Some(name) => (Some(name.to_owned()), all.objects.get(name).cloned()),
            None => (None, Some(all.head.trim().to_owned())),
        },
        Head::Branch { name, commit } => (Some(format!("refs/heads/{name}")), Some(commit.clone())),
        Head::Detached { commit } => (None, Some(commit.clone())),
    };
    match (branch, commit) {
        (Some(branch), commit) => {
            selection.head = format!("ref: {branch}\n");
            if let Some(commit) = commit {
                if let (Refs::Head, Some(short)) = (options.refs, branch.strip_prefix("refs/heads/")) {
                    selection.objects.insert(format!("refs/remotes/origin/{short}"), commit.clone());
                }
                // A name that also is a folder of names can be no file beside it, and the asked-for one counts.
                let inside = format!("{branch}/");
                selection
                    .objects
                    .retain(|name, _| !name.starts_with(&inside) && !branch.starts_with(&format!("{name}/")));
                selection.symbolic.remove(&branch);
                selection.objects.insert(branch, commit);
            }
        }
        (None, commit) => {
            let commit = commit.unwrap_or_default();
            selection.head = format!("{commit}\n");
            selection.detached = Some(commit);
        }
    }
    Ok(selection)
}

/// Whether a reference is the repository's and not its user's own.
fn is_shared(name: &str) -> bool {
    let own = ["refs/stash", "refs/bisect/", "refs/worktree/", "refs/rewritten/", "refs/original/", "refs/replace/"];
    name.starts_with("refs/") && !own.iter().any(|own| name.starts_with(own))
}

/// Reads `packed-refs` and the files below `refs`, which count more.
fn in_files(source: &Source) -> Result<All, GitDirError> {
    let head = text(&source.read_optional(&source.git.join("HEAD"))?);
    let mut all = All { head, ..All::default() };
    for line in text(&source.read_optional(&source.common.join("packed-refs"))?).lines() {
        if let Some((object, name)) = line.split_once(' ').filter(|(object, _)| is_object(object)) {
            all.objects.insert(name.to_owned(), object.to_owned());
        }
    }
    let mut folders = vec!["refs".to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(items) = fs::read_dir(source.common.join(&folder)) else { continue };
        for item in items.flatten() {
            let Some(name) = item.file_name().to_str().map(|name| format!("{folder}/{name}")) else { continue };
            if item.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(name);
            } else if Path::new(&name).extension().is_none_or(|extension| extension != "lock") {
                let content = text(&source.read_optional(&item.path())?);
                let content = content.trim();
                if let Some(other) = content.strip_prefix("ref:") {
                    all.symbolic.insert(name, other.trim().to_owned());
                } else if is_object(content) {
                    all.objects.insert(name, content.to_owned());
                }
            }
        }
    }
    Ok(all)
}

/// Asks git, for a repository that keeps its references in another way.
fn by_git(source: &Source) -> Result<All, GitDirError> {
    let read = |args: &[&str]| git::read(&source.root, args).map(|out| text(&out));
    let fail = |error| GitDirError::History { root: source.root.clone(), source: error };
    let head = match read(&["symbolic-ref", "-q", "HEAD"]) {
        Ok(name) => format!("ref: {name}"),
        Err(_) => read(&["rev-parse", "HEAD"]).map_err(fail)?,
    };
    let mut all = All { head, ..All::default() };
    let listed = read(&["for-each-ref", "--format=%(objectname) %(refname) %(symref)"]).map_err(fail)?;
    for line in listed.lines() {
        let mut words = line.splitn(3, ' ');
        match (words.next(), words.next(), words.next()) {
            (Some(object), Some(name), None | Some("")) => all.objects.insert(name.into(), object.into()),
            (Some(_), Some(name), Some(other)) => all.symbolic.insert(name.into(), other.into()),
            _ => None,
        };
    }
    Ok(all)
}

fn is_object(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
