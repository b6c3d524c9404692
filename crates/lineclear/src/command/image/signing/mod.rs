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
