//! `runner-conflict`: no machine has the labels of two systems.

use lineclear_catalog::{Platform, platform};
use lineclear_source::Severity;

use super::machine::{Choice, Machine};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/runner-conflict.md`.
#[derive(Debug)]
pub(super) struct RunnerConflict;

static META: RuleMeta = RuleMeta {
    id: "runner-conflict",
    summary: "labels that no machine has together",
    severity: Severity::Error,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: &[Dialect::GitHub],
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("runner-conflict"),
};

impl Rule for RunnerConflict {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for job in file.jobs() {
            let Some(machine) = Machine::of(job).filter(|machine| machine.labels.len() > 1) else { continue };
            let mut first: Option<(&Choice<'_>, Platform)> = None;
            for label in &machine.labels {
                // Where it may come out as one or the other, a combination may fit.
                let [choice] = label.choices.as_slice() else {
                    if let Some((first, system)) = first {
                        check_choices(first, system, label.choices.as_slice(), report);
                    }
                    continue;
                };
                let Some(system) = platform(&choice.text) else { continue };
                match first {
                    None => first = Some((choice, system)),
                    Some((first, of_first)) if of_first != system => {
                        conflict(first, choice, report);
                    }
                    Some(_) => {}
                }
            }
        }
    }
}

/// Of the values of a matrix, those that do not go with the fixed label.
fn check_choices(first: &Choice<'_>, of_first: Platform, choices: &[Choice<'_>], report: &mut Report<'_>) {
    for choice in choices {
        if platform(&choice.text).is_some_and(|system| of_first != system) {
            conflict(first, choice, report);
        }
    }
}

fn conflict(first: &Choice<'_>, other: &Choice<'_>, report: &mut Report<'_>) {
    let message = format!("no machine has both `{}` and `{}`: the job never starts", first.text, other.text);
    report
        .at(other.span, message)
        .label(first.span, "the other label")
        .help("to run the job on each of them, give them as values of a `matrix`");
}
