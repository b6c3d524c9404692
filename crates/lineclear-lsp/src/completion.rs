//! What can be written at the cursor.

use lineclear_check::File;
use lineclear_check::types::Contexts;
use lineclear_expr::{Expr, Function};
use lineclear_workflow::{ActionRef, Job, JobKind, Key, Place, StepKind, WorkflowRef, keys_at, values_at};
use lsp_types::{CompletionItem, CompletionItemKind, CompletionTextEdit, Documentation, TextEdit};

use crate::cursor::{Cursor, Part};
use crate::document::Document;
use crate::key_words::meaning;

/// One thing that can be written.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Choice {
    label: String,
    kind: CompletionItemKind,
    detail: Option<String>,
    /// What is written, if it is more than the label.
    insert: Option<String>,
}

impl Choice {
    fn new(label: impl Into<String>, kind: CompletionItemKind) -> Self {
        Self { label: label.into(), kind, detail: None, insert: None }
    }

    fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

/// All that can be written at `offset`; `file` is the model as far as it can be read.
pub(crate) fn completions(document: &Document, file: &File<'_>, offset: usize) -> Vec<CompletionItem> {
    let cursor = Cursor::find(&document.text, offset);
    let (mut start, choices) = match &cursor.part {
        Part::Key(_) => (cursor.start, [keys(file, &cursor), values(file, &cursor, offset)].concat()),
        Part::Value(_) => (cursor.start, values(file, &cursor, offset)),
        Part::Expression(written) => {
            let dot = written.rfind('.').map_or(0, |at| at + 1);
            (cursor.start + dot, expression(file, &cursor, written, offset))
        }
    };
    start = start.min(offset);
    let range = document.lines.range(&document.text, lineclear_source::Span::new(start, offset));
    choices
        .into_iter()
        .enumerate()
        .map(|(at, choice)| CompletionItem {
            kind: Some(choice.kind),
            documentation: choice.detail.clone().map(Documentation::String),
            text_edit: Some(CompletionTextEdit::Edit(TextEdit {
                range,
                new_text: choice.insert.unwrap_or_else(|| choice.label.clone()),
            })),
            // The order is ours: what is required or likely comes first.
            sort_text: Some(format!("{at:04}")),
            label: choice.label,
            ..CompletionItem::default()
        })
        .collect()
}

fn keys(file: &File<'_>, cursor: &Cursor) -> Vec<Choice> {
    let path = cursor.words();
    if let Some(inputs) = inputs(file, cursor) {
        return inputs;
    }
    let known = if file.workflow().is_some() || file.action().is_none() { keys_at(&path) } else { Vec::new() };
    let choice = |key: &'static str| {
        let whole = [&path[..], &[key]].concat();
        let mut choice = Choice::new(key, CompletionItemKind::PROPERTY);
        choice.detail = meaning(&whole).map(str::to_owned);
        choice.insert = Some(format!("{key}: "));
        choice
    };
    known.into_iter().map(choice).collect()
}

/// The inputs of the action or workflow whose `with` the cursor is in.
fn inputs(file: &File<'_>, cursor: &Cursor) -> Option<Vec<Choice>> {
    let offset = u32::try_from(cursor.start).ok()?;
    let choice = |name: &str, required: bool, detail: Option<&str>| {
        let mut choice = Choice::new(name, CompletionItemKind::FIELD);
        let need = if required { "required" } else { "" };
        choice.detail =
            Some([need, detail.unwrap_or_default()].join(" ").trim().to_owned()).filter(|text| !text.is_empty());
        choice.insert = Some(format!("{name}: "));
        choice
    };
    match &cursor.words()[..] {
        [.., "steps", _, "with"] => {
            let site = file.steps().iter().rev().find(|site| site.step.span.start <= offset)?;
            let StepKind::Uses { uses, .. } = &site.step.kind else { return None };
            let of_action = |action: &lineclear_workflow::Action| -> Vec<Choice> {
                let inputs = action.inputs.iter();
                inputs
                    .map(|input| {
                        choice(
                            &input.name.value,
                            input.required && input.default.is_none(),
                            input.description.as_deref(),
                        )
                    })
                    .collect()
            };
            match &uses.value {
                ActionRef::Local { path } | ActionRef::SameRepository { path } => {
                    Some(of_action(file.project().action(path).found()?.model.as_ref()?))
                }
                ActionRef::Remote { owner, repo, path, reference } => {
                    let name = path
                        .as_ref()
                        .map_or_else(|| format!("{owner}/{repo}"), |path| format!("{owner}/{repo}/{path}"));
                    if let Some(read) = file.project().remote_action(&format!("{name}@{reference}")).found() {
                        return read.model.as_ref().map(of_action);
                    }
                    let facts = lineclear_catalog::action(&name, reference)?;
                    Some(
                        facts
                            .inputs
                            .iter()
                            .map(|input| choice(input.name, input.is_required, input.deprecation))
                            .collect(),
                    )
                }
                ActionRef::Docker { .. } => None,
            }
        }
        ["jobs", id, "with"] => {
            let job = file.workflow()?.job(id)?;
            let JobKind::Call(call) = &job.kind else { return None };
            let WorkflowRef::Local { path } = &call.uses.value else { return None };
            let read = file.project().workflow(path).found()?;
            let called = read.model.as_ref()?.on.get("workflow_call")?;
            Some(
                called
                    .inputs
                    .iter()
                    .map(|input| choice(&input.name.value, input.required, input.description.as_deref()))
                    .collect(),
            )
        }
        _ => None,
    }
}

fn values(file: &File<'_>, cursor: &Cursor, offset: usize) -> Vec<Choice> {
    let path = cursor.words();
    let named = |names: Vec<String>, kind| names.into_iter().map(|name| Choice::new(name, kind)).collect::<Vec<_>>();
    match &path[..] {
        ["jobs", own, "needs"] | ["jobs", own, "needs", "0"] => {
            let others = file.jobs().iter().filter(|job| job.id.value != *own);
            named(others.map(|job| job.id.value.clone()).collect(), CompletionItemKind::REFERENCE)
        }
        ["jobs", _, "runs-on"] | ["jobs", _, "runs-on", "0" | "labels"] => {
            let labels = [
                "ubuntu-latest",
                "ubuntu-24.04",
                "ubuntu-22.04",
                "ubuntu-24.04-arm",
                "windows-latest",
                "windows-2025",
                "macos-latest",
                "macos-15",
                "self-hosted",
            ];
            named(labels.map(str::to_owned).to_vec(), CompletionItemKind::ENUM_MEMBER)
        }
        [.., "steps", _, "uses"] => uses(file),
        [.., "steps", _, "wait" | "cancel"] | [.., "steps", _, "wait", "0"] => {
            let offset = u32::try_from(offset).unwrap_or(u32::MAX);
            let earlier = file.steps().iter().filter(|site| site.step.background && site.step.span.start < offset);
            named(
                earlier.filter_map(|site| site.step.id.as_ref().map(|id| id.value.clone())).collect(),
                CompletionItemKind::REFERENCE,
            )
        }
        ["jobs", _, "uses"] => {
            let all = file.project().list();
            let workflows = all.iter().filter(|path| path.starts_with(".github/workflows/"));
            named(workflows.map(|path| format!("./{path}")).collect(), CompletionItemKind::FILE)
        }
        _ => named(values_at(&path).into_iter().map(str::to_owned).collect(), CompletionItemKind::ENUM_MEMBER),
    }
}

/// Local actions, then those that nearly everybody uses.
fn uses(file: &File<'_>) -> Vec<Choice> {
    let all = file.project().list();
    let local =
        all.iter().filter_map(|path| path.strip_suffix("/action.yml").or_else(|| path.strip_suffix("/action.yaml")));
    let local = local.map(|path| Choice::new(format!("./{path}"), CompletionItemKind::FILE));
    let known = [
        "actions/checkout@v",
        "actions/setup-node@v",
        "actions/setup-python@v",
        "actions/setup-go@v",
        "actions/setup-java@v",
        "actions/cache@v",
        "actions/upload-artifact@v",
        "actions/download-artifact@v",
        "actions/github-script@v",
        "docker/login-action@v",
        "docker/metadata-action@v",
        "docker/setup-buildx-action@v",
        "docker/build-push-action@v",
    ];
    let known = known.into_iter().filter_map(|stem| {
        let name = stem.strip_suffix("@v")?;
        // A version that never was stands behind every other: the catalog then names the newest.
        let newest = match lineclear_catalog::standing(name, "v1") {
            lineclear_catalog::Standing::Outdated { newest, .. }
            | lineclear_catalog::Standing::Removed { newest, .. } => newest,
            lineclear_catalog::Standing::Current => return None,
        };
        Some(Choice::new(format!("{name}@{newest}"), CompletionItemKind::MODULE))
    });
    local.chain(known).collect()
}

fn expression(file: &File<'_>, cursor: &Cursor, written: &str, offset: usize) -> Vec<Choice> {
    let allowed = cursor.allowed();
    let at = u32::try_from(offset).unwrap_or(u32::MAX);
    let job: Option<&Job> = file
        .jobs()
        .iter()
        .rev()
        .find(|job| job.span.start <= at)
        .filter(|_| cursor.path.first().is_some_and(|key| key == "jobs"));
    let in_steps = cursor.path.iter().any(|key| key == "steps");
    let step = file.steps().iter().rev().find(|site| in_steps && site.step.span.start <= at).map(|site| site.step);
    let place = Place { key: Key::Run, job, step };
    let mut contexts = Contexts::new(file);
    let Some((object, _)) = written.rsplit_once('.') else {
        let names = allowed.contexts.iter().map(|name| {
            let kind = contexts.get(name, &place);
            Choice::new(*name, CompletionItemKind::VARIABLE).detail(kind.to_string())
        });
        let mut choices: Vec<Choice> = names.collect();
        choices.extend(Function::ALL.into_iter().filter(|function| is_allowed(*function, &allowed)).map(|function| {
            let mut choice = Choice::new(function.name(), CompletionItemKind::FUNCTION).detail(function.usage());
            choice.insert = Some(format!("{}(", function.name()));
            choice
        }));
        return choices;
    };
    // The part before the last dot as a fixed path from a context.
    let mut parts = object.split('.');
    let Some(context) = parts.next() else { return Vec::new() };
    let mut kind = contexts.get(&context.to_ascii_lowercase(), &place);
    for name in parts {
        let property = kind.as_object().and_then(|object| object.property(name)).map(|property| property.kind.clone());
        let Some(next) = property else { return Vec::new() };
        kind = next;
    }
    let Some(object) = kind.as_object() else { return Vec::new() };
    object
        .properties
        .iter()
        .map(|property| {
            Choice::new(property.name.to_string(), CompletionItemKind::FIELD).detail(property.kind.to_string())
        })
        .collect()
}

fn is_allowed(function: Function, allowed: &lineclear_expr::Allowed) -> bool {
    let (least, _) = function.arity(allowed.takes_job_ids());
    let arguments = vec!["'a'"; least].join(", ");
    Expr::parse(&format!("{}({arguments})", function.name()), Some(allowed)).is_ok()
}
