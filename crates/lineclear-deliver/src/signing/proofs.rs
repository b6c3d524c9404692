//! What has to be proven of an image at the moment of its move.

use lineclear_event::with_causes;
use lineclear_oci::{AnyManifest, Digest, Reference};
use lineclear_registry::Client;
use lineclear_sigstore::{Claim, PROVENANCE, ProvenanceFacts, TrustedKeys};

use super::{Examined, SigningError, examine};
use crate::ShelfError;

/// What is verified again where the image arrived, whatever the ledger says of it. The default asks for nothing.
#[derive(Clone, Debug, Default)]
pub struct Proofs {
    /// The keys that count.
    pub trusted: TrustedKeys,
    /// A signature has to be there.
    pub signature: bool,
    /// A provenance has to be there.
    pub provenance: bool,
    /// The commits that the provenance may name; empty: any.
    pub commits: Vec<String>,
    /// What carries the lists of contents that are known of it, of which one has to be there; `None`: none is asked for.
    pub contents: Option<Vec<Digest>>,
}

impl Proofs {
    /// Looks whether the image has them.
    ///
    /// # Errors
    /// [`ShelfError::Unproven`] with what is missing; what the registry says.
    pub fn check(&self, client: &Client, place: &Reference) -> Result<(), ShelfError> {
        if let Some(known) = &self.contents {
            is_listed(known, client, place)?;
        }
        if !self.signature && !self.provenance {
            return Ok(());
        }
        let examined = examine(client, place, &self.trusted).map_err(|error| match error {
            SigningError::Registry(error) => ShelfError::Registry(error),
            other => ShelfError::Other(with_causes(&other)),
        })?;
        let unproven = |what: &str| ShelfError::Unproven {
            image: place.familiar(),
            what: what.to_owned(),
            refused: refused(&examined),
        };
        let is_signed = examined.proofs.iter().any(|proof| proof.verified.claim == Claim::Signature);
        if self.signature && !is_signed {
            return Err(unproven("no signature by a key of `[signing] keys`"));
        }
        if self.provenance && !self.is_explained(&examined) {
            return Err(unproven("no provenance, by a key of `[signing] keys`, for its commit"));
        }
        Ok(())
    }

    fn is_explained(&self, examined: &Examined) -> bool {
        examined.proofs.iter().any(|proof| match &proof.verified.claim {
            Claim::Statement(statement) if statement.predicate_type == PROVENANCE => {
                let facts = ProvenanceFacts::read(&statement.predicate);
                facts.is_ok_and(|facts| match facts.commit {
                    Some(commit) => self.commits.is_empty() || self.commits.contains(&commit),
                    None => false,
                })
            }
            Claim::Statement(_) | Claim::Signature => false,
        })
    }
}

/// Whether one of the lists of contents that the ledger knows lies beside the image, whole.
fn is_listed(known: &[Digest], client: &Client, place: &Reference) -> Result<(), ShelfError> {
    let unlisted = || ShelfError::Unlisted { image: place.familiar() };
    let digest = place.digest().ok_or_else(unlisted)?;
    for entry in client.referrers(place, digest, None)?.iter().filter(|entry| known.contains(&entry.digest)) {
        let AnyManifest::Image(carrier) = client.manifest(&place.only_at(entry.digest.clone()))? else { continue };
        let is_of_it = carrier.parts().subject.as_ref().is_some_and(|subject| subject.digest == *digest);
        let mut is_whole = is_of_it && !carrier.parts().layers.is_empty();
        for document in carrier.parts().layers.iter().filter(|_| is_of_it) {
            is_whole &= client.has_blob(place, &document.digest)?;
        }
        if is_whole {
            return Ok(());
        }
    }
    Err(unlisted())
}

/// What was there, and why it does not count.
fn refused(examined: &Examined) -> String {
    let each: Vec<String> = examined
        .refused
        .iter()
        .take(5)
        .map(|one| format!("; {} does not count: {}", one.attached.short(), one.why))
        .collect();
    each.concat()
}
