//! `lineclear image sign`, `verify`, `attest`: signatures and attestations of images in registries.
//!
//! What verified is stated in the ledger of the current repository; gates read it there.

mod attest;
mod sign;
mod verify;

use std::path::Path;
use std::sync::Arc;

use lineclear_deliver::signing::SigningError;
use lineclear_event::{Evidence, Statement, Subject, Witness, with_causes};
use lineclear_ledger::LedgerOf;
use lineclear_oci::{Digest, Reference};
use lineclear_policy::Policy;
use lineclear_sigstore::predicate_type;
use lineclear_store::Ledgers;

pub(super) use attest::{AttestArgs, attest};
pub(super) use sign::{SignArgs, sign};
pub(super) use verify::{VerifyArgs, verify};

use super::Failure;
use super::reached::Reached;
use crate::history::{History, Scope};
use crate::session::machine;
use crate::settings;
use crate::signing_keys::SigningKeys;

/// A type of what is attested, as people write it: a short name, or an address.
///
/// # Errors
/// A sentence that names the list: what is neither would be signed under a word that nobody looks for.
fn predicate_kind(text: &str) -> Result<String, String> {
    let is_scheme = |scheme: &str| {
        scheme.len() > 1
            && scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
    };
    let is_rest = |rest: &str| {
        !rest.trim_matches('/').is_empty() && !rest.contains(|one: char| one.is_whitespace() || one.is_control())
    };
    match predicate_type(text).split_once(':') {
        Some((scheme, rest)) if is_scheme(scheme) && is_rest(rest) => Ok(text.to_owned()),
        _ => Err("expected one of provenance, spdx, cyclonedx, vuln, openvex, custom, or an address such as https://example.org/review/v1"
            .to_owned()),
    }
}

/// The repository in whose name images are signed and verified.
struct Here {
    history: History,
    policy: Policy,
    keys: SigningKeys,
}

impl Here {
    fn open() -> Result<Self, Failure> {
        let history = History::open(&Scope::default()).map_err(|error| Failure::Input(with_causes(&error)))?;
        let policy = machine::read(&history.checkout.root).map_err(|stopped| {
            Failure::Input(stopped.message.unwrap_or_else(|| "`lineclear.toml` has errors".to_owned()))
        })?;
        let keys = SigningKeys::of(&history.checkout).map_err(Failure::Input)?;
        Ok(Self { history, policy, keys })
    }

    fn root(&self) -> &Path {
        &self.history.checkout.root
    }

    /// The ledger; `None` outside of any repository.
    fn ledger(&self) -> Option<LedgerOf> {
        let repository = self.history.repository.as_deref()?;
        Some(LedgerOf::open(Arc::new(self.history.store.clone()) as Arc<dyn Ledgers>, repository))
    }

    /// States what verified, unless the ledger says it already. Gives a line that says where.
    fn state(&self, verified: Vec<(Digest, Statement)>) -> Result<String, Failure> {
        let unstated = |error: &dyn std::error::Error| {
            Failure::Input(format!("it is verified, and the ledger does not say so: {}", with_causes(error)))
        };
        let Some(ledger) = self.ledger() else {
            return Ok("no ledger says so: this folder is of no repository\n".to_owned());
        };
        let index = ledger.index().map_err(|error| unstated(&error))?;
        let at = settings::now();
        let new = verified.into_iter().map(|(digest, statement)| (Subject::Digest(digest.to_string()), statement));
        let evidence: Vec<Evidence> = new
            .filter(|(subject, statement)| !index.of(subject).any(|entry| entry.evidence.statement == *statement))
            .map(|(subject, statement)| Evidence { subject, at, by: Witness::Engine, statement })
            .collect();
        if evidence.is_empty() {
            return Ok(format!("the ledger of {} says so already\n", ledger.repository()));
        }
        let numbers = ledger.append(evidence).map_err(|error| unstated(&error))?;
        let numbers: Vec<String> = numbers.iter().map(u64::to_string).collect();
        Ok(format!("stated in the ledger of {}, entry {}\n", ledger.repository(), numbers.join(", ")))
    }
}

fn digest_of(place: &Reference) -> Result<Digest, Failure> {
    place.digest().cloned().ok_or_else(|| Failure::Input(format!("`{}` names no digest", place.familiar())))
}

impl From<SigningError> for Failure {
    fn from(error: SigningError) -> Self {
        match error {
            SigningError::Registry(error) => Self::Work(error),
            other => Self::Refused(with_causes(&other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_one_of_the_list_or_an_address() {
        for known in ["provenance", "spdx", "spdxjson", "cyclonedx", "vuln", "openvex", "custom", "slsaprovenance"] {
            assert_eq!(predicate_kind(known).as_deref(), Ok(known));
        }
        for address in ["https://example.org/review/v1", "urn:example:review"] {
            assert_eq!(predicate_kind(address).as_deref(), Ok(address));
        }
        for wrong in ["weird", "", "spdxx", "https://", "https:", ":x", "a b:c", "https://example.org/a b", "1a:b"] {
            let sentence = predicate_kind(wrong).expect_err(wrong);
            assert!(sentence.contains("spdx, cyclonedx, vuln, openvex, custom, or an address"), "{sentence}");
        }
    }
}
