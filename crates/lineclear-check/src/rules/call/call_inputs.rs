//! `call-inputs`: inputs of a called workflow that it does not have, needs, or wants otherwise.

use lineclear_expr::{Function, Node, NodeKind, Segment, Template, Value, ValueKind};
use lineclear_source::{Severity, Spanned};
use lineclear_workflow::{Input, InputKind, Text, TextTree, Workflow};

use super::called::{Called, calls};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/call-inputs.md`.
#[derive(Debug)]
pub(super) struct CallInputs;

static META: RuleMeta = RuleMeta {
    id: "call-inputs",
    summary: "inputs that a called workflow does not have, needs, or wants otherwise",
    severity: Severity::Error,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow],
    repair: Repair::None,
    since: "0.1",
    page: page!("call-inputs"),
};

impl Rule for CallInputs {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let Some(caller) = file.workflow() else { return };
        for (_, call) in calls(file) {
            let called = Called::find(file.project(), None, &call.uses.value);
            let Some((_, trigger)) = called.sound() else { continue };
            for (name, value) in &call.with {
                match trigger.inputs.iter().find(|input| input.name.eq_ignore_ascii_case(name)) {
                    Some(input) => check_value(caller, input, value, file.dialect(), report),
                    None => unknown(&called.name, name, &trigger.inputs, report),
                }
            }
            let is_missing = |input: &&Input| {
                input.required
                    && input.default.is_none()
                    && !call.with.iter().any(|(name, _)| name.eq_ignore_ascii_case(&input.name))
            };
            for input in trigger.inputs.iter().filter(is_missing) {
                let message =
                    format!("`{}` needs the input `{}`, which this call does not give", called.name, input.name.value);
                report.at(call.uses.span, message).help(format!("add `{}` below `with`", input.name.value));
            }
        }
    }
}

fn unknown(called: &str, name: &Spanned<String>, inputs: &[Input], report: &mut Report<'_>) {
    let known = inputs.iter().map(|input| input.name.as_str());
    let message = match lineclear_source::suggest(name, known.clone()) {
        Some(near) => format!("`{called}` has no input `{}`; did you mean `{near}`?", name.value),
        None => format!("`{called}` has no input `{}`", name.value),
    };
    let finding = report.at(name.span, message);
    let known: Vec<String> = known.map(|name| format!("`{name}`")).collect();
    if !known.is_empty() {
        finding.help(format!("its inputs are {}", known.join(", ")));
    }
}

fn check_value(caller: &Workflow, input: &Input, value: &TextTree, dialect: Dialect, report: &mut Report<'_>) {
    let TextTree::Scalar(text) = value else { return };
    // Other forges convert.
    if dialect != Dialect::GitHub {
        return;
    }
    let (wanted, name) = match input.kind {
        InputKind::Boolean => (ValueKind::Boolean, "a boolean"),
        InputKind::Number => (ValueKind::Number, "a number"),
        InputKind::String => (ValueKind::String, "a string"),
        InputKind::Choice(_) | InputKind::Environment => return,
    };
    let Some(given) = kind_of(text, caller) else { return };
    let help = match (wanted, given) {
        _ if wanted == given => return,
        // A number is written as a string without loss; what else is given for a string is odd, and may be converted.
        (ValueKind::String, ValueKind::Number | ValueKind::Null) => return,
        (ValueKind::Boolean, ValueKind::String) => {
            "compare it, as in `${{ … == 'true' }}`, or write `true` without quotes"
        }
        (ValueKind::Number, ValueKind::String) => "convert it with `fromJSON`, or write it without quotes",
        (ValueKind::String, ValueKind::Boolean) => "put it in quotes, or convert it with `format('{0}', …)`",
        _ => "give a value of that type",
    };
    let is_soft = wanted == ValueKind::String || given == ValueKind::Null;
    let severity = if is_soft { Severity::Warning } else { Severity::Error };
    let given = match given {
        ValueKind::Null => "nothing",
        ValueKind::Boolean => "a boolean",
        ValueKind::Number => "a number",
        ValueKind::String => "a string",
        ValueKind::Array => "an array",
        ValueKind::Object => "an object",
    };
    let message = format!("input `{}` is {name}, and this is {given}: the run does not start", input.name.value);
    report.at(text.span(), message).severity(severity).help(help);
}

/// The type of a value, where it is certain.
fn kind_of(text: &Text, caller: &Workflow) -> Option<ValueKind> {
    match &text.template {
        Template::Literal(value) => Some(value.kind()),
        Template::Mixed(_) => Some(ValueKind::String),
        Template::Expression(expr) => kind_of_node(expr.root(), caller),
    }
}

fn kind_of_node(node: Node<'_>, caller: &Workflow) -> Option<ValueKind> {
    match node.kind() {
        NodeKind::Literal(value) => Some(Value::kind(value)),
        NodeKind::Not(_) | NodeKind::Compare { .. } => Some(ValueKind::Boolean),
        NodeKind::Call { function, .. } => match function {
            Function::Contains | Function::StartsWith | Function::EndsWith => Some(ValueKind::Boolean),
            Function::Format | Function::Join | Function::ToJson => Some(ValueKind::String),
            _ => None,
        },
        NodeKind::And(operands) | NodeKind::Or(operands) => {
            let mut kinds = operands.into_iter().map(|operand| kind_of_node(operand, caller));
            let first = kinds.next()??;
            kinds.all(|kind| kind == Some(first)).then_some(first)
        }
        NodeKind::Text(_) => Some(ValueKind::String),
        _ => kind_of_reference(node, caller),
    }
}

fn kind_of_reference(node: Node<'_>, caller: &Workflow) -> Option<ValueKind> {
    let reference = node.as_reference().filter(|reference| reference.complete)?;
    match (reference.context, reference.path.as_slice()) {
        ("vars" | "env", [Segment::Name(_)]) => Some(ValueKind::String),
        ("needs", [_, Segment::Name(outputs), Segment::Name(_)]) if outputs.eq_ignore_ascii_case("outputs") => {
            Some(ValueKind::String)
        }
        ("github", [Segment::Name(name)]) => {
            const TEXTS: [&str; 8] =
                ["ref", "ref_name", "ref_type", "sha", "actor", "repository", "event_name", "head_ref"];
            TEXTS.iter().any(|text| text.eq_ignore_ascii_case(name)).then_some(ValueKind::String)
        }
        // What a person typed is text, whatever the type of the input.
        ("github", [Segment::Name(event), Segment::Name(inputs), Segment::Name(_)])
            if event.eq_ignore_ascii_case("event") && inputs.eq_ignore_ascii_case("inputs") =>
        {
            Some(ValueKind::String)
        }
        ("inputs", [Segment::Name(name)]) => kind_of_input(name, caller),
        _ => None,
    }
}

/// The type that all events which have the input agree on. Other events leave it empty.
fn kind_of_input(name: &str, caller: &Workflow) -> Option<ValueKind> {
    let declared = caller.on.events.iter().flat_map(|trigger| &trigger.inputs);
    let mut kinds = declared.filter(|input| input.name.eq_ignore_ascii_case(name)).map(|input| match input.kind {
        InputKind::Boolean => Some(ValueKind::Boolean),
        // Started by hand, a number comes as text; GitHub has not always agreed with itself about it.
        InputKind::Number => None,
        InputKind::String | InputKind::Choice(_) | InputKind::Environment => Some(ValueKind::String),
    });
    let first = kinds.next()??;
    kinds.all(|kind| kind == Some(first)).then_some(first)
}
