//! `local-action-before-checkout`: an action of the repository before the repository is there.

use lineclear_source::Severity;
use lineclear_workflow::{ActionRef, Job};

use super::workspace::may_be_checked_out;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, UseSite, page};

/// Manual and tests: `docs/rules/local-action-before-checkout.md`.
#[derive(Debug)]
pub(super) struct LocalActionBeforeCheckout;

static META: RuleMeta = RuleMeta {
    id: "local-action-before-checkout",
    summary: "an action of this repository that is used before the repository is checked out",
    severity: Severity::Error,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("local-action-before-checkout"),
};

impl Rule for LocalActionBeforeCheckout {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let mut told: Option<*const Job> = None;
        for site in file.uses() {
            let (ActionRef::Local { path }, Some(job)) = (&site.uses.value, site.site.job) else { continue };
            if told == Some(std::ptr::from_ref(job))
                || may_be_checked_out(file, site)
                || has_unread_checkout(file, site, job)
            {
                continue;
            }
            told = Some(std::ptr::from_ref(job));
            let message =
                format!("`./{path}` is not there yet: nothing has checked the repository out before this step");
            report.at(site.uses.span, message).help("put a step with `actions/checkout` before it");
        }
    }
}

/// Whether the job's text before the step has a checkout that could not be read, such as one without `@`: that is the fault then.
fn has_unread_checkout(file: &File<'_>, site: &UseSite<'_>, job: &Job) -> bool {
    let text = file.source().text();
    let before = text.get(job.span.start as usize..site.uses.span.start as usize).unwrap_or_default();
    before.lines().any(|line| line.contains("actions/checkout") && !line.trim_start().starts_with('#'))
}
