//! What the thing under the cursor is.

use std::fmt::Write as _;

use lineclear_catalog::Standing;
use lineclear_check::types::{Contexts, Type};
use lineclear_check::{ExpressionSite, File};
use lineclear_expr::{Node, NodeKind};
use lineclear_source::Span;
use lineclear_workflow::{Action, ActionRef, JobKind, StepKind, WorkflowRef};
use lineclear_yaml::Node as Yaml;

use crate::key_words::meaning;

/// Markdown about what is at `offset`, and where that stands.
pub(crate) fn hover(file: &File<'_>, offset: u32) -> Option<(String, Span)> {
    of_expression(file, offset)
        .or_else(|| of_action(file, offset))
        .or_else(|| of_need(file, offset))
        .or_else(|| of_key(file, offset))
}

/// The type of the innermost part of an expression.
fn of_expression(file: &File<'_>, offset: u32) -> Option<(String, Span)> {
    let holds = |span: Span| span.start <= offset && offset <= span.end;
    let site = file.expressions().iter().find(|site| holds(site.scalar.span) && holds(site.span()))?;
    let parts = site.expr.root().walk().filter(|node| holds(site.span_of(*node)));
    let smallest = parts.min_by_key(|node| {
        let span = site.span_of(*node);
        span.end - span.start
    })?;
    Some((about(file, site, smallest), site.span_of(smallest)))
}

fn about<'a>(file: &File<'a>, site: &ExpressionSite<'a>, node: Node<'a>) -> String {
    let kind = Contexts::new(file).type_of(node, &site.place);
    let mut text = format!("```\n{}: {}\n```\n", site.expr.text_of(node).trim(), short(&kind));
    if let NodeKind::Call { function, .. } = node.kind() {
        let _ = writeln!(text, "`{}`", function.usage());
    }
    if let Some(object) = kind.as_object() {
        for property in object.properties.iter().take(60) {
            let _ = writeln!(text, "- `{}`: {}", property.name, short(&property.kind));
        }
    }
    text
}

fn short(kind: &Type) -> String {
    match kind.as_object() {
        Some(object) if object.properties.len() > 4 => format!("object with {} properties", object.properties.len()),
        _ => kind.to_string(),
    }
}

/// What an action or a called workflow takes and gives.
fn of_action(file: &File<'_>, offset: u32) -> Option<(String, Span)> {
    let holds = |span: Span| span.start <= offset && offset <= span.end;
    for site in file.steps() {
        let StepKind::Uses { uses, .. } = &site.step.kind else { continue };
        if !holds(uses.span) {
            continue;
        }
        let text = match &uses.value {
            ActionRef::Local { path } | ActionRef::SameRepository { path } => {
                let read = file.project().action(path).found()?;
                describe(read.model.as_ref()?)
            }
            ActionRef::Remote { owner, repo, path, reference } => {
                let name =
                    path.as_ref().map_or_else(|| format!("{owner}/{repo}"), |path| format!("{owner}/{repo}/{path}"));
                of_remote(file, &name, reference)
            }
            ActionRef::Docker { image } => format!("The image `{image}`."),
        };
        return Some((text, uses.span));
    }
    for job in file.jobs() {
        let JobKind::Call(call) = &job.kind else { continue };
        if !holds(call.uses.span) {
            continue;
        }
        let WorkflowRef::Local { path } = &call.uses.value else { return None };
        let read = file.project().workflow(path).found()?;
        let called = read.model.as_ref()?.on.get("workflow_call")?;
        let mut text = String::from("**Inputs**\n");
        for input in &called.inputs {
            let need = if input.required { ", required" } else { "" };
            let _ = writeln!(text, "- `{}`: {:?}{need}", input.name.value, input.kind);
        }
        return Some((text, call.uses.span));
    }
    None
}

fn of_remote(file: &File<'_>, name: &str, reference: &str) -> String {
    let mut text = format!("**{name}**\n\n");
    match lineclear_catalog::standing(name, reference) {
        Standing::Current => {}
        Standing::Outdated { newest, why } => {
            let _ = writeln!(
                text,
                "The newest version is `{newest}`{}\n",
                why.map(|why| format!(": {why}")).unwrap_or_default()
            );
        }
        Standing::Removed { newest, why } => {
            let _ = writeln!(text, "This version does not work any more: {why}. The newest is `{newest}`.\n");
        }
    }
    if let Some(read) = file.project().remote_action(&format!("{name}@{reference}")).found()
        && let Some(action) = &read.model
    {
        return text + &describe(action);
    }
    if let Some(facts) = lineclear_catalog::action(name, reference) {
        text.push_str("**Inputs**\n");
        for input in &facts.inputs {
            let need = if input.is_required { " (required)" } else { "" };
            let _ = writeln!(text, "- `{}`{need}", input.name);
        }
        if !facts.outputs.is_empty() {
            let _ = writeln!(
                text,
                "\n**Outputs**: {}",
                facts.outputs.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
            );
        }
    }
    text
}

fn describe(action: &Action) -> String {
    let mut text = String::new();
    if let Some(name) = &action.name {
        let _ = writeln!(text, "**{name}**");
    }
    if let Some(description) = &action.description {
        let _ = writeln!(text, "{description}");
    }
    if !action.inputs.is_empty() {
        text.push_str("\n**Inputs**\n");
    }
    for input in &action.inputs {
        let need = if input.required && input.default.is_none() { " (required)" } else { "" };
        let default = input.default.as_ref().map(|text| format!(" = `{}`", text.raw())).unwrap_or_default();
        let description = input.description.as_deref().and_then(|text| text.lines().next()).unwrap_or_default();
        let _ = writeln!(text, "- `{}`{need}{default} {description}", input.name.value);
    }
    if !action.outputs.is_empty() {
        let names: Vec<String> = action.outputs.iter().map(|output| format!("`{}`", output.name.value)).collect();
        let _ = writeln!(text, "\n**Outputs**: {}", names.join(", "));
    }
    text
}

fn of_need(file: &File<'_>, offset: u32) -> Option<(String, Span)> {
    let needs = file.jobs().iter().flat_map(|job| &job.needs);
    let need = needs.into_iter().find(|need| need.span.start <= offset && offset <= need.span.end)?;
    let job = file.workflow()?.job(&need.value)?;
    let mut text = format!("Job `{}`", job.id.value);
    if let Some(name) = &job.name {
        let _ = write!(text, ": {}", name.raw());
    }
    if let JobKind::Steps(steps) = &job.kind {
        let outputs: Vec<String> = steps.outputs.iter().map(|(name, _)| format!("`{}`", name.value)).collect();
        if !outputs.is_empty() {
            let _ = write!(text, "\n\n**Outputs**: {}", outputs.join(", "));
        }
    }
    Some((text, need.span))
}

/// What a key of the language means.
fn of_key(file: &File<'_>, offset: u32) -> Option<(String, Span)> {
    let mut path: Vec<&str> = Vec::new();
    let mut node = file.tree()?.root.as_ref()?;
    loop {
        match node {
            Yaml::Mapping { entries, .. } => {
                let inside = |entry: &&lineclear_yaml::Entry| {
                    let span = entry.span();
                    span.start <= offset && offset <= span.end
                };
                let entry = entries.iter().find(inside)?;
                path.push(&entry.key.text);
                if entry.key.span.start <= offset && offset <= entry.key.span.end {
                    return meaning(&path).map(|text| (text.to_owned(), entry.key.span));
                }
                node = &entry.value;
            }
            Yaml::Sequence { items, .. } => {
                path.push("0");
                node = items.iter().find(|item| item.span().start <= offset && offset <= item.span().end)?;
            }
            Yaml::Scalar(_) => return None,
        }
    }
}
