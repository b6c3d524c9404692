//! `skipped-environment`: a job delivers to an environment before those that come first.

use super::order::{all_needs, environment_of, has_environment};
use lineclear_source::Severity;
use lineclear_source::suggest;
use lineclear_workflow::JobKind;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/skipped-environment.md`.
#[derive(Debug)]
pub(super) struct SkippedEnvironment;

static META: RuleMeta = RuleMeta {
    id: "skipped-environment",
    summary: "a job delivers to an environment before those that come first",
    severity: Severity::Warning,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("skipped-environment"),
};

impl Rule for SkippedEnvironment {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(workflow) = file.workflow() else { return };
        if !workflow.jobs.iter().any(has_environment) {
            return;
        }
        let Some(policy) = file.project().policy().filter(|policy| !policy.environments.is_empty()) else { return };
        for job in &workflow.jobs {
            let (Some(name), JobKind::Steps(steps)) = (environment_of(job), &job.kind) else { continue };
            let Some(environment) = &steps.environment else { continue };
            let known = || policy.environments.iter().map(|environment| environment.name.value.as_str());
            // A forge takes no notice of case.
            let Some(rule) = policy.environments.iter().find(|one| one.name.value.eq_ignore_ascii_case(name)) else {
                if let Some(near) = suggest(name, known()) {
                    report
                        .at(
                            environment.name.span(),
                            format!("`lineclear.toml` has no environment `{name}`; did you mean `{near}`?"),
                        )
                        .help("the rules of that environment do not hold for this name");
                }
                continue;
            };
            let before = all_needs(workflow, job);
            let calls = before.iter().any(|job| matches!(job.kind, JobKind::Call(_)));
            let missing = rule.after.iter().find(|first| {
                !before
                    .iter()
                    .any(|job| environment_of(job).is_some_and(|name| name.eq_ignore_ascii_case(&first.value)))
            });
            if let Some(first) = missing.filter(|_| !calls && workflow.on.get("workflow_run").is_none()) {
                report
                    .at(environment.name.span(), format!("job `{}` delivers to `{name}` without having been in `{}`, which `lineclear.toml` puts first", job.id.value, first.value))
                    .help(format!("let it need the job that delivers to `{}`", first.value));
            }
        }
    }
}
