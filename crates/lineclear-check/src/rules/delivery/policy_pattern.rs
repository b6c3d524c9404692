//! `policy-pattern`: a pattern in `lineclear.toml` that matches nothing, or not what it seems to.

use crate::Content;
use lineclear_source::Severity;
use lineclear_workflow::FilterPattern;

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/policy-pattern.md`.
#[derive(Debug)]
pub(super) struct PolicyPattern;

static META: RuleMeta = RuleMeta {
    id: "policy-pattern",
    summary: "a pattern in `lineclear.toml` that matches nothing, or not what it seems to",
    severity: Severity::Error,
    group: Group::Delivery,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Policy],
    repair: Repair::None,
    since: "0.1",
    page: page!("policy-pattern"),
};

impl Rule for PolicyPattern {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Content::Policy(policy) = file.content() else { return };
        let of_images = policy.images.iter().flat_map(|image| &image.tags).map(|rule| &rule.refs);
        let of_environments = policy
            .environments
            .iter()
            .filter_map(|environment| environment.accepts.as_ref())
            .flat_map(|accepts| &accepts.value);
        for pattern in of_images.chain(of_environments) {
            if let Err(error) = FilterPattern::parse(&pattern.value) {
                report.at(pattern.span, format!("`{}` is not a pattern: {error}", pattern.value));
            }
        }
    }
}
