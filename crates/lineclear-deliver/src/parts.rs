//! What an index brings with it: images that have a history of their own.
//!
//! An index is of the commit whose run pushed it, and what is said of an index is said of none of its images. So whoever puts one around the image of
//! another commit does not make that image this commit's: it has to be of a commit that the gate lets through itself, and nothing that the
//! gate asks for may be known to have failed for it. What nobody has seen before is of the run that pushed the index.

use std::collections::{BTreeMap, BTreeSet};

use lineclear_event::{CheckContext, ImageStatement, Statement, Subject, Timestamp};
use lineclear_gate::{Asked, Commits, Index, Rules, Standing, decide};

use crate::candidate::tree_of;

/// So many manifests an index may lead to.
const MOST: usize = 1_000;

/// An image that is about to move, and by what it is judged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Whole<'w> {
    pub(crate) digest: &'w str,
    /// The commit that it moves for.
    pub(crate) commit: &'w str,
    pub(crate) rules: &'w Rules,
    pub(crate) context: CheckContext,
}

/// What the ledger knows, and when it is asked.
#[derive(Clone, Copy)]
pub(crate) struct Sources<'s> {
    pub(crate) index: &'s Index,
    pub(crate) commits: &'s dyn Commits,
    pub(crate) now: Timestamp,
}

impl Whole<'_> {
    /// What keeps one of its images from moving, a sentence; `None` for an image that is no index, and where nothing does. `brought` are the
    /// manifests that it is known to lead to beside those that the ledger knows.
    pub(crate) fn in_the_way(&self, brought: impl IntoIterator<Item = String>, known: Sources<'_>) -> Option<String> {
        // Of what a run of the commit has built whole it has built the images.
        let is_built = known.index.origins(self.digest).iter().any(|origin| {
            let built = matches!(&origin.entry.evidence.statement, Statement::Image(image) if image.built);
            built && self.is_own(origin.commit, known)
        });
        // Commits that were asked about.
        let mut clear: BTreeMap<String, bool> = BTreeMap::new();
        let mut seen: BTreeSet<String> = BTreeSet::from([self.digest.to_owned()]);
        let mut left: Vec<String> = brought.into_iter().chain(children(known.index, self.digest)).collect();
        while let Some(part) = left.pop() {
            if !seen.insert(part.clone()) {
                continue;
            }
            if seen.len() > MOST {
                return Some(format!("it leads to more than {MOST} manifests"));
            }
            if !is_built && let Some(from) = self.foreign(&part, known, &mut clear) {
                return Some(format!(
                    "it leads to {part}, which comes from {from}, and gate `{}` is not clear for that",
                    self.rules.gate
                ));
            }
            if let Some(failed) = self.failed(&part, known) {
                return Some(format!("it leads to {part}, and of that the ledger knows: {failed}"));
            }
            left.extend(children(known.index, &part));
        }
        None
    }

    /// Where a part comes from, if that is nothing that the gate lets through.
    fn foreign(&self, part: &str, known: Sources<'_>, clear: &mut BTreeMap<String, bool>) -> Option<String> {
        images(known.index, part).next()?;
        let origins = known.index.origins(part);
        let mut lets_through = |commit: &str| {
            *clear.entry(commit.to_owned()).or_insert_with(|| {
                self.is_own(commit, known) || {
                    let subject = Subject::Commit(commit.to_owned());
                    let asked = Asked { subject, context: self.context, now: known.now };
                    decide(self.rules, &asked, known.index, known.commits).clear
                }
            })
        };
        if origins.iter().any(|origin| lets_through(origin.commit)) {
            return None;
        }
        let from = origins.first().map(|origin| origin.commit.get(..7).unwrap_or(origin.commit));
        Some(from.unwrap_or("what no commit has").to_owned())
    }

    /// What the gate asks of images and is known to have failed for this one. What is not there, or attached to the index alone, is no failure.
    fn failed(&self, part: &str, known: Sources<'_>) -> Option<String> {
        let rules = Rules {
            require: Vec::new(),
            supplementary: Vec::new(),
            coverage: None,
            sbom: false,
            signature: false,
            provenance: false,
            ..self.rules.clone()
        };
        let asked = Asked { subject: Subject::Digest(part.to_owned()), context: self.context, now: known.now };
        let decision = decide(&rules, &asked, known.index, known.commits);
        let failed = decision.requirements.iter().find(|one| one.blocking && one.standing == Standing::Fail);
        failed.map(|one| one.sentence())
    }

    /// Whether a commit is the one that it moves for, or one with the same contents.
    pub(crate) fn is_own(&self, commit: &str, known: Sources<'_>) -> bool {
        let tree = |commit: &str| tree_of(known.index, known.commits, commit);
        commit == self.commit || tree(commit).is_some_and(|own| tree(self.commit) == Some(own))
    }
}

/// What runs have said of an image.
fn images<'i>(index: &'i Index, digest: &str) -> impl Iterator<Item = &'i ImageStatement> + use<'i> {
    index.of(&Subject::Digest(digest.to_owned())).filter_map(|entry| match &entry.evidence.statement {
        Statement::Image(image) => Some(image),
        _ => None,
    })
}

/// The manifests that the ledger knows an index to name.
fn children<'i>(index: &'i Index, digest: &str) -> impl Iterator<Item = String> + use<'i> {
    images(index, digest).flat_map(|image| image.children.iter().cloned())
}
