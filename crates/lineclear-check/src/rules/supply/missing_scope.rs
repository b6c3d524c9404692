//! `missing-scope`: a job lacks a permission that one of its steps fails without.

use lineclear_source::Severity;
use lineclear_source::Spanned;
use lineclear_workflow::{Access, Permissions};

use super::needed_scopes::{Grant, Need, allows};

use crate::{Activity, Dialect, Edit, File, FileKind, Fix, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/missing-scope.md`.
#[derive(Debug)]
pub(super) struct MissingScope;

static META: RuleMeta = RuleMeta {
    id: "missing-scope",
    summary: "a job lacks a permission that one of its steps fails without",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: &[Dialect::GitHub],
    files: &[FileKind::Workflow],
    repair: Repair::Review,
    since: "0.1",
    page: page!("missing-scope"),
};

impl Rule for MissingScope {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(workflow) = file.workflow() else { return };
        for (index, job) in workflow.jobs.iter().enumerate() {
            let Some(permissions) = job.permissions.as_ref().or(workflow.permissions.as_ref()) else { continue };
            let needs = file.needed_scopes().get(index).map_or(&[][..], |needed| needed.needs.as_slice());
            let mut said: Vec<Grant> = Vec::new();
            for need in needs.iter().filter(|need| need.fails) {
                let Some(&first) = need.any_of.first() else { continue };
                if need.any_of.iter().any(|grant| allows(permissions, *grant))
                    || first.1 == Access::None
                    || said.contains(&first)
                {
                    continue;
                }
                said.push(first);
                let fix = report.wants_fixes().then(|| grant(file, permissions, first)).flatten();
                let finding = report.at(need.span, message(need, permissions));
                finding
                    .help(format!("add `{}: {}` to the `permissions` of the job", first.0, first.1.as_str()))
                    .fix(fix);
                if let Some(label) = span_of(permissions) {
                    finding.label(label, "what is not named here is not granted");
                }
            }
        }
    }
}

fn message(need: &Need, permissions: &Permissions) -> String {
    let wanted: Vec<String> =
        need.any_of.iter().map(|(scope, access)| format!("`{scope}: {}`", access.as_str())).collect();
    let has = need.any_of.first().map_or("none", |(scope, _)| level(permissions, scope));
    let wanted = wanted.join(" or ");
    format!("{} needs {wanted}, and the job has `{has}`: it is answered with 403", need.what)
}

fn level(permissions: &Permissions, scope: &str) -> &'static str {
    match permissions {
        Permissions::ReadAll(_) => "read",
        Permissions::WriteAll(_) => "write",
        Permissions::Scopes(scopes) => scopes
            .value
            .iter()
            .find(|(name, _)| name.value == scope)
            .map_or("none", |(_, access)| access.value.as_str()),
    }
}

fn span_of(permissions: &Permissions) -> Option<lineclear_source::Span> {
    match permissions {
        Permissions::Scopes(scopes) => scopes.value.first().map(|(scope, _)| scope.span),
        Permissions::ReadAll(span) | Permissions::WriteAll(span) => Some(*span),
    }
}

fn grant(file: &File<'_>, permissions: &Permissions, (scope, access): Grant) -> Option<Fix> {
    let Permissions::Scopes(scopes) = permissions else { return None };
    let entry = format!("{scope}: {}", access.as_str());
    let held: Option<&(Spanned<String>, Spanned<Access>)> = scopes.value.iter().find(|(name, _)| name.value == scope);
    let edit = match (held, scopes.value.last()) {
        (Some((_, held)), _) => Edit::replace(held.span, access.as_str()),
        (None, Some((last, value))) => Edit::add_entry_after(file.source(), last.span, value.span, &entry)
            .unwrap_or_else(|| Edit::add_first_entry(file.source(), scopes.span, &entry)),
        (None, None) => Edit::add_first_entry(file.source(), scopes.span, &entry),
    };
    Some(Fix::review(format!("add `{entry}`"), vec![edit]))
}
