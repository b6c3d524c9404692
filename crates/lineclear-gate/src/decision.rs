//! What a gate says.

use lineclear_event::{CheckContext, DecisionStatement, Subject, Timestamp};
use serde::Serialize;

/// Clear or blocked, with everything that was looked at.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Decision {
    pub gate: String,
    pub subject: Subject,
    /// The commit that checks were looked for at: of a digest, the one it was built from.
    pub commit: Option<String>,
    pub context: CheckContext,
    pub at: Timestamp,
    pub clear: bool,
    pub requirements: Vec<Requirement>,
    /// SHA-256 of the rules.
    pub rules: String,
}

/// One thing that the gate asks for, or only shows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Requirement {
    /// What is asked for: "check `CI / test`", "coverage of at least 80 %".
    pub what: String,
    /// Whether the gate stays closed without it.
    pub blocking: bool,
    pub standing: Standing,
    pub findings: Vec<Finding>,
    /// The command that would supply what is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supply: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    Pass,
    /// It was not needed, or is not asked for here; the reason is in the findings.
    NotNeeded,
    Fail,
    /// There is no evidence.
    Missing,
    /// There was evidence, and it is too old.
    Expired,
}

/// What was found for a requirement, in words, with the entry it stands in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub text: String,
    /// The number of the entry in the ledger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<u64>,
}

impl Decision {
    /// What the ledger keeps of it.
    pub fn statement(&self) -> DecisionStatement {
        let blocks = |one: &&Requirement| one.blocking && !one.standing.lets_through();
        let mut rests_on: Vec<u64> =
            self.requirements.iter().flat_map(|one| &one.findings).filter_map(|finding| finding.entry).collect();
        rests_on.sort_unstable();
        rests_on.dedup();
        DecisionStatement {
            gate: self.gate.clone(),
            context: self.context,
            clear: self.clear,
            commit: self.commit.clone(),
            blocked: self.requirements.iter().filter(blocks).map(Requirement::sentence).collect(),
            rests_on,
            rules: self.rules.clone(),
        }
    }
}

/// What is asked for where nothing is.
pub(crate) const SOMETHING: &str = "something to prove";

impl Decision {
    /// Whether the gate asks for nothing of this subject in this context, so that it is blocked.
    pub fn asks_for_nothing(&self) -> bool {
        self.requirements.iter().any(|one| one.what == SOMETHING)
    }
}

impl Requirement {
    /// What is asked for and how it stands, in one line.
    pub fn sentence(&self) -> String {
        let found: Vec<&str> = self.findings.iter().map(|finding| finding.text.as_str()).collect();
        if found.is_empty() { self.what.clone() } else { format!("{}: {}", self.what, found.join("; ")) }
    }
}

impl Standing {
    pub fn lets_through(self) -> bool {
        matches!(self, Self::Pass | Self::NotNeeded)
    }
}
