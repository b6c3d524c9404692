//! The event `workflow_run`.

use lineclear_event::{Changed, Conclusion, ForgeEvent, RunId, Timestamp};
use lineclear_workflow::Workflow;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{Platform, Reference, RunIdentity};

/// What happened to the run that is followed: the event's activity type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunActivity {
    Requested,
    InProgress,
    /// It ended so.
    Completed(Conclusion),
}

/// A run that others may follow.
#[derive(Clone, Copy, Debug)]
pub struct FollowedRun<'r> {
    pub run: RunIdentity,
    /// Path of its workflow file.
    pub file: &'r str,
    /// The workflow's name.
    pub workflow: &'r str,
    /// What the run is called.
    pub title: &'r str,
    /// What it ran for.
    pub event: &'r ForgeEvent,
    pub platform: &'r Platform,
    pub created: Timestamp,
}

/// Which commit a run speaks of, and where that commit comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunHead {
    /// `owner/name`; empty for a fork that is gone.
    pub repository: String,
    /// Branch or tag, without `refs/heads/` and `refs/tags/`: of a pull request the one that is to be merged.
    pub branch: String,
    pub sha: String,
}

/// Whether `workflow` follows a workflow called `name`.
pub fn follows(workflow: &Workflow, name: &str) -> bool {
    workflow.on.get("workflow_run").is_some_and(|on| on.workflows.iter().any(|followed| followed.value == name))
}

/// The commit that a run for `event` speaks of.
///
/// It is not always [`ForgeEvent::sha`]: for a pull request that is a merge which nobody pushed.
pub fn run_head(event: &ForgeEvent) -> RunHead {
    let own = event.repository.full_name();
    let request = &event.payload["pull_request"];
    if !event.name.starts_with("pull_request") || request.is_null() {
        let branch = Reference::of(&event.reference).name.to_owned();
        return RunHead { repository: own, branch, sha: event.sha.clone() };
    }
    let text = |pointer: &str| request.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let repository = match request.pointer("/head/repo") {
        None => own,
        Some(repository) => repository["full_name"].as_str().unwrap_or_default().to_owned(),
    };
    // Such a run has the trust of the base, and runs the base's commit.
    let sha = if event.name == "pull_request_target" { None } else { text("/head/sha") };
    RunHead {
        repository,
        branch: text("/head/ref").unwrap_or_else(|| event.head_ref.clone()),
        sha: sha.unwrap_or_else(|| event.sha.clone()),
    }
}

/// The event that `activity` of a run is to the workflows that follow it, as told at `now`. It happens on the default branch, whose last
/// commit is `default_sha`.
///
/// # Source
/// "Webhook events and payloads", `workflow_run`, and the table of `GITHUB_SHA` and `GITHUB_REF` in "Events that trigger workflows".
pub fn following_event(
    followed: &FollowedRun<'_>,
    activity: RunActivity,
    default_sha: &str,
    now: Timestamp,
) -> ForgeEvent {
    let event = followed.event;
    let (action, status, conclusion) = match activity {
        RunActivity::Requested => ("requested", "queued", None),
        RunActivity::InProgress => ("in_progress", "in_progress", None),
        RunActivity::Completed(conclusion) => ("completed", "completed", Some(conclusion.as_str())),
    };
    let addresses = Addresses::of(followed);
    let payload = json!({
        "action": action,
        "workflow": workflow(followed, &addresses),
        "workflow_run": run(followed, &addresses, (status, conclusion), now),
        "repository": repository(event, followed.platform),
        "sender": user(event, followed.platform),
    });
    ForgeEvent {
        name: "workflow_run".into(),
        payload,
        repository: event.repository.clone(),
        reference: format!("refs/heads/{}", event.repository.default_branch),
        sha: default_sha.to_owned(),
        base_ref: String::new(),
        head_ref: String::new(),
        actor: event.actor.clone(),
        changed: Changed::Unknown { reason: "this event is not filtered by paths".into() },
    }
}

/// Where a run and its workflow are found.
struct Addresses {
    api: String,
    page: String,
    workflow: u64,
    suite: u64,
}

impl Addresses {
    fn of(followed: &FollowedRun<'_>) -> Self {
        let name = followed.event.repository.full_name();
        Self {
            api: format!("{}/repos/{name}", followed.platform.api_url),
            page: format!("{}/{name}", followed.platform.server_url),
            workflow: number_of(followed.file),
            suite: number_of(&format!("suite/{}", followed.run.id)),
        }
    }
}

fn workflow(followed: &FollowedRun<'_>, addresses: &Addresses) -> Value {
    let Addresses { api, page, workflow, .. } = addresses;
    let (file, branch) = (followed.file, &followed.event.repository.default_branch);
    json!({
        "id": workflow,
        "name": followed.workflow,
        "path": file,
        "state": "active",
        "url": format!("{api}/actions/workflows/{workflow}"),
        "html_url": format!("{page}/blob/{branch}/{file}"),
        "badge_url": format!("{page}/workflows/{}/badge.svg", followed.workflow),
        "created_at": time(followed.created),
        "updated_at": time(followed.created),
    })
}

fn run(
    followed: &FollowedRun<'_>,
    addresses: &Addresses,
    (status, conclusion): (&str, Option<&str>),
    now: Timestamp,
) -> Value {
    let event = followed.event;
    let Addresses { api, page, workflow, suite } = addresses;
    let RunIdentity { id: RunId(id), number, attempt } = followed.run;
    let head = run_head(event);
    let url = format!("{api}/actions/runs/{id}");
    let actor = user(event, followed.platform);
    let previous = (attempt > 1).then(|| format!("{url}/attempts/{}", attempt - 1));
    let mut run = json!({
        "id": id,
        "name": followed.workflow,
        "display_title": followed.title,
        "path": followed.file,
        "event": event.name,
        "status": status,
        "conclusion": conclusion,
        "head_branch": head.branch,
        "head_sha": head.sha,
        "head_commit": head_commit(event, &head, followed.created),
        "head_repository": head_repository(event, followed.platform),
        "repository": repository(event, followed.platform),
        "pull_requests": pull_requests(event, &head, followed.platform),
        "run_number": number,
        "run_attempt": attempt,
        "workflow_id": workflow,
        "check_suite_id": suite,
        "referenced_workflows": [],
        "actor": actor,
        "triggering_actor": actor,
        "url": url,
        "html_url": format!("{page}/actions/runs/{id}"),
        "workflow_url": format!("{api}/actions/workflows/{workflow}"),
        "check_suite_url": format!("{api}/check-suites/{suite}"),
        "previous_attempt_url": previous,
        "created_at": time(followed.created),
        "run_started_at": time(followed.created),
        "updated_at": time(now),
    });
    for name in ["jobs", "logs", "artifacts", "cancel", "rerun"] {
        run[format!("{name}_url")] = json!(format!("{url}/{name}"));
    }
    run
}

/// The commit with what the event said of it.
fn head_commit(event: &ForgeEvent, head: &RunHead, created: Timestamp) -> Value {
    let told = &event.payload["head_commit"];
    let request = &event.payload["pull_request"];
    let before = &event.payload["workflow_run"]["head_commit"];
    let known = if told["id"] == head.sha.as_str() {
        Some(told)
    } else {
        (before["id"] == head.sha.as_str()).then_some(before)
    };
    let text = |key: &str| known.map(|commit| commit[key].clone()).filter(|value| !value.is_null());
    let person = |key: &str| {
        let told = known.map(|commit| &commit[key]);
        let field = |field: &str| told.and_then(|person| person[field].as_str()).unwrap_or_default();
        json!({ "name": field("name"), "email": field("email") })
    };
    json!({
        "id": head.sha,
        "tree_id": text("tree_id"),
        "message": text("message").unwrap_or_else(|| request["title"].as_str().unwrap_or_default().into()),
        "timestamp": text("timestamp").unwrap_or_else(|| time(created).into()),
        "author": person("author"),
        "committer": person("committer"),
    })
}

/// The repository that the commit is of: a fork's, for a pull request from one; null for one that is gone.
fn head_repository(event: &ForgeEvent, platform: &Platform) -> Value {
    match event.payload.pointer("/pull_request/head/repo") {
        Some(repository) if event.name.starts_with("pull_request") => repository.clone(),
        _ => repository(event, platform),
    }
}

/// The pull requests of the head: none where it is a fork's, as on GitHub.
fn pull_requests(event: &ForgeEvent, head: &RunHead, platform: &Platform) -> Value {
    let request = &event.payload["pull_request"];
    let own = event.repository.full_name();
    if !event.name.starts_with("pull_request") || !head.repository.eq_ignore_ascii_case(&own) {
        return json!([]);
    }
    let number = event.payload.get("number").unwrap_or(&request["number"]);
    let api = format!("{}/repos/{own}", platform.api_url);
    let side = |side: &str| {
        let repository = &request[side]["repo"];
        json!({
            "ref": request[side]["ref"],
            "sha": request[side]["sha"],
            "repo": { "id": repository["id"], "name": repository["name"], "url": repository["url"] },
        })
    };
    json!([{
        "id": request["id"],
        "number": number,
        "url": format!("{api}/pulls/{number}"),
        "head": side("head"),
        "base": side("base"),
    }])
}

/// The repository as the event told it, or as far as it is known.
fn repository(event: &ForgeEvent, platform: &Platform) -> Value {
    let told = &event.payload["repository"];
    let full_name = event.repository.full_name();
    if told["full_name"] == full_name.as_str() {
        return told.clone();
    }
    let repository = &event.repository;
    json!({
        "id": repository.id.parse::<u64>().unwrap_or_default(),
        "name": repository.name,
        "full_name": full_name,
        "private": repository.private,
        "fork": false,
        "owner": { "login": repository.owner, "id": repository.owner_id.parse::<u64>().unwrap_or_default() },
        "default_branch": repository.default_branch,
        "html_url": format!("{}/{full_name}", platform.server_url),
        "url": format!("{}/repos/{full_name}", platform.api_url),
    })
}

fn user(event: &ForgeEvent, platform: &Platform) -> Value {
    let told = &event.payload["sender"];
    if told["login"] == event.actor.as_str() {
        return told.clone();
    }
    json!({
        "login": event.actor,
        "id": 0,
        "type": "User",
        "html_url": format!("{}/{}", platform.server_url, event.actor),
        "url": format!("{}/users/{}", platform.api_url, event.actor),
    })
}

/// As payloads have it: without milliseconds.
fn time(at: Timestamp) -> String {
    let text = at.to_string();
    text.split_once('.').map_or_else(|| text.clone(), |(seconds, _)| format!("{seconds}Z"))
}

/// The number under which the embedded forge knows a workflow or a check suite: made of its name, since nobody registers one here.
fn number_of(text: &str) -> u64 {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().take(6).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use lineclear_event::Repository;

    use super::*;

    fn event(name: &str, reference: &str, payload: Value) -> ForgeEvent {
        ForgeEvent {
            name: name.into(),
            payload,
            repository: Repository {
                owner: "Octo".into(),
                name: "App".into(),
                default_branch: "main".into(),
                id: "7".into(),
                owner_id: "3".into(),
                private: false,
            },
            reference: reference.into(),
            sha: "1a2b".into(),
            base_ref: String::new(),
            head_ref: String::new(),
            actor: "mona".into(),
            changed: Changed::Unknown { reason: "not asked".into() },
        }
    }

    fn followed(event: &ForgeEvent, activity: RunActivity) -> ForgeEvent {
        let platform = Platform::default();
        let run = RunIdentity { id: RunId(12), number: 4, attempt: 1 };
        let (file, workflow, title) = (".github/workflows/ci.yml", "CI", "Repair it");
        let followed =
            FollowedRun { run, file, workflow, title, event, platform: &platform, created: Timestamp(1_000) };
        following_event(&followed, activity, "9f9f", Timestamp(5_000))
    }

    #[test]
    fn the_payload_says_all_of_the_run_and_the_event_happens_on_the_default_branch() {
        let head = json!({ "id": "1a2b", "message": "Repair it", "timestamp": "t", "author": { "name": "M", "email": "m@x" } });
        let pushed = event("push", "refs/heads/next", json!({ "head_commit": head }));
        let made = followed(&pushed, RunActivity::Completed(Conclusion::TimedOut));
        assert_eq!((made.reference.as_str(), made.sha.as_str()), ("refs/heads/main", "9f9f"));
        let run = &made.payload["workflow_run"];
        assert_eq!(made.payload["action"], "completed");
        assert_eq!(made.payload["workflow"]["path"], ".github/workflows/ci.yml");
        assert_eq!((&run["conclusion"], &run["status"]), (&json!("timed_out"), &json!("completed")));
        assert_eq!((&run["head_branch"], &run["head_sha"]), (&json!("next"), &json!("1a2b")));
        assert_eq!((&run["id"], &run["run_number"], &run["run_attempt"]), (&json!(12), &json!(4), &json!(1)));
        assert_eq!(run["head_commit"]["message"], "Repair it");
        assert_eq!(run["head_repository"]["full_name"], "Octo/App");
        assert_eq!(run["html_url"], "https://github.com/Octo/App/actions/runs/12");
        assert_eq!(run["created_at"], "1970-01-01T00:00:01Z");
        assert_eq!(run["pull_requests"], json!([]));
        let begun = followed(&pushed, RunActivity::Requested);
        assert_eq!(begun.payload["workflow_run"]["conclusion"], Value::Null);
    }

    #[test]
    fn a_pull_request_speaks_of_its_head_and_a_forks_lists_no_pull_request() {
        let side = |repository: &str, branch: &str, sha: &str| json!({ "ref": branch, "sha": sha, "repo": { "full_name": repository, "id": 1 } });
        let request = |head: &str| json!({ "number": 5, "pull_request": { "id": 8, "title": "T", "head": side(head, "main", "beef"), "base": side("Octo/App", "main", "cafe") } });
        let own = followed(
            &event("pull_request", "refs/pull/5/merge", request("Octo/App")),
            RunActivity::Completed(Conclusion::Success),
        );
        let run = &own.payload["workflow_run"];
        assert_eq!((&run["head_sha"], &run["head_branch"]), (&json!("beef"), &json!("main")));
        assert_eq!(run["pull_requests"][0]["number"], 5);
        assert_eq!(run["pull_requests"][0]["base"]["sha"], "cafe");
        let fork = event("pull_request", "refs/pull/5/merge", request("evil/App"));
        assert_eq!(run_head(&fork).repository, "evil/App");
        let run = &followed(&fork, RunActivity::Completed(Conclusion::Success)).payload["workflow_run"];
        assert_eq!(run["head_repository"]["full_name"], "evil/App");
        assert_eq!(run["pull_requests"], json!([]));
        let target = event("pull_request_target", "refs/heads/main", request("evil/App"));
        assert_eq!(run_head(&target).sha, "1a2b", "it runs what the base has");
        let gone = event("pull_request", "refs/pull/5/merge", json!({ "pull_request": { "head": { "repo": null } } }));
        assert_eq!(run_head(&gone).repository, "");
    }
}
