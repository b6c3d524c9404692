//! What a step was found to have done, beside its output: reports it wrote, caches it asked for, versions it used.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Finding, IgnoredUntil, ScanStatement, Severity};

/// A fact about a step, for the run's record: summaries, comments, history and comparisons read it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    Tests(TestResults),
    Coverage(Coverage),
    Findings(Box<Findings>),
    /// A look-up in the caches.
    Cache {
        key: String,
        /// The key that was found.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        matched: Option<String>,
        /// Why it was or was not found.
        reason: String,
        /// Bytes restored.
        #[serde(default)]
        size: u64,
    },
    /// Something with a version that the step used: compared between runs.
    Used {
        kind: UsedKind,
        name: String,
        version: String,
    },
    /// A call of the forge's API that would change something, or was refused.
    ForgeCall {
        method: String,
        path: String,
        status: u16,
        /// What it would show to people, in Markdown; empty where there is nothing to read.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        shown: String,
    },
    /// An image that was pulled, built or pushed.
    Image(Box<ImageFact>),
}

/// What is known of an image that a job had to do with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageFact {
    pub deed: ImageDeed,
    /// The names it goes by, each with its tag: what was pulled, or the tags that were given.
    pub names: Vec<String>,
    /// `sha256:…` of the manifest or index; empty for an image that has none yet, because it was only built.
    pub digest: String,
    /// `linux/amd64`, each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<String>,
    /// Of an index: the digests of the manifests that it names, as far as they were looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<String>,
    /// What the image's configuration says, where it was looked at; of the first platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<ImageConfigFact>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageDeed {
    Pulled,
    Built,
    Pushed,
}

/// What people ask of an image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageConfigFact {
    /// Empty means root.
    pub user: String,
    /// The command of `HEALTHCHECK`; `None` where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_check: Option<String>,
    /// `8000/tcp`, each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Bytes: of the layers as they are on this machine, or compressed where only a registry was asked.
    pub size: u64,
    pub layers: u32,
    /// The image it was built from, where its Dockerfile or annotations say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
}

/// What kind of thing [`Fact::Used`] tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UsedKind {
    /// `owner/repo@ref`, with its commit as version.
    Action,
    /// A called workflow, with its commit as version.
    Workflow,
    /// A container image, with its digest as version.
    Image,
    /// A tool that a setup action chose.
    Tool,
    /// A variable of the `vars` context, with a digest of its value.
    Variable,
}

/// One report of tests.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TestResults {
    /// The report's file, relative to the workspace, or what it is called.
    pub name: String,
    pub cases: Vec<TestCase>,
    /// Cases that were left out of `cases` because there were too many; they count in `totals`.
    #[serde(default)]
    pub left_out: u64,
    pub totals: TestTotals,
}

/// One test with how it ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestCase {
    /// `classname`, file or describe block.
    pub suite: String,
    pub name: String,
    pub outcome: TestOutcome,
    pub duration_ms: u64,
    /// Why it failed or was skipped, shortened; of a flaky test, why its first try failed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TestOutcome {
    Passed,
    /// Passed after a failed try: never counted as a clean pass.
    Flaky,
    Failed,
    Skipped,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestTotals {
    pub passed: u64,
    pub flaky: u64,
    pub failed: u64,
    pub skipped: u64,
    pub duration_ms: u64,
}

/// One coverage report.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    pub name: String,
    pub lines_covered: u64,
    pub lines: u64,
    pub branches_covered: u64,
    pub branches: u64,
    /// By file: lines covered and lines.
    pub files: BTreeMap<String, (u64, u64)>,
}

/// What a scanner reported.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Findings {
    /// The report's file, relative to the workspace, or what it is called.
    pub name: String,
    pub tool: String,
    /// What keeps reports of one tool apart; empty where none was given.
    pub category: String,
    /// `error`, `warning`, `note` → how many; of SARIF only.
    pub levels: BTreeMap<String, u64>,
    /// The first of them, as "file:line: rule: message".
    pub first: Vec<String>,
    /// All of them by severity.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub counts: BTreeMap<Severity, u64>,
    /// The worst of them first; at most a thousand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub found: Vec<Finding>,
    /// Findings that are not in `counts`, because someone took responsibility for them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub ignored: u64,
    /// As [`ScanStatement::ignored_until`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignored_until: Vec<IgnoredUntil>,
    /// The image that was looked at, if the engine itself saw to it that it was this one. A report's own word for it is not enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// As [`ScanStatement::database`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// Why the report could not be read; then nothing is known of what was found. Empty for a report that was.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unreadable: String,
}

impl Findings {
    /// All of them by severity. Of older records, which have no severities, by level.
    pub fn by_severity(&self) -> BTreeMap<Severity, u64> {
        if !self.counts.is_empty() {
            return self.counts.clone();
        }
        let mut counts = BTreeMap::new();
        for (level, count) in &self.levels {
            let severity = match level.as_str() {
                "error" => Severity::High,
                "note" => Severity::Low,
                _ => Severity::Medium,
            };
            *counts.entry(severity).or_default() += count;
        }
        counts
    }

    /// What the ledger keeps of it. Reports without a category are kept apart by their names.
    pub fn statement(&self) -> ScanStatement {
        ScanStatement {
            tool: self.tool.clone(),
            category: if self.category.is_empty() { self.name.clone() } else { self.category.clone() },
            counts: self.counts.clone(),
            found: self.found.clone(),
            ignored: self.ignored,
            ignored_until: self.ignored_until.clone(),
            database: self.database.clone(),
            unreadable: self.unreadable.clone(),
        }
    }
}

/// Whether a count is not worth writing down.
fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_of_older_records_are_read_and_those_without_severities_are_written_as_before() {
        let old =
            r#"{"fact":"findings","name":"a.sarif","tool":"T","category":"","levels":{"error":1},"first":["a: R"]}"#;
        let fact: Fact = serde_json::from_str(old).expect("an older record");
        assert_eq!(serde_json::to_string(&fact).expect("plain data"), old);
        let Fact::Findings(findings) = fact else { panic!("{fact:?}") };
        assert!(findings.counts.is_empty() && findings.unreadable.is_empty());
        assert_eq!(findings.statement().category, "a.sarif");
    }
}
