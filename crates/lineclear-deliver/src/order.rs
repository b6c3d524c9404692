//! What is to be moved.

use lineclear_event::{CheckContext, MoveKind, Witness};
use lineclear_gate::{Rules, WantedTag};
use lineclear_oci::{Digest, Reference};

use crate::parts::Whole;

/// One image on its way to its release repository.
#[derive(Clone, Debug)]
pub struct Order {
    pub kind: MoveKind,
    /// The policy's name for it.
    pub image: String,
    /// Where it goes, as people and the policy call it: registry and name.
    pub repository: Reference,
    /// Where it comes from, as people call it: a name with the digest.
    pub source: String,
    pub digest: Digest,
    /// The commit that it is moved for. It was built from this one, or from one with the same contents.
    pub commit: String,
    /// What it is to be called, in the order in which it is done.
    pub tags: Vec<WantedTag>,
    /// Of a promotion: to what.
    pub target: Option<String>,
    pub rules: Rules,
    /// For which kind of event the gate is asked.
    pub context: CheckContext,
    pub by: Witness,
    /// Who says that tags move, too, which stand for something that the ledger knows nothing of.
    pub take: Option<String>,
}

impl Order {
    pub(crate) fn whole(&self) -> Whole<'_> {
        Whole { digest: self.digest.as_str(), commit: &self.commit, rules: &self.rules, context: self.context }
    }
}
