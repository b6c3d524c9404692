//! What is known of the repository before anybody calls.

use std::path::PathBuf;

use lineclear_event::ForgeEvent;
use serde_json::Value;

/// The repository that a [`crate::LocalForge`] stands for, and what the event of the run says of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RepositoryFacts {
    pub owner: String,
    pub name: String,
    pub id: u64,
    pub owner_id: u64,
    /// Whether the owner is an organization rather than a person.
    pub owned_by_organization: bool,
    pub default_branch: String,
    pub private: bool,
    pub description: String,
    pub topics: Vec<String>,
    /// The working tree or git folder on this machine. It is only read.
    pub git: Option<PathBuf>,
    /// The commit of the event: `GITHUB_SHA`. Of a pull request this is the merge commit.
    pub sha: String,
    pub default_workflow_permissions: DefaultPermissions,
    pub pull: Option<PullFacts>,
    pub issue: Option<IssueFacts>,
}

/// What a workflow that says nothing of `permissions:` may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DefaultPermissions {
    /// Contents and packages can be read.
    #[default]
    Read,
    /// Everything but `id-token` can be written.
    Write,
}

impl DefaultPermissions {
    /// As GitHub's API calls it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// The pull request of the event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PullFacts {
    pub number: u64,
    pub title: String,
    pub body: String,
    pub user: String,
    pub draft: bool,
    pub labels: Vec<String>,
    pub head_ref: String,
    pub head_sha: String,
    /// `owner/name` of the repository that the head is in; empty for the same.
    pub head_repository: String,
    pub base_ref: String,
    pub base_sha: String,
}

/// The issue of the event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IssueFacts {
    pub number: u64,
    pub title: String,
    pub body: String,
    pub user: String,
    pub labels: Vec<String>,
}

impl RepositoryFacts {
    /// What `event` says, with the repository on this machine. What the payload does not have, or has in a wrong type, is empty.
    pub fn of_event(event: &ForgeEvent, git: Option<PathBuf>) -> Self {
        let repository = &event.repository;
        let payload = &event.payload;
        Self {
            owner: repository.owner.clone(),
            name: repository.name.clone(),
            id: repository.id.parse().unwrap_or(1),
            owner_id: repository.owner_id.parse().unwrap_or(1),
            owned_by_organization: payload["repository"]["owner"]["type"] == "Organization",
            default_branch: repository.default_branch.clone(),
            private: repository.private,
            description: text(&payload["repository"]["description"]),
            topics: names(&payload["repository"]["topics"]),
            git,
            sha: event.sha.clone(),
            default_workflow_permissions: DefaultPermissions::Read,
            pull: pull_of(&payload["pull_request"], event),
            issue: issue_of(&payload["issue"]),
        }
    }

    /// `owner/name`.
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }
}

fn pull_of(pull: &Value, event: &ForgeEvent) -> Option<PullFacts> {
    let number = pull["number"].as_u64().or_else(|| event.payload["number"].as_u64())?;
    let head_repository = text(&pull["head"]["repo"]["full_name"]);
    pull.is_object().then(|| PullFacts {
        number,
        title: text(&pull["title"]),
        body: text(&pull["body"]),
        user: Some(text(&pull["user"]["login"]))
            .filter(|login| !login.is_empty())
            .unwrap_or_else(|| event.actor.clone()),
        draft: pull["draft"].as_bool().unwrap_or(false),
        labels: names(&pull["labels"]),
        head_ref: Some(text(&pull["head"]["ref"])).filter(|r| !r.is_empty()).unwrap_or_else(|| event.head_ref.clone()),
        head_sha: text(&pull["head"]["sha"]),
        head_repository: if head_repository == event.repository.full_name() { String::new() } else { head_repository },
        base_ref: Some(text(&pull["base"]["ref"])).filter(|r| !r.is_empty()).unwrap_or_else(|| event.base_ref.clone()),
        base_sha: text(&pull["base"]["sha"]),
    })
}

fn issue_of(issue: &Value) -> Option<IssueFacts> {
    // The issue of a comment on a pull request is that pull request: nothing is known of its branches.
    Some(IssueFacts {
        number: issue["number"].as_u64()?,
        title: text(&issue["title"]),
        body: text(&issue["body"]),
        user: text(&issue["user"]["login"]),
        labels: names(&issue["labels"]),
    })
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Labels stand in payloads as objects with a name, topics as plain texts.
fn names(list: &Value) -> Vec<String> {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(|entry| entry.as_str().or(entry["name"].as_str())).map(str::to_owned).collect()
}
