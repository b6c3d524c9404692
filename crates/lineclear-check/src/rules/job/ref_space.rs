//! The refs that a workflow can run for, by its events and their filters.

use lineclear_workflow::{PatternSet, Trigger, Workflow};

/// Which branches, tags and pull requests `github.ref` may name.
#[derive(Debug, Default)]
pub(super) struct RefSpace {
    any_branch: bool,
    any_tag: bool,
    /// Filters of which any lets a branch pass, each with the patterns as written.
    branches: Vec<(PatternSet, Vec<String>)>,
    tags: Vec<(PatternSet, Vec<String>)>,
    pulls: bool,
}

impl RefSpace {
    /// Of a workflow. One that is called may run for anything.
    pub(super) fn of(workflow: &Workflow) -> Self {
        let mut space = Self::default();
        workflow.on.events.iter().for_each(|trigger| space.add(trigger));
        space
    }

    fn add(&mut self, trigger: &Trigger) {
        let set = |patterns: &lineclear_workflow::Patterns| {
            let written = patterns.list.iter().map(|pattern| pattern.value.clone()).collect();
            (PatternSet::new(patterns).0, written)
        };
        match trigger.event.value.as_str() {
            "push" => {
                match (&trigger.branches, &trigger.tags) {
                    (Some(branches), _) => self.branches.push(set(branches)),
                    (None, Some(_)) => {}
                    (None, None) => self.any_branch = true,
                }
                match (&trigger.tags, &trigger.branches) {
                    (Some(tags), _) => self.tags.push(set(tags)),
                    (None, Some(_)) => {}
                    (None, None) => self.any_tag = true,
                }
            }
            "pull_request" | "pull_request_review" | "pull_request_review_comment" => {
                self.pulls = true;
                // Once it is merged, the ref is that of the branch which it went into.
                let closed = trigger.types.as_ref().is_some_and(|types| types.iter().any(|one| one.value == "closed"));
                self.any_branch |= closed;
            }
            "release" => self.any_tag = true,
            "workflow_call" | "workflow_dispatch" | "create" | "delete" | "deployment" | "deployment_status"
            | "registry_package" | "image_version" => {
                self.any_branch = true;
                self.any_tag = true;
            }
            // They all run for the default branch, whatever it is called, or for one of a queue's.
            _ => self.any_branch = true,
        }
        self.pulls |= trigger.event.value == "workflow_call";
    }

    /// Whether a ref may have this full name, case ignored.
    pub(super) fn has(&self, name: &str) -> bool {
        match split(name) {
            (Some(Kind::Branch), branch) => self.has_branch(branch),
            (Some(Kind::Tag), tag) => self.has_tag(tag),
            (Some(Kind::Pull), _) => self.pulls,
            (None, _) => name.is_empty(),
        }
    }

    /// Whether any ref may begin with this.
    pub(super) fn has_prefix(&self, prefix: &str) -> bool {
        let lower = prefix.to_ascii_lowercase();
        let all = [
            ("refs/heads/", self.any_branch || !self.branches.is_empty()),
            ("refs/tags/", self.any_tag || !self.tags.is_empty()),
            ("refs/pull/", self.pulls),
        ];
        all.into_iter().any(|(kind, is_there)| is_there && (kind.starts_with(&lower) || lower.starts_with(kind)))
    }

    /// Whether a ref may have this short name, case ignored.
    pub(super) fn has_short(&self, name: &str) -> bool {
        self.has_branch(name) || self.has_tag(name) || (self.pulls && name.ends_with("/merge"))
    }

    fn has_branch(&self, name: &str) -> bool {
        self.any_branch || self.branches.iter().any(|(set, written)| passes(set, written, name))
    }

    fn has_tag(&self, name: &str) -> bool {
        self.any_tag || self.tags.iter().any(|(set, written)| passes(set, written, name))
    }
}

/// Comparisons ignore case and patterns do not: what differs in nothing else is taken as meant.
fn passes(set: &PatternSet, written: &[String], name: &str) -> bool {
    set.includes(name) || written.iter().any(|pattern| pattern.eq_ignore_ascii_case(name))
}

enum Kind {
    Branch,
    Tag,
    Pull,
}

fn split(name: &str) -> (Option<Kind>, &str) {
    for (prefix, kind) in [("refs/heads/", Kind::Branch), ("refs/tags/", Kind::Tag), ("refs/pull/", Kind::Pull)] {
        if name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix)) {
            return (Some(kind), name.get(prefix.len()..).unwrap_or_default());
        }
    }
    (None, name)
}
