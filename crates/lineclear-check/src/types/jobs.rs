//! `needs` and `jobs`: what other jobs give.

use lineclear_expr::{Function, Node, NodeKind, Template, Value};
use lineclear_source::Spanned;
use lineclear_workflow::{CallJob, Job, JobKind, Text, Workflow, WorkflowRef};

use super::fixed::texts;
use super::{Origin, Property, Type};
use crate::File;

/// `needs` of a job.
pub(super) fn needs(file: &File<'_>, workflow: &Workflow, job: &Job) -> Type {
    let mut properties = Vec::new();
    for need in &job.needs {
        if let Some(other) = workflow.job(&need.value) {
            properties.push(Property::new(other.id.value.clone(), one(file, other)));
        }
    }
    Type::strict(Origin::Needs, properties)
}

/// `jobs` of a workflow.
pub(super) fn jobs(file: &File<'_>, workflow: &Workflow) -> Type {
    let property = |job: &Job| Property::new(job.id.value.clone(), one(file, job));
    Type::strict(Origin::Jobs, workflow.jobs.iter().map(property).collect())
}

fn one(file: &File<'_>, job: &Job) -> Type {
    let outputs = match &job.kind {
        JobKind::Steps(steps) => {
            let property = |(name, text): &(Spanned<String>, Text)| Property::new(name.value.clone(), output(text));
            Type::strict(Origin::JobOutputs(job.id.value.clone()), steps.outputs.iter().map(property).collect())
        }
        JobKind::Call(call) => of_call(file, job, call),
    };
    let mut properties = texts(&["result"]);
    properties.push(Property::new("outputs", outputs));
    Type::strict(Origin::Fixed("a job"), properties)
}

/// An output is text. What it was before shows where its value is a comparison.
fn output(text: &Text) -> Type {
    match &text.template {
        Template::Expression(expr) if is_boolean(expr.root()) => Type::BoolText,
        Template::Literal(Value::Bool(_)) => Type::BoolText,
        _ => Type::String,
    }
}

/// Whether a value is a boolean whatever the contexts hold.
fn is_boolean(node: Node<'_>) -> bool {
    match node.kind() {
        NodeKind::Literal(value) => matches!(value, Value::Bool(_)),
        NodeKind::Not(_) | NodeKind::Compare { .. } => true,
        NodeKind::And(operands) | NodeKind::Or(operands) => operands.into_iter().all(is_boolean),
        NodeKind::Call { function, .. } => {
            matches!(function, Function::Contains | Function::StartsWith | Function::EndsWith | Function::Status(_))
        }
        _ => false,
    }
}

fn of_call(file: &File<'_>, job: &Job, call: &CallJob) -> Type {
    let origin = Origin::JobOutputs(job.id.value.clone());
    let called = match &call.uses.value {
        WorkflowRef::Local { path } => file.project().workflow(path),
        WorkflowRef::Remote { owner, repo, path, reference } => {
            file.project().remote_workflow(&format!("{owner}/{repo}/{path}@{reference}"))
        }
    };
    let called = called.found();
    let trigger =
        called.as_ref().and_then(|read| read.model.as_ref()).and_then(|called| called.on.get("workflow_call"));
    match trigger {
        Some(trigger) => {
            let names = trigger.outputs.iter().map(|output| output.name.value.clone());
            Type::strict(origin, names.map(|name| Property::new(name, Type::String)).collect())
        }
        None => Type::open(origin, Vec::new(), Type::String),
    }
}
