//! `unknown-timezone`: a schedule in a time zone that does not exist.

use lineclear_catalog::{is_timezone, timezones};
use lineclear_source::{Severity, suggest};

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/unknown-timezone.md`.
#[derive(Debug)]
pub(super) struct UnknownTimezone;

static META: RuleMeta = RuleMeta {
    id: "unknown-timezone",
    summary: "a schedule in a time zone that does not exist",
    severity: Severity::Error,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("unknown-timezone"),
};

impl Rule for UnknownTimezone {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(trigger) = file.workflow().and_then(|workflow| workflow.on.get("schedule")) else { return };
        for zone in trigger.schedule.iter().filter_map(|schedule| schedule.timezone.as_ref()) {
            if is_timezone(&zone.value) {
                continue;
            }
            let near = timezones()
                .find(|name| name.rsplit('/').next().is_some_and(|place| place.eq_ignore_ascii_case(&zone.value)))
                .or_else(|| suggest(&zone.value, timezones()));
            let message = match near {
                Some(near) => format!("there is no time zone `{}`; did you mean `{near}`?", zone.value),
                None => format!("there is no time zone `{}`", zone.value),
            };
            report.at(zone.span, message).help("use a name of the IANA database, such as `Europe/Berlin` or `UTC`");
        }
    }
}
