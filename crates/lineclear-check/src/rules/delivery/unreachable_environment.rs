//! `unreachable-environment`: an environment that nothing ever reaches.

use crate::Content;
use lineclear_policy::{Environment, Obstacle, Unreachable};
use lineclear_source::Severity;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/unreachable-environment.md`.
#[derive(Debug)]
pub(super) struct UnreachableEnvironment;

static META: RuleMeta = RuleMeta {
    id: "unreachable-environment",
    summary: "an environment that nothing ever reaches",
    severity: Severity::Warning,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Policy],
    repair: Repair::None,
    since: "0.1",
    page: page!("unreachable-environment"),
};

impl Rule for UnreachableEnvironment {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Content::Policy(policy) = file.content() else { return };
        for Unreachable { environment, obstacle } in policy.unreachable_environments() {
            let name = &environment.name.value;
            let accepts = environment.accepts.as_ref().map_or(environment.name.span, |accepts| accepts.span);
            let after = |other: &Environment| {
                let named = environment.after.iter().find(|name| name.value == other.name.value);
                named.map_or(environment.name.span, |name| name.span)
            };
            match obstacle {
                Obstacle::AcceptsNothing => report
                    .at(accepts, format!("nothing ever reaches `{name}`: it accepts nothing"))
                    .help("name the branches that it accepts, or take `accepts` away: then it accepts all"),
                Obstacle::AcceptsOthersThan(other) => {
                    let message = format!(
                        "nothing ever reaches `{name}`: what it accepts has to be proven in `{}` first, which accepts none of it",
                        other.name.value
                    );
                    let finding = report.at(accepts, message);
                    if let Some(others) = &other.accepts {
                        finding.label(others.span, format!("what `{}` accepts", other.name.value));
                    }
                    finding
                }
                Obstacle::Behind(other) => report
                    .at(after(other), format!("nothing ever reaches `{name}`: nothing reaches `{}`", other.name.value)),
            };
        }
    }
}
