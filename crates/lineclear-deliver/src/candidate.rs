//! What the runs of a commit have built.

use std::collections::{BTreeMap, BTreeSet};

use lineclear_event::{ImageStatement, RunId, Statement, Subject, Witness};
use lineclear_gate::{Commits, Index};

/// A digest that a run of a commit pushed for an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub digest: String,
    /// The commit that it was built from: the one that was asked for, or one with the same contents.
    pub commit: String,
    /// The names under which it was pushed.
    pub names: Vec<String>,
    pub runs: Vec<RunId>,
}

/// The digests that runs of `commit`, or of a commit with the same tree, pushed for the image that the policy calls `image` and releases as
/// `repository` (registry and name). Oldest first; of an index, its parts are not among them.
///
/// An image belongs to what the ledger says it is. Where that says nothing, the names decide: first the release repository's own, then
/// any that ends as it does (`127.0.0.1:5000/ci/backend` for `ghcr.io/me/backend`).
pub fn candidates(index: &Index, commits: &dyn Commits, image: &str, repository: &str, commit: &str) -> Vec<Candidate> {
    let own = pushed_for(index, commits, commit).into_iter().filter(|(digest, of, _)| is_of(index, digest, &of.commit));
    gathered(&of_image(own.collect(), image, repository))
}

/// What runs of `commit`, or of a commit with the same tree, pushed for the image, and what is not theirs for all that: its bytes were here
/// before. Oldest first.
pub fn shown_before(
    index: &Index,
    commits: &dyn Commits,
    image: &str,
    repository: &str,
    commit: &str,
) -> Vec<Candidate> {
    let foreign =
        pushed_for(index, commits, commit).into_iter().filter(|(digest, of, _)| !is_of(index, digest, &of.commit));
    gathered(&of_image(foreign.collect(), image, repository))
}

/// Of those the ones of an image: by what the ledger says, else by their names.
fn of_image<'i>(all: Vec<Built<'i>>, image: &str, repository: &str) -> Vec<Built<'i>> {
    let last = repository.rsplit('/').next().unwrap_or(repository);
    let named = |statement: &ImageStatement, is: &dyn Fn(&str) -> bool| {
        statement.names.iter().any(|name| is(without_tag(name)))
    };
    let tiers: [&dyn Fn(&ImageStatement) -> bool; 3] = [
        &|statement| statement.image == image,
        &|statement| statement.image.is_empty() && named(statement, &|name| name == repository),
        &|statement| {
            statement.image.is_empty() && named(statement, &|name| name.rsplit('/').next().unwrap_or(name) == last)
        },
    ];
    for tier in tiers {
        let chosen: Vec<Built<'i>> = all.iter().copied().filter(|(_, statement, _)| tier(statement)).collect();
        if !chosen.is_empty() {
            return chosen;
        }
    }
    Vec::new()
}

/// The commit that a digest comes from, as the ledger knows it: where there are several, the newest.
pub fn commit_of(index: &Index, digest: &str) -> Option<String> {
    index.origins(digest).first().map(|origin| origin.commit.to_owned())
}

type Built<'i> = (&'i str, &'i ImageStatement, Option<RunId>);

/// Who pushes again what another commit's run has built does not make it theirs.
fn is_of(index: &Index, digest: &str, commit: &str) -> bool {
    index.origins(digest).iter().any(|origin| origin.commit == commit)
}

/// What runs of `commit`, or of a commit with the same tree, have pushed.
fn pushed_for<'i>(index: &'i Index, commits: &dyn Commits, commit: &str) -> Vec<Built<'i>> {
    let tree = tree_of(index, commits, commit);
    let mut same: BTreeMap<&str, bool> = BTreeMap::new();
    let mut found = Vec::new();
    for entry in index.entries() {
        let (Subject::Digest(digest), Statement::Image(image)) = (&entry.evidence.subject, &entry.evidence.statement)
        else {
            continue;
        };
        if image.commit.is_empty() {
            continue;
        }
        let is_same = *same.entry(&image.commit).or_insert_with(|| {
            image.commit == commit || tree.is_some() && tree_of(index, commits, &image.commit) == tree
        });
        if is_same {
            let run = match &entry.evidence.by {
                Witness::Run(run) => Some(run.run),
                Witness::Person(_) | Witness::Engine => None,
            };
            found.push((digest.as_str(), image, run));
        }
    }
    found
}

/// The tree of a commit: as the ledger says, else as git knows it.
pub(crate) fn tree_of(index: &Index, commits: &dyn Commits, commit: &str) -> Option<String> {
    index.tree(commit).map(str::to_owned).or_else(|| commits.tree(commit))
}

fn gathered(chosen: &[Built<'_>]) -> Vec<Candidate> {
    let parts: BTreeSet<&str> =
        chosen.iter().flat_map(|(_, image, _)| image.children.iter().map(String::as_str)).collect();
    let mut all: Vec<Candidate> = Vec::new();
    for (digest, image, run) in chosen.iter().filter(|(digest, ..)| !parts.contains(digest)) {
        let known = match all.iter_mut().find(|known| known.digest == *digest) {
            Some(known) => known,
            None => {
                all.push(Candidate {
                    digest: (*digest).to_owned(),
                    commit: image.commit.clone(),
                    names: Vec::new(),
                    runs: Vec::new(),
                });
                let Some(last) = all.last_mut() else { continue };
                last
            }
        };
        for name in &image.names {
            if !known.names.contains(name) {
                known.names.push(name.clone());
            }
        }
        known.runs.extend(run.filter(|run| !known.runs.contains(run)));
    }
    all
}

/// A name without its tag and digest.
fn without_tag(name: &str) -> &str {
    let name = name.split('@').next().unwrap_or(name);
    match name.rsplit_once(':') {
        Some((before, tag)) if !tag.contains('/') => before,
        _ => name,
    }
}
