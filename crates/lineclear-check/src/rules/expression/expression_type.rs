//! `expression-type`: an expression whose value the key cannot take.

use lineclear_expr::{Node, Value};
use lineclear_source::Severity;
use lineclear_workflow::{InputKind, Key, Text, TextTree};

use crate::types::{Type, constant};
use crate::{Activity, Dialect, ExpressionSite, File, FileKind, Form, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/expression-type.md`.
#[derive(Debug)]
pub(super) struct ExpressionType;

static META: RuleMeta = RuleMeta {
    id: "expression-type",
    summary: "an expression gives a value of another type than the key takes",
    severity: Severity::Error,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("expression-type"),
};

impl Rule for ExpressionType {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for (site, kind) in file.expressions().iter().zip(&file.typed().roots) {
            if site.form == Form::Condition || *kind == Type::Any && site.form == Form::Whole {
                continue;
            }
            if let Some((wanted, name)) = wanted(file, site)
                && let Some(found) = misfit(wanted, site, kind)
            {
                let severity = if name == "the default" { Severity::Warning } else { Severity::Error };
                let finding = report
                    .at(site.braced_span(), format!("{name} takes {}, and this is {found}", wanted.in_words()))
                    .severity(severity);
                if kind.is_text() && site.form == Form::Whole && matches!(wanted, Wanted::Object | Wanted::Array) {
                    finding.help("if the text is JSON, `fromJSON(…)` reads it");
                }
            }
        }
    }
}

/// What a key takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Bool,
    Number,
    Object,
    Array,
    /// Text, an array, or an object with `group` and `labels`.
    Runner,
}

impl Wanted {
    fn in_words(self) -> &'static str {
        match self {
            Self::Bool => "a boolean",
            Self::Number => "a number",
            Self::Object => "an object",
            Self::Array => "an array",
            Self::Runner => "labels, or an object with `group` and `labels`",
        }
    }
}

fn wanted(file: &File<'_>, site: &ExpressionSite<'_>) -> Option<(Wanted, &'static str)> {
    Some(match site.place.key {
        Key::TimeoutMinutes => (Wanted::Number, "`timeout-minutes`"),
        Key::CancelTimeoutMinutes => (Wanted::Number, "`cancel-timeout-minutes`"),
        Key::MaxParallel => (Wanted::Number, "`max-parallel`"),
        Key::ContinueOnError => (Wanted::Bool, "`continue-on-error`"),
        Key::FailFast => (Wanted::Bool, "`fail-fast`"),
        Key::CancelInProgress => (Wanted::Bool, "`cancel-in-progress`"),
        Key::Deployment => (Wanted::Bool, "`deployment`"),
        Key::RunsOn => (Wanted::Runner, "`runs-on`"),
        Key::EnvObject => (Wanted::Object, "`env`"),
        Key::Services => (Wanted::Object, "`services`"),
        Key::Strategy => (Wanted::Object, "`strategy`"),
        Key::Matrix => return wanted_in_matrix(site),
        Key::InputDefault(name) => return wanted_default(file, name),
        _ => return None,
    })
}

/// A whole matrix, or all values of one of its keys.
fn wanted_in_matrix(site: &ExpressionSite<'_>) -> Option<(Wanted, &'static str)> {
    let is_here = |text: &Text| std::ptr::eq(&*text.scalar, site.scalar);
    match site.place.job?.strategy.as_ref()?.matrix.as_ref()? {
        TextTree::Scalar(text) => is_here(text).then_some((Wanted::Object, "`matrix`")),
        TextTree::Mapping(entries) => {
            let is_value = |value: &TextTree| matches!(value, TextTree::Scalar(text) if is_here(text));
            let of_key = entries.value.iter().any(|(key, value)| !key.is_insert() && is_value(value));
            of_key.then_some((Wanted::Array, "a key of the matrix"))
        }
        TextTree::Sequence(_) => None,
    }
}

fn wanted_default(file: &File<'_>, name: &str) -> Option<(Wanted, &'static str)> {
    let call = file.workflow()?.on.get("workflow_call")?;
    let input = call.inputs.iter().find(|input| input.name.value == name)?;
    match input.kind {
        InputKind::Boolean => Some((Wanted::Bool, "the default")),
        InputKind::Number => Some((Wanted::Number, "the default")),
        _ => None,
    }
}

/// What is there instead of what is wanted.
fn misfit(wanted: Wanted, site: &ExpressionSite<'_>, kind: &Type) -> Option<&'static str> {
    if site.form == Form::Mixed {
        let around = around(site)?;
        return match wanted {
            Wanted::Bool | Wanted::Object | Wanted::Array => Some("text: there is more than the expression"),
            Wanted::Number if around.bytes().any(|byte| !matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+')) => {
                Some("text: there is more than the expression")
            }
            Wanted::Number | Wanted::Runner => None,
        };
    }
    let fits = match wanted {
        Wanted::Bool => match kind {
            Type::Bool | Type::BoolText | Type::Null => true,
            Type::String if site.place.key != Key::If && is_default(site) => false,
            Type::String => fits_text(site.expr.root(), |text| matches!(text, "true" | "false")),
            _ => false,
        },
        Wanted::Number => match kind {
            Type::Number | Type::Null => true,
            Type::String if is_default(site) => false,
            Type::String => fits_text(site.expr.root(), |text| !Value::string(text).to_number().is_nan()),
            _ => false,
        },
        Wanted::Object => matches!(kind, Type::Object(_) | Type::Null),
        Wanted::Array => matches!(kind, Type::Array(_) | Type::Filtered(_) | Type::Null),
        Wanted::Runner => match kind {
            Type::Object(object) => {
                object.rest.is_some() || object.property("group").is_some() || object.property("labels").is_some()
            }
            _ => true,
        },
    };
    (!fits).then(|| kind.in_words())
}

fn is_default(site: &ExpressionSite<'_>) -> bool {
    matches!(site.place.key, Key::InputDefault(_))
}

/// Whether a text may be right: one that is known must be.
fn fits_text(node: Node<'_>, is_right: impl Fn(&str) -> bool) -> bool {
    match constant(node) {
        Some(Value::String(text)) => is_right(&text),
        _ => true,
    }
}

/// The text around the first expression up to the next, without white space; none of other expressions, so that each text is
/// reported once.
fn around<'s>(site: &'s ExpressionSite<'_>) -> Option<&'s str> {
    let text = site.scalar.text.as_str();
    let before = text.split_once("${{")?.0;
    if site.expr.span().start as usize != before.len() + 3 {
        return None;
    }
    let behind = text.get(site.expr.span().end as usize..)?.trim_start_matches('}');
    let behind = behind.split_once("${{").map_or(behind, |(behind, _)| behind);
    [before, behind].into_iter().map(str::trim).find(|text| !text.is_empty())
}
