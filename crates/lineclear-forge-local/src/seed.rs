//! What the event says of pull requests and issues, entered into the forge.

use lineclear_event::Timestamp;

use crate::RepositoryFacts;
use crate::journal::Transaction;
use crate::record::{Issue, Label, Pull};

/// Color of labels that nobody gave one.
pub(crate) const LABEL_COLOR: &str = "ededed";

/// Enters the event's pull request and issue, or brings them up to date. What runs wrote on them stays.
///
/// Only what the event knows better is replaced: title, body, draft, branches and commits; a label that the event has is added.
pub(crate) fn enter(memory: &mut Transaction, facts: &RepositoryFacts, now: Timestamp) {
    if let Some(pull) = &facts.pull {
        let mut issue = known_or_new(memory, pull.number, &pull.user, now);
        let before = serde_json::to_value(&issue).ok();
        issue.title.clone_from(&pull.title);
        issue.body = Some(pull.body.clone()).filter(|body| !body.is_empty());
        add_labels(&mut issue, &pull.labels);
        let earlier = issue.pull.take();
        issue.pull = Some(Pull {
            head_ref: pull.head_ref.clone(),
            head_sha: pull.head_sha.clone(),
            head_repository: pull.head_repository.clone(),
            follows_branch: false,
            base_ref: pull.base_ref.clone(),
            base_sha: pull.base_sha.clone(),
            draft: pull.draft,
            reviewers: earlier.as_ref().map(|pull| pull.reviewers.clone()).unwrap_or_default(),
            team_reviewers: earlier.as_ref().map(|pull| pull.team_reviewers.clone()).unwrap_or_default(),
            maintainer_can_modify: false,
            merged: earlier.and_then(|pull| pull.merged),
        });
        keep_if_changed(memory, issue, before.as_ref(), now);
    }
    if let Some(facts) = &facts.issue {
        let mut issue = known_or_new(memory, facts.number, &facts.user, now);
        let before = serde_json::to_value(&issue).ok();
        issue.title.clone_from(&facts.title);
        issue.body = Some(facts.body.clone()).filter(|body| !body.is_empty());
        add_labels(&mut issue, &facts.labels);
        keep_if_changed(memory, issue, before.as_ref(), now);
    }
}

fn known_or_new(memory: &mut Transaction, number: u64, user: &str, now: Timestamp) -> Issue {
    memory.get(number).unwrap_or_else(|| Issue {
        number,
        id: memory.new_id(),
        title: String::new(),
        body: None,
        user: if user.is_empty() { "ghost".to_owned() } else { user.to_owned() },
        open: true,
        state_reason: None,
        labels: Vec::new(),
        assignees: Vec::new(),
        milestone: None,
        locked: None,
        created: now,
        updated: now,
        closed: None,
        closed_by: None,
        pull: None,
    })
}

fn add_labels(issue: &mut Issue, labels: &[String]) {
    for label in labels {
        if !issue.labels.iter().any(|known| known.eq_ignore_ascii_case(label)) {
            issue.labels.push(label.clone());
        }
    }
}

fn keep_if_changed(memory: &mut Transaction, mut issue: Issue, before: Option<&serde_json::Value>, now: Timestamp) {
    let known = memory.get::<Issue>(issue.number).is_some();
    if known && serde_json::to_value(&issue).ok().as_ref() == before {
        return;
    }
    issue.updated = now;
    let labels = issue.labels.clone();
    memory.put(&issue);
    make_labels(memory, &labels);
}

/// Makes the labels of these names that the repository does not have.
pub(crate) fn make_labels(memory: &mut Transaction, names: &[String]) {
    for name in names {
        let known = memory.all::<Label>().iter().any(|label| label.name.eq_ignore_ascii_case(name));
        if !known {
            let id = memory.new_id();
            memory.put(&Label { id, name: name.clone(), color: LABEL_COLOR.into(), description: None });
        }
    }
}
