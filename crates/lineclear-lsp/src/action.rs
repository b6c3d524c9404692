//! Repairs as code actions.

use std::collections::HashMap;

use lineclear_check::{Finding, Fix, Safety};
use lineclear_source::Span;
use lsp_types::{CodeAction, CodeActionKind, CodeActionOrCommand, Range, TextEdit, WorkspaceEdit};

use crate::diagnostic::diagnostic;
use crate::document::Document;

/// What can be done about the findings that touch `range`.
pub(crate) fn actions(document: &Document, range: Range) -> Vec<CodeActionOrCommand> {
    let text = &*document.text;
    let wanted = Span::new(document.lines.offset(text, range.start), document.lines.offset(text, range.end));
    let mut actions = Vec::new();
    let findings = document.findings.as_deref().unwrap_or_default();
    let touching = |finding: &&Finding| {
        let span = finding.diagnostic.span.unwrap_or_default();
        span.start <= wanted.end && wanted.start <= span.end
    };
    for finding in findings.iter().filter(touching) {
        if let Some(fix) = &finding.fix {
            actions.push(repair(document, finding, fix));
        }
        actions.push(ignore(document, finding));
    }
    let safe: Vec<&Fix> =
        findings.iter().filter_map(|finding| finding.fix.as_ref()).filter(|fix| fix.safety == Safety::Safe).collect();
    if !safe.is_empty() {
        actions.push(all(document, &safe));
    }
    actions
}

fn repair(document: &Document, finding: &Finding, fix: &Fix) -> CodeActionOrCommand {
    let title = match fix.safety {
        Safety::Safe => capital(&fix.title),
        Safety::Review => format!("{} (to be read)", capital(&fix.title)),
    };
    CodeActionOrCommand::CodeAction(CodeAction {
        title,
        kind: Some(CodeActionKind::QUICKFIX),
        diagnostics: Some(vec![diagnostic(document, finding)]),
        edit: Some(edit(document, fix.edits.iter().map(|edit| (edit.span, edit.text.clone())).collect())),
        is_preferred: Some(fix.safety == Safety::Safe),
        ..CodeAction::default()
    })
}

/// A comment above the finding's line that silences it, its reason to be written.
fn ignore(document: &Document, finding: &Finding) -> CodeActionOrCommand {
    let start = finding.diagnostic.span.unwrap_or_default().start as usize;
    let before = document.text.get(..start).unwrap_or_default();
    let line = before.rfind('\n').map_or(0, |at| at + 1);
    let indent: String = document.text[line..].chars().take_while(|char| *char == ' ').collect();
    let comment = format!("{indent}# lineclear: ignore[{}] TODO: say why\n", finding.diagnostic.code);
    CodeActionOrCommand::CodeAction(CodeAction {
        title: format!("Ignore `{}` here, with a reason", finding.diagnostic.code),
        kind: Some(CodeActionKind::QUICKFIX),
        diagnostics: Some(vec![diagnostic(document, finding)]),
        edit: Some(edit(document, vec![(Span::new(line, line), comment)])),
        ..CodeAction::default()
    })
}

/// All safe repairs at once, as far as they do not touch each other.
fn all(document: &Document, fixes: &[&Fix]) -> CodeActionOrCommand {
    let mut edits: Vec<(Span, String)> = Vec::new();
    for fix in fixes {
        let clashes = |span: Span| {
            edits.iter().any(|(other, _)| span.start < other.end && other.start < span.end || span == *other)
        };
        if !fix.edits.iter().any(|edit| clashes(edit.span)) {
            edits.extend(fix.edits.iter().map(|edit| (edit.span, edit.text.clone())));
        }
    }
    CodeActionOrCommand::CodeAction(CodeAction {
        title: "Make all safe repairs of this file".to_owned(),
        kind: Some(CodeActionKind::SOURCE_FIX_ALL),
        edit: Some(edit(document, edits)),
        ..CodeAction::default()
    })
}

fn edit(document: &Document, edits: Vec<(Span, String)>) -> WorkspaceEdit {
    let edits = edits
        .into_iter()
        .map(|(span, new_text)| TextEdit { range: document.lines.range(&document.text, span), new_text })
        .collect();
    WorkspaceEdit { changes: Some(HashMap::from([(document.uri.clone(), edits)])), ..WorkspaceEdit::default() }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
