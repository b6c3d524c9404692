//! `environment-cycle`: environments that wait for each other.

use crate::Content;
use lineclear_source::Severity;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/environment-cycle.md`.
#[derive(Debug)]
pub(super) struct EnvironmentCycle;

static META: RuleMeta = RuleMeta {
    id: "environment-cycle",
    summary: "environments that wait for each other",
    severity: Severity::Error,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Policy],
    repair: Repair::None,
    since: "0.1",
    page: page!("environment-cycle"),
};

impl Rule for EnvironmentCycle {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Content::Policy(policy) = file.content() else { return };
        for cycle in policy.environment_cycles() {
            let Some(first) = cycle.first() else { continue };
            let way: Vec<&str> =
                cycle.iter().chain([first]).map(|environment| environment.name.value.as_str()).collect();
            let message =
                format!("nothing ever reaches these environments, each waits for the next: {}", way.join(" → "));
            let next = cycle.get(1).unwrap_or(first);
            let named = first.after.iter().find(|name| name.value == next.name.value);
            report
                .at(named.map_or(first.name.span, |name| name.span), message)
                .help("take one of the names out of its `after`");
        }
    }
}
