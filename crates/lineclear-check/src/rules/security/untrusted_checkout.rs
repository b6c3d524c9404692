//! `untrusted-checkout`: a run with secrets fetches an outsider's code, and runs it.

use lineclear_source::{Severity, Span};
use lineclear_workflow::{Access, ActionRef, Job, JobKind, Permissions, Step, StepKind};

use super::execution::runs_workspace;
use super::trust::{Guard, guard_of};
use crate::rules::script::shells::operands;
use crate::uses::is_of_repository;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, ScriptSite, StepSite, page};

/// Manual and tests: `docs/rules/untrusted-checkout.md`.
#[derive(Debug)]
pub(super) struct UntrustedCheckout;

static META: RuleMeta = RuleMeta {
    id: "untrusted-checkout",
    summary: "a run with secrets fetches an outsider's code, and runs it",
    severity: Severity::Error,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("untrusted-checkout"),
};

/// The events that bring an outsider's code to a run with secrets.
const EVENTS: &[&str] = &["pull_request_target", "workflow_run", "issue_comment"];

impl Rule for UntrustedCheckout {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(workflow) = file.workflow() else { return };
        let events: Vec<&str> = EVENTS.iter().copied().filter(|event| workflow.on.get(event).is_some()).collect();
        if events.is_empty() {
            return;
        }
        let sites = file.steps();
        for (index, site) in sites.iter().enumerate() {
            let Some(fetch) = fetch(file, site, &events) else { continue };
            let Some((event, guard)) = events
                .iter()
                .map(|event| (*event, guard_of(event, site.job, Some(site.step))))
                .min_by_key(|(_, guard)| *guard)
                .filter(|(_, guard)| *guard < Guard::Trusted)
            else {
                continue;
            };
            let later = sites.iter().skip(index).take_while(|later| same_job(later, site));
            let own = if matches!(site.step.kind, StepKind::Run { .. }) { 0 } else { 1 };
            let runs = later
                .skip(own)
                .filter(|later| guard_of(event, None, Some(later.step)) != Guard::Never)
                .find_map(|later| runs_workspace(file, *later).filter(|runs| runs.span.start > fetch.start));
            let is_lowered = guard == Guard::Asked
                || has_environment(site.job)
                || may_only_read(workflow.permissions.as_ref(), site.job) && !file.source().text().contains("secrets.");
            let message = match &runs {
                Some(runs) if guard == Guard::Open && !is_lowered => format!(
                    "fetches an outsider's code in a run for `{event}`, and `{}` runs it: nothing keeps anyone from taking the job's secrets and token",
                    lineclear_source::shortened(&runs.what, 40)
                ),
                Some(runs) => format!(
                    "fetches an outsider's code in a run for `{event}`, and `{}` runs it: it has the job's secrets and token",
                    lineclear_source::shortened(&runs.what, 40)
                ),
                None => format!(
                    "fetches an outsider's code in a run for `{event}`: nothing may run it, or read settings from it"
                ),
            };
            let severity = match (runs.is_some(), is_lowered) {
                (true, false) => Severity::Error,
                (true, true) | (false, false) => Severity::Warning,
                (false, true) => Severity::Info,
            };
            let finding = report.at(fetch, message);
            finding.severity(severity);
            if let Some(runs) = runs {
                finding.label(runs.span, "runs what was fetched");
            }
            finding.help(
                "build and test in a run for `pull_request`, which has no secrets; hand results on as an artifact",
            );
        }
    }
}

fn same_job(one: &StepSite<'_>, other: &StepSite<'_>) -> bool {
    match (one.job, other.job) {
        (Some(one), Some(other)) => std::ptr::eq(one, other),
        (None, None) => true,
        _ => false,
    }
}

/// Where a step fetches an outsider's commit.
pub(super) fn fetch(file: &File<'_>, site: &StepSite<'_>, events: &[&str]) -> Option<Span> {
    match &site.step.kind {
        StepKind::Uses { uses, with } if is_of_repository(&uses.value, "actions/checkout") => with
            .iter()
            .filter(|(name, _)| matches!(name.value.as_str(), "ref" | "repository"))
            .find(|(_, value)| names_outsider(value.raw(), site.step, site.job, events))
            .map(|(_, value)| value.span()),
        StepKind::Uses { uses, .. } => {
            let ActionRef::Remote { .. } = &uses.value else { return None };
            is_of_repository(&uses.value, "dawidd6/action-checkout-pr").then_some(uses.span)
        }
        StepKind::Run { .. } => fetch_in(file.script_of(*site)?, events),
        _ => None,
    }
}

fn fetch_in(script: &ScriptSite<'_>, events: &[&str]) -> Option<Span> {
    let raw = script.raw();
    if !raw.contains("checkout") && !raw.contains("git ") {
        return None;
    }
    let fetches = ["fetch", "pull", "checkout", "switch", "merge", "reset", "clone"];
    script.script().commands.iter().find_map(|command| {
        let (program, arguments) = command.program()?;
        let text = raw.get(command.span.clone())?;
        let mut words = arguments.iter().map(|word| word.text.as_str());
        let is_fetch = match program {
            "gh" | "hub" => words.next() == Some("pr") && words.next() == Some("checkout"),
            "git" => {
                operands(arguments, &["-C", "-c"]).first().is_some_and(|verb| fetches.contains(&verb.text.as_str()))
                    && (text.contains("pull/") || names_outsider(text, script.site.step, script.site.job, events))
            }
            _ => false,
        };
        is_fetch.then(|| script.span_of(command.span.clone()))
    })
}

/// Whether a text names the commit, branch or repository of an outsider.
fn names_outsider(text: &str, step: &Step, job: Option<&Job>, events: &[&str]) -> bool {
    let lower = text.to_ascii_lowercase();
    let squeezed: String = lower.chars().filter(|letter| !letter.is_whitespace()).collect();
    let is_pull = squeezed.contains("pull_request.head.")
        || squeezed.contains("pull_request.merge_commit_sha")
        || squeezed.contains("pull_request['head']")
        || squeezed.contains("github.head_ref")
        || squeezed.contains("github_head_ref")
        || squeezed.contains("refs/pull/")
        || squeezed.contains("github.event.pull_request.number")
        || squeezed.contains("workflow_run.head_sha")
        || squeezed.contains("workflow_run.head_branch")
        || squeezed.contains("workflow_run.head_commit.id")
        || squeezed.contains("workflow_run.head_repository")
        || squeezed.contains("workflow_run.pull_requests");
    if is_pull {
        return true;
    }
    if events.contains(&"issue_comment") || events.contains(&"workflow_run") {
        // The answer of a step or job that asked for the pull request.
        let asks = squeezed.contains(".outputs.")
            && (squeezed.contains("head") || squeezed.contains("pr_") || squeezed.contains("pull"));
        if asks {
            return true;
        }
    }
    // Through a variable.
    lower.contains("env.") && {
        let steps = job.and_then(|job| if let JobKind::Steps(steps) = &job.kind { steps.env.as_ref() } else { None });
        [step.env.as_ref(), steps].into_iter().flatten().any(|env| {
            let lineclear_workflow::Env::Names(names) = env else { return false };
            names.iter().any(|(name, value)| {
                lower.contains(&format!("env.{}", name.raw().to_ascii_lowercase()))
                    && (value.raw().contains("pull_request.head.")
                        || value.raw().contains("head_ref")
                        || value.raw().contains("workflow_run.head_"))
            })
        })
    }
}

fn has_environment(job: Option<&Job>) -> bool {
    job.is_some_and(|job| matches!(&job.kind, JobKind::Steps(steps) if steps.environment.is_some()))
}

/// Whether the token of the job is known to write nothing.
pub(super) fn may_only_read(of_workflow: Option<&Permissions>, job: Option<&Job>) -> bool {
    match job.and_then(|job| job.permissions.as_ref()).or(of_workflow) {
        Some(Permissions::ReadAll(_)) => true,
        Some(Permissions::Scopes(scopes)) => scopes.value.iter().all(|(_, access)| access.value < Access::Write),
        Some(Permissions::WriteAll(_)) | None => false,
    }
}
