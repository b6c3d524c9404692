//! `unknown-matrix-key`: a key that the matrix does not have is always empty.

use lineclear_source::Severity;

use super::missing_name;
use crate::types::Origin;
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/unknown-matrix-key.md`.
#[derive(Debug)]
pub(super) struct UnknownMatrixKey;

static META: RuleMeta = RuleMeta {
    id: "unknown-matrix-key",
    summary: "a key that the matrix of the job does not have",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::Review,
    since: "0.1",
    page: page!("unknown-matrix-key"),
};

impl Rule for UnknownMatrixKey {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for unknown in &file.typed().unknown {
            let name = &unknown.name;
            match unknown.object.origin {
                Origin::Matrix if unknown.object.properties.is_empty() => {
                    report
                        .at(unknown.span, format!("this job has no matrix: `matrix.{name}` is always empty"))
                        .help("a job sees its own matrix only, and not that of the jobs that it needs");
                }
                Origin::Matrix => {
                    let message = format!("the matrix of this job has no key `{name}`: this is always empty");
                    let finding = missing_name::report(file, report, unknown, message);
                    if unknown.has_fallback {
                        finding.severity(Severity::Info);
                    }
                }
                Origin::MatrixValue => {
                    let message = format!("no value of the matrix has `{name}` here: this is always empty");
                    let finding = missing_name::report(file, report, unknown, message);
                    if unknown.has_fallback {
                        finding.severity(Severity::Info);
                    }
                }
                _ => {}
            }
        }
    }
}
