//! `argument-type`: a function that is given what it cannot work with.

use lineclear_expr::Function;
use lineclear_source::Severity;

use crate::types::{Call, Type};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/argument-type.md`.
#[derive(Debug)]
pub(super) struct ArgumentType;

static META: RuleMeta = RuleMeta {
    id: "argument-type",
    summary: "an argument of a type that the function cannot use",
    severity: Severity::Warning,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("argument-type"),
};

impl Rule for ArgumentType {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for call in &file.typed().calls {
            for at in 0..call.arguments.len() {
                if let Some((severity, message)) = fault(call, at)
                    && let (Some((node, _)), Some(site)) = (call.arguments.get(at), file.expressions().get(call.site))
                {
                    report.at(site.span_of(*node), message).severity(severity);
                }
            }
        }
    }
}

/// What is wrong with argument number `at`.
fn fault(call: &Call<'_>, at: usize) -> Option<(Severity, String)> {
    let kind = &call.arguments.get(at)?.1;
    let name = call.function.name();
    let what = kind.in_words();
    let is_object = matches!(kind, Type::Object(_));
    let is_collection = kind.is_collection();
    let always = |result: &str| Some((Severity::Warning, format!("`{name}` of {what} {result}")));
    match (call.function, at) {
        (Function::Contains, 0) if is_object => always("is always false: it looks into texts and arrays"),
        (Function::Contains, 1) if is_collection => Some((
            Severity::Warning,
            format!("`contains` never finds {what}: it looks for texts, numbers and booleans"),
        )),
        (Function::StartsWith | Function::EndsWith, _) if is_collection => always("is always false: it takes texts"),
        (Function::Format, _) if is_collection => {
            let word = if is_object { "Object" } else { "Array" };
            Some((Severity::Warning, format!("`format` makes {what} the word `{word}`")))
        }
        (Function::Join, 0) if is_object => always("is always empty: it takes an array"),
        (Function::Join, 1) if is_collection => Some((Severity::Warning, format!("`join` cannot separate by {what}"))),
        (Function::FromJson, _) if is_collection => {
            Some((Severity::Error, format!("`fromJSON` takes text, and this is {what}: the job fails here")))
        }
        (Function::HashFiles, _) if is_collection => {
            Some((Severity::Error, format!("`hashFiles` takes patterns, and this is {what}")))
        }
        (Function::Case, at) if at % 2 == 0 && at + 1 < call.arguments.len() => match kind {
            Type::Any | Type::Bool => None,
            _ => Some((
                Severity::Error,
                format!("a condition of `case` must be a boolean, and this is {what}: the job fails here"),
            )),
        },
        _ => None,
    }
}
