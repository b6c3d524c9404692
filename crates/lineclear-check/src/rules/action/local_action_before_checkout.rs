//! `local-action-before-checkout`: an action of the repository before the repository is there.

use lineclear_source::Severity;
use lineclear_workflow::{ActionRef, Job};

use super::workspace::may_be_checked_out;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

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
            if told == Some(std::ptr::from_ref(job)) || may_be_checked_out(file, site) {
                continue;
            }
            told = Some(std::ptr::from_ref(job));
            let message =
                format!("`./{path}` is not there yet: nothing has checked the repository out before this step");
            report.at(site.uses.span, message).help("put a step with `actions/checkout` before it");
        }
    }
}
