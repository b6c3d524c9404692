//! `shared-concurrency-group`: two workflows share a concurrency group and stop each other.

use lineclear_expr::{Template, TemplatePart};
use lineclear_source::Severity;
use lineclear_workflow::{Concurrency, Text, Workflow};

use crate::project::Repository;
use crate::{Activity, Dialect, FileKind, Group, Repair, Report, RepositoryRule, RuleMeta, page};

/// Manual and tests: `docs/rules/shared-concurrency-group.md`.
#[derive(Debug)]
pub(super) struct SharedConcurrencyGroup;

static META: RuleMeta = RuleMeta {
    id: "shared-concurrency-group",
    summary: "two workflows share a concurrency group and stop each other",
    severity: Severity::Warning,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("shared-concurrency-group"),
};

impl RepositoryRule for SharedConcurrencyGroup {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, repository: &Repository<'_>, report: &mut Report<'_>) {
        let named: Vec<(&Workflow, &Concurrency)> = repository
            .workflows
            .iter()
            .filter_map(|workflow| workflow.concurrency.as_ref().map(|concurrency| (&**workflow, concurrency)))
            .filter(|(workflow, _)| workflow.on.events.iter().any(|trigger| trigger.event.value != "workflow_call"))
            .collect();
        for (at, (workflow, concurrency)) in named.iter().enumerate() {
            let text = concurrency.group.raw();
            // A group that is called by a name is shared on purpose; one of contexts alone was written to be the workflow's own.
            if !is_of_contexts(&concurrency.group)
                || text.contains("github.workflow")
                || text.contains("run_id")
                || text.contains("github.job")
            {
                continue;
            }
            let other = named.iter().enumerate().find(|(index, (other, one))| {
                *index != at
                    && one.group.raw().split_whitespace().eq(text.split_whitespace())
                    && share_an_event(workflow, other)
            });
            if let Some((_, (other, _))) = other {
                let cancels = concurrency.cancel_in_progress.as_ref().is_some_and(|text| text.raw() != "false");
                let what = if cancels { "stops" } else { "makes wait, or drops the waiting run of," };
                report
                    .in_file(
                        &workflow.source,
                        concurrency.group.span(),
                        format!("this group is that of `{}`, too: a run here {what} the other's", other.source.name()),
                    )
                    .help("begin it with the workflow's name: `${{ github.workflow }}-${{ github.ref }}`");
            }
        }
    }
}

/// Whether nothing but expressions and punctuation make the name.
fn is_of_contexts(group: &Text) -> bool {
    match &group.template {
        Template::Literal(_) => false,
        Template::Expression(_) => true,
        Template::Mixed(parts) => parts.iter().all(|part| match part {
            TemplatePart::Text(text) => !text.contains(char::is_alphanumeric),
            TemplatePart::Expression(_) => true,
        }),
    }
}

fn share_an_event(one: &Workflow, other: &Workflow) -> bool {
    one.on
        .events
        .iter()
        .any(|trigger| trigger.event.value != "workflow_call" && other.on.get(&trigger.event.value).is_some())
}
