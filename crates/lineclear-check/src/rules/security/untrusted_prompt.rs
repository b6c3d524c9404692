//! `untrusted-prompt`: an agent reads an outsider's text, and may act on it.

use lineclear_source::Severity;
use lineclear_workflow::{ActionRef, StepKind, Text};

use super::taint::{Flows, Viewpoint};
use super::trust::{Guard, Reach, guard_of, is_privileged};
use super::untrusted_checkout::may_only_read;
use crate::uses::is_of_repository;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/untrusted-prompt.md`.
#[derive(Debug)]
pub(super) struct UntrustedPrompt;

static META: RuleMeta = RuleMeta {
    id: "untrusted-prompt",
    summary: "an agent reads an outsider's text, and may act on it",
    severity: Severity::Warning,
    group: Group::Security,
    activity: Activity::Default,
    dialects: &[Dialect::GitHub],
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("untrusted-prompt"),
};

/// Actions in which a model reads a text and may call tools.
const AGENTS: &[&str] = &[
    "anthropics/claude-code-action",
    "anthropics/claude-code-base-action",
    "google-github-actions/run-gemini-cli",
    "google-gemini/gemini-cli-action",
    "openai/codex-action",
    "actions/ai-inference",
    "augmentcode/augment-agent",
    "block/goose-action",
    "sst/opencode",
    "anomalyco/opencode",
    "warpdotdev/oz-agent-action",
    "qwenlm/qwen-code-action",
    "aws-actions/amazon-q-developer-cli-action",
];

/// Inputs that switch off asking whether the one who wrote may write.
const OPEN_TO_ALL: &[&str] = &["allowed_non_write_users", "allow-users", "allow-bots", "allowed_bots"];

impl Rule for UntrustedPrompt {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(workflow) = file.workflow() else { return };
        let flows = Flows::new(file);
        for site in file.steps() {
            let StepKind::Uses { uses, with } = &site.step.kind else { continue };
            let Some(agent) = AGENTS.iter().find(|slug| is_of_repository(&uses.value, slug)) else { continue };
            let from = Viewpoint { job: site.job, step: Some(site.step) };
            let open = workflow.on.events.iter().find(|trigger| {
                is_privileged(&trigger.event.value)
                    && guard_of(&trigger.event.value, site.job, Some(site.step)) == Guard::Open
            });
            if let Some((_, value)) = with
                .iter()
                .find(|(name, value)| OPEN_TO_ALL.contains(&name.value.as_str()) && value.raw().trim() == "*")
                && let Some(open) = open
            {
                report
                    .at(value.span(), format!("`{agent}` answers to anyone in a run for `{}`: what they write can make it use the job's secrets and token", open.event.value))
                    .severity(if may_only_read(workflow.permissions.as_ref(), site.job) { Severity::Info } else { Severity::Warning })
                    .help("name who may ask it, and give the job no more than `permissions: { contents: read }`");
            }
            for (_, value) in with {
                check_prompt(agent, &uses.value, value, flows, from, report);
            }
        }
    }
}

fn check_prompt<'a>(
    agent: &str,
    _action: &ActionRef,
    value: &'a Text,
    flows: Flows<'_, 'a>,
    from: Viewpoint<'a>,
    report: &mut Report<'_>,
) {
    for expr in value.template.expressions() {
        let Some(taint) = flows.of(expr.root(), from) else { continue };
        let Some(reach) = flows.reach(&taint, from).filter(|reach| *reach >= Reach::ReadOnly) else { continue };
        report
            .at(
                value.scalar.span_of(expr.root().span().range()),
                format!(
                    "`{agent}` reads `{}`: orders in an outsider's text can make it use the job's secrets and token",
                    taint.origin
                ),
            )
            .severity(if reach == Reach::Privileged { Severity::Warning } else { Severity::Info })
            .help("run it for people who may write only, with a token that reads, without secrets, and with few tools");
    }
}
