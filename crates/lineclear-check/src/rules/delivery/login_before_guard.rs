//! `login-before-guard`: a job logs in to a registry before it knows whether it may publish.

use lineclear_source::Severity;
use lineclear_workflow::JobKind;

use crate::rules::deeds::Deed;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/login-before-guard.md`.
#[derive(Debug)]
pub(super) struct LoginBeforeGuard;

static META: RuleMeta = RuleMeta {
    id: "login-before-guard",
    summary: "a job logs in to a registry before it knows whether it may publish",
    severity: Severity::Info,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("login-before-guard"),
};

impl Rule for LoginBeforeGuard {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for done in file.deeds().iter().filter(|done| done.deed == Deed::Login) {
            let Some(job) = done.site.job else { continue };
            let behind = |deed: fn(Deed) -> bool| {
                file.deeds().iter().find(|one| one.is_in(job) && one.site.index > done.site.index && deed(one.deed))
            };
            let Some(test) = behind(|deed| matches!(deed, Deed::Test | Deed::Scan)) else { continue };
            let Some(publication) = behind(|deed| deed == Deed::PushImage) else { continue };
            let uses_service =
                matches!(&job.kind, JobKind::Steps(steps) if steps.container.is_some() || !steps.services.is_empty());
            if test.site.index < publication.site.index && !uses_service {
                report
                    .at(
                        done.span,
                        format!(
                            "job `{}` logs in before it {}: what runs there can push already",
                            job.id.value,
                            test.deed.verb()
                        ),
                    )
                    .label(test.span, "decides whether to publish")
                    .help("move the login right before the push");
            }
        }
    }
}
