//! `persisted-credentials`: the checkout leaves the job's token where every later step can read it.

use lineclear_source::Severity;
use lineclear_workflow::{Step, StepKind, Text};

use super::checkout_token::{checkouts, may_need_token};
use crate::uses::input;
use crate::{Activity, Dialect, Edit, File, FileKind, Fix, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/persisted-credentials.md`.
#[derive(Debug)]
pub(super) struct PersistedCredentials;

static META: RuleMeta = RuleMeta {
    id: "persisted-credentials",
    summary: "the checkout leaves the job's token where every later step can read it",
    severity: Severity::Info,
    group: Group::Security,
    activity: Activity::Pedantic,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::Safe,
    since: "0.1",
    page: page!("persisted-credentials"),
};

impl Rule for PersistedCredentials {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for checkout in checkouts(file) {
            let StepKind::Uses { uses, with } = &checkout.site.step.kind else { continue };
            let set = input(with, "persist-credentials");
            let span = set.map_or(uses.span, Text::span);
            let fix = if report.wants_fixes() { fix(file, checkout.site.step, set) } else { None };
            let later = file
                .steps()
                .iter()
                .skip(checkout.index + 1)
                .take_while(|later| later.job.map(|job| job.id.span) == checkout.site.job.map(|job| job.id.span));
            let is_needed = later.map(|later| may_need_token(file, *later)).max().unwrap_or_default();
            let fix = match (fix, is_needed) {
                (_, super::checkout_token::Need::Surely) => continue,
                (Some(edits), super::checkout_token::Need::Maybe) => {
                    Some(Fix::review("add `persist-credentials: false`", edits))
                }
                (Some(edits), super::checkout_token::Need::No) => {
                    Some(Fix::safe("add `persist-credentials: false`", edits))
                }
                (None, _) => None,
            };
            report
                .at(
                    span,
                    "the checkout keeps the job's token on the disk: every later step and every tool in it can read it",
                )
                .help("add `persist-credentials: false`; a step that pushes can be given the token itself")
                .fix(fix);
        }
    }
}

fn fix(file: &File<'_>, step: &Step, set: Option<&Text>) -> Option<Vec<Edit>> {
    if let Some(set) = set {
        return (set.raw() == "true").then(|| vec![Edit::replace(set.span(), "false")]);
    }
    let StepKind::Uses { uses, with } = &step.kind else { return None };
    let source = file.source();
    let is_flow = source.text().as_bytes().get(step.span.start as usize) == Some(&b'{');
    match with.last() {
        Some((name, value)) => {
            match Edit::add_entry_after(source, name.span, value.span(), "persist-credentials: false") {
                Some(edit) if !is_flow => Some(vec![edit]),
                _ => {
                    let first = with.first()?.0.span;
                    let before = source.text().get(..first.start as usize)?.trim_end();
                    before.ends_with('{').then(|| vec![Edit::insert(first.start, "persist-credentials: false, ")])
                }
            }
        }
        None if is_flow => Some(vec![Edit::insert(uses.span.end, ", with: { persist-credentials: false }")]),
        None => {
            // A key without entries, or a `with` that is no mapping, is left alone.
            let body = source.slice(step.span);
            if body.contains("with:") {
                return None;
            }
            Edit::add_entry_after(source, step.span, uses.span, "with:\n  persist-credentials: false")
                .map(|edit| vec![edit])
        }
    }
}
