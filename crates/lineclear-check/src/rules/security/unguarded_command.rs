//! `unguarded-command`: anyone's comment gives a command to a run with secrets.

use lineclear_expr::Node;
use lineclear_source::Severity;
use lineclear_workflow::{Access, Condition, Job, Permissions, Workflow};

use super::trust::{Guard, ends_with, guard_of, is_in};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/unguarded-command.md`.
#[derive(Debug)]
pub(super) struct UnguardedCommand;

static META: RuleMeta = RuleMeta {
    id: "unguarded-command",
    summary: "anyone's comment gives a command to a run with secrets",
    severity: Severity::Warning,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("unguarded-command"),
};

/// Words of steps that ask who commented.
const ASKING: &[&str] = &[
    "getCollaboratorPermissionLevel",
    "author_association",
    "collaborators/",
    "viewerCan",
    "checkMembershipForUser",
    "getMembershipForUser",
    "memberships/",
    "permission-check",
    "check-user-permission",
    "check-actor-permissions",
    "check-permissions",
    "slash-command-dispatch",
    "slash-command-action",
    "github/command",
    "comment.user.login",
];

impl Rule for UnguardedCommand {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(workflow) = file.workflow() else { return };
        let Some(event) =
            ["issue_comment", "discussion_comment"].into_iter().find(|event| workflow.on.get(event).is_some())
        else {
            return;
        };
        let text = file.source().text();
        if ASKING.iter().any(|word| text.contains(word)) {
            return;
        }
        let mut check = |job: &Job, step: Option<&lineclear_workflow::Step>, condition: &Condition| {
            if guard_of(event, Some(job), step) != Guard::Open {
                return;
            }
            let Some(body) = condition.expr.root().walk().find(|node| is_body(*node)) else { return };
            let Some(severity) = severity(workflow, job) else { return };
            report
                .at(
                    condition.scalar.span_of(body.span().range()),
                    "anyone who comments gives this command: nothing asks who it was, and the run has the repository's secrets and token",
                )
                .severity(severity)
                .help("add `contains(fromJSON('[\"OWNER\", \"MEMBER\", \"COLLABORATOR\"]'), github.event.comment.author_association)`");
        };
        for job in &workflow.jobs {
            if let Some(condition) = &job.condition {
                check(job, None, condition);
            }
        }
        for site in file.steps() {
            if let (Some(job), Some(condition)) = (site.job, &site.step.condition) {
                check(job, Some(site.step), condition);
            }
        }
    }
}

/// Whether it is the text of the comment.
fn is_body(node: Node<'_>) -> bool {
    node.as_reference().is_some_and(|reference| {
        reference.context == "github" && is_in(&reference, "comment") && ends_with(&reference, &["body"])
    })
}

/// How bad it is by what the job may write; labels and answers are what such commands are made for.
fn severity(workflow: &Workflow, job: &Job) -> Option<Severity> {
    match job.permissions.as_ref().or(workflow.permissions.as_ref()) {
        Some(Permissions::ReadAll(_)) => None,
        Some(Permissions::Scopes(scopes)) => {
            let mut written = scopes.value.iter().filter(|(_, access)| access.value == Access::Write);
            let is_harmless =
                |name: &str| matches!(name, "issues" | "pull-requests" | "discussions" | "checks" | "statuses");
            written.any(|(name, _)| !is_harmless(&name.value)).then_some(Severity::Warning)
        }
        Some(Permissions::WriteAll(_)) | None => Some(Severity::Warning),
    }
}
