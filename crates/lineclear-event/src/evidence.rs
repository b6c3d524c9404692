//! Evidence: one statement about one commit or digest, who made it, and when. The ledger is a list of these; gates read nothing else.
//!
//! A statement is a fact and no verdict: that a check failed is here, that this blocks a gate is decided by `lineclear-gate`.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{JobKey, RunId, TestTotals, Timestamp};

/// One entry of the ledger, before it is chained to the others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    pub subject: Subject,
    pub at: Timestamp,
    pub by: Witness,
    pub statement: Statement,
}

/// What evidence speaks of. Written as `commit:` and the commit's full id, or as the digest: `sha256:…`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Subject {
    /// A commit's full id in lower case, without anything before it.
    Commit(String),
    /// `sha256:` and 64 hexadecimal digits: a manifest or an index of an image.
    Digest(String),
}

/// A text that names neither a commit nor a digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither `commit:` with a full commit id nor `sha256:` with 64 hexadecimal digits")]
pub struct NoSubject(pub String);

/// Who made a statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Witness {
    /// The engine, of what it saw in a run.
    Run(RunWitness),
    /// A person, by the name they go by: `Ann Example <ann@example.org>`.
    Person(String),
    /// The engine, of what it did itself.
    Engine,
}

/// The run in which something was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunWitness {
    /// [`RunWitness::NOT_STARTED`] where there was none: see [`RunWitness::started`].
    pub run: RunId,
    pub attempt: u32,
    /// The workflow's file.
    pub file: String,
    /// `push`, `pull_request` …
    pub event: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<JobKey>,
}

impl RunWitness {
    /// What stands in the place of a run's number when none was started: the engine saw that an event left a workflow out. Runs count from one.
    pub const NOT_STARTED: RunId = RunId(0);

    /// The run that saw it; `None` if none was started. What has none has nothing in common with whatever else has none.
    pub fn started(&self) -> Option<RunId> {
        (self.run != Self::NOT_STARTED).then_some(self.run)
    }
}

/// What is stated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Statement {
    /// The commit has this tree and these parents.
    Commit(CommitStatement),
    /// A run of a workflow ended.
    Run(RunStatement),
    /// A job of a workflow ended, or was not needed.
    Check(CheckStatement),
    Coverage(CoverageStatement),
    Tests(TestsStatement),
    Scan(ScanStatement),
    /// The digest was built or pushed by a run.
    Image(ImageStatement),
    /// A list of what is in the digest is there.
    Sbom(SbomStatement),
    Signature(SignatureStatement),
    Provenance(ProvenanceStatement),
    /// What a person says of it.
    Stated(PersonStatement),
    /// What a gate said of it.
    Decision(DecisionStatement),
    /// It was moved, or a move of it was begun.
    Move(MoveStatement),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitStatement {
    /// The id of the commit's tree: equal trees have equal contents.
    pub tree: String,
    pub parents: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunStatement {
    /// The workflow's name.
    pub workflow: String,
    pub conclusion: CheckConclusion,
    /// The branch or tag it ran for, without `refs/heads/` and `refs/tags/`.
    pub head_branch: String,
    /// `owner/name` of the repository that the commit is of; a fork's, for a pull request from one.
    pub head_repository: String,
    /// What was not as the workflow files and the commit say: `--env`, `--matrix`, changes that no commit has. Evidence of such a run is
    /// shown, and never clears a gate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub adjusted: Vec<String>,
}

/// How one check ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckStatement {
    /// `Workflow / job` as the forge shows it, without the leg of a matrix.
    pub check: String,
    /// On what kind of event.
    pub context: CheckContext,
    /// One for each leg of the job's matrix; a job without one has a single leg with an empty name.
    pub legs: Vec<CheckLeg>,
    /// As [`RunStatement::adjusted`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub adjusted: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckLeg {
    /// `3.12, linux`; empty for a job without matrix.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    pub conclusion: CheckConclusion,
    /// Why, for everything but success.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// For [`CheckConclusion::PathFiltered`]: the commit that the changed paths were counted from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
}

/// How a check can end: the forge's words, and two of our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckConclusion {
    Success,
    Failure,
    Cancelled,
    TimedOut,
    /// Its own conditions, or those of a job that it needs, left it out.
    Skipped,
    Neutral,
    /// The workflow was not started, because of its `paths` or `paths-ignore`.
    PathFiltered,
    ActionRequired,
    Stale,
    StartupFailure,
    /// It was not asked for in this run (a leg that `--matrix` left out): what was known of it stays.
    NotRun,
}

/// On what kind of event a check ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckContext {
    PullRequest,
    /// A push of a branch or tag.
    Push,
    /// Whatever else: by hand, by time, after another workflow.
    Other,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoverageStatement {
    /// The report's name.
    pub name: String,
    pub lines_covered: u64,
    pub lines: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestsStatement {
    pub name: String,
    pub totals: TestTotals,
    /// Tests that passed only after a failed try, or failed; the first hundred.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flaky: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<String>,
}

/// What a scanner found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanStatement {
    pub tool: String,
    /// What keeps several reports of one tool apart; empty where none was given.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub category: String,
    /// All findings by severity; those that are ignored with a reason are not among them.
    pub counts: BTreeMap<Severity, u64>,
    /// The worst of them first; at most a thousand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub found: Vec<Finding>,
    /// How many were left out of `counts` because someone took responsibility for them.
    #[serde(default)]
    pub ignored: u64,
    /// Until when that holds: of each severity that was ignored the word that ends first. Not in statements of before there was this.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignored_until: Vec<IgnoredUntil>,
    /// The state of the database of vulnerabilities, where there is one: the newest entry's time, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// Why the scanner's report could not be read: then nothing is known, and it counts as no scan. Empty for one that was.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unreadable: String,
}

/// The end of somebody's word that a finding does no harm.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct IgnoredUntil {
    /// Of what was ignored; `None` where without that word the scan would be none, whatever is asked of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// The last day on which it holds, in UTC: `2026-11-21`.
    pub day: String,
    /// What was ignored.
    pub id: String,
}

impl IgnoredUntil {
    /// Whether its last day is over.
    pub fn is_over(&self, now: Timestamp) -> bool {
        // Days of four-digit years are in the order of their texts.
        now.to_string().get(..self.day.len()).is_some_and(|today| today > self.day.as_str())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The tool says none.
    Unknown,
    Low,
    Medium,
    High,
    Critical,
}

/// One finding of a scanner.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Finding {
    pub severity: Severity,
    /// `CVE-2024-1234`, `GHSA-…`, `B602`.
    pub id: String,
    /// The package, or `file:line`.
    pub place: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// The first version without it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub fixed: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
}

/// Where a digest comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageStatement {
    /// `backend`: the name that the policy has for it; empty for one that it does not know.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub image: String,
    /// The names with tags under which the run pushed it.
    pub names: Vec<String>,
    /// The commit that was checked out where it was built; empty if no commit has what it was built from, as in a run that was adjusted.
    pub commit: String,
    /// Whether the run built it, or is only known to have pushed it: who pushes what others built does not make it their own commit's.
    #[serde(default)]
    pub built: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<String>,
    /// Of an index: the manifests that it names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<String>,
    /// The final user; empty means root.
    #[serde(default)]
    pub user: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SbomStatement {
    /// `spdx` or `cyclonedx`.
    pub format: String,
    /// `sha256:…` of the document.
    pub document: String,
    pub packages: u64,
    /// The digest of the referrer that carries it beside the image, if it is attached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attached: Option<String>,
}

/// A signature that was verified when this was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignatureStatement {
    /// `sha256:…` of the public key in its DER form.
    pub key: String,
    /// `sigstore-bundle` or `cosign`.
    pub form: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attached: Option<String>,
}

/// A signed statement of how the digest was built, verified when this was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvenanceStatement {
    /// The type of its predicate: `https://slsa.dev/provenance/v1`.
    pub predicate: String,
    pub builder: String,
    /// The commit that it names.
    pub commit: String,
    pub key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attached: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonStatement {
    /// What is stated: `security-review`, `manual-validation`.
    pub name: String,
    pub passes: bool,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Files that were given with it: name → `sha256:…`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, String>,
}

/// What a gate said, and on what that rests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionStatement {
    pub gate: String,
    pub context: CheckContext,
    pub clear: bool,
    /// The commit that the checks were looked for at: of a digest, the one it was built from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// What is missing, a sentence each; empty when it is clear.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocked: Vec<String>,
    /// The numbers of the entries that it rests on.
    pub rests_on: Vec<u64>,
    /// SHA-256 of the gate's rules in their canonical form: another hash means other rules.
    pub rules: String,
}

/// A move of an image. A move has several entries: it is begun, and then done or undone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoveStatement {
    /// Unique in the ledger.
    pub id: String,
    pub kind: MoveKind,
    pub phase: MovePhase,
    /// The policy's name for the image.
    pub image: String,
    /// Where it goes: registry and name.
    pub repository: String,
    /// Where it comes from: registry, name and digest.
    pub source: String,
    pub commit: String,
    pub tags: Vec<MovedTag>,
    /// The entry of the decision that let it through; of a move that was refused before any gate was asked, its own.
    pub decision: u64,
    /// Of a promotion: to what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Why it was undone.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoveKind {
    Publish,
    Promote,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MovePhase {
    Begun,
    Done,
    Undone,
    /// It was let through by its gate and never begun: a tag's own rule, the registry, or a missing proof was against it. Nothing has moved.
    Refused,
}

/// A tag and what it was and is to point to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MovedTag {
    pub tag: String,
    /// What it pointed to before; `None` for a new tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    pub to: String,
    /// Why it stays where it is: a newer commit has it already, or it is there already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stays: Option<String>,
    /// It stood for something that the ledger knows nothing of, and this person said that it moves all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<String>,
}

impl Subject {
    /// What is between `commit:` and the end, or the whole digest.
    pub fn id(&self) -> &str {
        match self {
            Self::Commit(id) | Self::Digest(id) => id,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Commit(id) => write!(f, "commit:{id}"),
            Self::Digest(digest) => f.write_str(digest),
        }
    }
}

impl FromStr for Subject {
    type Err = NoSubject;

    fn from_str(text: &str) -> Result<Self, NoSubject> {
        let hexadecimal = |id: &str| id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if let Some(id) = text.strip_prefix("commit:")
            && matches!(id.len(), 40 | 64)
            && hexadecimal(id)
        {
            return Ok(Self::Commit(id.to_owned()));
        }
        match text.strip_prefix("sha256:") {
            Some(id) if id.len() == 64 && hexadecimal(id) => Ok(Self::Digest(text.to_owned())),
            _ => Err(NoSubject(text.chars().take(200).collect())),
        }
    }
}

impl TryFrom<String> for Subject {
    type Error = NoSubject;

    fn try_from(text: String) -> Result<Self, NoSubject> {
        text.parse()
    }
}

impl From<Subject> for String {
    fn from(subject: Subject) -> Self {
        subject.to_string()
    }
}

impl Severity {
    /// From the most severe down.
    pub const ALL: [Self; 5] = [Self::Critical, Self::High, Self::Medium, Self::Low, Self::Unknown];

    /// Of a CVSS base score between 0 and 10; `Unknown` for 0 and what is no score.
    ///
    /// # Source
    /// The qualitative severity rating scale of CVSS 3.1 and 4.0. Version 2.0 has none of its own; this one is commonly used for it.
    pub fn of_score(score: f64) -> Self {
        match score {
            score if !(0.0..=10.0).contains(&score) => Self::Unknown,
            score if score >= 9.0 => Self::Critical,
            score if score >= 7.0 => Self::High,
            score if score >= 4.0 => Self::Medium,
            score if score > 0.0 => Self::Low,
            _ => Self::Unknown,
        }
    }

    /// What a tool calls it, in whatever case: `moderate`, `negligible` and `info` are words for medium and low.
    pub fn of_word(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "critical" => Self::Critical,
            "high" | "important" => Self::High,
            "medium" | "moderate" => Self::Medium,
            "low" | "negligible" | "minor" | "unimportant" | "info" | "informational" => Self::Low,
            _ => Self::Unknown,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl CheckConclusion {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed_out",
            Self::Skipped => "skipped",
            Self::Neutral => "neutral",
            Self::PathFiltered => "path_filtered",
            Self::ActionRequired => "action_required",
            Self::Stale => "stale",
            Self::StartupFailure => "startup_failure",
            Self::NotRun => "not_run",
        }
    }
}

impl fmt::Display for CheckConclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<crate::Conclusion> for CheckConclusion {
    fn from(conclusion: crate::Conclusion) -> Self {
        match conclusion {
            crate::Conclusion::Success => Self::Success,
            crate::Conclusion::Failure => Self::Failure,
            crate::Conclusion::Cancelled => Self::Cancelled,
            crate::Conclusion::Skipped => Self::Skipped,
            crate::Conclusion::TimedOut => Self::TimedOut,
            crate::Conclusion::StartupFailure => Self::StartupFailure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_is_one_json_object_that_reads_back() {
        let evidence = Evidence {
            subject: Subject::Commit("0123456789012345678901234567890123456789".into()),
            at: Timestamp(1),
            by: Witness::Run(RunWitness {
                run: RunId(7),
                attempt: 1,
                file: ".github/workflows/ci.yml".into(),
                event: "push".into(),
                job: Some(JobKey::new("test")),
            }),
            statement: Statement::Check(CheckStatement {
                check: "CI / test".into(),
                context: CheckContext::Push,
                legs: vec![CheckLeg {
                    name: String::new(),
                    conclusion: CheckConclusion::Success,
                    reason: String::new(),
                    since: None,
                }],
                adjusted: Vec::new(),
            }),
        };
        let json = serde_json::to_string(&evidence).expect("it is plain data");
        assert_eq!(
            json,
            concat!(
                r#"{"subject":"commit:0123456789012345678901234567890123456789","at":1,"by":{"run":{"run":7,"attempt":1,"#,
                r#""file":".github/workflows/ci.yml","event":"push","job":"test"}},"statement":{"check":{"check":"CI / test","#,
                r#""context":"push","legs":[{"conclusion":"success"}]}}}"#
            )
        );
        assert_eq!(serde_json::from_str::<Evidence>(&json).expect("it reads back"), evidence);
    }

    #[test]
    fn a_subject_is_a_whole_commit_id_or_a_whole_digest() {
        for text in ["commit:012345678901234567890123456789012345678A", "commit:main", "sha256:12", "sha512:00", ""] {
            assert_eq!(text.parse::<Subject>(), Err(NoSubject(text.into())));
        }
        let digest = format!("sha256:{}", "0a".repeat(32));
        assert_eq!(digest.parse::<Subject>().map(|subject| subject.to_string()), Ok(digest));
    }

    #[test]
    fn severities_are_of_scores_and_of_words() {
        let of = |scores: &[f64]| scores.iter().map(|score| Severity::of_score(*score)).collect::<Vec<_>>();
        assert_eq!(of(&[10.0, 9.0]), [Severity::Critical; 2]);
        assert_eq!(of(&[8.9, 7.0]), [Severity::High; 2]);
        assert_eq!(of(&[6.9, 4.0]), [Severity::Medium; 2]);
        assert_eq!(of(&[3.9, 0.1]), [Severity::Low; 2]);
        assert_eq!(of(&[0.0, -1.0, 10.1, f64::NAN]), [Severity::Unknown; 4]);
        assert_eq!(
            ["MODERATE", "Negligible", "x"].map(Severity::of_word),
            [Severity::Medium, Severity::Low, Severity::Unknown]
        );
    }
}
