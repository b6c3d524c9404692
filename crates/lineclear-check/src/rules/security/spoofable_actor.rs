//! `spoofable-actor`: a condition trusts a bot that an outsider can make the last actor.

use lineclear_expr::{Comparison, Node, NodeKind, Reference, Value};
use lineclear_source::Severity;
use lineclear_workflow::{Job, Step, Workflow};

use super::trust::{Guard, guard_of, is_path, is_privileged, is_read_only, literal};
use crate::{
    Activity, Dialect, Edit, ExpressionSite, File, FileKind, Fix, Form, Group, Repair, Report, Rule, RuleMeta, page,
};

/// Manual and tests: `docs/rules/spoofable-actor.md`.
#[derive(Debug)]
pub(super) struct SpoofableActor;

static META: RuleMeta = RuleMeta {
    id: "spoofable-actor",
    summary: "a condition trusts a bot that an outsider can make the last actor",
    severity: Severity::Error,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::Review,
    since: "0.1",
    page: page!("spoofable-actor"),
};

/// The numbers of well-known bots.
const BOT_IDS: &[&str] = &["49699333", "29139614", "41898282"];

impl Rule for SpoofableActor {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(workflow) = file.workflow() else { return };
        let is_open = workflow
            .on
            .events
            .iter()
            .any(|trigger| is_privileged(&trigger.event.value) || is_read_only(&trigger.event.value));
        if !is_open || !file.source().text().contains("actor") && !file.source().text().contains("sender") {
            return;
        }
        for site in file.expressions().iter().filter(|site| site.form == Form::Condition) {
            for node in site.expr.root().walk() {
                if let NodeKind::Compare { comparison: Comparison::Equal, left, right } = node.kind()
                    && let Some(name) = trusted_bot(left, right).or_else(|| trusted_bot(right, left))
                {
                    check_trust(workflow, site, name, node, report);
                }
            }
        }
    }
}

/// The side that names the actor, where the other one is a bot.
fn trusted_bot<'e>(actor: Node<'e>, bot: Node<'e>) -> Option<Node<'e>> {
    let reference = actor.as_reference()?;
    if is_number_of_actor(&reference) {
        let is_bot = match bot.kind() {
            NodeKind::Literal(Value::String(id)) => BOT_IDS.contains(&&**id),
            NodeKind::Literal(Value::Number(id)) => BOT_IDS.iter().any(|known| known.parse() == Ok(*id)),
            _ => false,
        };
        return is_bot.then_some(actor);
    }
    let is_actor = is_path(&reference, &["actor"])
        || is_path(&reference, &["triggering_actor"])
        || is_path(&reference, &["event", "sender", "login"])
        || is_path(&reference, &["event", "pull_request", "sender", "login"]);
    (is_actor && literal(bot).is_some_and(|name| name.ends_with("[bot]"))).then_some(actor)
}

fn is_number_of_actor(reference: &Reference<'_>) -> bool {
    is_path(reference, &["actor_id"])
        || is_path(reference, &["event", "sender", "id"])
        || is_path(reference, &["event", "pull_request", "sender", "id"])
}

fn check_trust(
    workflow: &Workflow,
    site: &ExpressionSite<'_>,
    actor: Node<'_>,
    compare: Node<'_>,
    report: &mut Report<'_>,
) {
    let events: Vec<&str> = workflow.on.events.iter().map(|trigger| trigger.event.value.as_str()).collect();
    let mut open = events.iter().copied().filter(|event| is_let_through(event, site.place.job, site.place.step));
    let Some(event) =
        open.clone().find(|event| is_privileged(event)).or_else(|| open.find(|event| is_read_only(event)))
    else {
        return;
    };
    let dominates = dominates(site.expr.root(), compare);
    let severity = if is_privileged(event) && dominates { Severity::Error } else { Severity::Warning };
    let reference = actor.as_reference();
    let is_number = reference.as_ref().is_some_and(is_number_of_actor);
    let of_author = if is_number { "user.id" } else { "user.login" };
    let right = match event {
        "issue_comment" | "discussion_comment" | "commit_comment" | "pull_request_review_comment" => {
            Some(format!("github.event.comment.{of_author}"))
        }
        "issues" => Some(format!("github.event.issue.{of_author}")),
        event if event.starts_with("pull_request") => Some(format!("github.event.pull_request.{of_author}")),
        _ => None,
    };
    let span = site.span_of(actor);
    let only_this_kind =
        events.iter().filter(|event| is_let_through(event, site.place.job, site.place.step)).all(|other| {
            other.starts_with("pull_request")
                && event.starts_with("pull_request")
                && !other.contains("comment")
                && !event.contains("comment")
        });
    let fix = right
        .as_ref()
        .filter(|_| only_this_kind && report.wants_fixes())
        .map(|right| Fix::review(format!("compare `{right}`"), vec![Edit::replace(span, right.clone())]));
    let shown = actor.to_string();
    let finding = report.at(
        span,
        format!("`{shown}` is who acted last, not who made the change: an outsider can have a bot act last on theirs"),
    );
    finding.severity(severity).fix(fix);
    if let Some(right) = right {
        finding.help(format!("compare `{right}`, which is who made it"));
    }
}

fn is_let_through(event: &str, job: Option<&Job>, step: Option<&Step>) -> bool {
    // Comparing the actor counts as being asked, which is what is in doubt here.
    guard_of(event, job, step) < Guard::Trusted
}

/// Whether the condition cannot be true without the comparison.
fn dominates(root: Node<'_>, compare: Node<'_>) -> bool {
    match root.kind() {
        NodeKind::And(operands) => operands.into_iter().any(|operand| dominates(operand, compare)),
        NodeKind::Compare { .. } => root.span() == compare.span(),
        _ => false,
    }
}
