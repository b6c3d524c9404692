//! `cron-never`: schedules that never come, or come twice.

use lineclear_source::Severity;
use lineclear_workflow::{CivilMinute, Cron};

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/cron-never.md`.
#[derive(Debug)]
pub(super) struct CronNever;

static META: RuleMeta = RuleMeta {
    id: "cron-never",
    summary: "a schedule that never comes, or is there twice",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("cron-never"),
};

/// Any minute will do: a schedule that has a time after it has one after every other.
const SOME_MINUTE: CivilMinute = CivilMinute { year: 2026, month: 1, day: 1, hour: 0, minute: 0 };

impl Rule for CronNever {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(trigger) = file.workflow().and_then(|workflow| workflow.on.get("schedule")) else { return };
        for (at, schedule) in trigger.schedule.iter().enumerate() {
            let Ok(cron) = Cron::parse(&schedule.cron) else { continue };
            if cron.next_after(SOME_MINUTE).is_none() {
                let message = format!("`{}` never comes: no year has such a day", schedule.cron.value);
                report.at(schedule.cron.span, message);
                continue;
            }
            let zone = |of: &lineclear_workflow::Schedule| of.timezone.as_ref().map(|zone| zone.value.clone());
            let same = trigger.schedule.iter().take(at).find(|earlier| {
                zone(earlier) == zone(schedule) && Cron::parse(&earlier.cron).is_ok_and(|earlier| earlier == cron)
            });
            if let Some(earlier) = same {
                report
                    .at(schedule.cron.span, "the same schedule is there already: each time starts two runs")
                    .label(earlier.cron.span, "the first one");
            }
        }
    }
}
