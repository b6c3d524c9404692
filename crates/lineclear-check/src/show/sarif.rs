//! SARIF 2.1.0, as code scanning services take it.

use std::collections::BTreeMap;

use lineclear_source::{Severity, Source};
use serde_json::{Value, json};

use crate::{Finding, RuleMeta, rules};

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
const HOME: &str = "https://github.com/lineclear/lineclear";

/// The log of one run of the checker, ending in a newline. Only rules that found something are described in it.
///
/// # Source
/// Static Analysis Results Interchange Format (SARIF) 2.1.0, OASIS; the properties that GitHub's code scanning reads.
pub fn sarif<'f>(findings: impl Iterator<Item = (&'f Finding, &'f Source)>) -> String {
    let mut described: BTreeMap<String, (usize, Value)> = BTreeMap::new();
    let mut results = Vec::new();
    for (finding, source) in findings {
        let id = &*finding.diagnostic.code;
        let next = described.len();
        let index = described.entry(id.to_owned()).or_insert_with(|| (next, describe(id, rules::meta(id)))).0;
        results.push(result(finding, source, index));
    }
    let mut in_order: Vec<(usize, Value)> = described.into_values().collect();
    in_order.sort_by_key(|(index, _)| *index);
    let described: Vec<Value> = in_order.into_iter().map(|(_, rule)| rule).collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "lineclear",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": HOME,
                "rules": described,
            }},
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": { "%SRCROOT%": { "description": { "text": "The root of the repository." } } },
            "results": results,
        }],
    });
    format!("{log}\n")
}

fn describe(id: &str, meta: Option<&RuleMeta>) -> Value {
    let mut rule = json!({ "id": id });
    if let Some(meta) = meta {
        rule["shortDescription"] = json!({ "text": meta.summary });
        rule["fullDescription"] = json!({ "text": meta.summary });
        rule["helpUri"] = json!(format!("{HOME}/blob/main/docs/rules/{id}.md"));
        rule["help"] = json!({ "text": meta.page, "markdown": meta.page });
        rule["defaultConfiguration"] = json!({ "level": level(meta.severity) });
        let group = format!("{:?}", meta.group).to_ascii_lowercase();
        rule["properties"] = json!({ "tags": [group] });
    }
    rule
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn result(finding: &Finding, source: &Source, index: usize) -> Value {
    let diagnostic = &finding.diagnostic;
    let mut text = diagnostic.message.clone();
    for help in &diagnostic.help {
        text.push_str("\nhelp: ");
        text.push_str(help);
    }
    let span = diagnostic.span.unwrap_or_default();
    let mut result = json!({
        "ruleId": diagnostic.code,
        "ruleIndex": index,
        "level": level(diagnostic.severity),
        "message": { "text": text },
        "locations": [{ "physicalLocation": {
            "artifactLocation": artifact(source),
            "region": region(source, span.start, span.end),
        }}],
        "partialFingerprints": { "lineclear/v1": fingerprint(finding, source) },
    });
    let related: Vec<Value> = diagnostic
        .labels
        .iter()
        .enumerate()
        .map(|(id, label)| {
            json!({
                "id": id,
                "message": { "text": label.message },
                "physicalLocation": { "artifactLocation": artifact(source), "region": region(source, label.span.start, label.span.end) },
            })
        })
        .collect();
    if !related.is_empty() {
        result["relatedLocations"] = Value::Array(related);
    }
    if let Some(fix) = &finding.fix {
        let replacements: Vec<Value> = fix
            .edits
            .iter()
            .map(|edit| {
                json!({ "deletedRegion": region(source, edit.span.start, edit.span.end), "insertedContent": { "text": edit.text } })
            })
            .collect();
        result["fixes"] = json!([{
            "description": { "text": fix.title },
            "artifactChanges": [{ "artifactLocation": artifact(source), "replacements": replacements }],
        }]);
    }
    result
}

fn artifact(source: &Source) -> Value {
    // The characters that a path may have and an address may not.
    let uri = source.name().replace('%', "%25").replace(' ', "%20").replace('#', "%23").replace('?', "%3F");
    json!({ "uri": uri, "uriBaseId": "%SRCROOT%" })
}

fn region(source: &Source, start: u32, end: u32) -> Value {
    let (from, to) = (source.position(start), source.position(end.max(start)));
    json!({ "startLine": from.line, "startColumn": from.column, "endLine": to.line, "endColumn": to.column })
}

/// The same as long as rule, message and the text of the line are: a finding that only moves is the same finding.
fn fingerprint(finding: &Finding, source: &Source) -> String {
    let start = finding.diagnostic.span.unwrap_or_default().start as usize;
    let text = source.text();
    let start = text.floor_char_boundary(start.min(text.len()));
    let from = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line = text[from..].lines().next().unwrap_or_default().trim();
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in [&finding.diagnostic.code, "\0", &finding.diagnostic.message, "\0", line].concat().bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    format!("{hash:016x}")
}
