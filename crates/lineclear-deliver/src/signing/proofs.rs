//! What has to be proven of an image at the moment of its move.

use lineclear_event::with_causes;
use lineclear_oci::Reference;
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
}

impl Proofs {
    /// Looks whether the image has them.
    ///
    /// # Errors
    /// [`ShelfError::Unproven`] with what is missing; what the registry says.
    pub fn check(&self, client: &Client, place: &Reference) -> Result<(), ShelfError> {
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
