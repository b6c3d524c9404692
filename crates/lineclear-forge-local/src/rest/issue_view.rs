//! Issues, labels, milestones and reactions as they are shown.

use std::collections::BTreeMap;

use lineclear_forge::NodeKind;
use serde_json::{Map, Value, json};

use crate::call::{Call, encoded, node, time};
use crate::journal::Transaction;
use crate::record::{Comment, Issue, Label, Milestone, Reaction};

/// The contents of reactions, with how GitHub spells them.
pub(super) const REACTIONS: [&str; 8] = ["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"];

/// Reactions counted by what they are of and what they say: one pass for a whole answer.
#[derive(Debug, Default)]
pub(super) struct Reacted(BTreeMap<String, BTreeMap<String, u64>>);

impl Reacted {
    pub(super) fn count(memory: &Transaction) -> Self {
        let mut counted = Self::default();
        for reaction in memory.all::<Reaction>() {
            *counted.0.entry(reaction.subject).or_default().entry(reaction.content).or_default() += 1;
        }
        counted
    }

    pub(super) fn shown(&self, subject: &str, url: &str) -> Value {
        let counts = self.0.get(subject);
        let of = |content: &str| counts.and_then(|counts| counts.get(content)).copied().unwrap_or(0);
        let mut shown = Map::new();
        shown.insert("url".into(), json!(format!("{url}/reactions")));
        shown.insert("total_count".into(), json!(REACTIONS.iter().map(|content| of(content)).sum::<u64>()));
        for content in REACTIONS {
            shown.insert(content.to_owned(), json!(of(content)));
        }
        Value::Object(shown)
    }
}

/// What showing issues needs, gathered once.
#[derive(Debug)]
pub(super) struct IssueView<'a> {
    call: &'a Call<'a>,
    comments: BTreeMap<u64, u64>,
    labels: Vec<Label>,
    milestones: Vec<Milestone>,
    open_and_closed: BTreeMap<u64, (u64, u64)>,
    reacted: Reacted,
}

impl<'a> IssueView<'a> {
    pub(super) fn new(call: &'a Call<'a>, memory: &Transaction) -> Self {
        let mut comments = BTreeMap::new();
        for comment in memory.all::<Comment>() {
            *comments.entry(comment.issue).or_default() += 1;
        }
        let milestones = memory.all::<Milestone>();
        let mut open_and_closed: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
        if !milestones.is_empty() {
            for issue in memory.all::<Issue>() {
                let Some(milestone) = issue.milestone else { continue };
                let counts = open_and_closed.entry(milestone).or_default();
                if issue.open { counts.0 += 1 } else { counts.1 += 1 }
            }
        }
        let (labels, reacted) = (memory.all(), Reacted::count(memory));
        Self { call, comments, labels, milestones, open_and_closed, reacted }
    }

    pub(super) fn comments_of(&self, issue: u64) -> u64 {
        self.comments.get(&issue).copied().unwrap_or(0)
    }

    pub(super) fn issue(&self, issue: &Issue) -> Value {
        let call = self.call;
        let number = issue.number;
        let url = call.api(&format!("issues/{number}"));
        let kind = if issue.pull.is_some() { NodeKind::PullRequest } else { NodeKind::Issue };
        let mut shown = json!({
            "url": url,
            "repository_url": call.api(""),
            "labels_url": format!("{url}/labels{{/name}}"),
            "comments_url": format!("{url}/comments"),
            "events_url": format!("{url}/events"),
            "timeline_url": format!("{url}/timeline"),
            "html_url": page(call, issue),
            "id": issue.id,
            "node_id": node(kind, number),
            "number": number,
            "title": issue.title,
            "user": call.user(&issue.user),
            "labels": self.labels(&issue.labels),
            "state": state(issue),
            "state_reason": issue.state_reason,
            "locked": issue.locked.is_some(),
            "active_lock_reason": issue.locked.as_deref().filter(|reason| !reason.is_empty()),
            "assignee": issue.assignees.first().map(|login| call.user(login)),
            "assignees": issue.assignees.iter().map(|login| call.user(login)).collect::<Vec<_>>(),
            "milestone": issue.milestone.and_then(|number| self.milestone(number)),
            "comments": self.comments_of(number),
            "created_at": time(issue.created),
            "updated_at": time(issue.updated),
            "closed_at": issue.closed.map(time),
            "closed_by": issue.closed_by.as_ref().map(|login| call.user(login)),
            "author_association": call.association(&issue.user),
            "body": issue.body,
            "reactions": self.reacted.shown(&format!("issue/{number}"), &url),
            "performed_via_github_app": null,
        });
        if let Some(pull) = &issue.pull {
            shown["draft"] = json!(pull.draft);
            let html = page(call, issue);
            shown["pull_request"] = json!({
                "url": call.api(&format!("pulls/{number}")),
                "html_url": html,
                "diff_url": format!("{html}.diff"),
                "patch_url": format!("{html}.patch"),
                "merged_at": pull.merged.as_ref().map(|merged| time(merged.at)),
            });
        }
        shown
    }

    pub(super) fn labels(&self, names: &[String]) -> Vec<Value> {
        let known = |name: &String| self.labels.iter().find(|label| label.name.eq_ignore_ascii_case(name));
        names.iter().filter_map(known).map(|found| label(self.call, found)).collect()
    }

    pub(super) fn milestone(&self, number: u64) -> Option<Value> {
        let found = self.milestones.iter().find(|milestone| milestone.number == number)?;
        let (open, closed) = self.open_and_closed.get(&number).copied().unwrap_or_default();
        Some(milestone(self.call, found, open, closed))
    }

    pub(super) fn milestones(&self) -> &[Milestone] {
        &self.milestones
    }
}

pub(super) fn state(issue: &Issue) -> &'static str {
    if issue.open { "open" } else { "closed" }
}

pub(super) fn page(call: &Call<'_>, issue: &Issue) -> String {
    let kind = if issue.pull.is_some() { "pull" } else { "issues" };
    call.html(&format!("{kind}/{}", issue.number))
}

pub(super) fn label(call: &Call<'_>, label: &Label) -> Value {
    json!({
        "id": label.id,
        "node_id": node(NodeKind::Label, label.id),
        "url": call.api(&format!("labels/{}", encoded(&label.name))),
        "name": label.name,
        "color": label.color,
        "default": false,
        "description": label.description,
    })
}

fn milestone(call: &Call<'_>, milestone: &Milestone, open: u64, closed: u64) -> Value {
    let url = call.api(&format!("milestones/{}", milestone.number));
    json!({
        "url": url,
        "html_url": call.html(&format!("milestone/{}", milestone.number)),
        "labels_url": format!("{url}/labels"),
        "id": milestone.id,
        "node_id": node(NodeKind::Milestone, milestone.number),
        "number": milestone.number,
        "title": milestone.title,
        "description": milestone.description,
        "creator": call.user(crate::person::BOT),
        "open_issues": open,
        "closed_issues": closed,
        "state": if milestone.open { "open" } else { "closed" },
        "created_at": time(milestone.created),
        "updated_at": time(milestone.updated),
        "due_on": milestone.due_on,
        "closed_at": milestone.closed.map(time),
    })
}
