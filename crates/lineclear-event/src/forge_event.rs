//! What happened in the forge.

use serde::{Deserialize, Serialize};

/// One event: what a webhook tells, or what a local checkout stands for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ForgeEvent {
    /// `push`, `pull_request`, `workflow_dispatch` …
    pub name: String,
    /// The webhook's payload: `github.event`.
    pub payload: serde_json::Value,
    pub repository: Repository,
    /// `GITHUB_REF`: `refs/heads/main`, `refs/pull/7/merge`, `refs/tags/v1`.
    pub reference: String,
    /// `GITHUB_SHA`.
    pub sha: String,
    /// Target and source branch of a pull request, otherwise empty.
    pub base_ref: String,
    pub head_ref: String,
    pub actor: String,
    pub changed: Changed,
}

/// The repository an event belongs to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Repository {
    pub owner: String,
    pub name: String,
    pub default_branch: String,
    /// Numeric ids as text, as contexts have them.
    pub id: String,
    pub owner_id: String,
    pub private: bool,
}

impl Repository {
    /// `owner/name`.
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }
}

/// Files that an event changed, for `paths` filters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Changed {
    /// It could not be found out, for the reason given: path filters then let everything through, as on GitHub.
    Unknown { reason: String },
    /// Paths relative to the repository's root, and what they were compared with ("against 1a2b3c4").
    Files { paths: Vec<String>, compared_with: String },
}
