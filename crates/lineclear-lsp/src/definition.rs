//! Where something is defined.

use std::path::Path;

use lineclear_check::{File, FileKind};
use lineclear_expr::Segment;
use lineclear_source::Span;
use lineclear_workflow::{ActionRef, Job, JobKind, StepKind, TextTree, Workflow, WorkflowRef};

/// A place in this file, or the start of another one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Here(Span),
    /// Candidates by path from the repository's root; the first that is there is meant.
    File(Vec<String>),
}

/// What the text at `offset` refers to.
pub(crate) fn definition(file: &File<'_>, offset: u32) -> Option<Target> {
    let holds = |span: Span| span.start <= offset && offset <= span.end;
    for job in file.jobs() {
        if let Some(need) = job.needs.iter().find(|need| holds(need.span)) {
            return file.workflow()?.job(&need.value).map(|job| Target::Here(job.id.span));
        }
        if let JobKind::Call(call) = &job.kind
            && holds(call.uses.span)
            && let WorkflowRef::Local { path } = &call.uses.value
        {
            return Some(Target::File(vec![path.clone()]));
        }
    }
    for site in file.steps() {
        let step = site.step;
        match &step.kind {
            StepKind::Uses { uses, .. } if holds(uses.span) => {
                let (ActionRef::Local { path } | ActionRef::SameRepository { path }) = &uses.value else { return None };
                let inside = |name: &str| Path::new(path).join(name).to_string_lossy().into_owned();
                return Some(Target::File(vec![inside("action.yml"), inside("action.yaml"), inside("Dockerfile")]));
            }
            StepKind::Wait { ids } => {
                if let Some(id) = ids.iter().find(|id| holds(id.span)) {
                    return step_id(file, site.job, &id.value);
                }
            }
            StepKind::Cancel { id } if holds(id.span) => return step_id(file, site.job, &id.value),
            _ => {}
        }
    }
    of_expression(file, offset)
}

fn of_expression(file: &File<'_>, offset: u32) -> Option<Target> {
    for site in file.expressions() {
        for reference in site.expr.root().references() {
            let span = site.scalar.span_of(reference.span.range());
            if offset < span.start || span.end < offset {
                continue;
            }
            let name = match reference.path.first() {
                Some(Segment::Name(name)) => *name,
                _ => return None,
            };
            return match reference.context {
                "needs" | "jobs" => file.workflow()?.job(name).map(|job| Target::Here(job.id.span)),
                "steps" => step_id(file, site.place.job, name),
                "inputs" => input(file, name),
                "matrix" => matrix_key(site.place.job?, name),
                "env" => env_name(file, site.place.job, name),
                _ => None,
            };
        }
    }
    None
}

fn step_id(file: &File<'_>, job: Option<&Job>, id: &str) -> Option<Target> {
    let same_job = |other: Option<&Job>| job.map(|job| &job.id.value) == other.map(|job| &job.id.value);
    let sites = file.steps().iter().filter(|site| same_job(site.job));
    let mut ids = sites.filter_map(|site| site.step.id.as_ref());
    ids.find(|known| known.value.eq_ignore_ascii_case(id)).map(|id| Target::Here(id.span))
}

fn input(file: &File<'_>, name: &str) -> Option<Target> {
    let of_workflow =
        file.workflow().into_iter().flat_map(|workflow| workflow.on.events.iter().flat_map(|trigger| &trigger.inputs));
    let of_action = file.action().into_iter().flat_map(|action| &action.inputs);
    let mut inputs = of_workflow.chain(of_action);
    inputs.find(|input| input.name.eq_ignore_ascii_case(name)).map(|input| Target::Here(input.name.span))
}

fn matrix_key(job: &Job, name: &str) -> Option<Target> {
    let Some(TextTree::Mapping(entries)) = job.strategy.as_ref()?.matrix.as_ref() else { return None };
    let axis = entries.value.iter().find(|(key, _)| key.raw().eq_ignore_ascii_case(name));
    if let Some((key, _)) = axis {
        return Some(Target::Here(key.span()));
    }
    let (_, include) = entries.value.iter().find(|(key, _)| key.raw() == "include")?;
    let TextTree::Sequence(items) = include else { return None };
    let rows =
        items.value.iter().filter_map(|item| if let TextTree::Mapping(row) = item { Some(&row.value) } else { None });
    rows.flatten().find(|(key, _)| key.raw().eq_ignore_ascii_case(name)).map(|(key, _)| Target::Here(key.span()))
}

fn env_name(file: &File<'_>, job: Option<&Job>, name: &str) -> Option<Target> {
    use lineclear_workflow::Env;
    let of_job = job.and_then(|job| match &job.kind {
        JobKind::Steps(steps) => steps.env.as_ref(),
        JobKind::Call(_) => None,
    });
    let of_workflow = file.workflow().and_then(|workflow: &Workflow| workflow.env.as_ref());
    let mut blocks = [of_job, of_workflow].into_iter().flatten();
    blocks.find_map(|env| match env {
        Env::Names(names) => names.iter().find(|(key, _)| key.raw() == name).map(|(key, _)| Target::Here(key.span())),
        Env::Expression(_) => None,
    })
}

/// Whether a kind of file has anything to go to.
pub(crate) fn has_definitions(kind: FileKind) -> bool {
    matches!(kind, FileKind::Workflow | FileKind::Action)
}
