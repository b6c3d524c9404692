//! `matrix-exclude`: a row of `exclude` that takes nothing out.

use lineclear_source::Severity;

use super::matrix_rows::{matches, matrix};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/matrix-exclude.md`.
#[derive(Debug)]
pub(super) struct MatrixExclude;

static META: RuleMeta = RuleMeta {
    id: "matrix-exclude",
    summary: "a row of `exclude` that matches no combination",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("matrix-exclude"),
};

impl Rule for MatrixExclude {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for job in file.jobs() {
            let Some(matrix) = matrix(job) else { continue };
            // More rows than a matrix may have jobs are no list that somebody wrote, and comparing all of them takes long.
            for row in matrix.exclude.iter().flatten().take(512) {
                for (key, asked) in row.entries {
                    let Some(values) = matrix.axis(key.raw()).and_then(|axis| axis.values) else { continue };
                    if !values.is_empty() && values.iter().all(|value| matches(asked, value) == Some(false)) {
                        report
                            .at(asked.span(), format!("no value of `{}` in the matrix is this: the row takes nothing out", key.raw()))
                            .help("what `include` adds is not taken out either: rows are taken out before others are added");
                    }
                }
            }
        }
    }
}
