//! `unknown-check`: a gate that names a check which no workflow produces.

use lineclear_policy::Gate;
use lineclear_source::Severity;
use lineclear_source::{Spanned, suggest};
use lineclear_workflow::{CheckName, ProducedCheck as Check};

use super::checks::AllWorkflows;

use crate::project::Repository;
use crate::{Activity, Dialect, FileKind, Group, Repair, Report, RepositoryRule, RuleMeta, page};

/// Manual and tests: `docs/rules/unknown-check.md`.
#[derive(Debug)]
pub(super) struct UnknownCheck;

static META: RuleMeta = RuleMeta {
    id: "unknown-check",
    summary: "a gate that names a check which no workflow produces",
    severity: Severity::Error,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Policy, FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("unknown-check"),
};

impl RepositoryRule for UnknownCheck {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, repository: &Repository<'_>, report: &mut Report<'_>) {
        let Some((_, written)) = repository.policy else { return };
        let workflows = AllWorkflows::of(repository);
        if workflows.has_unreadable {
            return;
        }
        let (policy, _) = workflows.expanded(written, repository.project);
        let named = || policy.gates.iter().flat_map(checks_of);
        let checks = workflows.checks(repository.project);
        for (check, is_required) in named() {
            let mut makers = checks.iter().filter(|one| one.is_called(&check.value));
            let first = makers.next();
            let is_of_preset = policy.preset.as_ref().is_some_and(|preset| preset.preset.span == check.span);
            let Some(first) = first else {
                // What a preset does not find is told by `preset-without-check`.
                if is_of_preset {
                    continue;
                }
                report_unknown(check, is_required, &checks, report);
                continue;
            };
            if let Some(second) = makers.next() {
                let place = |one: &Check<'_>| format!("`{}` of `{}`", one.job.id.value, one.workflow.source.name());
                let name = &check.value;
                let mut message =
                    format!("two jobs produce the check `{name}`: {} and {}", place(first), place(second));
                // A name that an expression makes only may be the same.
                let is_certain = makes(first, name) && makes(second, name);
                if is_certain {
                    message.push_str("; where one of them does not run, the other answers for both");
                }
                let severity = if is_certain { Severity::Error } else { Severity::Warning };
                report
                    .at(check.span, message)
                    .severity(severity)
                    .help("give the workflows or jobs names of their own, and name each in the gate that needs it");
            }
        }
    }
}

/// Whether a job has a check of exactly this name, whatever its expressions make.
fn makes(check: &Check<'_>, name: &str) -> bool {
    check.names.iter().any(|own| own.as_fixed() == Some(name))
}

/// The checks that a gate names, and whether it requires them.
fn checks_of(gate: &Gate) -> impl Iterator<Item = (&Spanned<String>, bool)> {
    let required = gate.require.iter().map(|required| (&required.check, true));
    required.chain(gate.supplementary.iter().map(|check| (check, false)))
}

fn report_unknown(check: &Spanned<String>, is_required: bool, checks: &[Check<'_>], report: &mut Report<'_>) {
    let known = || checks.iter().flat_map(|check| &check.names).filter_map(CheckName::as_fixed);
    let name = &check.value;
    let workflow = name.split_once(" / ").map(|(workflow, _)| workflow);
    let near = suggest(name, known());
    let of_workflow: Vec<&str> = workflow
        .map(|workflow| known().filter(|name| name.split_once(" / ").is_some_and(|(own, _)| own == workflow)).collect())
        .unwrap_or_default();
    let mut message = format!("no workflow produces the check `{name}`");
    if let Some(near) = near {
        message.push_str(&format!("; did you mean `{near}`?"));
    } else if is_required {
        message.push_str(": nothing ever passes this gate");
    }
    let finding = report.at(check.span, message);
    if !is_required {
        finding.severity(Severity::Warning);
    }
    if workflow.is_none() {
        finding.help("a check is called `Workflow / job`: the `name` of the workflow (or its path) and the `name` of the job (or its id)");
    } else if near.is_none() && !of_workflow.is_empty() {
        let shown: Vec<String> = of_workflow.iter().take(8).map(|name| format!("`{name}`")).collect();
        finding.help(format!("that workflow has {}", shown.join(", ")));
    }
}
