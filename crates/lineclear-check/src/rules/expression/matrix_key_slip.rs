//! `matrix-key-slip`: a key of `include` that is nearly one of the matrix is a new one.

use lineclear_expr::Segment;
use lineclear_source::Severity;
use lineclear_workflow::Job;

use super::matrix_rows::{Axis, matrix};
use crate::{Activity, Dialect, Edit, File, FileKind, Fix, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/matrix-key-slip.md`.
#[derive(Debug)]
pub(super) struct MatrixKeySlip;

static META: RuleMeta = RuleMeta {
    id: "matrix-key-slip",
    summary: "a key of `include` that was probably meant to be one of the matrix",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::Review,
    since: "0.1",
    page: page!("matrix-key-slip"),
};

impl Rule for MatrixKeySlip {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for job in file.jobs() {
            let Some(matrix) = matrix(job) else { continue };
            for axis in &matrix.axes {
                axis_slip(file, job, axis, report);
            }
            for row in matrix.include.iter().flatten() {
                for (key, _) in row.entries {
                    let name = key.raw();
                    if matrix.axis(name).is_some() {
                        continue;
                    }
                    let near = lineclear_source::suggest(name, matrix.axes.iter().map(|axis| axis.name));
                    let Some(near) = near else { continue };
                    // Where the row has both, or the job reads it, it is meant.
                    let has_both = row.entries.iter().any(|(own, _)| own.raw().eq_ignore_ascii_case(near));
                    if has_both || is_read(file, job, name) {
                        continue;
                    }
                    let fix = report.wants_fixes().then(|| {
                        let key_span = key.span();
                        let is_plain = file.source().slice(key_span) == name;
                        is_plain.then(|| Fix::review(format!("write `{near}`"), vec![Edit::replace(key_span, near)]))
                    });
                    report
                        .at(key.span(), format!("`{name}` is a new key that nothing reads; did you mean `{near}`?"))
                        .fix(fix.flatten());
                }
            }
        }
    }
}

/// `include` and `exclude` are no axes; misspelt, they are one that nothing reads.
fn axis_slip(file: &File<'_>, job: &Job, axis: &Axis<'_>, report: &mut Report<'_>) {
    let Some(near) = lineclear_source::suggest(axis.name, ["include", "exclude"]) else { return };
    if is_read(file, job, axis.name) {
        return;
    }
    let fix = report.wants_fixes().then(|| {
        let is_plain = file.source().slice(axis.span) == axis.name;
        is_plain.then(|| Fix::review(format!("write `{near}`"), vec![Edit::replace(axis.span, near)]))
    });
    report
        .at(axis.span, format!("`{}` is an axis of its own that nothing reads; did you mean `{near}`?", axis.name))
        .fix(fix.flatten());
}

/// Whether anything in the job reads `matrix.name`, or the matrix as a whole.
fn is_read(file: &File<'_>, job: &Job, name: &str) -> bool {
    let own = file.expressions().iter().filter(|site| site.place.job.is_some_and(|of| std::ptr::eq(of, job)));
    own.flat_map(|site| site.expr.root().references()).any(|reference| {
        reference.context == "matrix"
            && match reference.path.first() {
                Some(Segment::Name(read)) => read.eq_ignore_ascii_case(name),
                _ => true,
            }
    })
}
