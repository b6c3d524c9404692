//! `format-arguments`: a `format` whose placeholders and arguments do not fit together.

use lineclear_expr::{Function, Value};
use lineclear_source::Severity;

use crate::types::{Call, constant};
use crate::{Activity, Dialect, File, FileKind, Group, Repair, Report, Rule, RuleMeta, page};

/// Manual and tests: `docs/rules/format-arguments.md`.
#[derive(Debug)]
pub(super) struct FormatArguments;

static META: RuleMeta = RuleMeta {
    id: "format-arguments",
    summary: "placeholders of `format` and its arguments do not fit together",
    severity: Severity::Error,
    group: Group::Correctness,
    activity: Activity::Default,
    dialects: Dialect::ALL,
    files: &[FileKind::Workflow, FileKind::Action],
    repair: Repair::None,
    since: "0.1",
    page: page!("format-arguments"),
};

impl Rule for FormatArguments {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, file: &File<'_>, report: &mut Report<'_>) {
        for call in file.typed().calls.iter().filter(|call| call.function == Function::Format) {
            look_at(file, call, report);
        }
    }
}

fn look_at(file: &File<'_>, call: &Call<'_>, report: &mut Report<'_>) {
    let (Some((format, _)), Some(site)) = (call.arguments.first(), file.expressions().get(call.site)) else { return };
    let Some(Value::String(text)) = constant(*format) else { return };
    let given = call.arguments.len() - 1;
    let placeholders = match placeholders(&text) {
        Ok(placeholders) => placeholders,
        Err(message) => {
            report.at(site.span_of(*format), message).help("write `{{` and `}}` for the braces themselves");
            return;
        }
    };
    if let Some(missing) = placeholders.iter().find(|&&index| index >= given) {
        let message =
            format!("`{{{missing}}}` has no argument: `format` is given {}, and the job fails here", count(given));
        report.at(site.span_of(*format), message).help("the first argument behind the text is `{0}`");
        return;
    }
    for (index, (argument, _)) in call.arguments.iter().skip(1).enumerate() {
        if !placeholders.contains(&index) {
            report
                .at(
                    site.span_of(*argument),
                    format!("the text of `format` has no `{{{index}}}`: this argument is not used"),
                )
                .severity(Severity::Warning);
        }
    }
}

fn count(arguments: usize) -> String {
    match arguments {
        0 => "no arguments".to_owned(),
        1 => "one argument".to_owned(),
        more => format!("{more} arguments"),
    }
}

/// The numbers in braces, or what is wrong with the text.
fn placeholders(text: &str) -> Result<Vec<usize>, String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let (brace, behind) = rest[at..].split_at(1);
        if let Some(behind) = behind.strip_prefix(brace) {
            rest = behind;
            continue;
        }
        if brace == "}" {
            return Err("a `}` that closes nothing: the job fails here".to_owned());
        }
        let Some(end) = behind.find('}') else {
            return Err("a `{` that is not closed: the job fails here".to_owned());
        };
        let inside = &behind[..end];
        let index = inside.parse().ok().filter(|_| inside.bytes().all(|byte| byte.is_ascii_digit()));
        found.push(index.ok_or_else(|| format!("`{{{inside}}}` is no number in braces: the job fails here"))?);
        rest = &behind[end + 1..];
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_hold_numbers_or_are_doubled() {
        assert_eq!(placeholders("{0} {{1}} {12}"), Ok(vec![0, 12]));
        assert_eq!(placeholders("{{{0}}}"), Ok(vec![0]));
        assert_eq!(placeholders(""), Ok(vec![]));
        for text in ["{", "}", "{}", "{a}", "{0:x}", "{ 0 }", "{-1}", "{0", "ä{", "{0}}"] {
            assert!(placeholders(text).is_err(), "{text}");
        }
    }
}
