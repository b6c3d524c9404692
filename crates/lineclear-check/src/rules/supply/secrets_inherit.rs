//! `secrets-inherit`: a called workflow gets all secrets.

use lineclear_source::Severity;
use lineclear_source::Span;
use lineclear_workflow::{CallSecrets, JobKind, Workflow, WorkflowRef, Written, walk_workflow};

use super::secret::{listed, named};

use crate::{Activity, Dialect, Edit, File, FileKind, Fix, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/secrets-inherit.md`.
#[derive(Debug)]
pub(super) struct SecretsInherit;

static META: RuleMeta = RuleMeta {
    id: "secrets-inherit",
    summary: "a called workflow gets all secrets",
    severity: Severity::Warning,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::Review,
    since: "0.1",
    page: page!("secrets-inherit"),
};

impl Rule for SecretsInherit {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for job in file.jobs() {
            let JobKind::Call(call) = &job.kind else { continue };
            let CallSecrets::Inherit(span) = call.secrets else { continue };
            let found = match &call.uses.value {
                WorkflowRef::Local { path } => file.project().workflow(path).found(),
                WorkflowRef::Remote { owner, repo, path, reference } => {
                    file.project().remote_workflow(&format!("{owner}/{repo}/{path}@{reference}")).found()
                }
            };
            let called = found.as_ref().and_then(|read| read.model.as_ref());
            let used = called.and_then(used_by);
            let help = match used.as_deref() {
                Some([]) => "it uses none: remove `secrets`".to_owned(),
                Some(used) => format!("name those that it uses: {}", listed(used.iter().map(String::as_str))),
                None => "name those that it needs: `secrets: { NAME: ${{ secrets.NAME }} }`".to_owned(),
            };
            let known =
                called.zip(used.as_deref()).filter(|(called, used)| report.wants_fixes() && declares(called, used));
            let fix = known.and_then(|(_, used)| spell_out(file, span, used));
            report
                .at(span, "the called workflow gets every secret of the repository and of the organization")
                .help(help)
                .fix(fix);
        }
    }
}

/// The secrets that a workflow names; none where only a run, or a workflow that it calls itself, can tell.
fn used_by(called: &Workflow) -> Option<Vec<String>> {
    let inherits =
        |kind: &JobKind| matches!(kind, JobKind::Call(call) if matches!(call.secrets, CallSecrets::Inherit(_)));
    if called.jobs.iter().any(|job| inherits(&job.kind)) {
        return None;
    }
    let mut used: Vec<String> = Vec::new();
    let mut is_known = true;
    walk_workflow(called, &mut |_, written| {
        let texts = match written {
            Written::Text(text) => text.template.expressions(),
            Written::Condition(condition) => vec![&condition.expr],
        };
        for expr in texts {
            for (name, _) in named(expr) {
                if !used.iter().any(|one| one.eq_ignore_ascii_case(name)) {
                    used.push(name.to_owned());
                }
            }
            let references = expr.root().references();
            is_known &= !references.iter().any(|reference| reference.context == "secrets" && reference.path.is_empty());
        }
    });
    is_known.then_some(used)
}

/// Whether the called workflow declares all of these: others cannot be given by name.
fn declares(called: &Workflow, used: &[String]) -> bool {
    let declared = called.on.get("workflow_call").map_or(&[][..], |trigger| trigger.secrets.as_slice());
    used.iter().all(|name| declared.iter().any(|secret| secret.name.value.eq_ignore_ascii_case(name)))
}

fn spell_out(file: &File<'_>, span: Span, used: &[String]) -> Option<Fix> {
    let text = file.source().text();
    let before = text.get(..span.start as usize)?.rsplit('\n').next()?;
    let entries: Vec<String> = used.iter().map(|name| format!("{name}: ${{{{ secrets.{name} }}}}")).collect();
    let title = "name the secrets that are used";
    if used.is_empty() {
        return Some(Fix::review(title, vec![Edit::replace(span, "{}")]));
    }
    if before.trim() != "secrets:" {
        let quoted: Vec<String> = used.iter().map(|name| format!("{name}: \"${{{{ secrets.{name} }}}}\"")).collect();
        return Some(Fix::review(title, vec![Edit::replace(span, format!("{{ {} }}", quoted.join(", ")))]));
    }
    let indent = " ".repeat(before.len() - before.trim_start().len() + 2);
    let from = span.start as usize - (before.len() - before.trim_end().len());
    let block: String = entries.iter().map(|entry| format!("\n{indent}{entry}")).collect();
    Some(Fix::review(title, vec![Edit::replace(Span::new(from, span.end as usize), block)]))
}
