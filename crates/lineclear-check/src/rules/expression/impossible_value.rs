//! `impossible-value`: a comparison with a value that never comes.

use lineclear_expr::{Comparison, Function, Node, NodeKind, Reference, Segment, Value};
use lineclear_source::Severity;

use super::known_values::{Question, Values, of};
use crate::{Activity, Dialect, ExpressionSite, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/impossible-value.md`.
#[derive(Debug)]
pub(super) struct ImpossibleValue;

static META: RuleMeta = RuleMeta {
    id: "impossible-value",
    summary: "a comparison with a value that never comes",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("impossible-value"),
};

/// What is asked of a value.
struct Asked<'a> {
    value: Node<'a>,
    text: Node<'a>,
    question: Question,
    /// What it means that the answer is no.
    no: &'static str,
    is_harmless: bool,
}

impl Rule for ImpossibleValue {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        let typed = file.typed();
        for compared in &typed.comparisons {
            let Some(site) = file.expressions().get(compared.site) else { continue };
            let (left, right) = (compared.left.0, compared.right.0);
            let no = match compared.comparison {
                Comparison::Equal => "this is always false",
                Comparison::NotEqual => "this is always true",
                _ => continue,
            };
            let is_harmless = compared.comparison == Comparison::NotEqual || compared.chains.or;
            for (value, text) in [(left, right), (right, left)] {
                look_at(file, site, &Asked { value, text, question: Question::Is, no, is_harmless }, report);
            }
        }
        for call in &typed.calls {
            let question = match call.function {
                Function::StartsWith => Question::Begins,
                Function::EndsWith => Question::Ends,
                Function::Contains => Question::Contains,
                _ => continue,
            };
            let ([(value, _), (text, _)], Some(site)) = (&call.arguments[..], file.expressions().get(call.site)) else {
                continue;
            };
            // `contains` with an array looks for a whole element.
            let is_list =
                value.as_reference().is_some_and(|reference| reference.path.contains(&lineclear_expr::Segment::All));
            let question = if is_list { Question::Is } else { question };
            let asked =
                Asked { value: *value, text: *text, question, no: "this is always false", is_harmless: call.chains.or };
            look_at(file, site, &asked, report);
        }
    }
}

fn is_event_or_ref(reference: &Reference<'_>) -> bool {
    const NAMES: [&str; 6] = ["event_name", "ref", "ref_name", "ref_type", "head_ref", "base_ref"];
    reference.context == "github"
        && matches!(&reference.path[..], [Segment::Name(name)] if NAMES.iter().any(|known| name.eq_ignore_ascii_case(known)))
}

fn look_at<'a>(file: &File<'a>, site: &ExpressionSite<'a>, asked: &Asked<'a>, report: &mut Report<'_>) {
    let NodeKind::Literal(Value::String(text)) = asked.text.kind() else { return };
    // Empty is what is missing.
    if text.is_empty() || !matches!(asked.value.kind(), NodeKind::Property { .. } | NodeKind::Index { .. }) {
        return;
    }
    let Some(reference) = asked.value.as_reference() else { return };
    let Some(values) = of(file, site, &reference) else { return };
    // Events that do not start the workflow and refs it never runs for have rules of their own.
    // They look at workflows only.
    let is_elsewhere = file.workflow().is_some() && !matches!(values, Values::Callers) && is_event_or_ref(&reference);
    if is_elsewhere && matches!(asked.question, Question::Is | Question::Begins) {
        return;
    }
    if values.may(asked.question, text) {
        return;
    }
    let name = site.expr.text_of(asked.value);
    let verb = match asked.question {
        Question::Is => "is never",
        Question::Begins => "never begins with",
        Question::Ends => "never ends with",
        Question::Contains => "never contains",
    };
    let near = match &values {
        Values::OneOf(known) => lineclear_source::suggest(text, known.iter().map(|value| &**value)),
        _ => None,
    };
    let meant = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    let message = format!("`{name}` {verb} `{text}`: {}{meant}", asked.no);
    let finding = report.at(site.span_of(asked.text), message);
    // To keep out what does not come anyway does no harm, and one of several ways that is closed does little.
    if asked.is_harmless {
        finding.severity(Severity::Info);
    }
    match &values {
        Values::OneOf(_) if near.is_some() => {}
        Values::OneOf(known) => {
            let known: Vec<String> = known.iter().map(|value| format!("`{value}`")).collect();
            finding.help(format!("it is {}", known.join(", ")));
        }
        Values::Begins(prefix) => {
            finding.help(format!("it begins with `{prefix}`; the short name is `github.ref_name`"));
        }
        Values::NeverBegins(_) => {
            finding.help("it is the short name, without `refs/heads/`");
        }
        Values::Callers => {
            finding
                .help("a called workflow sees the event that started its caller; an input can say that it was called");
        }
    }
}
