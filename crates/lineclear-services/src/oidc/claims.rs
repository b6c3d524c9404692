//! What an identity token says of a job.

use lineclear_event::Timestamp;
use serde_json::{Value, json};

use crate::JobIdentity;
use crate::time::seconds;

/// Seconds that an identity token is good for.
const LIFE: i64 = 300;

/// Seconds that it was good before it was made: clocks differ.
const EARLIER: i64 = 600;

/// How the subject names the repository.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SubjectForm {
    /// `repo:owner/name:…`.
    #[default]
    Names,
    /// `repo:owner@12/name@34:…`: also after the repository was renamed, and never that of another under its old name.
    NamesAndIds,
}

/// The names of all claims, for the discovery document.
pub(super) const NAMES: [&str; 33] = [
    "sub",
    "aud",
    "exp",
    "iat",
    "iss",
    "jti",
    "nbf",
    "ref",
    "sha",
    "repository",
    "repository_id",
    "repository_owner",
    "repository_owner_id",
    "repository_visibility",
    "run_id",
    "run_number",
    "run_attempt",
    "actor",
    "actor_id",
    "workflow",
    "workflow_ref",
    "workflow_sha",
    "head_ref",
    "base_ref",
    "event_name",
    "ref_type",
    "ref_protected",
    "environment",
    "job_workflow_ref",
    "job_workflow_sha",
    "runner_environment",
    "check_run_id",
    "enterprise",
];

/// The claims of a token made at `now`. Without an audience it is the address of the repository's owner.
///
/// # Source
/// "OpenID Connect reference" in GitHub's documentation.
pub(crate) fn claims(
    identity: &JobIdentity,
    form: SubjectForm,
    issuer: &str,
    audience: Option<&str>,
    id: &str,
    now: Timestamp,
) -> Value {
    let caller = &identity.caller;
    let owner = caller.repository.split('/').next().unwrap_or_default();
    let mut claims = json!({
        "jti": id,
        "sub": subject(identity, form),
        "aud": audience.map_or_else(|| format!("{}/{owner}", identity.server_url), str::to_owned),
        "iss": issuer,
        "iat": seconds(now),
        "nbf": seconds(now) - EARLIER,
        "exp": seconds(now) + LIFE,
        "ref": identity.reference,
        "ref_type": identity.ref_type,
        "ref_protected": identity.ref_protected.to_string(),
        "sha": identity.sha,
        "base_ref": identity.base_ref,
        "head_ref": identity.head_ref,
        "repository": caller.repository,
        "repository_id": identity.repository_id,
        "repository_owner": owner,
        "repository_owner_id": identity.repository_owner_id,
        "repository_visibility": identity.repository_visibility,
        "run_id": caller.run.to_string(),
        "run_number": identity.run_number.to_string(),
        "run_attempt": identity.run_attempt.to_string(),
        "actor": caller.actor,
        "actor_id": identity.actor_id,
        "event_name": identity.event_name,
        "workflow": identity.workflow,
        "workflow_ref": identity.workflow_ref,
        "workflow_sha": identity.workflow_sha,
        "job_workflow_ref": identity.job_workflow_ref,
        "runner_environment": identity.runner_environment,
    });
    let optional = [
        ("environment", &identity.environment),
        ("job_workflow_sha", &identity.job_workflow_sha),
        ("check_run_id", &identity.check_run_id),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            claims[name] = value.as_str().into();
        }
    }
    claims
}

/// `repo:o/r:environment:prod`, `repo:o/r:pull_request`, `repo:o/r:ref:refs/heads/main`.
fn subject(identity: &JobIdentity, form: SubjectForm) -> String {
    let (owner, name) = identity.caller.repository.split_once('/').unwrap_or((identity.caller.repository.as_str(), ""));
    let repository = match form {
        SubjectForm::Names => format!("{}/{}", escaped(owner), escaped(name)),
        SubjectForm::NamesAndIds => format!(
            "{}@{}/{}@{}",
            escaped(owner),
            escaped(&identity.repository_owner_id),
            escaped(name),
            escaped(&identity.repository_id)
        ),
    };
    let rest = match &identity.environment {
        Some(environment) => format!("environment:{}", escaped(environment)),
        None if identity.event_name == "pull_request" => "pull_request".into(),
        None => format!("ref:{}", escaped(&identity.reference)),
    };
    format!("repo:{repository}:{rest}")
}

/// A value in a subject: a colon of its own must not look like one between values.
fn escaped(value: &str) -> String {
    value.replace(':', "%3A")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::tests::spec;

    fn made(change: impl FnOnce(&mut JobIdentity), form: SubjectForm) -> Value {
        let mut identity = JobIdentity::of_job(&spec());
        change(&mut identity);
        claims(&identity, form, "https://ci.example.org", None, "id", Timestamp(1_000_000))
    }

    /// Row S1-119.
    #[test]
    fn s1_119_the_subject_names_environment_pull_request_or_ref() {
        let subject = |change: fn(&mut JobIdentity)| made(change, SubjectForm::Names)["sub"].clone();
        assert_eq!(subject(|_| ()), "repo:o/r:pull_request");
        assert_eq!(subject(|job| job.environment = Some("prod:eu".into())), "repo:o/r:environment:prod%3Aeu");
        let push = |job: &mut JobIdentity| {
            job.event_name = "push".into();
            job.reference = "refs/heads/main".into();
        };
        assert_eq!(subject(push), "repo:o/r:ref:refs/heads/main");
        assert_eq!(made(push, SubjectForm::NamesAndIds)["sub"], "repo:o@12/r@11:ref:refs/heads/main");
    }

    #[test]
    fn claims_are_texts_but_for_times_and_live_five_minutes() {
        let claims = made(|job| job.check_run_id = Some("99".into()), SubjectForm::Names);
        assert_eq!(claims["aud"], "https://github.com/o");
        assert_eq!(claims["iss"], "https://ci.example.org");
        assert_eq!(claims["exp"].as_i64().zip(claims["iat"].as_i64()), Some((1300, 1000)));
        assert_eq!(claims["job_workflow_ref"], "o/r/.github/workflows/ci.yml@refs/pull/7/merge");
        for (name, value) in claims.as_object().expect("an object") {
            assert!(NAMES.contains(&name.as_str()), "`{name}` is not in the discovery document");
            assert!(value.is_string() || matches!(name.as_str(), "iat" | "nbf" | "exp"), "`{name}` is no text");
        }
    }
}
