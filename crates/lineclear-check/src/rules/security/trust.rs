//! Who may start a run, what that run may do, and which conditions let only trusted people through.

use lineclear_expr::{Comparison, Function, Node, NodeKind, Reference, Segment, Value};
use lineclear_workflow::{Job, Step, Trigger, Workflow};

/// How far the text of an outsider reaches. Later ones are worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Reach {
    /// Only who may write to the repository chooses it.
    Writers,
    /// The calling workflow, or the workflow that uses the action, chooses it.
    Callers,
    /// Anyone chooses it, for a run without secrets and with a token that only reads; or it passed through a review.
    ReadOnly,
    /// Anyone chooses it, for a run with secrets and a token that may write.
    Privileged,
}

/// A set of the events that start a workflow, by their place under `on`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Events(u64);

impl Events {
    /// No event.
    pub(crate) const NONE: Self = Self(0);
    /// The one who uses an action: an action has no events.
    pub(crate) const USER: Self = Self(1 << 63);

    /// The events of `workflow` that `is_one` picks.
    pub(crate) fn of(workflow: &Workflow, is_one: impl Fn(&str) -> bool) -> Self {
        let events = workflow.on.events.iter().take(63).enumerate();
        Self(
            events
                .filter(|(_, trigger)| is_one(&trigger.event.value))
                .fold(0, |events, (index, _)| events | 1 << index),
        )
    }

    /// Whether there is none.
    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The events of the set.
    pub(crate) fn iter(self, workflow: Option<&Workflow>) -> impl Iterator<Item = &Trigger> {
        let events = workflow.map_or(&[][..], |workflow| &workflow.on.events);
        events.iter().take(63).enumerate().filter(move |(index, _)| self.0 & 1 << index != 0).map(|(_, event)| event)
    }
}

/// Whether anyone can start a run that has secrets and a token that may write.
pub(crate) fn is_privileged(event: &str) -> bool {
    matches!(
        event,
        "pull_request_target"
            | "workflow_run"
            | "issue_comment"
            | "issues"
            | "discussion"
            | "discussion_comment"
            | "commit_comment"
            | "fork"
            | "watch"
            | "gollum"
    )
}

/// Whether anyone can start the run, which then has no secrets and a token that only reads.
pub(crate) fn is_read_only(event: &str) -> bool {
    matches!(event, "pull_request" | "pull_request_review" | "pull_request_review_comment")
}

/// What a condition says about a run that passes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Guard {
    /// Nothing.
    Open,
    /// Somebody who may was asked, by a label, a comment or a step: what runs may have changed since.
    Asked,
    /// What the outsider brought comes from somebody who may write.
    Trusted,
    /// The event never passes it.
    Never,
}

/// What the conditions of a job and of a step in it let through for one event.
pub(crate) fn guard_of(event: &str, job: Option<&Job>, step: Option<&Step>) -> Guard {
    let conditions = [job.and_then(|job| job.condition.as_ref()), step.and_then(|step| step.condition.as_ref())];
    let guards = conditions.into_iter().flatten().map(|condition| guard(condition.expr.root(), event));
    guards.max().unwrap_or(Guard::Open)
}

/// What it means for one event that `node` is true.
pub(crate) fn guard(node: Node<'_>, event: &str) -> Guard {
    match node.kind() {
        NodeKind::And(operands) => {
            operands.into_iter().map(|operand| guard(operand, event)).max().unwrap_or(Guard::Open)
        }
        NodeKind::Or(operands) => {
            operands.into_iter().map(|operand| guard(operand, event)).min().unwrap_or(Guard::Open)
        }
        NodeKind::Not(operand) => denied(operand, event),
        NodeKind::Compare { comparison, left, right } => compared(comparison, left, right, event),
        NodeKind::Call { function, arguments } => called(function, &arguments, event),
        NodeKind::Literal(value) if !is_true(value) => Guard::Never,
        NodeKind::Property { .. } | NodeKind::Index { .. } => {
            node.as_reference().map_or(Guard::Open, |reference| asked(&reference))
        }
        _ => Guard::Open,
    }
}

fn is_true(value: &Value) -> bool {
    match value {
        Value::Bool(value) => *value,
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Number(number) => *number != 0.0,
        _ => true,
    }
}

/// What it means that `node` is false.
fn denied(node: Node<'_>, event: &str) -> Guard {
    match node.kind() {
        NodeKind::Not(operand) => guard(operand, event),
        NodeKind::Compare { comparison: Comparison::Equal, left, right } => {
            compared(Comparison::NotEqual, left, right, event)
        }
        NodeKind::Compare { comparison: Comparison::NotEqual, left, right } => {
            compared(Comparison::Equal, left, right, event)
        }
        NodeKind::Or(operands) => {
            operands.into_iter().map(|operand| denied(operand, event)).max().unwrap_or(Guard::Open)
        }
        NodeKind::And(operands) => {
            operands.into_iter().map(|operand| denied(operand, event)).min().unwrap_or(Guard::Open)
        }
        NodeKind::Property { .. } => match node.as_reference() {
            Some(reference) if ends_with(&reference, &["repo", "fork"]) => Guard::Trusted,
            _ => Guard::Open,
        },
        NodeKind::Call { function: Function::StartsWith, arguments } => match arguments.as_slice() {
            [left, right]
                if is_event_name(*left) && literal(*right).is_some_and(|prefix| event.starts_with(prefix)) =>
            {
                Guard::Never
            }
            _ => Guard::Open,
        },
        _ => Guard::Open,
    }
}

fn compared(comparison: Comparison, left: Node<'_>, right: Node<'_>, event: &str) -> Guard {
    let is_equal = match comparison {
        Comparison::Equal => true,
        Comparison::NotEqual => false,
        _ => return Guard::Open,
    };
    if literal(left).is_some() && literal(right).is_none() {
        return compared(comparison, right, left, event);
    }
    let Some(reference) = left.as_reference() else { return Guard::Open };
    if let Some(other) = right.as_reference() {
        let pair = [&reference, &other];
        let of_head = pair.iter().any(|one| {
            ends_with(one, &["repo", "full_name"])
                || ends_with(one, &["owner", "login"])
                || ends_with(one, &["repo", "id"])
                || ends_with(one, &["user", "login"])
                || ends_with(one, &["head_repository", "full_name"])
                || ends_with(one, &["head_repository", "id"])
        });
        let of_base = pair.iter().any(|one| {
            is_path(one, &["repository"])
                || is_path(one, &["repository_owner"])
                || is_path(one, &["repository_id"])
                || is_path(one, &["event", "repository", "full_name"])
                || is_path(one, &["event", "repository", "id"])
                || is_path(one, &["event", "repository", "owner", "login"])
        });
        return if of_head && of_base && is_equal { Guard::Trusted } else { Guard::Open };
    }
    if let NodeKind::Literal(Value::Bool(value)) = right.kind() {
        let holds = *value == is_equal;
        return if holds { guard(left, event) } else { denied(left, event) };
    }
    let Some(text) = literal(right) else { return Guard::Open };
    if is_event_name(left) {
        return if (text.eq_ignore_ascii_case(event)) == is_equal { Guard::Open } else { Guard::Never };
    }
    if is_path(&reference, &["ref"]) && is_equal {
        let is_impossible = match event {
            "pull_request" | "pull_request_review" | "pull_request_review_comment" => !text.starts_with("refs/pull/"),
            "push" | "create" | "workflow_dispatch" | "workflow_call" | "release" => false,
            _ => text.starts_with("refs/tags/"),
        };
        return if is_impossible { Guard::Never } else { Guard::Open };
    }
    if !is_equal {
        return if text == "true" { denied(left, event) } else { Guard::Open };
    }
    if ends_with(&reference, &["author_association"]) {
        return if matches!(text, "OWNER" | "MEMBER" | "COLLABORATOR") {
            by_association(&reference)
        } else {
            Guard::Open
        };
    }
    if ends_with(&reference, &["workflow_run", "event"]) {
        let by_outsiders = matches!(text, "pull_request" | "pull_request_target" | "pull_request_review");
        return if by_outsiders { Guard::Open } else { Guard::Trusted };
    }
    let by_head = [["repo", "full_name"], ["owner", "login"], ["head_repository", "full_name"]];
    if by_head.iter().any(|end| ends_with(&reference, end)) && reference.path.len() > 2 {
        return Guard::Trusted;
    }
    if ends_with(&reference, &["user", "login"]) {
        return if is_in(&reference, "comment") { Guard::Asked } else { Guard::Trusted };
    }
    if is_path(&reference, &["actor"])
        || is_path(&reference, &["triggering_actor"])
        || is_path(&reference, &["event", "sender", "login"])
        || is_path(&reference, &["event", "label", "name"])
    {
        return Guard::Asked;
    }
    if text == "false" || text.is_empty() { Guard::Open } else { asked(&reference) }
}

/// A member's comment stands below an outsider's pull request just as well: it is asked for, but what is brought is the outsider's.
fn by_association(reference: &Reference<'_>) -> Guard {
    if is_in(reference, "pull_request") || is_in(reference, "issue") { Guard::Trusted } else { Guard::Asked }
}

fn called(function: Function, arguments: &[Node<'_>], event: &str) -> Guard {
    let [first, second] = arguments else { return Guard::Open };
    match function {
        Function::StartsWith if is_event_name(*first) => {
            if literal(*second).is_none_or(|prefix| event.starts_with(prefix)) { Guard::Open } else { Guard::Never }
        }
        Function::StartsWith => match first.as_reference() {
            Some(reference) if is_path(&reference, &["ref"]) => {
                let by_ref = matches!(event, "push" | "create" | "workflow_dispatch" | "workflow_call" | "release");
                let is_tag = literal(*second).is_some_and(|prefix| prefix.starts_with("refs/tags"));
                if is_tag && !by_ref { Guard::Never } else { Guard::Open }
            }
            _ => Guard::Open,
        },
        Function::Contains => {
            if let Some(reference) = first.as_reference()
                && is_in(&reference, "labels")
                && literal(*second).is_some()
            {
                return Guard::Asked;
            }
            match second.as_reference() {
                Some(reference) if ends_with(&reference, &["author_association"]) => by_association(&reference),
                Some(reference) if is_path(&reference, &["event_name"]) => {
                    let names = event_names(*first);
                    if names.is_empty() || names.iter().any(|name| name.eq_ignore_ascii_case(event)) {
                        Guard::Open
                    } else {
                        Guard::Never
                    }
                }
                Some(reference) if ends_with(&reference, &["login"]) || is_path(&reference, &["actor"]) => Guard::Asked,
                _ => Guard::Open,
            }
        }
        _ => Guard::Open,
    }
}

/// The names in `fromJSON('["push", "release"]')`.
fn event_names<'e>(list: Node<'e>) -> Vec<&'e str> {
    let NodeKind::Call { function: Function::FromJson, arguments } = list.kind() else { return Vec::new() };
    let Some(text) = arguments.first().and_then(|argument| literal(*argument)) else { return Vec::new() };
    text.split(['[', ']', '"', ',', ' ']).filter(|name| !name.is_empty()).collect()
}

/// Whether what is named is the answer of an earlier step or job that was asked, or that somebody merged.
fn asked(reference: &Reference<'_>) -> Guard {
    let is_answer = matches!(reference.context, "needs" | "steps")
        && reference.path.iter().any(|segment| matches!(segment, Segment::Name("outputs")));
    if is_answer || ends_with(reference, &["pull_request", "merged"]) { Guard::Asked } else { Guard::Open }
}

/// The text of a literal.
pub(crate) fn literal<'e>(node: Node<'e>) -> Option<&'e str> {
    match node.kind() {
        NodeKind::Literal(Value::String(text)) => Some(text),
        _ => None,
    }
}

fn is_event_name(node: Node<'_>) -> bool {
    node.as_reference().is_some_and(|reference| is_path(&reference, &["event_name"]))
}

/// Whether `reference` is `github` and exactly this path.
pub(crate) fn is_path(reference: &Reference<'_>, path: &[&str]) -> bool {
    reference.context == "github"
        && reference.path.len() == path.len()
        && reference.path.iter().zip(path).all(|(segment, name)| is_name(segment, name))
}

/// Whether the path of `reference` ends with these names.
pub(crate) fn ends_with(reference: &Reference<'_>, names: &[&str]) -> bool {
    let Some(from) = reference.path.len().checked_sub(names.len()) else { return false };
    reference.path.iter().skip(from).zip(names).all(|(segment, name)| is_name(segment, name))
}

/// Whether any part of the path of `reference` has this name.
pub(crate) fn is_in(reference: &Reference<'_>, name: &str) -> bool {
    reference.path.iter().any(|segment| is_name(segment, name))
}

fn is_name(segment: &Segment<'_>, name: &str) -> bool {
    matches!(segment, Segment::Name(one) if one.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lineclear_expr::Expr;

    fn check_guard(condition: &str, event: &str, expected: Guard) {
        let expr = Expr::parse(condition, None).unwrap();
        assert_eq!(guard(expr.root(), event), expected, "{condition} for {event}");
    }

    #[test]
    fn conditions_keep_events_out() {
        check_guard("github.event_name == 'push'", "pull_request_target", Guard::Never);
        check_guard("github.event_name != 'push'", "pull_request_target", Guard::Open);
        check_guard("'push' == github.event_name || github.event_name == 'release'", "issues", Guard::Never);
        check_guard("startsWith(github.event_name, 'pull_request')", "issues", Guard::Never);
        check_guard("startsWith(github.ref, 'refs/tags/v')", "pull_request_target", Guard::Never);
        check_guard("startsWith(github.ref, 'refs/tags/v')", "push", Guard::Open);
        check_guard("contains(fromJSON('[\"push\", \"release\"]'), github.event_name)", "issues", Guard::Never);
        check_guard("github.ref == 'refs/heads/main'", "pull_request", Guard::Never);
        check_guard("false && github.actor", "push", Guard::Never);
    }

    #[test]
    fn conditions_let_only_trusted_people_through() {
        let event = "pull_request_target";
        check_guard("github.event.pull_request.head.repo.full_name == github.repository", event, Guard::Trusted);
        check_guard("!github.event.pull_request.head.repo.fork", event, Guard::Trusted);
        check_guard("github.event.pull_request.head.repo.fork == false", event, Guard::Trusted);
        check_guard("github.event.pull_request.head.repo.fork", event, Guard::Open);
        check_guard("github.event.pull_request.author_association == 'MEMBER'", event, Guard::Trusted);
        check_guard("contains(github.event.pull_request.labels.*.name, 'ok')", event, Guard::Asked);
        check_guard("github.event.label.name == 'ok' || github.event_name == 'push'", event, Guard::Asked);
        check_guard("github.event.comment.author_association == 'OWNER'", "issue_comment", Guard::Asked);
        check_guard("needs.ask.outputs.allowed == 'true'", event, Guard::Asked);
        check_guard("needs.ask.outputs.allowed == 'true' || true", event, Guard::Open);
    }
}
