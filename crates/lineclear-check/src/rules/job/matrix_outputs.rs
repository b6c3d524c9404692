//! `matrix-outputs`: the outputs of a matrix are those of the combination that ends last.

use lineclear_expr::Segment;
use lineclear_source::Severity;
use lineclear_workflow::{Job, StepKind, Text, TextTree};

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/matrix-outputs.md`.
#[derive(Debug)]
pub(super) struct MatrixOutputs;

static META: RuleMeta = RuleMeta {
    id: "matrix-outputs",
    summary: "combinations of a matrix overwrite each other's outputs",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("matrix-outputs"),
};

impl Rule for MatrixOutputs {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for (job, steps) in file.step_jobs() {
            let has_matrix = job.strategy.as_ref().is_some_and(|it| it.matrix.is_some() || it.expression.is_some());
            if !has_matrix || steps.outputs.is_empty() || is_single(job.strategy.as_ref()) {
                continue;
            }
            for (name, value) in &steps.outputs {
                // Where only some combinations give a value, that one stays.
                let chooses = value.template.expressions().iter().any(|expr| expr.text().contains("matrix"));
                if !chooses
                    && !is_named_by_matrix(job, name)
                    && !writes_by_matrix(file, job, value)
                    && is_read(file, &job.id.value, name)
                {
                    let message = format!(
                        "each combination of the matrix writes output `{}`: others read that of the one which ends last",
                        name.value
                    );
                    report.at(name.span, message).help("give each combination an output of its own, or an artifact");
                }
            }
        }
    }
}

/// Whether the name of the output holds a value of the matrix, as in `linux-digest`.
fn is_named_by_matrix(job: &Job, name: &str) -> bool {
    fn holds(tree: &TextTree, name: &str) -> bool {
        match tree {
            TextTree::Scalar(text) => text.raw().len() > 1 && name.contains(text.raw()),
            TextTree::Sequence(items) => items.value.iter().any(|item| holds(item, name)),
            TextTree::Mapping(entries) => entries.value.iter().any(|(_, value)| holds(value, name)),
        }
    }
    job.strategy.as_ref().and_then(|strategy| strategy.matrix.as_ref()).is_some_and(|matrix| holds(matrix, name))
}

/// Whether the step that gives the value runs, or names what it gives, by the matrix.
fn writes_by_matrix(file: &File<'_>, job: &Job, value: &Text) -> bool {
    let references: Vec<_> =
        value.template.expressions().into_iter().flat_map(|expr| expr.root().references()).collect();
    let ids: Vec<&str> = references
        .iter()
        .filter(|reference| reference.context == "steps")
        .filter_map(|reference| if let Some(Segment::Name(name)) = reference.path.first() { Some(*name) } else { None })
        .collect();
    let of_job = file.steps().iter().filter(|site| site.job.is_some_and(|of| std::ptr::eq(of, job)));
    of_job
        .filter(|site| site.step.id.as_ref().is_some_and(|id| ids.iter().any(|one| id.eq_ignore_ascii_case(one))))
        .any(|site| {
            let by_condition = site.step.condition.as_ref().is_some_and(|condition| condition.raw().contains("matrix"));
            by_condition || matches!(&site.step.kind, StepKind::Run { script, .. } if script.raw().contains("matrix"))
        })
}

/// Whether the matrix plainly has one combination.
fn is_single(strategy: Option<&lineclear_workflow::Strategy>) -> bool {
    let Some(TextTree::Mapping(axes)) = strategy.and_then(|strategy| strategy.matrix.as_ref()) else { return false };
    axes.value.iter().all(|(_, values)| matches!(values, TextTree::Sequence(items) if items.value.len() <= 1))
        && axes.value.iter().all(|(name, _)| name.raw() != "include" || axes.value.len() == 1)
}

/// Whether `needs.<job>.outputs.<name>` stands anywhere.
fn is_read(file: &File<'_>, job: &str, name: &str) -> bool {
    let is_it = |path: &[Segment<'_>]| match path {
        [Segment::Name(of), Segment::Name(outputs), Segment::Name(output)] => {
            of.eq_ignore_ascii_case(job) && outputs.eq_ignore_ascii_case("outputs") && output.eq_ignore_ascii_case(name)
        }
        _ => false,
    };
    file.expressions().iter().filter(|site| site.expr.text().contains("outputs")).any(|site| {
        let references = site.expr.root().references();
        references.iter().any(|reference| matches!(reference.context, "needs" | "jobs") && is_it(&reference.path))
    })
}
