//! Findings as editors show them.

use lineclear_check::{Activity, rules};
use lineclear_source::Severity;
use lsp_types::{
    CodeDescription, Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag, Location,
    NumberOrString,
};

use crate::document::Document;

const PAGES: &str = "https://github.com/lineclear/lineclear/blob/main/docs/rules";

/// All findings of a document that was checked.
pub(crate) fn diagnostics(document: &Document) -> Vec<Diagnostic> {
    let findings = document.findings.as_deref().unwrap_or_default();
    findings.iter().map(|finding| diagnostic(document, finding)).collect()
}

pub(crate) fn diagnostic(document: &Document, finding: &lineclear_check::Finding) -> Diagnostic {
    let found = &finding.diagnostic;
    let range = |span| document.lines.range(&document.text, span);
    let mut message = found.message.clone();
    for help in &found.help {
        message.push_str("\nhelp: ");
        message.push_str(help);
    }
    let related: Vec<DiagnosticRelatedInformation> = found
        .labels
        .iter()
        .map(|label| DiagnosticRelatedInformation {
            location: Location { uri: document.uri.clone(), range: range(label.span) },
            message: label.message.clone(),
        })
        .collect();
    let meta = rules::meta(&found.code);
    let severity = match found.severity {
        Severity::Error => DiagnosticSeverity::ERROR,
        Severity::Warning => DiagnosticSeverity::WARNING,
        Severity::Info if meta.is_some_and(|meta| meta.activity == Activity::Pedantic) => DiagnosticSeverity::HINT,
        Severity::Info => DiagnosticSeverity::INFORMATION,
    };
    let page = meta.and_then(|meta| format!("{PAGES}/{}.md", meta.id).parse().ok());
    let is_outdated = ["deprecated", "outdated", "removed", "retired"].iter().any(|word| found.code.contains(word));
    Diagnostic {
        range: range(found.span.unwrap_or_default()),
        severity: Some(severity),
        code: Some(NumberOrString::String(found.code.to_string())),
        code_description: page.map(|href| CodeDescription { href }),
        source: Some("lineclear".to_owned()),
        message,
        related_information: (!related.is_empty()).then_some(related),
        tags: is_outdated.then(|| vec![DiagnosticTag::DEPRECATED]),
        data: None,
    }
}
