//! `required-check-filtered`: a required check that does not run where it is required.

use lineclear_expr::Segment;
use lineclear_policy::{Context, Gate, Policy, RequiredCheck};
use lineclear_source::Severity;
use lineclear_source::{Span, Spanned};
use lineclear_workflow::{PatternSet, ProducedCheck as Check, Text};

use super::checks::AllWorkflows;

use crate::project::Repository;
use crate::{Activity, Dialect, FileKind, Group, Repair, Report, RepositoryRule, RuleMeta, page};

/// Manual and tests: `docs/rules/required-check-filtered.md`.
#[derive(Debug)]
pub(super) struct RequiredCheckFiltered;

static META: RuleMeta = RuleMeta {
    id: "required-check-filtered",
    summary: "a required check that does not run where it is required",
    severity: Severity::Warning,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Policy],
    repair: Repair::None,
    since: "0.1",
    page: page!("required-check-filtered"),
};

impl RepositoryRule for RequiredCheckFiltered {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, repository: &Repository<'_>, report: &mut Report<'_>) {
        let Some((_, written)) = repository.policy else { return };
        let workflows = AllWorkflows::of(repository);
        let (policy, _) = workflows.expanded(written, repository.project);
        let checks = workflows.checks(repository.project);
        for gate in &policy.gates {
            let published = published_branches(&policy, gate);
            for required in &gate.require {
                let mut makers = checks.iter().filter(|check| check.is_called(&required.check.value));
                // Of several it cannot be told which is meant.
                if let (Some(check), None) = (makers.next(), makers.next()) {
                    look_at_events(required, check, report);
                    look_at_filters(required, check, &published, report);
                    look_at_condition(gate, required, check, report);
                }
            }
        }
    }
}

/// The events of a pull request.
const PULL_REQUEST: &[&str] = &["pull_request", "pull_request_target"];

fn is_wanted(required: &RequiredCheck, context: Context) -> bool {
    required.on.as_ref().is_none_or(|on| on.value == context)
}

fn look_at_events(required: &RequiredCheck, check: &Check<'_>, report: &mut Report<'_>) {
    let name = &required.check.value;
    let has = |events: &[&str]| events.iter().any(|event| check.workflow.on.get(event).is_some());
    let on_pull_request = has(PULL_REQUEST) || has(&["merge_group"]);
    // A workflow that follows another is reported for the commit of the default branch; what starts it is not told here.
    let on_push = has(&["push", "workflow_run"]);
    let events: Vec<&str> = check.workflow.on.events.iter().map(|trigger| trigger.event.value.as_str()).collect();
    if !on_pull_request && !on_push {
        let message = format!("the required check `{name}` runs on {} only: no change ever has it", events.join(", "));
        report.at(required.check.span, message).help("let its workflow run on `pull_request` and `push`");
    } else if !on_pull_request && is_wanted(required, Context::PullRequest) {
        report
            .at(
                required.check.span,
                format!("the required check `{name}` does not run on pull requests: they wait for it for ever"),
            )
            .help("let its workflow run on `pull_request`, or write `{ check = \"…\", on = \"push\" }`");
    } else if !on_push && is_wanted(required, Context::Push) {
        report
            .at(required.check.span, format!("the required check `{name}` does not run on pushes: a commit of the main branch has it only where its pull request had the same files"))
            .severity(Severity::Info)
            .help("let its workflow run on `push`, or write `{ check = \"…\", on = \"pull_request\" }`");
    }
}

fn look_at_filters(required: &RequiredCheck, check: &Check<'_>, published: &[&str], report: &mut Report<'_>) {
    let (name, source) = (&required.check.value, &check.workflow.source);
    for trigger in &check.workflow.on.events {
        let context = match trigger.event.value.as_str() {
            "pull_request" | "pull_request_target" => Context::PullRequest,
            "push" => Context::Push,
            _ => continue,
        };
        if !is_wanted(required, context) {
            continue;
        }
        let is_pull_request = context == Context::PullRequest;
        if let Some(paths) = &trigger.paths {
            let (key, who) = (
                if paths.ignore { "paths-ignore" } else { "paths" },
                if is_pull_request { "pull requests" } else { "commits" },
            );
            report
                .in_file(source, paths.span, format!("`{key}` keeps the required check `{name}` from {who} that change other files: where the forge requires it, they wait for ever"))
                .help("let the workflow always run, and let a first job look at the paths and the others skip by `if`: a skipped job counts as passed");
        }
        if let Some(types) = &trigger.types
            && is_pull_request
            && !types.iter().any(|kind| kind.value == "synchronize")
        {
            let span = types.iter().map(|kind| kind.span).reduce(Span::to).unwrap_or(trigger.event.span);
            report
                .in_file(source, span, format!("without `synchronize`, the required check `{name}` does not run on what is pushed to an open pull request"))
                .help("add `synchronize` to `types`");
        }
        if let Some(branches) = trigger.branches.as_ref().filter(|_| !is_pull_request) {
            let (patterns, _) = PatternSet::new(branches);
            for branch in published.iter().filter(|branch| !patterns.includes(branch)) {
                report
                    .in_file(source, branches.span, format!("the required check `{name}` does not run on `{branch}`, from which is published what waits for it"))
                    .help(format!("let the filter take in `{branch}`"));
            }
        }
    }
}

/// A forge counts a skipped job as passed.
fn look_at_condition(gate: &Gate, required: &RequiredCheck, check: &Check<'_>, report: &mut Report<'_>) {
    let (name, source, job) = (&required.check.value, &check.workflow.source, check.job);
    let Some(condition) = &job.condition else {
        let is_required = |id: &str| {
            check.workflow.job(id).is_some_and(|needed| {
                let own = needed.name.as_ref().map_or(needed.id.value.as_str(), Text::raw);
                let called = format!("{} / {own}", check.workflow.display_name());
                gate.require.iter().any(|other| other.check.value.starts_with(&called))
            })
        };
        if let Some(needed) = job.needs.iter().find(|needed| !is_required(&needed.value)) {
            report
                .in_file(source, needed.span, format!("if `{}` fails, the required check `{name}` is skipped, and most forges count a skipped check as passed", needed.value))
                .severity(Severity::Info)
                .help(format!("require `{}` too, or give the job `if: ${{{{ !cancelled() }}}}` and let it fail if one of its `needs` did not succeed", needed.value));
        }
        return;
    };
    let decides_by_event = condition.expr.root().references().iter().any(|reference| {
        reference.context != "needs"
            && !(reference.context == "github" && reference.path == [Segment::Name("event_name")])
    });
    if decides_by_event && gate.skipped.is_none() && required.on.is_none() {
        report
            .in_file(source, condition.span(), format!("where this condition does not hold, the required check `{name}` is skipped, and most forges count a skipped check as passed"))
            .severity(Severity::Info)
            .help("say by `skipped = \"pass\"` or `skipped = \"fail\"` of the gate what is meant");
    }
}

/// The branches from which something is published through the gate.
fn published_branches<'p>(policy: &'p Policy, gate: &Gate) -> Vec<&'p str> {
    let through = |named: &Option<Spanned<String>>| named.as_ref().is_some_and(|name| name.value == gate.name.value);
    let images = policy.images.iter().filter(|image| through(&image.gate));
    let refs = images.flat_map(|image| &image.tags).map(|rule| rule.refs.value.as_str());
    let branches = refs.filter_map(|name| name.strip_prefix("refs/heads/"));
    branches.filter(|branch| !branch.contains(['*', '?', '+', '[', '!'])).collect()
}
