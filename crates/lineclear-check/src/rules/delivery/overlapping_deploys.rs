//! `overlapping-deploys`: two runs may deploy to the same place at the same time.

use super::order::environment_of;
use lineclear_source::Severity;
use lineclear_workflow::{Job, Patterns, Workflow};

use crate::rules::deeds::Deed;
use crate::{Activity, Dialect, Edit, File, FileKind, Fix, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/overlapping-deploys.md`.
#[derive(Debug)]
pub(super) struct OverlappingDeploys;

static META: RuleMeta = RuleMeta {
    id: "overlapping-deploys",
    summary: "two runs may deploy to the same place at the same time",
    severity: Severity::Warning,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::Review,
    since: "0.1",
    page: page!("overlapping-deploys"),
};

impl Rule for OverlappingDeploys {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(workflow) = file.workflow() else { return };
        let mut seen: Vec<&Job> = Vec::new();
        for done in file.deeds().iter().filter(|done| done.deed == Deed::Deploy) {
            let Some(job) = done.site.job else { continue };
            if seen.iter().any(|one| std::ptr::eq(*one, job)) {
                continue;
            }
            seen.push(job);
            // What is called is serialised by its caller, if at all; what runs for pull requests alone deploys one place for each.
            let events = || workflow.on.events.iter().map(|trigger| trigger.event.value.as_str());
            if events().all(|event| matches!(event, "workflow_call" | "pull_request" | "pull_request_target")) {
                continue;
            }
            let place = environment_of(job);
            match job.concurrency.as_ref().or(workflow.concurrency.as_ref()) {
                None => {
                    let group = format!("deploy-{}", place.filter(|place| is_plain(place)).unwrap_or(&job.id.value));
                    let fix = report.wants_fixes().then(|| {
                        let entry = format!("concurrency: {{ group: {group}, cancel-in-progress: false }}");
                        let edit = Edit::add_first_entry(file.source(), job.body, &entry);
                        Fix::review(format!("add `{entry}`"), vec![edit])
                    });
                    report
                        .at(done.span, format!("job `{}` deploys without `concurrency`: two runs do so at the same time, and the older may end last", job.id.value))
                        .help(format!("add `concurrency: {{ group: {group}, cancel-in-progress: false }}` to the job"))
                        .fix(fix);
                }
                Some(concurrency) => {
                    let varies = ["github.ref", "github.head_ref"];
                    let text = concurrency.group.raw();
                    let once = ["github.sha", "github.run_id", "github.run_number", "github.run_attempt"];
                    if let Some(by_run) = once.iter().find(|name| text.contains(**name)) {
                        report
                            .at(concurrency.group.span(), format!("the group differs by `{by_run}`: each run has one of its own, and two deploy at the same time"))
                            .label(done.span, "deploys here")
                            .help(format!("name the group after the place: `group: deploy-{}`", place.filter(|place| is_plain(place)).unwrap_or(&job.id.value)));
                        continue;
                    }
                    let by_ref = varies.iter().find(|name| text.contains(**name));
                    if let (Some(by_ref), Some(place), false) = (by_ref, place, has_one_branch(workflow)) {
                        report
                            .at(concurrency.group.span(), format!("the group differs by `{by_ref}`: runs of two branches deploy to `{place}` at the same time"))
                            .label(done.span, "deploys here")
                            .help(format!("name the group after the environment: `group: deploy-{place}`"));
                    }
                }
            }
        }
    }
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// Whether all runs are of one branch, so that a group for each ref is one group.
fn has_one_branch(workflow: &Workflow) -> bool {
    workflow.on.events.iter().all(|trigger| {
        let is_one = |branches: &Patterns| {
            !branches.ignore
                && matches!(branches.list.as_slice(), [only] if !only.value.contains(['*', '?', '+', '[', '!']))
        };
        match trigger.event.value.as_str() {
            "push" => trigger.tags.is_none() && trigger.branches.as_ref().is_some_and(is_one),
            "schedule" | "release" | "workflow_run" | "repository_dispatch" => true,
            _ => false,
        }
    })
}
