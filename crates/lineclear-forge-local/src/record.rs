//! What the forge keeps. Everything that GitHub shows and that follows from these is made when asked for.

use lineclear_event::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::journal::Record;

macro_rules! kept {
    ($($record:ident in $table:literal by $key:ident),* $(,)?) => {
        $(impl Record for $record {
            const TABLE: &'static str = $table;

            fn key(&self) -> u64 {
                self.$key
            }
        })*
    };
}

kept! {
    Issue in "issue" by number,
    Comment in "comment" by id,
    Reaction in "reaction" by id,
    Label in "label" by id,
    Milestone in "milestone" by number,
    Happening in "happening" by id,
    Review in "review" by id,
    ReviewComment in "review_comment" by id,
    CommitComment in "commit_comment" by id,
    Status in "status" by id,
    CheckSuite in "check_suite" by id,
    CheckRun in "check_run" by id,
    Release in "release" by id,
    Asset in "asset" by id,
    Deployment in "deployment" by id,
    DeploymentStatus in "deployment_status" by id,
    Analysis in "analysis" by id,
    Alert in "alert" by number,
    Dispatch in "dispatch" by id,
    Variable in "variable" by id,
    PagesDeployment in "pages_deployment" by id,
    Attestation in "attestation" by id,
    Disabled in "disabled_workflow" by workflow,
    PostedRecord in "posted" by id,
}

/// An issue, or a pull request where `pull` is there. They share their numbers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Issue {
    pub(crate) number: u64,
    pub(crate) id: u64,
    pub(crate) title: String,
    pub(crate) body: Option<String>,
    pub(crate) user: String,
    pub(crate) open: bool,
    pub(crate) state_reason: Option<String>,
    pub(crate) labels: Vec<String>,
    pub(crate) assignees: Vec<String>,
    pub(crate) milestone: Option<u64>,
    pub(crate) locked: Option<String>,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    pub(crate) closed: Option<Timestamp>,
    pub(crate) closed_by: Option<String>,
    pub(crate) pull: Option<Pull>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Pull {
    pub(crate) head_ref: String,
    pub(crate) head_sha: String,
    /// `owner/name` of another repository; empty for this one.
    pub(crate) head_repository: String,
    /// Whether the head is wherever its branch is, rather than at `head_sha`.
    pub(crate) follows_branch: bool,
    pub(crate) base_ref: String,
    pub(crate) base_sha: String,
    pub(crate) draft: bool,
    pub(crate) reviewers: Vec<String>,
    pub(crate) team_reviewers: Vec<String>,
    pub(crate) maintainer_can_modify: bool,
    pub(crate) merged: Option<Merged>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Merged {
    pub(crate) at: Timestamp,
    pub(crate) by: String,
    pub(crate) sha: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Comment {
    pub(crate) id: u64,
    pub(crate) issue: u64,
    pub(crate) body: String,
    pub(crate) user: String,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    /// Why it is hidden, if it is: `outdated`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) minimized: Option<String>,
}

/// `subject` is `issue/7`, `comment/1000002`, `review_comment/…`, `commit_comment/…`, `release/…`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Reaction {
    pub(crate) id: u64,
    pub(crate) subject: String,
    pub(crate) content: String,
    pub(crate) user: String,
    pub(crate) created: Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Label {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) color: String,
    pub(crate) description: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Milestone {
    pub(crate) number: u64,
    pub(crate) id: u64,
    pub(crate) title: String,
    pub(crate) description: Option<String>,
    pub(crate) open: bool,
    pub(crate) due_on: Option<String>,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    pub(crate) closed: Option<Timestamp>,
}

/// An event of an issue: `labeled`, `closed` … with what belongs to it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Happening {
    pub(crate) id: u64,
    pub(crate) issue: u64,
    pub(crate) event: String,
    pub(crate) user: String,
    pub(crate) created: Timestamp,
    /// Fields such as `label` and `assignee`, as shown.
    pub(crate) detail: Value,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Review {
    pub(crate) id: u64,
    pub(crate) pull: u64,
    pub(crate) body: String,
    /// `APPROVED`, `CHANGES_REQUESTED`, `COMMENTED`, `PENDING`, `DISMISSED`.
    pub(crate) state: String,
    pub(crate) user: String,
    pub(crate) commit: String,
    pub(crate) submitted: Option<Timestamp>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ReviewComment {
    pub(crate) id: u64,
    pub(crate) pull: u64,
    pub(crate) review: Option<u64>,
    pub(crate) reply_to: Option<u64>,
    pub(crate) body: String,
    pub(crate) user: String,
    pub(crate) commit: String,
    pub(crate) path: String,
    pub(crate) line: Option<u64>,
    pub(crate) side: String,
    pub(crate) start_line: Option<u64>,
    pub(crate) start_side: Option<String>,
    pub(crate) position: Option<u64>,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CommitComment {
    pub(crate) id: u64,
    pub(crate) sha: String,
    pub(crate) body: String,
    pub(crate) path: Option<String>,
    pub(crate) position: Option<u64>,
    pub(crate) line: Option<u64>,
    pub(crate) user: String,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Status {
    pub(crate) id: u64,
    pub(crate) sha: String,
    pub(crate) state: String,
    pub(crate) context: String,
    pub(crate) description: Option<String>,
    pub(crate) target_url: Option<String>,
    pub(crate) user: String,
    pub(crate) created: Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CheckSuite {
    pub(crate) id: u64,
    pub(crate) sha: String,
    pub(crate) created: Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CheckRun {
    pub(crate) id: u64,
    pub(crate) suite: u64,
    pub(crate) sha: String,
    pub(crate) name: String,
    pub(crate) status: String,
    pub(crate) conclusion: Option<String>,
    pub(crate) details_url: Option<String>,
    pub(crate) external_id: String,
    pub(crate) started: String,
    pub(crate) completed: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) summary: Option<String>,
    pub(crate) text: Option<String>,
    pub(crate) annotations: Vec<Value>,
    pub(crate) created: Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Release {
    pub(crate) id: u64,
    pub(crate) tag: String,
    pub(crate) target: String,
    pub(crate) name: Option<String>,
    pub(crate) body: Option<String>,
    pub(crate) draft: bool,
    pub(crate) prerelease: bool,
    /// Whether it may be the latest.
    pub(crate) may_be_latest: bool,
    pub(crate) user: String,
    pub(crate) created: Timestamp,
    pub(crate) published: Option<Timestamp>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Asset {
    pub(crate) id: u64,
    pub(crate) release: u64,
    pub(crate) name: String,
    pub(crate) label: Option<String>,
    pub(crate) content_type: String,
    pub(crate) size: u64,
    /// Hexadecimal SHA-256: the file's name in the forge's folder.
    pub(crate) digest: String,
    pub(crate) user: String,
    pub(crate) created: Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Deployment {
    pub(crate) id: u64,
    pub(crate) sha: String,
    pub(crate) reference: String,
    pub(crate) task: String,
    pub(crate) environment: String,
    pub(crate) description: Option<String>,
    pub(crate) payload: Value,
    pub(crate) transient: bool,
    pub(crate) production: bool,
    pub(crate) user: String,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct DeploymentStatus {
    pub(crate) id: u64,
    pub(crate) deployment: u64,
    pub(crate) state: String,
    pub(crate) description: String,
    pub(crate) environment: String,
    pub(crate) environment_url: String,
    pub(crate) log_url: String,
    pub(crate) user: String,
    pub(crate) created: Timestamp,
}

/// One SARIF run of an upload.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Analysis {
    pub(crate) id: u64,
    /// What the upload's answer called it.
    pub(crate) sarif: String,
    pub(crate) reference: String,
    pub(crate) sha: String,
    pub(crate) category: String,
    pub(crate) analysis_key: String,
    pub(crate) tool: String,
    pub(crate) tool_version: Option<String>,
    pub(crate) results: u64,
    pub(crate) rules: u64,
    /// Why the upload failed; empty for a good one.
    pub(crate) error: String,
    pub(crate) run: Option<u64>,
    /// SHA-256 of the SARIF text in the forge's folder.
    pub(crate) digest: String,
    pub(crate) created: Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Alert {
    pub(crate) number: u64,
    pub(crate) tool: String,
    pub(crate) tool_version: Option<String>,
    pub(crate) category: String,
    pub(crate) analysis_key: String,
    pub(crate) reference: String,
    pub(crate) sha: String,
    pub(crate) rule: String,
    pub(crate) rule_description: String,
    /// `error`, `warning`, `note`, `none`.
    pub(crate) severity: String,
    pub(crate) security_severity: Option<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) message: String,
    pub(crate) path: String,
    pub(crate) start_line: u64,
    pub(crate) end_line: u64,
    pub(crate) start_column: u64,
    pub(crate) end_column: u64,
    /// What the tool says is the same finding.
    pub(crate) fingerprint: String,
    /// `open`, `fixed`, `dismissed`.
    pub(crate) state: String,
    pub(crate) dismissed_reason: Option<String>,
    pub(crate) dismissed_comment: Option<String>,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    pub(crate) fixed: Option<Timestamp>,
}

/// A workflow or repository dispatch: recorded, for the one who can start runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Dispatch {
    pub(crate) id: u64,
    /// The run that asked for it.
    pub(crate) run: u64,
    /// Path of the workflow; empty for a repository dispatch.
    pub(crate) workflow: String,
    pub(crate) reference: String,
    pub(crate) event_type: String,
    /// Inputs or client payload.
    pub(crate) payload: Value,
    pub(crate) created: Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Variable {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PagesDeployment {
    pub(crate) id: u64,
    pub(crate) artifact: Option<u64>,
    pub(crate) version: String,
    pub(crate) environment: String,
    pub(crate) cancelled: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Attestation {
    pub(crate) id: u64,
    /// `sha256:<hex>` of what it is about.
    pub(crate) subjects: Vec<String>,
    pub(crate) predicate_type: String,
    pub(crate) bundle: Value,
}

/// A workflow that was disabled.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Disabled {
    pub(crate) workflow: u64,
}

/// See [`crate::Posted`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PostedRecord {
    pub(crate) id: u64,
    pub(crate) run: u64,
    pub(crate) kind: String,
    /// Id of the thing that was posted: a second post of it in a run replaces the first.
    pub(crate) object: u64,
    pub(crate) title: String,
    pub(crate) markdown: String,
    pub(crate) url: String,
    pub(crate) created: bool,
}
