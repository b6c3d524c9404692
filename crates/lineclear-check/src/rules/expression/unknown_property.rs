//! `unknown-property`: a property that nothing gives is always empty.

use lineclear_source::Severity;
use lineclear_workflow::Key;

use super::absent_event_property::is_of_pull_requests;
use super::missing_name;
use crate::types::Origin;
use crate::{Activity, Dialect, ExpressionSite, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/unknown-property.md`.
#[derive(Debug)]
pub(super) struct UnknownProperty;

static META: RuleMeta = RuleMeta {
    id: "unknown-property",
    summary: "a property that a context does not have",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::Review,
    since: "0.1",
    page: page!("unknown-property"),
};

impl Rule for UnknownProperty {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for unknown in &file.typed().unknown {
            let object = match &unknown.object.origin {
                // There is no such thing in this workflow, but in others.
                Origin::Fixed("github") if is_of_pull_requests(&unknown.name) => continue,
                Origin::Fixed("github" | "runner" | "job" | "strategy" | "job.container")
                    if file.dialect() != Dialect::GitHub =>
                {
                    continue;
                }
                Origin::Fixed(name @ ("a step" | "a job" | "a service")) => (*name).to_owned(),
                Origin::Services => "`job.services`".to_owned(),
                Origin::Fixed(name) => format!("`{name}`"),
                // Credentials that are one expression are asked for both of their parts by the reader.
                Origin::Other if file.expressions().get(unknown.site).is_some_and(is_credentials) => continue,
                Origin::Other => "this object".to_owned(),
                _ => continue,
            };
            let message = format!("{object} has no property `{}`: this is always empty", unknown.name);
            missing_name::report(file, report, unknown, message);
        }
    }
}

fn is_credentials(site: &ExpressionSite<'_>) -> bool {
    site.place.key == Key::Credentials
}
