//! `deploy-without-health-check`: nobody looks whether what was deployed is well.

use super::order::all_needs;
use lineclear_source::Severity;
use lineclear_workflow::{Job, JobKind};

use crate::rules::deeds::Deed;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/deploy-without-health-check.md`.
#[derive(Debug)]
pub(super) struct DeployWithoutHealthCheck;

static META: RuleMeta = RuleMeta {
    id: "deploy-without-health-check",
    summary: "nobody looks whether what was deployed is well",
    severity: Severity::Info,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("deploy-without-health-check"),
};

impl Rule for DeployWithoutHealthCheck {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(workflow) = file.workflow() else { return };
        let mut seen: Vec<&Job> = Vec::new();
        for done in file.deeds().iter().filter(|done| done.deed == Deed::Deploy) {
            let Some(job) = done.site.job else { continue };
            // Platforms look for themselves; these do what they are told.
            let Some((script, command)) = done.command else { continue };
            let Some(script) = file.scripts().get(script) else { continue };
            let Some(own) = script.script().commands.get(command) else { continue };
            let is_blind = own.program().is_some_and(|(program, _)| {
                matches!(program, "kubectl" | "oc" | "helm" | "docker" | "ansible-playbook")
            });
            let waits = own.words.iter().any(|word| {
                word.text.starts_with("--wait")
                    || word.text.starts_with("--atomic")
                    || word.text.starts_with("--detach=false")
            });
            if !is_blind || waits || seen.iter().any(|one| std::ptr::eq(*one, job)) {
                continue;
            }
            seen.push(job);
            let later = |other: &Job| all_needs(workflow, other).iter().any(|needed| std::ptr::eq(*needed, job));
            let is_looked_at = file.deeds().iter().any(|one| {
                let looks = matches!(one.deed, Deed::HealthCheck | Deed::Test);
                looks
                    && one.site.job.is_some_and(|other| {
                        later(other)
                            || (one.is_in(job) && (one.site.index, one.command) > (done.site.index, done.command))
                    })
            });
            let is_called = workflow.jobs.iter().any(|other| later(other) && matches!(other.kind, JobKind::Call(_)));
            if !is_looked_at && !is_called {
                report
                    .at(done.span, format!("job `{}` deploys and does not look whether it is well: it succeeds with a broken version, too", job.id.value))
                    .help("wait for it: `kubectl rollout status`, `helm --wait`, or ask the address until it shows the new version");
            }
        }
    }
}
