//! `self-hosted-pull-request`: anyone's pull request runs on a machine of one's own.

use lineclear_source::{Severity, Span};
use lineclear_workflow::{Job, RunsOn, StepsJob, Text, TextTree};

use super::trust::{Guard, guard_of};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/self-hosted-pull-request.md`.
#[derive(Debug)]
pub(super) struct SelfHostedPullRequest;

static META: RuleMeta = RuleMeta {
    id: "self-hosted-pull-request",
    summary: "anyone's pull request runs on a machine of one's own",
    severity: Severity::Warning,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("self-hosted-pull-request"),
};

/// The events that bring an outsider's code.
const EVENTS: &[&str] = &["pull_request", "pull_request_target", "issue_comment", "workflow_run"];

impl Rule for SelfHostedPullRequest {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(workflow) = file.workflow() else { return };
        if !EVENTS.iter().any(|event| workflow.on.get(event).is_some()) {
            return;
        }
        for (job, steps) in file.step_jobs() {
            let Some((span, is_sure)) = own_machine(job, steps) else { continue };
            let open = EVENTS
                .iter()
                .find(|event| workflow.on.get(event).is_some() && guard_of(event, Some(job), None) < Guard::Asked);
            if let Some(event) = open {
                let finding = report
                    .at(span, format!("a run for `{event}` uses a machine of one's own: in a public repository, anyone's code runs there, and may stay"))
                    .help("use hosted machines for pull requests, machines that are thrown away after each job, or keep forks out with `if: github.event.pull_request.head.repo.full_name == github.repository`");
                if !is_sure {
                    finding.severity(Severity::Info);
                }
            }
        }
    }
}

/// Where a job asks for a machine that is not the forge's, and whether that is sure: a group may have large machines of the forge in it.
fn own_machine(job: &Job, steps: &StepsJob) -> Option<(Span, bool)> {
    let (labels, group) = match &steps.runs_on {
        RunsOn::Labels(labels) => (&labels.value, None),
        RunsOn::Group { labels, group, .. } => (labels, group.as_ref()),
    };
    let own = labels.iter().find(|label| is_own(label, job)).map(|label| (label.span(), true));
    let is_hosted = || labels.iter().any(|label| lineclear_catalog::hosted_label(label.raw()).is_some());
    own.or_else(|| group.filter(|_| !is_hosted()).map(|group| (group.span(), false)))
}

fn is_own(label: &Text, job: &Job) -> bool {
    if label.raw().contains("self-hosted") {
        return true;
    }
    if !label.raw().contains("matrix.") {
        return false;
    }
    let Some(TextTree::Mapping(entries)) = job.strategy.as_ref().and_then(|strategy| strategy.matrix.as_ref()) else {
        return false;
    };
    label.template.expressions().iter().flat_map(|expr| expr.root().references()).any(|reference| {
        let Some(lineclear_expr::Segment::Name(name)) = reference.path.first() else { return false };
        reference.context == "matrix"
            && entries.value.iter().any(|(key, tree)| {
                key.raw().eq_ignore_ascii_case(name) && names_own(tree, None)
                    || key.raw() == "include" && names_own(tree, Some(name))
            })
    })
}

/// Whether a value of a matrix is the label; of an entry of `include`, the value called `name`.
fn names_own(tree: &TextTree, name: Option<&str>) -> bool {
    match tree {
        TextTree::Scalar(text) => name.is_none() && text.raw() == "self-hosted",
        TextTree::Sequence(items) => items.value.iter().any(|item| names_own(item, name)),
        TextTree::Mapping(entries) => entries
            .value
            .iter()
            .any(|(key, value)| name.is_none_or(|name| key.raw().eq_ignore_ascii_case(name)) && names_own(value, None)),
    }
}
