//! `steps`: what the steps before a place give.

use std::borrow::Cow;

use lineclear_workflow::{Action, ActionRef, Job, Place, Runs, Step, StepKind};

use super::fixed::texts;
use super::{Origin, OutputsKnown, Property, Type};
use crate::{File, StepSite};

/// How a step stands to a place that names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It has run, or was skipped.
    Before,
    /// It is the step that names it, or holds it.
    Itself,
    /// It comes later.
    Later,
    /// It runs at the same time, in the same `parallel`.
    Beside,
    /// It was started in the background and nothing waited for it.
    Running,
}

/// Of a job with more steps than any person writes, the steps are not told apart: each would be looked at for each.
const MOST_STEPS: usize = 1_000;

/// `steps` at a place.
pub(super) fn steps<'a>(file: &File<'a>, place: &Place<'a>) -> Type {
    if file.action().is_some_and(|action| !is_composite(action)) {
        // Without steps nobody evaluates what names them.
        return Type::Any;
    }
    let own = own_steps(file, place.job);
    if own.len() > MOST_STEPS {
        return Type::Any;
    }
    let mut properties = Vec::new();
    for (at, site) in own.iter().enumerate() {
        let Some(id) = &site.step.id else { continue };
        if standing(own, at, place.step) == Standing::Before {
            properties.push(Property::new(id.value.clone(), step(file, id.value.as_str(), site)));
        }
    }
    Type::strict(Origin::Steps, properties)
}

/// The steps of a job, or of a composite action.
pub(crate) fn own_steps<'s, 'a>(file: &'s File<'a>, job: Option<&Job>) -> &'s [StepSite<'a>] {
    let all = file.steps();
    let is_own = |site: &StepSite<'_>| match (site.job, job) {
        (Some(one), Some(other)) => std::ptr::eq(one, other),
        (None, None) => true,
        _ => false,
    };
    let Some(first) = all.iter().position(is_own) else { return &[] };
    let all = &all[first..];
    &all[..all.iter().position(|site| !is_own(site)).unwrap_or(all.len())]
}

/// How step number `at` of `own` stands to `place`, which is a step or what comes after all of them.
pub(crate) fn standing(own: &[StepSite<'_>], at: usize, place: Option<&Step>) -> Standing {
    let Some(place) = place else { return Standing::Before };
    let Some(here) = position(own, place) else { return Standing::Before };
    let Some(step) = own.get(at) else { return Standing::Later };
    if at == here || step.step.span.start <= place.span.start && place.span.end <= step.step.span.end {
        return Standing::Itself;
    }
    if at > here {
        return Standing::Later;
    }
    // Both inside of `parallel`, and nothing between them that is not.
    if step.in_parallel && own[at..=here].iter().all(|site| site.in_parallel) {
        return Standing::Beside;
    }
    if step.step.background && !own[at..here].iter().any(|site| waits_for(site.step, step.step)) {
        return Standing::Running;
    }
    Standing::Before
}

/// Where `place` is among `own`, which stand in the order of the text unless aliases repeat some.
fn position(own: &[StepSite<'_>], place: &Step) -> Option<usize> {
    let is_it = |site: &StepSite<'_>| std::ptr::eq(site.step, place);
    let near = own.partition_point(|site| site.step.span.start < place.span.start);
    if own.get(near).is_some_and(is_it) { Some(near) } else { own.iter().position(is_it) }
}

fn waits_for(step: &Step, other: &Step) -> bool {
    let is_it = |id: &str| other.id.as_ref().is_some_and(|own| own.value.eq_ignore_ascii_case(id));
    match &step.kind {
        StepKind::WaitAll => true,
        StepKind::Wait { ids } => ids.iter().any(|id| is_it(&id.value)),
        StepKind::Cancel { id } => is_it(&id.value),
        _ => false,
    }
}

fn step(file: &File<'_>, id: &str, site: &StepSite<'_>) -> Type {
    let outputs = match &site.step.kind {
        StepKind::Uses { uses, .. } => outputs_of(file, id, &uses.value),
        _ => any_output(id),
    };
    let mut properties = texts(&["outcome", "conclusion"]);
    properties.push(Property::new("outputs", outputs));
    Type::strict(Origin::Fixed("a step"), properties)
}

fn any_output(id: &str) -> Type {
    Type::open(Origin::StepOutputs { step: id.to_owned(), known: OutputsKnown::Declared }, Vec::new(), Type::String)
}

fn outputs_of(file: &File<'_>, id: &str, uses: &ActionRef) -> Type {
    let known = match uses {
        ActionRef::Local { path } | ActionRef::SameRepository { path } => file.project().action(path).found(),
        ActionRef::Remote { owner, repo, path, reference } => {
            let name = match path {
                Some(path) => format!("{owner}/{repo}/{path}"),
                None => format!("{owner}/{repo}"),
            };
            match file.project().remote_action(&format!("{name}@{reference}")).found() {
                Some(read) if read.model.as_ref().is_some_and(is_composite) => Some(read),
                read => return of_catalog(id, &name, reference, read.as_ref().and_then(|read| read.model.as_ref())),
            }
        }
        ActionRef::Docker { .. } => None,
    };
    match known.as_ref().and_then(|read| read.model.as_ref()) {
        Some(action) => of_metadata(id, action),
        None => any_output(id),
    }
}

fn of_metadata(id: &str, action: &Action) -> Type {
    let known = if is_composite(action) { OutputsKnown::All } else { OutputsKnown::Declared };
    // An action in a container or in JavaScript may give more than it declares; one that declares nothing did not care to.
    if known == OutputsKnown::Declared && action.outputs.is_empty() {
        return any_output(id);
    }
    let names = action.outputs.iter().map(|output| Cow::Owned(output.name.value.clone()));
    let properties = names.map(|name| Property::new(name, Type::String)).collect();
    Type::strict(Origin::StepOutputs { step: id.to_owned(), known }, properties)
}

fn of_catalog(id: &str, name: &str, reference: &str, metadata: Option<&Action>) -> Type {
    match lineclear_catalog::action(name, reference) {
        Some(facts) if !facts.has_dynamic_outputs && !facts.outputs.is_empty() => {
            let origin = Origin::StepOutputs { step: id.to_owned(), known: OutputsKnown::Usual };
            Type::strict(origin, texts(&facts.outputs))
        }
        Some(_) => any_output(id),
        None => metadata.map_or_else(|| any_output(id), |action| of_metadata(id, action)),
    }
}

fn is_composite(action: &Action) -> bool {
    matches!(action.runs, Runs::Composite { .. })
}
