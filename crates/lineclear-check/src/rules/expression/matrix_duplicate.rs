//! `matrix-duplicate`: a value that is in the matrix twice runs twice.

use lineclear_source::Severity;

use super::matrix_rows::{is_same, is_same_row, matrix};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/matrix-duplicate.md`.
#[derive(Debug)]
pub(super) struct MatrixDuplicate;

static META: RuleMeta = RuleMeta {
    id: "matrix-duplicate",
    summary: "a value or a row that is in the matrix twice",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("matrix-duplicate"),
};

/// A longer list makes more jobs than a matrix may have, which another rule tells of; comparing all of it takes long.
const MOST_COMPARED: usize = 512;

impl Rule for MatrixDuplicate {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for job in file.jobs() {
            let Some(matrix) = matrix(job) else { continue };
            for axis in &matrix.axes {
                let values = first_of(axis.values.unwrap_or_default());
                for (at, value) in values.iter().enumerate() {
                    if let Some(first) = values.iter().take(at).find(|first| is_same(first, value)) {
                        let message = format!("this value of `{}` is there already: its jobs run twice", axis.name);
                        report.at(value.span(), message).label(first.span(), "it is here");
                    }
                }
            }
            for (rows, list) in [(&matrix.include, "include"), (&matrix.exclude, "exclude")] {
                let rows = first_of(rows.as_deref().unwrap_or_default());
                for (at, row) in rows.iter().enumerate() {
                    if let Some(first) = rows.iter().take(at).find(|first| is_same_row(first.entries, row.entries)) {
                        // Most such rows extend what is there, or take out what is out.
                        report
                            .at(row.span, format!("this row of `{list}` is there already"))
                            .label(first.span, "it is here")
                            .severity(Severity::Info);
                    }
                }
            }
        }
    }
}

fn first_of<T>(list: &[T]) -> &[T] {
    list.get(..MOST_COMPARED).unwrap_or(list)
}
