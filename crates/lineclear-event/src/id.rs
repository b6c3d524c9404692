//! Names of runs and jobs.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// One execution of one workflow for one event. Unique in a store, and the value of `GITHUB_RUN_ID`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub u64);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One job of a run, unique in it: what `needs` and the log call it.
///
/// `build` for a plain job, `test (3.12, linux)` for a leg of a matrix, `release/build` for job `build` of the workflow
/// that job `release` calls. It always begins with the job's id as written in the workflow file.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobKey(Arc<str>);

impl JobKey {
    pub fn new(key: impl Into<Arc<str>>) -> Self {
        Self(key.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for JobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
