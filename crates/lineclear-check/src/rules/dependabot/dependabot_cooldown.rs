//! `dependabot-cooldown`: an update is proposed within days of its release.

use lineclear_source::Severity;

use super::update::updates;

use crate::{Activity, Dialect, Edit, File, FileKind, Fix, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/dependabot-cooldown.md`.
#[derive(Debug)]
pub(super) struct DependabotCooldown;

static META: RuleMeta = RuleMeta {
    id: "dependabot-cooldown",
    summary: "an update is proposed within days of its release",
    severity: Severity::Info,
    group: Group::Security,
    activity: Activity::Default,
    dialects: &[Dialect::GitHub],
    files: &[FileKind::Dependabot],
    repair: Repair::Review,
    since: "0.1",
    page: page!("dependabot-cooldown"),
};

impl Rule for DependabotCooldown {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for update in updates(file) {
            let Some((ecosystem, span)) = update.ecosystem() else { continue };
            let Some(cooldown) = update.get("cooldown") else {
                let fix = report.wants_fixes().then(|| {
                    let last = update.entries.last()?;
                    let entry = format!("cooldown:\n  default-days: {DAYS}");
                    let edit = Edit::add_entry_after(file.source(), last.key.span, last.value.span(), &entry)?;
                    Some(Fix::review(format!("wait {DAYS} days"), vec![edit]))
                });
                report
                    .at(span, format!("updates of `{ecosystem}` wait three days at most: a bad release may not be found out by then"))
                    .help(format!("add `cooldown: {{ default-days: {DAYS} }}`: bad releases are mostly found within days"))
                    .fix(fix.flatten());
                continue;
            };
            let days = cooldown.get("default-days").and_then(|days| days.as_scalar());
            match days.map(|days| (days, days.text.parse::<u32>())) {
                Some((days, Ok(count))) if count < DAYS => {
                    let fix = report.wants_fixes().then(|| {
                        Fix::review(format!("wait {DAYS} days"), vec![Edit::replace(days.span, DAYS.to_string())])
                    });
                    let finding = report
                        .at(days.span, format!("{count} days are few: bad releases are mostly found within {DAYS}"));
                    finding.help(format!("write `default-days: {DAYS}`")).fix(fix);
                    if count < BY_ITSELF {
                        finding.severity(Severity::Warning);
                    }
                }
                None => {
                    report
                        .at(cooldown.span(), "without `default-days` most updates wait three days only")
                        .help(format!("add `default-days: {DAYS}`"));
                }
                _ => {}
            }
        }
    }
}

/// Most packages that were taken over were found out within a week.
const DAYS: u32 = 7;
/// What Dependabot waits without being told to.
const BY_ITSELF: u32 = 3;
