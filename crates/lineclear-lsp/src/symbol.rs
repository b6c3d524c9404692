//! The outline of a workflow: its jobs and their steps.

use lineclear_workflow::{Job, JobKind, Step, StepKind, Workflow};
use lsp_types::{DocumentSymbol, SymbolKind};

use crate::document::Document;

pub(crate) fn symbols(document: &Document) -> Vec<DocumentSymbol> {
    let read = Workflow::read(&document.source());
    let jobs = read.model.map(|workflow| workflow.jobs).unwrap_or_default();
    jobs.iter().map(|job| of_job(document, job)).collect()
}

fn of_job(document: &Document, job: &Job) -> DocumentSymbol {
    let steps = match &job.kind {
        JobKind::Steps(steps) => steps.steps.iter().map(|step| of_step(document, step)).collect(),
        JobKind::Call(_) => Vec::new(),
    };
    let detail = job.name.as_ref().map(|name| name.raw().to_owned());
    symbol(document, job.id.value.clone(), detail, SymbolKind::CLASS, job.span, job.id.span, steps)
}

fn of_step(document: &Document, step: &Step) -> DocumentSymbol {
    let what = match &step.kind {
        StepKind::Run { script, .. } => script.raw().lines().next().unwrap_or_default().to_owned(),
        StepKind::Uses { uses, .. } => document.source().slice(uses.span).to_owned(),
        StepKind::Wait { .. } | StepKind::WaitAll => "wait".to_owned(),
        StepKind::Cancel { .. } => "cancel".to_owned(),
        StepKind::Parallel { .. } => "parallel".to_owned(),
    };
    let name = step.name.as_ref().map(|name| name.raw().to_owned());
    let id = step.id.as_ref().map(|id| id.value.clone());
    let (title, detail) = match name.or(id) {
        Some(title) => (title, Some(what)),
        None => (what, None),
    };
    let title = if title.trim().is_empty() { "step".to_owned() } else { title };
    symbol(document, title, detail, SymbolKind::METHOD, step.span, step.span, Vec::new())
}

fn symbol(
    document: &Document,
    name: String,
    detail: Option<String>,
    kind: SymbolKind,
    span: lineclear_source::Span,
    selection: lineclear_source::Span,
    children: Vec<DocumentSymbol>,
) -> DocumentSymbol {
    let range = |span| document.lines.range(&document.text, span);
    #[expect(deprecated, reason = "the protocol's type has a field that it deprecates, and no other way to make one")]
    DocumentSymbol {
        name,
        detail,
        kind,
        tags: None,
        deprecated: None,
        range: range(span),
        selection_range: range(selection),
        children: (!children.is_empty()).then_some(children),
    }
}
