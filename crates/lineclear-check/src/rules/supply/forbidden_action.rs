//! `forbidden-action`: an action that the team's settings do not allow.

use lineclear_policy::Policy;
use lineclear_source::{Severity, Span, Spanned};
use lineclear_workflow::{ActionRef, StepKind};

use super::reference::remotes;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/forbidden-action.md`.
#[derive(Debug)]
pub(super) struct ForbiddenAction;

static META: RuleMeta = RuleMeta {
    id: "forbidden-action",
    summary: "an action, called workflow or image that the settings do not allow",
    severity: Severity::Error,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("forbidden-action"),
};

impl Rule for ForbiddenAction {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(policy) = file.project().policy() else { return };
        if policy.check.allowed_actions.is_none() && policy.check.forbidden_actions.is_empty() {
            return;
        }
        for remote in remotes(file) {
            judge(&policy, &remote.name(), Some(remote.reference), remote.span, report);
        }
        for site in file.steps() {
            if let StepKind::Uses { uses, .. } = &site.step.kind
                && let ActionRef::Docker { image } = &uses.value
            {
                judge(&policy, &format!("docker://{image}"), None, uses.span, report);
            }
        }
    }
}

fn judge(policy: &Policy, name: &str, reference: Option<&str>, span: Span, report: &mut Report<'_>) {
    let fits = |pattern: &&Spanned<String>| fits(&pattern.value, name, reference);
    let shown = reference.map_or_else(|| name.to_owned(), |reference| format!("{name}@{reference}"));
    if let Some(pattern) = policy.check.forbidden_actions.iter().find(fits) {
        report
            .at(span, format!("`{shown}` is forbidden here: `forbidden-actions` has `{}`", pattern.value))
            .help("the list is in `[check]` of `lineclear.toml`");
    } else if let Some(allowed) = &policy.check.allowed_actions
        && !allowed.value.iter().any(|pattern| fits(&pattern))
    {
        report
            .at(span, format!("`{shown}` is not allowed here: no pattern of `allowed-actions` fits it"))
            .help("the list is in `[check]` of `lineclear.toml`");
    }
}

/// Whether a pattern means what `uses` names: `owner/*`, `owner/repo`, `owner/repo/path`, each with or without `@ref`, or `docker://…`.
/// A repository means all that is in it. Names ignore case, as the forge does; references do not.
fn fits(pattern: &str, name: &str, reference: Option<&str>) -> bool {
    let Some(reference) = reference else { return glob(pattern.as_bytes(), name.as_bytes()) };
    let (names, references) = pattern.split_once('@').unwrap_or((pattern, "*"));
    let names = names.trim_end_matches('/').to_ascii_lowercase();
    let name = name.to_ascii_lowercase();
    let is_named = glob(names.as_bytes(), name.as_bytes())
        || name.match_indices('/').skip(1).any(|(end, _)| glob(names.as_bytes(), &name.as_bytes()[..end]));
    is_named && glob(references.as_bytes(), reference.as_bytes())
}

/// Whether `text` is `pattern`, in which `*` stands for anything.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    // Where the last star stands, and up to where it has taken text.
    let mut star: Option<(usize, usize)> = None;
    while from < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(byte) if Some(byte) == text.get(from) => {
                at += 1;
                from += 1;
            }
            _ => {
                let Some((place, taken)) = star else { return false };
                star = Some((place, taken + 1));
                at = place + 1;
                from = taken + 1;
            }
        }
    }
    pattern.iter().skip(at).all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_means_an_owner_a_repository_a_folder_or_a_reference() {
        for (pattern, name, reference, expected) in [
            ("a/*", "a/b", "v1", true),
            ("A/*", "a/b/c", "v1", true),
            ("a/*", "ab/c", "v1", false),
            ("a/b", "a/b/c", "v1", true),
            ("a/b", "a/bc", "v1", false),
            ("a/b/c", "a/b", "v1", false),
            ("a/b/c", "a/b/c", "v1", true),
            ("a/b@*", "a/b", "v1", true),
            ("a/b@v1", "a/b", "v1", true),
            ("a/b@v1", "a/b", "v1.2", false),
            ("a/b@v1*", "a/b", "v1.2", true),
            ("*", "a/b", "v1", true),
            ("*@main", "a/b", "main", true),
            ("*@main", "a/b", "v1", false),
        ] {
            assert_eq!(fits(pattern, name, Some(reference)), expected, "{pattern} {name}@{reference}");
        }
        assert!(fits("docker://ghcr.io/a/*", "docker://ghcr.io/a/b:1", None));
        assert!(!fits("docker://ghcr.io/a/*", "docker://alpine", None));
        assert!(!fits("a/*", "docker://a/b", None));
    }
}
