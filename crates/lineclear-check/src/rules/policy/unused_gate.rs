//! `unused-gate`: a gate that nothing asks.

use lineclear_policy::Policy;
use lineclear_source::{Severity, Source};

use super::asked_gates::AskedGates;
use crate::project::Repository;
use crate::rules::delivery::AllWorkflows;
use crate::{Activity, Content, Dialect, File, FileKind, Group, Repair, Report, RepositoryRule, RuleMeta, page};

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
        // With neither images nor environments gates are there to be asked by people.
        let is_for_something = |policy: &Policy| !policy.images.is_empty() || !policy.environments.is_empty();
        let Some((_, written)) = repository.policy.filter(|(_, policy)| is_for_something(policy)) else { return };
        let workflows = AllWorkflows::of(repository);
        if workflows.has_unreadable {
            return;
        }
        let (policy, _) = workflows.expanded(written, repository.project);
        let of_images = policy.images.iter().flat_map(|image| {
            image.gate.iter().chain(image.promote.iter().filter_map(|promotion| promotion.gate.as_ref()))
        });
        let of_environments = policy.environments.iter().filter_map(|environment| environment.gate.as_ref());
        let mut named: Vec<String> = of_images.chain(of_environments).map(|name| name.value.clone()).collect();
        for asked in asked(repository, &workflows) {
            if asked.asks_others {
                return;
            }
            named.extend(asked.named.into_iter().map(|(name, _)| name));
        }
        for gate in written.gates.iter().filter(|gate| !named.contains(&gate.name.value)) {
            let name = gate.name.value.as_str();
            report
                .at(gate.name.span, format!("nothing asks the gate `{name}`: no image, no promotion, no environment and no workflow names it"))
                .help(format!("name it in an `[image.NAME]`, or ask it by `lineclear gate --gate {name}`"));
        }
    }
}

/// What the steps of all workflows and of the repository's own actions ask.
fn asked(repository: &Repository<'_>, workflows: &AllWorkflows<'_>) -> Vec<AskedGates> {
    let of = |source: &Source, content: Content<'_>| {
        // The words that it looks for are the same for all forges.
        AskedGates::of(&File::new(source, content, Dialect::GitHub, repository.project))
    };
    let list = repository.project.list();
    let folders = list.iter().filter(|path| FileKind::of(path) == Some(FileKind::Action));
    let folders = folders.map(|path| path.rsplit_once('/').map_or("", |(folder, _)| folder));
    let reads: Vec<_> = folders.filter_map(|folder| repository.project.action(folder).found()).collect();
    let of_workflows = workflows.iter().map(|workflow| of(&workflow.source, Content::Workflow(workflow)));
    let actions = reads.iter().filter_map(|read| read.model.as_ref());
    of_workflows.chain(actions.map(|action| of(&action.source, Content::Action(action)))).collect()
}
