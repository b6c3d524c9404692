//! `expired-ignore`: an ignored vulnerability whose day is over.

use lineclear_source::Severity;

use crate::Content;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/expired-ignore.md`.
#[derive(Debug)]
pub(super) struct ExpiredIgnore;

static META: RuleMeta = RuleMeta {
    id: "expired-ignore",
    summary: "an entry of `[[scan.ignore]]` whose day is over",
    severity: Severity::Error,
    group: Group::Security,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Policy],
    repair: Repair::None,
    since: "0.1",
    page: page!("expired-ignore"),
};

impl Rule for ExpiredIgnore {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Content::Policy(policy) = file.content() else { return };
        let Some(today) = file.project().files().today() else { return };
        for ignore in policy.scan.ignores.iter().filter(|ignore| ignore.is_expired(today)) {
            let (id, until, owner) = (&ignore.id.value, ignore.until.value, &ignore.owner.value);
            report.at(ignore.until.span, format!("`{id}` was to be ignored up to {until} only: it counts again")).help(
                format!("update what has it and remove this entry; or let `{owner}` decide anew and write another day"),
            );
        }
    }
}
