//! The rules of one gate.

use std::collections::BTreeSet;

use lineclear_event::{CheckContext, Severity};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What one gate asks for. Made from the policy; its canonical JSON is what [`Rules::hash`] is of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rules {
    /// The gate's name.
    pub gate: String,
    pub require: Vec<RequiredCheck>,
    /// Shown, and never blocking.
    pub supplementary: Vec<String>,
    pub skipped: SkippedCounts,
    pub coverage: Option<CoverageRule>,
    pub scan: Option<ScanRule>,
    pub sbom: bool,
    pub signature: bool,
    pub provenance: bool,
    /// Whose signatures count: ids of public keys, `sha256:` of the DER form. Looked at where a signature or a provenance is asked for.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub keys: BTreeSet<String>,
    /// Evidence older than this many milliseconds does not count.
    pub fresh_for_ms: Option<u64>,
    /// What people have to state.
    pub statements: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequiredCheck {
    /// `CI / test`, or one leg of it: `CI / test (3.12)`.
    pub check: String,
    /// Where it is required; everywhere, if it is `None`.
    pub on: Option<CheckContext>,
}

/// What a required check counts as that was skipped by its own conditions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkippedCounts {
    #[default]
    Pass,
    Fail,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CoverageRule {
    /// Per cent of the lines.
    pub min: Option<f64>,
    /// Not below what was reached before.
    pub ratchet: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanRule {
    pub block: BTreeSet<Severity>,
    /// How many findings of these severities are accepted.
    pub budget: u64,
}

impl Rules {
    /// Whether anything that is asked for depends on who signed it.
    pub fn asks_for_keys(&self) -> bool {
        self.signature || self.provenance
    }

    /// The same rules, where signatures by these keys count. Who signs is no part of rules that ask for no signature.
    #[must_use]
    pub fn signed_by(self, keys: impl IntoIterator<Item = String>) -> Self {
        if self.asks_for_keys() { Self { keys: keys.into_iter().collect(), ..self } } else { self }
    }

    /// SHA-256 of the canonical form (JSON without spaces, keys sorted), in hexadecimal digits: other rules have another hash.
    pub fn hash(&self) -> String {
        // Rules are plain data, which can always be written.
        let canonical = serde_json::to_value(self).map(|value| sorted(&value).to_string()).unwrap_or_default();
        lineclear_event::hexadecimal(&Sha256::digest(canonical))
    }
}

fn sorted(value: &serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        Value::Object(fields) => {
            let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
            fields.sort_by_key(|(key, _)| *key);
            Value::Object(fields.into_iter().map(|(key, value)| (key.clone(), sorted(value))).collect())
        }
        other => other.clone(),
    }
}

/// What a gate asks for. Whose signatures count is no part of a gate, and is added by [`Rules::signed_by`].
impl From<&lineclear_policy::Gate> for Rules {
    fn from(gate: &lineclear_policy::Gate) -> Self {
        use lineclear_policy::{Context, Skipped, VulnerabilitySeverity as Of};
        let severity = |of: Of| match of {
            Of::Unknown => Severity::Unknown,
            Of::Low => Severity::Low,
            Of::Medium => Severity::Medium,
            Of::High => Severity::High,
            Of::Critical => Severity::Critical,
        };
        let context = |on: Context| match on {
            Context::PullRequest => CheckContext::PullRequest,
            Context::Push => CheckContext::Push,
        };
        let check = |required: &lineclear_policy::RequiredCheck| RequiredCheck {
            check: required.check.value.clone(),
            on: required.on.as_ref().map(|on| context(on.value)),
        };
        let is = |value: &Option<lineclear_source::Spanned<bool>>| value.as_ref().is_some_and(|value| value.value);
        Self {
            gate: gate.name.value.clone(),
            require: gate.require.iter().map(check).collect(),
            supplementary: gate.supplementary.iter().map(|check| check.value.clone()).collect(),
            skipped: match gate.skipped.as_ref().map(|skipped| skipped.value) {
                Some(Skipped::Fail) => SkippedCounts::Fail,
                Some(Skipped::Pass) | None => SkippedCounts::Pass,
            },
            coverage: gate.coverage.as_ref().map(|coverage| CoverageRule {
                min: coverage.min.as_ref().map(|min| min.value),
                ratchet: is(&coverage.ratchet),
            }),
            scan: gate.scan.as_ref().map(|scan| ScanRule {
                block: scan.block.iter().map(|of| severity(of.value)).collect(),
                budget: scan.budget.as_ref().map_or(0, |budget| u64::from(budget.value)),
            }),
            sbom: is(&gate.sbom),
            signature: is(&gate.signature),
            provenance: is(&gate.provenance),
            keys: BTreeSet::new(),
            fresh_for_ms: gate.fresh_for.as_ref().map(|time| u64::try_from(time.value.as_millis()).unwrap_or(u64::MAX)),
            statements: gate.statements.iter().map(|name| name.value.clone()).collect(),
        }
    }
}
