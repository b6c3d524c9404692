//! Who calls.

use std::collections::BTreeMap;

use lineclear_event::{JobKey, JobSpec, RunId};

/// The job on whose behalf a call is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// `owner/name`: what the job's token reaches.
    pub repository: String,
    pub run: RunId,
    pub job: JobKey,
    /// Who caused the run: the author of what the job writes is `github-actions[bot]`, not this.
    pub actor: String,
    /// Effective scopes of the token: `issues` → `write`. A scope not named has no access.
    pub permissions: BTreeMap<String, String>,
}

impl Caller {
    pub fn of_job(spec: &JobSpec) -> Self {
        let github = |name: &str| spec.contexts.github[name].as_str().unwrap_or_default().to_owned();
        Self {
            repository: github("repository"),
            run: spec.run,
            job: spec.job.clone(),
            actor: github("actor"),
            permissions: spec.permissions.clone(),
        }
    }
}
