//! What the `github` context holds: which of its values are free text, which event brings them, and who chooses them.

use lineclear_expr::{Reference, Segment};

/// Free text in the `github` context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Payload {
    /// The events that bring it; other events leave it empty.
    pub(crate) events: &'static [&'static str],
    /// Who chooses it.
    pub(crate) chosen_by: ChosenBy,
}

/// Who chooses a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ChosenBy {
    /// Who may write to the repository: names of branches and tags, labels, releases, dispatched inputs.
    Writers,
    /// An outsider, whose change somebody merged since: the messages and authors of pushed commits.
    Merged,
    /// Whoever caused the event.
    Anyone,
}

const PULL_REQUEST: &[&str] =
    &["pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment", "workflow_call"];
const HEAD_REF: &[&str] = &["pull_request", "pull_request_target", "workflow_call"];
const ISSUE: &[&str] = &["issues", "issue_comment", "workflow_call"];
const COMMENT: &[&str] =
    &["issue_comment", "pull_request_review_comment", "commit_comment", "discussion_comment", "workflow_call"];
const BY_REF: &[&str] = &["push", "create", "release", "workflow_dispatch", "registry_package", "workflow_call"];

/// What `reference` says of the `github` context, if it is free text. With `whole`, an object that holds such text counts, too:
/// it will be written out as JSON.
pub(crate) fn payload(reference: &Reference<'_>, whole: bool) -> Option<Payload> {
    let names: Vec<&str> = reference
        .path
        .iter()
        .map(|segment| match segment {
            Segment::Name(name) => *name,
            Segment::Position(_) | Segment::All => "*",
        })
        .collect();
    let some = |events, chosen_by| Some(Payload { events, chosen_by });
    match names.as_slice() {
        [] | ["event"] => whole.then_some(Payload { events: &["*"], chosen_by: ChosenBy::Anyone }),
        ["head_ref"] => some(HEAD_REF, ChosenBy::Anyone),
        ["ref" | "ref_name"] | ["event", "ref"] => some(BY_REF, ChosenBy::Writers),
        // `github.event.*.body`: of whatever the event has.
        ["event", "*", rest @ ..] if is_text("*", rest) => some(&["*"], ChosenBy::Anyone),
        ["event", top, rest @ ..] => event(top, rest, whole || !reference.complete),
        _ => None,
    }
}

fn event(top: &str, rest: &[&str], whole: bool) -> Option<Payload> {
    let (events, chosen_by): (&'static [&'static str], _) = match top {
        "pull_request" => (PULL_REQUEST, ChosenBy::Anyone),
        "issue" => (ISSUE, ChosenBy::Anyone),
        "comment" => (COMMENT, ChosenBy::Anyone),
        "review" => (&["pull_request_review", "workflow_call"], ChosenBy::Anyone),
        "discussion" => (&["discussion", "discussion_comment", "workflow_call"], ChosenBy::Anyone),
        "changes" => (&["pull_request", "pull_request_target", "issues", "discussion"], ChosenBy::Anyone),
        "pages" => (&["gollum"], ChosenBy::Anyone),
        "forkee" => (&["fork"], ChosenBy::Anyone),
        "workflow_run" => (&["workflow_run", "workflow_call"], ChosenBy::Anyone),
        "check_suite" | "check_run" => (&["check_suite", "check_run"], ChosenBy::Merged),
        "head_commit" | "commits" => (&["push", "workflow_call"], ChosenBy::Merged),
        "client_payload" => {
            return Some(Payload { events: &["repository_dispatch", "workflow_call"], chosen_by: ChosenBy::Writers });
        }
        "label" | "milestone" => (&["*"], ChosenBy::Writers),
        "release" => (&["release", "workflow_call"], ChosenBy::Writers),
        _ => return None,
    };
    let is_by_writers = rest.iter().any(|name| matches!(*name, "labels" | "milestone"))
        || matches!(rest, ["base", ..]) && matches!(top, "pull_request");
    let chosen_by = if is_by_writers { ChosenBy::Writers } else { chosen_by };
    (is_text(top, rest) || whole && is_object(rest)).then_some(Payload { events, chosen_by })
}

/// Whether the value at `rest` in the object `top` is free text. Numbers, hashes, logins, dates and addresses are not.
fn is_text(top: &str, rest: &[&str]) -> bool {
    match rest {
        [.., parent, "name" | "email"] => {
            matches!(*parent, "author" | "committer" | "milestone")
                || matches!(*parent, "*" | "label") && rest.contains(&"labels")
        }
        ["name"] => matches!(top, "label" | "release"),
        ["tag_name" | "target_commitish"] => top == "release",
        [.., parent, "ref" | "label"] => matches!(*parent, "head"),
        [.., "from"] => top == "changes",
        [.., "path" | "diff_hunk"] => top == "comment",
        [
            ..,
            "title" | "body" | "message" | "description" | "default_branch" | "homepage" | "page_name" | "head_branch"
            | "display_title" | "head_ref" | "summary" | "text",
        ] => true,
        _ => false,
    }
}

/// Whether the value at `rest` is an object or list that holds free text.
fn is_object(rest: &[&str]) -> bool {
    rest.last().is_none_or(|name| {
        matches!(
            *name,
            "*" | "head"
                | "repo"
                | "author"
                | "committer"
                | "head_commit"
                | "head_repository"
                | "labels"
                | "title"
                | "body"
                | "pull_requests"
                | "milestone"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use lineclear_expr::Expr;

    fn chosen_by(text: &str) -> Option<ChosenBy> {
        let expr = Expr::parse(text, None).unwrap();
        payload(&expr.root().as_reference().unwrap(), false).map(|payload| payload.chosen_by)
    }

    #[test]
    fn free_text_is_told_from_what_has_a_fixed_form() {
        for text in [
            "github.event.issue.title",
            "github.event.pull_request.head.ref",
            "github['event']['pull_request'].head.label",
            "github.event.pull_request.head.repo.default_branch",
            "github.event.pages[0].page_name",
            "github.event.workflow_run.head_branch",
            "github.event.workflow_run.head_commit.author.name",
            "github.event.changes.title.from",
            "github.event.comment.path",
            "github.head_ref",
            "github.event.*.body",
        ] {
            assert_eq!(chosen_by(text), Some(ChosenBy::Anyone), "{text}");
        }
        for text in ["github.event.commits.*.message", "github.event.head_commit.author.email"] {
            assert_eq!(chosen_by(text), Some(ChosenBy::Merged), "{text}");
        }
        for text in ["github.ref_name", "github.event.client_payload.anything", "github.event.issue.labels.*.name"] {
            assert_eq!(chosen_by(text), Some(ChosenBy::Writers), "{text}");
        }
        for text in [
            "github.sha",
            "github.actor",
            "github.event.number",
            "github.event.pull_request.number",
            "github.event.pull_request.head.sha",
            "github.event.pull_request.head.repo.full_name",
            "github.event.pull_request.user.login",
            "github.event.pull_request.draft",
            "github.event.comment.id",
            "github.event.issue.html_url",
            "github.event.pull_request",
            "github.event.*.id",
            "github.event.repository.name",
            "github.event.workflow_run.conclusion",
            "github.event",
        ] {
            assert_eq!(chosen_by(text), None, "{text}");
        }
    }
}
