//! `fixed-comparison`: a comparison whose result never changes.

use lineclear_expr::{Comparison, Value};
use lineclear_source::Severity;

use crate::types::{Compared, Type, constant};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/fixed-comparison.md`.
#[derive(Debug)]
pub(super) struct FixedComparison;

static META: RuleMeta = RuleMeta {
    id: "fixed-comparison",
    summary: "a comparison of values that can never be equal",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("fixed-comparison"),
};

/// What is wrong with a comparison.
struct Fault {
    severity: Severity,
    message: String,
    help: Option<&'static str>,
}

impl Rule for FixedComparison {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for compared in &file.typed().comparisons {
            let Some(fault) = fault(compared) else { continue };
            let Some(site) = file.expressions().get(compared.site) else { continue };
            // `x == true || x == 'true'` is careful, and one half of it is right.
            let is_harmless = match compared.comparison {
                Comparison::NotEqual => compared.chains.and,
                _ => compared.chains.or,
            };
            let severity = if is_harmless { Severity::Info } else { fault.severity };
            let finding = report.at(site.span_of(compared.node), fault.message).severity(severity);
            if let Some(help) = fault.help {
                finding.help(help);
            }
        }
    }
}

fn fault(compared: &Compared<'_>) -> Option<Fault> {
    use Type::{Array, Bool, BoolText, Filtered, Number, Object, String};
    let (left, right) = (&compared.left.1, &compared.right.1);
    let result = match compared.comparison {
        Comparison::NotEqual => "always true",
        _ => "always false",
    };
    let warning = |message: std::string::String, help| Some(Fault { severity: Severity::Warning, message, help });
    let is_order = !matches!(compared.comparison, Comparison::Equal | Comparison::NotEqual);
    match (left, right) {
        (Type::Any, other) | (other, Type::Any) if !(is_order && other.is_collection()) => None,
        _ if left.is_collection() && right.is_collection() => {
            let same_kind =
                matches!((left, right), (Array(_) | Filtered(_), Array(_) | Filtered(_)) | (Object(_), Object(_)));
            if same_kind && compared.left.0 == compared.right.0 && !is_order {
                return None;
            }
            let message = if same_kind && !is_order {
                format!("two {}s are never equal, whatever is in them: this is {result}", short(left))
            } else {
                format!("{} cannot be compared with {}: this is {result}", left.in_words(), right.in_words())
            };
            warning(message, Some("compare what `toJSON(…)` makes of them"))
        }
        // A value of the matrix may be missing, which is what such a comparison asks.
        _ if (left.is_collection() || right.is_collection())
            && !is_order
            && (asks_for_nothing(compared.left.0) || asks_for_nothing(compared.right.0)) =>
        {
            None
        }
        _ if left.is_collection() || right.is_collection() => {
            let message = format!("{} is never equal to {}: this is {result}", left.in_words(), right.in_words());
            let help =
                if matches!((left, right), (Array(_) | Filtered(_), _) | (_, Array(_) | Filtered(_))) && !is_order {
                    Some("`contains(array, value)` says whether one of its elements is equal")
                } else {
                    None
                };
            warning(message, help)
        }
        (Bool, Number) | (Number, Bool) if is_order => Some(Fault {
            severity: Severity::Warning,
            message: format!(
                "a boolean is 0 or 1 where it is compared with a number: `{}` does not ask what it seems to",
                compared.comparison.symbol()
            ),
            help: Some("declare the input as a number, or compare something else"),
        }),
        (Bool, Bool) | (Type::Null, _) | (_, Type::Null) if is_order => Some(Fault {
            severity: Severity::Info,
            message: format!(
                "`{}` makes numbers of booleans and null before it compares them",
                compared.comparison.symbol()
            ),
            help: None,
        }),
        (BoolText, Bool) | (Bool, BoolText) if !is_order => warning(
            format!("this is text, and text is never equal to a boolean: this is {result}"),
            Some("compare it with `'true'` or `'false'`, in quotes"),
        ),
        (String, Bool) => text_with_boolean(compared, &compared.left, &compared.right, is_order),
        (Bool, String) => text_with_boolean(compared, &compared.right, &compared.left, is_order),
        (Number, String) => text_with_number(&compared.right, result),
        (String, Number) => text_with_number(&compared.left, result),
        _ => None,
    }
}

/// Whether it is null, false or empty.
fn asks_for_nothing(node: lineclear_expr::Node<'_>) -> bool {
    constant(node).is_some_and(|value| !value.is_truthy())
}

type Side<'s, 'a> = &'s (lineclear_expr::Node<'a>, Type);

fn text_with_boolean(
    compared: &Compared<'_>,
    text: Side<'_, '_>,
    boolean: Side<'_, '_>,
    is_order: bool,
) -> Option<Fault> {
    let is_not = compared.comparison == Comparison::NotEqual;
    if let Some(Value::String(value)) = constant(text.0) {
        if !Value::String(std::sync::Arc::clone(&value)).to_number().is_nan() {
            return None;
        }
        let result = if is_not { "always true" } else { "always false" };
        let help =
            matches!(&*value, "true" | "false").then_some("write it without quotes: the other side is a boolean");
        let message = format!("a boolean is never equal to the text `{value}`: this is {result}");
        return Some(Fault { severity: Severity::Warning, message, help });
    }
    let literal = match constant(boolean.0)? {
        Value::Bool(literal) if !is_order => literal,
        _ => return None,
    };
    let only = if literal { "`1`" } else { "empty or `0`" };
    let when = if is_not { "false" } else { "true" };
    Some(Fault {
        severity: Severity::Warning,
        message: format!(
            "this is text, and text is never equal to a boolean: this is {when} only if the text is {only}"
        ),
        help: Some("compare it with `'true'` or `'false'`, in quotes"),
    })
}

fn text_with_number(text: Side<'_, '_>, result: &str) -> Option<Fault> {
    let value = constant(text.0)?;
    let message = format!("a number is never equal to the text `{}`: this is {result}", value.to_text());
    value.to_number().is_nan().then_some(Fault { severity: Severity::Warning, message, help: None })
}

fn short(kind: &Type) -> &'static str {
    if matches!(kind, Type::Object(_)) { "object" } else { "array" }
}
