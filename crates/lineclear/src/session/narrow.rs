//! What `--job` and `--matrix` leave of a plan.

use lineclear_expr::Value;
use lineclear_plan::{Plan, PlannedJob, PlannedWorkflow};
use lineclear_source::suggest;

use crate::command::run::RunArgs;

/// The plan with only what would run: the jobs asked for, what they need, and the legs asked for. A workflow without any of
/// the jobs asked for is left out.
pub(super) fn narrow(plan: &Plan, args: &RunArgs) -> Plan {
    let mut plan = plan.clone();
    for workflow in plan.workflows.iter_mut().filter(|workflow| workflow.triggered) {
        let kept = kept_ids(workflow, args);
        let axes = known_axes(&workflow.jobs);
        workflow.jobs.retain(|job| {
            (args.jobs.is_empty() || kept.iter().any(|id| id == root(&job.id))) && fits(job, &args.matrix, &axes)
        });
    }
    plan.workflows.retain(|workflow| !workflow.triggered || args.jobs.is_empty() || !workflow.jobs.is_empty());
    // A part of a workflow is followed by nothing.
    if args.no_chain || !(args.jobs.is_empty() && args.matrix.is_empty()) {
        plan.followers.clear();
    }
    plan
}

/// What is wrong with `--matrix`: an axis that no matrix has, which would leave every leg in.
///
/// A matrix that is known only at run time may have any axis.
pub(super) fn unknown_axis(plan: &Plan, args: &RunArgs) -> Option<String> {
    let jobs = || plan.workflows.iter().filter(|workflow| workflow.triggered).flat_map(|workflow| &workflow.jobs);
    if jobs().any(|job| job.matrix.is_null() && job.note.is_some()) {
        return None;
    }
    let axes: Vec<&str> =
        jobs().filter_map(|job| job.matrix.as_object()).flat_map(|matrix| matrix.keys()).map(String::as_str).collect();
    let (axis, _) = args.matrix.iter().find(|(axis, _)| !axes.iter().any(|known| known.eq_ignore_ascii_case(axis)))?;
    let mut names: Vec<String> = axes.iter().map(|axis| format!("`{axis}`")).collect();
    names.sort_unstable();
    names.dedup();
    let advice = match suggest(axis, axes.iter().copied()) {
        Some(near) => format!("; did you mean `{near}`?"),
        None if names.is_empty() => "; no job here has a matrix".to_owned(),
        None => format!("; there are {}", names.join(", ")),
    };
    Some(format!("--matrix: no matrix has an axis `{axis}`{advice}"))
}

/// The job of the run's own workflow that `caller/called` belongs to.
fn root(id: &str) -> &str {
    id.split('/').next().unwrap_or(id)
}

/// The jobs asked for, and all that they need unless that is to be left out.
fn kept_ids(workflow: &PlannedWorkflow, args: &RunArgs) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    let mut todo: Vec<&str> = args.jobs.iter().map(|id| root(id)).collect();
    while let Some(id) = todo.pop() {
        let own: Vec<&PlannedJob> = workflow.jobs.iter().filter(|job| job.id.eq_ignore_ascii_case(id)).collect();
        let Some(first) = own.first().filter(|job| !kept.contains(&job.id)) else { continue };
        kept.push(first.id.clone());
        if !args.skip_needs {
            todo.extend(own.iter().flat_map(|job| &job.needs).map(String::as_str));
        }
    }
    kept
}

/// The axes of each job's matrix. A matrix that knows nothing of an axis is not asked about it.
fn known_axes(jobs: &[PlannedJob]) -> Vec<(String, String)> {
    let mut axes: Vec<(String, String)> = Vec::new();
    for job in jobs {
        for axis in job.matrix.as_object().into_iter().flat_map(|matrix| matrix.keys()) {
            axes.push((job.id.clone(), axis.to_ascii_lowercase()));
        }
    }
    axes
}

/// Whether a leg has the values asked for. Called jobs follow their own matrices.
fn fits(job: &PlannedJob, asked: &[(String, String)], axes: &[(String, String)]) -> bool {
    if job.id.contains('/') {
        return true;
    }
    asked
        .iter()
        .filter(|(axis, _)| axes.iter().any(|(id, known)| *id == job.id && known.eq_ignore_ascii_case(axis)))
        .all(|(axis, text)| {
            let value = job
                .matrix
                .as_object()
                .and_then(|matrix| matrix.iter().find(|(name, _)| name.eq_ignore_ascii_case(axis)))
                .map(|(_, value)| Value::from_json(value).to_text().to_string());
            value.as_deref() == Some(text)
        })
}
