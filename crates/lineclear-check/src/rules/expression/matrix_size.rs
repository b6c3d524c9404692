//! `matrix-size`: a matrix may make 1 to 256 jobs.

use lineclear_source::Severity;

use super::matrix_rows::{count, matrix};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/matrix-size.md`.
#[derive(Debug)]
pub(super) struct MatrixSize;

static META: RuleMeta = RuleMeta {
    id: "matrix-size",
    summary: "a matrix of more than 256 jobs, or of none",
    severity: Severity::Error,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("matrix-size"),
};

/// The most jobs that a matrix makes.
const LARGEST: usize = 256;

impl Rule for MatrixSize {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for job in file.jobs() {
            let Some(matrix) = matrix(job) else { continue };
            match count(&matrix) {
                Some((jobs, _)) if jobs > LARGEST => {
                    report
                        .at(
                            matrix.span,
                            format!(
                                "this matrix makes {jobs} jobs, and {LARGEST} is the most: the workflow does not start"
                            ),
                        )
                        .help("divide it among several jobs");
                }
                Some((0, all)) if all > 0 => {
                    report
                        .at(matrix.span, "`exclude` takes every combination out of this matrix: the job never runs")
                        .severity(Severity::Warning);
                }
                _ => {}
            }
        }
    }
}
