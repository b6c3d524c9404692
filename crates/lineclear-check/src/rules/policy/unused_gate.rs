//! `unused-gate`: a gate that nothing asks.

use lineclear_source::Severity;

use crate::project::Repository;
use crate::rules::delivery::AllWorkflows;
use crate::{Activity, Dialect, FileKind, Group, Repair, Report, RepositoryRule, RuleMeta, page};

/// Manual and tests: `docs/rules/unused-gate.md`.
#[derive(Debug)]
pub(super) struct UnusedGate;

static META: RuleMeta = RuleMeta {
    id: "unused-gate",
    summary: "a gate that nothing asks",
    severity: Severity::Info,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Policy, FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("unused-gate"),
};

impl RepositoryRule for UnusedGate {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, repository: &Repository<'_>, report: &mut Report<'_>) {
        let Some((_, written)) =
            repository.policy.filter(|(_, policy)| policy.gates.len() > 1 || !policy.images.is_empty())
        else {
            return;
        };
        // With neither images nor environments gates are there to be asked by people.
        if written.images.is_empty() && written.environments.is_empty() {
            return;
        }
        let workflows = AllWorkflows::of(repository);
        let (policy, _) = workflows.expanded(written, repository.project);
        let of_images = policy.images.iter().flat_map(|image| {
            image.gate.iter().chain(image.promote.iter().filter_map(|promotion| promotion.gate.as_ref()))
        });
        let of_environments = policy.environments.iter().filter_map(|environment| environment.gate.as_ref());
        let named: Vec<&str> = of_images.chain(of_environments).map(|name| name.value.as_str()).collect();
        for gate in &written.gates {
            let name = gate.name.value.as_str();
            let in_workflows = || workflows.iter().any(|workflow| has_word(workflow.source.text(), name));
            if !named.contains(&name) && !in_workflows() {
                report
                    .at(gate.name.span, format!("nothing asks the gate `{name}`: no image, no promotion, no environment and no workflow names it"))
                    .help(format!("name it in an `[image.NAME]`, or ask it by `lineclear gate --gate {name}`"));
            }
        }
    }
}

/// Whether a workflow speaks of the gate: as an input of a step that asks it, or in a command.
fn has_word(text: &str, name: &str) -> bool {
    let is_part = |char: char| char.is_alphanumeric() || matches!(char, '-' | '_');
    text.lines()
        .filter(|line| line.contains("gate"))
        .any(|line| line.split(|char| !is_part(char)).any(|word| word == name))
}
