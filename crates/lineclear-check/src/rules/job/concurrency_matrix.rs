//! `concurrency-matrix`: combinations of a matrix that share one group push each other out.

use lineclear_expr::Value;
use lineclear_source::Severity;
use lineclear_workflow::{Queue, TextTree};

use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/concurrency-matrix.md`.
#[derive(Debug)]
pub(super) struct ConcurrencyMatrix;

static META: RuleMeta = RuleMeta {
    id: "concurrency-matrix",
    summary: "combinations of a matrix that share one concurrency group",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: &[Dialect::GitHub],
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("concurrency-matrix"),
};

impl Rule for ConcurrencyMatrix {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for job in file.jobs() {
            let Some((strategy, concurrency)) = job.strategy.as_ref().zip(job.concurrency.as_ref()) else { continue };
            let differs = concurrency
                .group
                .template
                .expressions()
                .iter()
                .any(|expr| expr.contexts().iter().any(|context| context == "matrix" || context == "strategy"));
            let is_serial = strategy.max_parallel.as_ref().is_some_and(
                |most| !matches!(most.template.as_literal(), Some(Value::Number(number)) if *number > 1.0),
            );
            if differs || is_serial || concurrency.queue == Queue::Max {
                continue;
            }
            let cancels = concurrency.cancel_in_progress.as_ref();
            let cancels = cancels.is_some_and(|it| matches!(it.template.as_literal(), Some(Value::Bool(true))));
            // Two get on with each other: one runs, one waits.
            let least = if cancels { 2 } else { 3 };
            if strategy.matrix.as_ref().is_none_or(|matrix| combinations(matrix) < least) {
                continue;
            }
            let message = if cancels {
                "all combinations of the matrix share this group: each cancels the one before it"
            } else {
                "all combinations of the matrix share this group: one runs, one waits, and the others are cancelled"
            };
            report
                .at(concurrency.group.span(), message)
                .help("put a value of the matrix into the group, or limit the matrix with `max-parallel: 1`");
        }
    }
}

/// At least so many combinations the matrix has.
fn combinations(matrix: &TextTree) -> usize {
    let TextTree::Mapping(axes) = matrix else { return 0 };
    if axes.value.iter().any(|(name, _)| name.raw() == "exclude") {
        return 0;
    }
    let length = |values: &TextTree| if let TextTree::Sequence(items) = values { items.value.len() } else { 1 };
    let of_axes = axes.value.iter().filter(|(name, _)| name.raw() != "include");
    let mut lengths = of_axes.map(|(_, values)| length(values)).peekable();
    if lengths.peek().is_none() {
        return axes.value.iter().find(|(name, _)| name.raw() == "include").map_or(0, |(_, values)| length(values));
    }
    lengths.product()
}
