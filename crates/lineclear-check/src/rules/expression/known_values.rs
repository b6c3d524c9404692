//! Contexts of which all values are known.

use std::borrow::Cow;

use lineclear_expr::{Reference, Segment, Template, Value};
use lineclear_workflow::{InputKind, Job, TextTree, Trigger, Triggers, Workflow};

use crate::{Dialect, ExpressionSite, File};

/// What a value can be.
#[derive(Debug)]
pub(super) enum Values<'a> {
    /// One of these, and no other but the empty text.
    OneOf(Vec<Cow<'a, str>>),
    /// A text that begins like this.
    Begins(&'static str),
    /// A text that does not begin like this.
    NeverBegins(&'static str),
    /// The name of an event of a workflow that others call: whatever its caller was started by.
    Callers,
}

/// What is asked of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// Whether it is this text.
    Is,
    /// Whether it begins with it.
    Begins,
    /// Whether it ends with it.
    Ends,
    /// Whether it is a part of it.
    Contains,
}

impl Values<'_> {
    /// Whether the answer may be yes.
    pub(super) fn may(&self, question: Question, text: &str) -> bool {
        let asked = text.to_lowercase();
        match self {
            Self::OneOf(values) => values.iter().any(|value| {
                let value = value.to_lowercase();
                match question {
                    Question::Is => {
                        let (value, asked) = (Value::string(value), Value::string(asked.as_str()));
                        value.loosely_equals(&asked)
                    }
                    Question::Begins => value.starts_with(&asked),
                    Question::Ends => value.ends_with(&asked),
                    Question::Contains => value.contains(&asked),
                }
            }),
            Self::Begins(prefix) => match question {
                Question::Is => asked.starts_with(prefix),
                Question::Begins => asked.starts_with(prefix) || prefix.starts_with(&asked),
                Question::Ends | Question::Contains => true,
            },
            Self::NeverBegins(prefix) => match question {
                Question::Is | Question::Begins => !asked.starts_with(prefix),
                Question::Ends | Question::Contains => true,
            },
            Self::Callers => question != Question::Is || asked != "workflow_call",
        }
    }
}

const RESULTS: &[&str] = &["success", "failure", "cancelled", "skipped"];

/// The values of what an expression reads, where all of them are known.
pub(super) fn of<'a>(file: &File<'a>, site: &ExpressionSite<'a>, reference: &Reference<'_>) -> Option<Values<'a>> {
    if !reference.complete {
        return None;
    }
    let names: Vec<String> = reference
        .path
        .iter()
        .map(|segment| match segment {
            Segment::Name(name) => name.to_ascii_lowercase(),
            Segment::All => "*".to_owned(),
            Segment::Position(position) => position.to_string(),
        })
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let is_github = file.dialect() == Dialect::GitHub;
    match (reference.context, &names[..]) {
        ("github", ["event_name"]) => events(&file.workflow()?.on),
        ("github", ["event", "action"]) => activities(&file.workflow()?.on),
        ("github", ["event", "inputs", name]) => choice(file.workflow()?, name, &["workflow_dispatch"]),
        ("inputs", [name]) => choice(file.workflow()?, name, &["workflow_dispatch", "workflow_call"]),
        ("github", ["ref_type"]) => some(&["branch", "tag"]),
        ("github", ["ref"]) => Some(Values::Begins("refs/")),
        ("github", ["ref_name" | "head_ref" | "base_ref"]) => Some(Values::NeverBegins("refs/")),
        ("runner", ["os"]) if is_github => some(&["Linux", "Windows", "macOS"]),
        ("runner", ["arch"]) if is_github => some(&["X86", "X64", "ARM", "ARM64"]),
        ("runner", ["environment"]) if is_github => some(&["github-hosted", "self-hosted"]),
        ("job", ["status"]) => some(&["success", "failure", "cancelled"]),
        ("steps", [_, "outcome" | "conclusion"]) | ("needs" | "jobs", [_, "result"]) => some(RESULTS),
        ("matrix", [key]) => matrix(site.place.job?, key),
        _ => None,
    }
}

fn some(values: &[&'static str]) -> Option<Values<'static>> {
    Some(Values::OneOf(values.iter().map(|value| Cow::Borrowed(*value)).collect()))
}

fn events(on: &Triggers) -> Option<Values<'_>> {
    if on.get("workflow_call").is_some() {
        return Some(Values::Callers);
    }
    let names: Vec<_> = on.events.iter().map(|trigger| Cow::Borrowed(trigger.event.value.as_str())).collect();
    (!names.is_empty()).then_some(Values::OneOf(names))
}

/// `github.event.action`, where each trigger says its types, or has none.
fn activities(on: &Triggers) -> Option<Values<'_>> {
    let mut all = Vec::new();
    for trigger in &on.events {
        let of_trigger = activities_of(trigger)?;
        all.extend(of_trigger);
    }
    (!all.is_empty()).then_some(Values::OneOf(all))
}

fn activities_of(trigger: &Trigger) -> Option<Vec<Cow<'_, str>>> {
    let event = trigger.event.value.as_str();
    if let Some(types) = &trigger.types {
        return Some(types.iter().map(|one| Cow::Borrowed(one.value.as_str())).collect());
    }
    match event {
        "pull_request" | "pull_request_target" => {
            Some(["opened", "synchronize", "reopened"].into_iter().map(Cow::Borrowed).collect())
        }
        "push" | "schedule" | "workflow_dispatch" | "create" | "delete" => Some(Vec::new()),
        _ => None,
    }
}

/// An input that is chosen from a list, and declared once.
fn choice<'a>(workflow: &'a Workflow, name: &str, triggers: &[&str]) -> Option<Values<'a>> {
    let declared = triggers.iter().filter_map(|event| workflow.on.get(event)).flat_map(|trigger| &trigger.inputs);
    let mut declared = declared.filter(|input| input.name.value.eq_ignore_ascii_case(name));
    let (Some(input), None) = (declared.next(), declared.next()) else { return None };
    let InputKind::Choice(options) = &input.kind else { return None };
    Some(Values::OneOf(options.iter().map(|option| Cow::Borrowed(option.as_str())).collect()))
}

/// The values of a key of a matrix that is written out.
fn matrix<'a>(job: &'a Job, name: &str) -> Option<Values<'a>> {
    let Some(TextTree::Mapping(entries)) = &job.strategy.as_ref()?.matrix else { return None };
    let mut values = Vec::new();
    for (key, value) in &entries.value {
        key.template.as_literal()?;
        if key.is_insert() {
            return None;
        }
        match (key.raw(), value) {
            ("exclude", _) => {}
            ("include", TextTree::Sequence(rows)) => {
                for row in &rows.value {
                    let TextTree::Mapping(row) = row else { return None };
                    for (key, value) in &row.value {
                        if key.template.as_literal().is_none() || key.is_insert() {
                            return None;
                        }
                        if key.raw().eq_ignore_ascii_case(name) {
                            values.push(scalar(value)?);
                        }
                    }
                }
            }
            ("include", _) => return None,
            (own, TextTree::Sequence(items)) if own.eq_ignore_ascii_case(name) => {
                for item in &items.value {
                    values.push(scalar(item)?);
                }
            }
            (own, _) if own.eq_ignore_ascii_case(name) => return None,
            _ => {}
        }
    }
    (!values.is_empty()).then_some(Values::OneOf(values))
}

fn scalar(tree: &TextTree) -> Option<Cow<'_, str>> {
    let TextTree::Scalar(text) = tree else { return None };
    match &text.template {
        // The type of others decides how they are compared.
        Template::Literal(Value::String(value)) => Some(Cow::Borrowed(value)),
        Template::Literal(value @ Value::Number(_)) => Some(Cow::Owned(value.to_text())),
        _ => None,
    }
}
