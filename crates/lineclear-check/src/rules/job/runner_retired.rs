//! `runner-retired`: no job starts on an image that is gone.

use lineclear_catalog::{LabelEnd, hosted_label};
use lineclear_source::Severity;

use super::machine::{Choice, Machine};
use crate::{Activity, Dialect, Edit, File, FileKind, Fix, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/runner-retired.md`.
#[derive(Debug)]
pub(super) struct RunnerRetired;

static META: RuleMeta = RuleMeta {
    id: "runner-retired",
    summary: "a machine of GitHub's that is gone or will be",
    severity: Severity::Error,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: &[Dialect::GitHub],
    files: &[FileKind::Workflow],
    repair: Repair::Review,
    since: "0.1",
    page: page!("runner-retired"),
};

impl Rule for RunnerRetired {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for job in file.jobs() {
            let Some(machine) = Machine::of(job).filter(|machine| !machine.may_be_self_hosted()) else { continue };
            machine.labels.iter().flat_map(|label| &label.choices).for_each(|choice| check_choice(choice, report));
        }
    }
}

fn check_choice(choice: &Choice<'_>, report: &mut Report<'_>) {
    let Some(known) = hosted_label(&choice.text) else { return };
    let label = known.label;
    let (severity, message, successor) = match known.end {
        LabelEnd::Open => return,
        LabelEnd::Gone { since, successor } => {
            (Severity::Error, format!("`{label}` is gone since {since}: the job does not start any more"), successor)
        }
        LabelEnd::Due { on, successor } => {
            (Severity::Warning, format!("`{label}` ends on {on}: the job does not start from then on"), successor)
        }
        LabelEnd::Announced { on, successor } => {
            (Severity::Info, format!("`{label}` ends on {on}: the job does not start from then on"), successor)
        }
    };
    let fix = (report.wants_fixes() && choice.is_whole)
        .then(|| Fix::review(format!("move to `{successor}`"), vec![Edit::replace(choice.span, successor)]));
    report.at(choice.span, message).severity(severity).help(format!("move to `{successor}`")).fix(fix);
}
