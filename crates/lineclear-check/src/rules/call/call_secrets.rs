//! `call-secrets`: secrets of a called workflow that it does not have, or needs.

use lineclear_source::Severity;
use lineclear_workflow::{CallSecret, CallSecrets};

use super::called::{Called, calls};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/call-secrets.md`.
#[derive(Debug)]
pub(super) struct CallSecretNames;

static META: RuleMeta = RuleMeta {
    id: "call-secrets",
    summary: "secrets that a called workflow does not have, or needs",
    severity: Severity::Error,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("call-secrets"),
};

impl Rule for CallSecretNames {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for (_, call) in calls(file) {
            let given = match &call.secrets {
                CallSecrets::Inherit(_) => continue,
                CallSecrets::None => &[][..],
                CallSecrets::Map(secrets) => secrets,
            };
            let called = Called::find(file.project(), None, &call.uses.value);
            let Some((_, trigger)) = called.sound() else { continue };
            for (name, _) in given {
                if trigger.secrets.iter().any(|secret| secret.name.eq_ignore_ascii_case(name)) {
                    continue;
                }
                let known = trigger.secrets.iter().map(|secret| secret.name.as_str());
                let message = match lineclear_source::suggest(name, known) {
                    Some(near) => format!("`{}` has no secret `{}`; did you mean `{near}`?", called.name, name.value),
                    None => format!("`{}` has no secret `{}`", called.name, name.value),
                };
                report.at(name.span, message).help("what a workflow takes stands below its `on.workflow_call.secrets`");
            }
            let is_missing = |secret: &&CallSecret| {
                secret.required && !given.iter().any(|(name, _)| name.eq_ignore_ascii_case(&secret.name))
            };
            for secret in trigger.secrets.iter().filter(is_missing) {
                let name = &secret.name.value;
                let message = format!("`{}` needs the secret `{name}`, which this call does not give", called.name);
                report
                    .at(call.uses.span, message)
                    .help(format!("add `{name}: ${{{{ secrets.{name} }}}}` below `secrets`"));
            }
        }
    }
}
