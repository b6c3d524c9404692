//! `undeclared-secret`: a called workflow gets a secret that it does not declare from callers that pass all of theirs only.

use lineclear_source::Severity;

use super::missing_name;
use crate::types::Origin;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/undeclared-secret.md`.
#[derive(Debug)]
pub(super) struct UndeclaredSecret;

static META: RuleMeta = RuleMeta {
    id: "undeclared-secret",
    summary: "a secret that a reusable workflow does not declare",
    severity: Severity::Info,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::Review,
    since: "0.1",
    page: page!("undeclared-secret"),
};

impl Rule for UndeclaredSecret {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for unknown in &file.typed().unknown {
            if unknown.object.origin == Origin::Secrets {
                let message = format!(
                    "this workflow does not declare the secret `{}`: only a caller that passes all of its secrets gives it",
                    unknown.name
                );
                missing_name::report(file, report, unknown, message);
            }
        }
    }
}
