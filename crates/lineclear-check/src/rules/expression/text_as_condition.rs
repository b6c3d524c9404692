//! `text-as-condition`: the text `false` is true.

use lineclear_source::Severity;

use crate::{Activity, Dialect, Edit, File, FileKind, Fix, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/text-as-condition.md`.
#[derive(Debug)]
pub(super) struct TextAsCondition;

static META: RuleMeta = RuleMeta {
    id: "text-as-condition",
    summary: "a text that says `true` or `false`, used as a condition",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::Review,
    since: "0.1",
    page: page!("text-as-condition"),
};

impl Rule for TextAsCondition {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for flag in &file.typed().flags {
            let Some(site) = file.expressions().get(flag.site) else { continue };
            let text = site.expr.text_of(flag.node);
            let span = site.span_of(flag.node);
            let fix = report.wants_fixes().then(|| {
                let compared = format!("{text} == 'true'");
                let compared = if flag.is_negated { format!("({compared})") } else { compared };
                Fix::review(format!("write `{compared}`"), vec![Edit::replace(span, compared)])
            });
            report
                .at(span, format!("`{text}` is text: `false` counts as true, as every text that is not empty"))
                .help(format!("write `{text} == 'true'`"))
                .fix(fix);
        }
    }
}
