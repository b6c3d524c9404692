//! The `github` context.

use lineclear_event::{ForgeEvent, RunId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Addresses that jobs are told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Platform {
    pub server_url: String,
    pub api_url: String,
    pub graphql_url: String,
    pub retention_days: u32,
}

impl Default for Platform {
    fn default() -> Self {
        Self {
            server_url: "https://github.com".into(),
            api_url: "https://api.github.com".into(),
            graphql_url: "https://api.github.com/graphql".into(),
            retention_days: 90,
        }
    }
}

/// Which execution it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunIdentity {
    pub id: RunId,
    pub number: u64,
    pub attempt: u32,
}

/// The `github` context of a run, as far as it is known before a job starts: all keys of GitHub's but `token`, `workspace`,
/// `event_path`, `job` and those of the step and action.
pub fn github_context(
    _event: &ForgeEvent,
    _platform: &Platform,
    _run: RunIdentity,
    _workflow_name: &str,
    _workflow_file: &str,
) -> Value {
    unimplemented!()
}
