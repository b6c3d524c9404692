//! What is asked of a digest itself: where it comes from, what is inside, who signed it.

use lineclear_event::{Statement, Subject};

use super::{Finding, Requirement, Standing, View, short, who};
use crate::Entry;
use crate::index::Kind;

const CONTENTS: &str = "a list of what is inside";
const SIGNATURE: &str = "a signature";
const PROVENANCE: &str = "a signed statement of where it was built";

/// What gives a commit an image of its own, where the same bytes were pushed before.
pub const OWN_BYTES: &str = "build it where Lineclear sees it (`docker build`, `docker/build-push-action`), or let the build put its commit into \
                             the image (a label, a `--build-arg`), so that its bytes are its own";

impl Requirement {
    /// Whether this is a thing that is made for a digest and attached to it (a signature, a list of contents, a provenance), and not
    /// something that has to come out of a run, a scan or a person.
    pub fn is_attached(&self) -> bool {
        [CONTENTS, SIGNATURE, PROVENANCE].contains(&self.what.as_str())
    }
}

/// Nothing is asked of commits here: a digest has these things, and each digest has its own.
pub(super) fn requirements(view: &View<'_>) -> Vec<Requirement> {
    let is_digest = matches!(view.asked.subject, Subject::Digest(_));
    let asked = [
        (view.rules.sbom, Kind::Sbom, CONTENTS, "sbom --format spdx --attach"),
        (view.rules.signature, Kind::Signature, SIGNATURE, "sign"),
        (view.rules.provenance, Kind::Provenance, PROVENANCE, "attest --provenance"),
    ];
    let asked = asked.into_iter().filter(|(is_asked, ..)| *is_asked);
    asked
        .map(|(_, kind, what, command)| {
            if !is_digest {
                let finding = Finding::missing("it is asked of images only");
                return Requirement::new(what, Standing::NotNeeded, vec![finding]).shown_only();
            }
            let found: Vec<(Standing, Finding)> = all(view, kind).into_iter().map(|entry| judge(view, entry)).collect();
            // One that holds is enough: others may be older, or by others.
            let best = found.iter().map(|(standing, _)| *standing).find(|standing| *standing == Standing::Pass);
            let standing = best.unwrap_or_else(|| Standing::of_all(found.iter().map(|(standing, _)| *standing)));
            let keep = |one: &(Standing, Finding)| best.is_none() || one.0 == Standing::Pass;
            let mut findings: Vec<Finding> = found.into_iter().filter(keep).map(|(_, finding)| finding).collect();
            if findings.is_empty() {
                findings.push(Finding::missing("this digest has none"));
            }
            Requirement::new(what, standing, findings)
                .supplied_by(|| format!("lineclear image {command} {}", super::word(&image(view))))
        })
        .collect()
}

/// Whether it is known from which commit the digest was built.
pub(super) fn origin(view: &View<'_>) -> Option<Requirement> {
    if matches!(view.asked.subject, Subject::Commit(_)) {
        return None;
    }
    let what = "an image that a run of this repository made";
    Some(match view.origin {
        Some(origin) => {
            let text = format!("from {} {}", short(origin.commit), who(&origin.entry.evidence.by));
            Requirement::new(what, Standing::Pass, vec![Finding::of(text, origin.entry)])
        }
        None => match view.index.first_shown(view.subject()) {
            // Running it again pushes the same bytes, and they stay whose they were: no command supplies that.
            Some(first) => {
                let text = format!("{first}, and no check speaks for it; {OWN_BYTES}");
                Requirement::new(what, Standing::Missing, vec![Finding::of(text, first.entry)])
            }
            None => {
                let text = "no run is known to have built or pushed this digest, so no check speaks for it";
                Requirement::new(what, Standing::Missing, vec![Finding::missing(text)])
                    .supplied_by(|| "lineclear run".to_owned())
            }
        },
    })
}

/// Anybody can sign anything: what counts is who the policy trusts.
fn foreign(view: &View<'_>, key: &str) -> String {
    let counts: Vec<&str> = view.rules.keys.iter().map(String::as_str).collect();
    match counts.is_empty() {
        true => format!("signed with {key}, and no key counts: name it in `keys` of `[signing]` in lineclear.toml"),
        false => format!("signed with {key}, which does not count: the keys of `[signing]` are {}", counts.join(", ")),
    }
}

/// The image as commands take it: by a name that a run has pushed it under, if one is known.
fn image(view: &View<'_>) -> String {
    let named = view.origin.and_then(|origin| match &origin.entry.evidence.statement {
        // What the embedded registry calls it is no name that other commands could reach it by.
        Statement::Image(image) => image.names.iter().map(String::as_str).find(|name| has_host(name)),
        _ => None,
    });
    let bare = |name: &str| match name.rsplit_once(':') {
        Some((before, tag)) if !tag.contains('/') => before.to_owned(),
        _ => name.to_owned(),
    };
    format!("{}@{}", named.map_or_else(|| "NAME".to_owned(), bare), view.subject())
}

fn has_host(name: &str) -> bool {
    name.split_once('/').is_some_and(|(first, _)| first == "localhost" || first.contains(['.', ':']))
}

/// The newest of each series: of signatures one for each key, of provenance one for each key and commit that is named.
fn all<'a>(view: &View<'a>, kind: Kind) -> Vec<&'a Entry> {
    view.index.newest_of_all(&view.digest, kind, None).into_iter().map(|(_, entry)| entry).collect()
}

fn judge(view: &View<'_>, entry: &Entry) -> (Standing, Finding) {
    let place = format!("{}{}", who(&entry.evidence.by), view.age(&entry.evidence));
    let passed = view.passed(&entry.evidence);
    match &entry.evidence.statement {
        Statement::Sbom(sbom) => {
            (passed, Finding::of(format!("{}, {} packages {place}", sbom.format, sbom.packages), entry))
        }
        Statement::Signature(signature) if !view.rules.keys.contains(&signature.key) => {
            (Standing::Fail, Finding::of(foreign(view, &signature.key), entry))
        }
        Statement::Signature(signature) => {
            (passed, Finding::of(format!("verified with {} {place}", signature.key), entry))
        }
        Statement::Provenance(provenance) if !view.rules.keys.contains(&provenance.key) => {
            (Standing::Fail, Finding::of(foreign(view, &provenance.key), entry))
        }
        Statement::Provenance(provenance) => {
            let commit = view.index.name(&provenance.commit);
            // A statement about another commit says nothing of this one; equal contents are the same thing to build.
            if view.commit == Some(provenance.commit.as_str())
                || commit.is_some_and(|commit| view.same.contains(&commit))
            {
                (
                    passed,
                    Finding::of(
                        format!("built by {} from {} {place}", provenance.builder, short(&provenance.commit)),
                        entry,
                    ),
                )
            } else {
                let text =
                    format!("it names the commit {}, and the image comes from another", short(&provenance.commit));
                (Standing::Fail, Finding::of(text, entry))
            }
        }
        _ => (Standing::Missing, Finding::of("it says nothing of this", entry)),
    }
}
