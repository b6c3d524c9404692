//! `ungated-publish`: a job publishes what nothing has tested.

use super::order::{all_needs, conditions, is_tags_only, may_test};
use lineclear_source::Severity;
use lineclear_workflow::Job;

use crate::rules::deeds::Deed;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/ungated-publish.md`.
#[derive(Debug)]
pub(super) struct UngatedPublish;

static META: RuleMeta = RuleMeta {
    id: "ungated-publish",
    summary: "a job publishes what nothing has tested",
    severity: Severity::Warning,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("ungated-publish"),
};

impl Rule for UngatedPublish {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(workflow) = file.workflow() else { return };
        let push = workflow.on.get("push");
        let is_released = workflow.on.get("release").is_some();
        if push.is_none() && !is_released {
            return;
        }
        let branches = push.is_some_and(|push| !is_tags_only(push));
        let tests: Vec<_> = file.deeds().iter().filter(|one| one.deed == Deed::Test).collect();
        let mut seen: Vec<&Job> = Vec::new();
        for done in file.deeds().iter().filter(|done| done.deed.is_publication()) {
            let Some(job) = done.site.job else { continue };
            if seen.iter().any(|one| std::ptr::eq(*one, job)) {
                continue;
            }
            seen.push(job);
            let needs = all_needs(workflow, job);
            if may_test(file, job, done.site.index) || needs.iter().any(|needed| may_test(file, needed, usize::MAX)) {
                continue;
            }
            let conditions = conditions(workflow, done);
            let says = |words: &[&str]| conditions.iter().any(|text| words.iter().any(|word| text.contains(word)));
            if says(&["workflow_dispatch", "schedule", "conclusion", "inputs."]) {
                continue;
            }
            let is_tag = !branches || says(&["refs/tags", "ref_type", "release"]);
            let does = done.deed.verb();
            let tester = workflow.jobs.iter().find(|other| {
                tests.iter().any(|one| one.is_in(other))
                    && !std::ptr::eq(*other, job)
                    && !needs.iter().any(|needed| std::ptr::eq(*needed, *other))
                    && !all_needs(workflow, other).iter().any(|needed| std::ptr::eq(*needed, job))
            });
            let id = &job.id.value;
            if let Some(tester) = tester {
                report
                    .at(
                        done.span,
                        format!(
                            "job `{id}` {does} and does not wait for `{}`: what fails there is published all the same",
                            tester.id.value
                        ),
                    )
                    .label(tester.id.span, "tests here")
                    .help(format!("add `needs: {}` to `{id}`", tester.id.value));
            } else if is_tag {
                report
                    .at(done.span, format!("job `{id}` {does} for a tag, and nothing here tests it: a tag may stand on any commit"))
                    .severity(Severity::Info)
                    .help("call the tests as a job and let this one need it, or check that the commit passed on the main branch");
            } else {
                report
                    .at(done.span, format!("job `{id}` {does} for every push, and nothing here tests it first: tests of another workflow run beside it"))
                    .help("let the job `needs` one that tests, or start this workflow by `workflow_run` when the tests have succeeded");
            }
        }
    }
}
