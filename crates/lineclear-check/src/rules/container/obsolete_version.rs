//! `obsolete-version`: `version`, which is read no longer.

use lineclear_source::{Severity, Source, Span};

use crate::{Activity, Dialect, Edit, File, FileKind, Fix, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/obsolete-version.md`.
#[derive(Debug)]
pub(super) struct ObsoleteVersion;

static META: RuleMeta = RuleMeta {
    id: "obsolete-version",
    summary: "`version`, which is read no longer",
    severity: Severity::Info,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Compose],
    repair: Repair::Safe,
    since: "0.1",
    page: page!("obsolete-version"),
};

impl Rule for ObsoleteVersion {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(version) = file.compose().and_then(|compose| compose.version.as_ref()) else { return };
        let span = version.span();
        let fix = (report.wants_fixes() && stands_alone(file.source(), span))
            .then(|| Fix::safe("remove `version`", vec![Edit::remove_lines(file.source(), span)]));
        report
            .at(version.key.span, "`version` means nothing any longer: each start warns of it")
            .help("remove the line")
            .fix(fix);
    }
}

/// Whether nothing else stands on the lines of `span`.
fn stands_alone(source: &Source, span: Span) -> bool {
    let text = source.text();
    let before = text.get(..span.start as usize).and_then(|before| before.rsplit('\n').next());
    let behind = text.get(span.end as usize..).and_then(|behind| behind.split('\n').next());
    before.is_some_and(str::is_empty) && behind.is_some_and(|behind| behind.trim().is_empty())
}
