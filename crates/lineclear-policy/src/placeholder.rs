//! `${name}` in values.

use lineclear_source::{Spanned, suggest};

use crate::table::Findings;

/// Reports placeholders that are none of `known`, and those without their dollar.
pub(crate) fn check_placeholders(text: &Spanned<String>, known: &[&str], findings: &mut Findings<'_>) {
    let mut rest = text.value.as_str();
    while let Some(at) = rest.find('{') {
        let has_dollar = rest.get(..at).is_some_and(|before| before.ends_with('$'));
        let inside = rest.get(at + 1..).unwrap_or_default();
        let Some((name, after)) = inside.split_once('}') else {
            findings.value(text.span, format!("`{}` opens a placeholder that does not end", text.value));
            return;
        };
        let dollar = if has_dollar { "$" } else { "" };
        let near = if known.contains(&name) { Some(name) } else { suggest(name, known.iter().copied()) };
        let message = match (has_dollar, near) {
            (true, Some(near)) if near == name => None,
            (_, Some(near)) => Some(format!("`{dollar}{{{name}}}` stands for nothing; did you mean `${{{near}}}`?")),
            (_, None) => Some(format!("`{dollar}{{{name}}}` stands for nothing")),
        };
        if let Some(message) = message
            && let Some(finding) = findings.value(text.span, message)
        {
            let all: Vec<String> = known.iter().map(|name| format!("${{{name}}}")).collect();
            finding.help.push(format!("use one of: {}", all.join(", ")));
        }
        rest = after;
    }
}
