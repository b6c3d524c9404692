//! Who a job is, in the words of tokens and scopes.

use std::time::Duration;

use lineclear_event::{JobSpec, WorkflowOrigin};
use lineclear_forge::Caller;
use lineclear_store::CacheScope;
use serde_json::Value;

/// The longest life of a job's tokens, whatever `timeout-minutes` says: five days, as the hosted service has it.
const LONGEST: f64 = 5.0 * 24.0 * 60.0;

/// Tokens outlive the job's time-out by this: its last steps may still clean up.
const GRACE_MINUTES: f64 = 60.0;

/// What a job may do with caches: `ACTIONS_CACHE_MODE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheMode {
    None,
    Read,
    /// Read and write.
    Write,
    WriteOnly,
}

impl CacheMode {
    /// The word that clients read.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Read => "read",
            Self::Write => "write",
            Self::WriteOnly => "write-only",
        }
    }

    pub fn can_read(self) -> bool {
        matches!(self, Self::Read | Self::Write)
    }

    pub fn can_write(self) -> bool {
        matches!(self, Self::Write | Self::WriteOnly)
    }
}

/// One job, as its tokens and identity tokens tell of it. [`JobIdentity::of_job`] reads it from a [`JobSpec`]; what only the
/// platform knows may then be set.
#[derive(Clone, Debug, PartialEq)]
pub struct JobIdentity {
    /// Repository, run, job, actor and permissions.
    pub caller: Caller,
    /// `https://github.com`: the default audience begins with it.
    pub server_url: String,
    pub repository_id: String,
    pub repository_owner_id: String,
    /// `public`, `private`, `internal`.
    pub repository_visibility: String,
    /// `refs/heads/main`, `refs/pull/7/merge`, `refs/tags/v1`.
    pub reference: String,
    /// `branch` or `tag`.
    pub ref_type: String,
    pub ref_protected: bool,
    pub sha: String,
    /// Target and source branch of a pull request, otherwise empty.
    pub base_ref: String,
    pub head_ref: String,
    pub default_branch: String,
    pub event_name: String,
    pub actor_id: String,
    /// Name, file and commit of the run's own workflow.
    pub workflow: String,
    pub workflow_ref: String,
    pub workflow_sha: String,
    /// File and commit of the workflow that holds the job: of a called one, its own.
    pub job_workflow_ref: String,
    pub job_workflow_sha: Option<String>,
    pub run_number: u64,
    pub run_attempt: u32,
    pub environment: Option<String>,
    /// `self-hosted` or `github-hosted`.
    pub runner_environment: String,
    pub check_run_id: Option<String>,
    pub cache_mode: CacheMode,
    /// How long the job's tokens are good at most; they end with the job.
    pub life: Duration,
}

impl JobIdentity {
    /// The identity that a job's specification tells of.
    ///
    /// Where someone from outside causes a run in the scope of a branch of the repository (`pull_request_target` of a fork),
    /// caches are read only: what that run stores would be restored by runs that are trusted. A fork's `pull_request` writes
    /// to the scope of its own merge, which no other ref reads.
    pub fn of_job(spec: &JobSpec) -> Self {
        let github = &spec.contexts.github;
        let text = |name: &str| github[name].as_str().unwrap_or_default().to_owned();
        let reference = text("ref");
        let caller = Caller::of_job(spec);
        let (job_workflow_ref, job_workflow_sha) = match &spec.file {
            WorkflowOrigin::Local { path } => {
                (format!("{}/{path}@{reference}", caller.repository), Some(text("workflow_sha")))
            }
            WorkflowOrigin::Remote { owner, repo, path, reference } => {
                let is_sha = reference.len() >= 40 && reference.bytes().all(|byte| byte.is_ascii_hexdigit());
                (format!("{owner}/{repo}/{path}@{reference}"), is_sha.then(|| reference.clone()))
            }
        };
        let event = &github["event"];
        let minutes = spec.timeout_minutes.clamp(0.0, LONGEST) + GRACE_MINUTES;
        Self {
            server_url: text("server_url"),
            repository_id: text("repository_id"),
            repository_owner_id: text("repository_owner_id"),
            repository_visibility: text("repository_visibility"),
            ref_type: text("ref_type"),
            ref_protected: github["ref_protected"].as_bool().unwrap_or_default(),
            sha: text("sha"),
            base_ref: text("base_ref"),
            head_ref: text("head_ref"),
            default_branch: event["repository"]["default_branch"].as_str().unwrap_or_default().to_owned(),
            event_name: text("event_name"),
            actor_id: text("actor_id"),
            workflow: text("workflow"),
            workflow_ref: text("workflow_ref"),
            workflow_sha: text("workflow_sha"),
            job_workflow_ref,
            job_workflow_sha,
            run_number: spec.run_number,
            run_attempt: spec.attempt,
            environment: spec.environment.clone().filter(|name| !name.is_empty()),
            runner_environment: "self-hosted".into(),
            check_run_id: None,
            cache_mode: cache_mode(&text("event_name"), event),
            life: Duration::from_secs_f64(minutes * 60.0),
            reference,
            caller,
        }
    }

    /// Whether the job may have identity tokens (rows S1-16, S1-119).
    pub fn has_id_token(&self) -> bool {
        self.caller.permissions.get("id-token").is_some_and(|access| access == "write")
    }

    /// The scopes that the job's caches are looked for in, in order: own ref, base branch, default branch.
    pub fn readable_scopes(&self) -> Vec<CacheScope> {
        if !self.cache_mode.can_read() {
            return Vec::new();
        }
        let mut scopes = vec![self.own_scope()];
        for branch in [&self.base_ref, &self.default_branch] {
            let scope = CacheScope(format!("refs/heads/{branch}"));
            if !branch.is_empty() && !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
        scopes
    }

    /// The one scope that the job's caches are kept in: of a pull request its merge, so that the base branch never sees it.
    pub fn own_scope(&self) -> CacheScope {
        CacheScope(self.reference.clone())
    }
}

fn cache_mode(event_name: &str, event: &Value) -> CacheMode {
    let pull_request = &event["pull_request"];
    let head = pull_request["head"]["repo"]["full_name"].as_str();
    let is_foreign = pull_request.is_object() && head != pull_request["base"]["repo"]["full_name"].as_str();
    let in_scope_of_a_branch =
        !matches!(event_name, "pull_request" | "pull_request_review" | "pull_request_review_comment");
    if is_foreign && in_scope_of_a_branch { CacheMode::Read } else { CacheMode::Write }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use lineclear_event::{JobContexts, JobKey, RunId};
    use serde_json::json;
    use std::collections::BTreeMap;
    use std::sync::Arc;

    pub(crate) fn spec() -> JobSpec {
        let github = json!({
            "repository": "o/r", "actor": "mona", "actor_id": "5", "ref": "refs/pull/7/merge", "ref_type": "branch",
            "ref_protected": false, "base_ref": "release", "head_ref": "topic", "sha": "a".repeat(40),
            "event_name": "pull_request", "server_url": "https://github.com", "repository_id": "11",
            "repository_owner_id": "12", "repository_visibility": "private", "workflow": "CI",
            "workflow_ref": "o/r/.github/workflows/ci.yml@refs/pull/7/merge", "workflow_sha": "b".repeat(40),
            "event": {
                "repository": { "default_branch": "main" },
                "pull_request": { "head": { "repo": { "full_name": "o/r" } }, "base": { "repo": { "full_name": "o/r" } } },
            },
        });
        JobSpec {
            run: RunId(3),
            run_number: 30,
            attempt: 1,
            job: JobKey::new("test (3.12, linux)"),
            id: "test".into(),
            name: "test".into(),
            file: WorkflowOrigin::Local { path: ".github/workflows/ci.yml".into() },
            text: "".into(),
            contexts: JobContexts { github: Arc::new(github), ..JobContexts::default() },
            runs_on: Vec::new(),
            runner_group: None,
            environment: None,
            timeout_minutes: 360.0,
            permissions: BTreeMap::from([("contents".into(), "read".into())]),
            secret_passages: Vec::new(),
        }
    }

    /// Trap 86.
    #[test]
    fn trap_86_a_pull_request_reads_its_own_then_base_then_default_and_writes_its_own() {
        let identity = JobIdentity::of_job(&spec());
        let scopes: Vec<String> = identity.readable_scopes().into_iter().map(|scope| scope.0).collect();
        assert_eq!(scopes, ["refs/pull/7/merge", "refs/heads/release", "refs/heads/main"]);
        assert_eq!(identity.own_scope().0, "refs/pull/7/merge");
        assert_eq!(identity.job_workflow_ref, "o/r/.github/workflows/ci.yml@refs/pull/7/merge");
        assert_eq!(identity.life, Duration::from_secs(7 * 3600));
    }

    #[test]
    fn a_fork_reads_only_where_it_would_write_to_a_branch() {
        let mut event = json!({ "pull_request": {
            "head": { "repo": { "full_name": "fork/r" } }, "base": { "repo": { "full_name": "o/r" } },
        }});
        assert_eq!(cache_mode("pull_request_target", &event), CacheMode::Read);
        assert_eq!(cache_mode("pull_request", &event), CacheMode::Write);
        // The fork was deleted.
        event["pull_request"]["head"]["repo"] = Value::Null;
        assert_eq!(cache_mode("pull_request_target", &event), CacheMode::Read);
        event["pull_request"]["head"]["repo"] = json!({ "full_name": "o/r" });
        assert_eq!(cache_mode("pull_request_target", &event), CacheMode::Write);
        assert_eq!(cache_mode("push", &json!({})), CacheMode::Write);
    }

    /// Row S1-119.
    #[test]
    fn a_called_workflow_is_named_by_its_own_file() {
        let mut spec = spec();
        let reference = "c".repeat(40);
        let (owner, repo, path) = ("x".into(), "y".into(), "w.yml".into());
        spec.file = WorkflowOrigin::Remote { owner, repo, path, reference: reference.clone() };
        let identity = JobIdentity::of_job(&spec);
        assert_eq!(identity.job_workflow_ref, format!("x/y/w.yml@{reference}"));
        assert_eq!(identity.job_workflow_sha, Some(reference));
        assert_eq!(identity.workflow_ref, "o/r/.github/workflows/ci.yml@refs/pull/7/merge");
    }
}
