//! The checks that a repository's workflows produce, called as a forge shows them: `Workflow / job`.

use std::sync::Arc;

use lineclear_expr::{Segment, Template, TemplatePart};
use lineclear_workflow::{Job, JobKind, Read, Strategy, Text, TextTree, Workflow, WorkflowRef};

use crate::project::{Repository, SharedWorkflow};
use crate::{FileKind, Lookup, Project};

/// More combinations of a matrix than this are one open name.
const MOST_LEGS: usize = 256;

/// A called workflow may call another; a forge goes no deeper.
const DEEPEST_CALL: usize = 10;

/// All workflows of a repository, those that were not asked to be checked too.
#[derive(Debug)]
pub(super) struct AllWorkflows<'r> {
    checked: &'r [SharedWorkflow],
    others: Vec<Arc<Read<Workflow>>>,
    /// Whether there is a workflow that cannot be understood: it may produce anything.
    pub(super) has_unreadable: bool,
}

impl<'r> AllWorkflows<'r> {
    pub(super) fn of(repository: &'r Repository<'_>) -> Self {
        let mut others = Vec::new();
        let mut has_unreadable = false;
        for path in repository.project.list().iter().filter(|path| FileKind::of(path) == Some(FileKind::Workflow)) {
            if repository.workflows.iter().any(|workflow| workflow.source.name() == path) {
                continue;
            }
            match repository.project.workflow(path) {
                Lookup::Found(read) => others.push(read),
                Lookup::Unreadable => has_unreadable = true,
                Lookup::Missing | Lookup::Elsewhere => {}
            }
        }
        Self { checked: repository.workflows, others, has_unreadable }
    }

    fn iter(&self) -> impl Iterator<Item = &Workflow> {
        let others = self.others.iter().filter_map(|read| read.model.as_ref());
        self.checked.iter().map(|workflow| &**workflow).chain(others)
    }

    /// Every job that shows as a check of its own run.
    pub(super) fn checks(&self, project: &Project<'_>) -> Vec<Check<'_>> {
        let mut checks = Vec::new();
        for workflow in self.iter().filter(|workflow| is_started_by_events(workflow)) {
            for job in &workflow.jobs {
                let names = names_of(job, project, DEEPEST_CALL)
                    .into_iter()
                    .map(|name| name.behind(&format!("{} / ", workflow.display_name())))
                    .collect();
                checks.push(Check { workflow, job, names });
            }
        }
        checks
    }
}

/// A job of a workflow, with the names of the checks that it shows as.
#[derive(Debug)]
pub(super) struct Check<'r> {
    pub(super) workflow: &'r Workflow,
    /// The job of that workflow; a call stands for the jobs that it calls.
    pub(super) job: &'r Job,
    pub(super) names: Vec<Name>,
}

impl Check<'_> {
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.names.iter().any(|own| own.matches(name))
    }
}

fn is_started_by_events(workflow: &Workflow) -> bool {
    workflow.on.events.iter().any(|trigger| trigger.event.value != "workflow_call")
}

/// A name of which some parts are known in a run only: pieces with anything between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pieces: Vec<String>,
}

impl Name {
    fn fixed(text: impl Into<String>) -> Self {
        Self { pieces: vec![text.into()] }
    }

    /// The whole name, if it is known.
    pub(super) fn as_fixed(&self) -> Option<&str> {
        if let [only] = self.pieces.as_slice() { Some(only) } else { None }
    }

    fn matches(&self, text: &str) -> bool {
        let Some((first, rest)) = self.pieces.split_first() else { return false };
        let Some(mut text) = text.strip_prefix(first.as_str()) else { return false };
        let Some((last, middle)) = rest.split_last() else { return text.is_empty() };
        for piece in middle {
            match text.split_once(piece.as_str()) {
                Some((_, after)) => text = after,
                None => return false,
            }
        }
        text.ends_with(last.as_str())
    }

    fn behind(mut self, before: &str) -> Self {
        if let Some(first) = self.pieces.first_mut() {
            first.insert_str(0, before);
        }
        self
    }

    fn then(&self, other: &Self) -> Self {
        let mut pieces = self.pieces.clone();
        let mut others = other.pieces.iter();
        if let (Some(last), Some(first)) = (pieces.last_mut(), others.next()) {
            last.push_str(first);
        }
        pieces.extend(others.cloned());
        Self { pieces }
    }
}

/// Values of a matrix' axes by name.
type Leg = Vec<(String, String)>;

/// The names of a job without its workflow's. Of a matrix, each leg's and the one that all of them share.
fn names_of(job: &Job, project: &Project<'_>, depth: usize) -> Vec<Name> {
    let legs = job.strategy.as_ref().map(legs_of);
    let own = match (&job.name, legs) {
        (Some(name), legs) if has_expression(name) => {
            let legs = legs.flatten().unwrap_or_else(|| vec![Leg::new()]);
            legs.iter().map(|leg| evaluated(name, leg)).collect()
        }
        (name, legs) => {
            let base = name.as_ref().map_or(job.id.value.as_str(), Text::raw);
            with_legs(base, legs)
        }
    };
    let JobKind::Call(call) = &job.kind else { return own };
    let called = match &call.uses.value {
        WorkflowRef::Local { path } if depth > 0 => project.workflow(path).found(),
        _ => None,
    };
    let inner: Vec<Name> = match called.as_ref().and_then(|read| read.model.as_ref()) {
        Some(workflow) => workflow.jobs.iter().flat_map(|job| names_of(job, project, depth - 1)).collect(),
        None => vec![Name { pieces: vec![String::new(), String::new()] }],
    };
    let slash = Name::fixed(" / ");
    own.iter().flat_map(|own| inner.iter().map(|inner| own.then(&slash).then(inner))).collect()
}

fn with_legs(base: &str, legs: Option<Option<Vec<Leg>>>) -> Vec<Name> {
    let mut names = vec![Name::fixed(base)];
    match legs {
        None => {}
        Some(None) => names.push(Name { pieces: vec![format!("{base} ("), ")".to_owned()] }),
        Some(Some(legs)) => names.extend(legs.iter().map(|leg| {
            let values: Vec<&str> = leg.iter().map(|(_, value)| value.as_str()).collect();
            Name::fixed(format!("{base} ({})", values.join(", ")))
        })),
    }
    names
}

fn has_expression(text: &Text) -> bool {
    !matches!(text.template, Template::Literal(_))
}

/// The name with the leg's values in it, and gaps for what else there is.
fn evaluated(name: &Text, leg: &Leg) -> Name {
    let value_of = |expr: &lineclear_expr::Expr| -> Option<String> {
        let reference = expr.root().as_reference()?;
        let ("matrix", [Segment::Name(axis)], true) =
            (reference.context, reference.path.as_slice(), reference.complete)
        else {
            return None;
        };
        leg.iter().find(|(name, _)| name.eq_ignore_ascii_case(axis)).map(|(_, value)| value.clone())
    };
    let mut pieces = vec![String::new()];
    let mut add = |text: Option<String>| match (text, pieces.last_mut()) {
        (Some(text), Some(last)) => last.push_str(&text),
        _ => pieces.push(String::new()),
    };
    match &name.template {
        Template::Literal(_) => add(Some(name.raw().to_owned())),
        Template::Expression(expr) => add(value_of(expr)),
        Template::Mixed(parts) => parts.iter().for_each(|part| match part {
            TemplatePart::Expression(expr) => add(value_of(expr)),
            TemplatePart::Text(text) => add(Some(text.to_string())),
        }),
    }
    Name { pieces }
}

/// All combinations, if the file tells them.
fn legs_of(strategy: &Strategy) -> Option<Vec<Leg>> {
    let TextTree::Mapping(axes) = strategy.matrix.as_ref()? else { return None };
    let mut legs: Vec<Leg> = vec![Vec::new()];
    for (name, values) in &axes.value {
        let TextTree::Sequence(values) = values else { return None };
        if matches!(name.raw(), "include" | "exclude") || values.value.len().saturating_mul(legs.len()) > MOST_LEGS {
            return None;
        }
        let mut longer = Vec::new();
        for leg in &legs {
            for value in &values.value {
                let TextTree::Scalar(value) = value else { return None };
                if has_expression(value) {
                    return None;
                }
                longer.push(leg.iter().cloned().chain([(name.raw().to_owned(), value.raw().to_owned())]).collect());
            }
        }
        legs = longer;
    }
    Some(legs)
}
