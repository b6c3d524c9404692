//! What is asked of a digest itself: where it comes from, what is inside, who signed it.

use lineclear_event::{Statement, Subject};

use super::{Finding, Requirement, Standing, View, short, who};
use crate::Entry;
use crate::index::Kind;

/// Nothing is asked of commits here: a digest has these things, and each digest has its own.
pub(super) fn requirements(view: &View<'_>) -> Vec<Requirement> {
    let is_digest = matches!(view.asked.subject, Subject::Digest(_));
    let asked = [
        (view.rules.sbom, Kind::Sbom, "a list of what is inside", "sbom"),
        (view.rules.signature, Kind::Signature, "a signature", "sign"),
        (view.rules.provenance, Kind::Provenance, "a signed statement of where it was built", "attest"),
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
                .supplied_by(|| format!("lineclear image {command} {}", view.subject()))
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
        None => {
            let text = "no run is known to have built or pushed this digest, so no check speaks for it";
            Requirement::new(what, Standing::Missing, vec![Finding::missing(text)])
                .supplied_by(|| "lineclear run".to_owned())
        }
    })
}

/// The newest of each series: of provenance one for each commit that is named.
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
        Statement::Signature(signature) => {
            (passed, Finding::of(format!("verified with {} {place}", signature.key), entry))
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
