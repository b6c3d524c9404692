//! Workflow commands that a runner turns into annotations.

use lineclear_source::{DiagnosticRecord, Severity};

/// `::error file=…,line=…::message` of a finding, ending in a newline.
///
/// # Source
/// GitHub's documentation of workflow commands; the runner drops columns of findings over several lines, so they are left out.
pub fn annotation(record: &DiagnosticRecord) -> String {
    let command = match record.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "notice",
    };
    let mut place = format!("file={},line={},endLine={}", property(&record.file), record.line, record.end_line);
    if record.line == record.end_line && record.column < record.end_column {
        // Columns of annotations are inclusive.
        place.push_str(&format!(",col={},endColumn={}", record.column, record.end_column - 1));
    }
    format!(
        "::{command} {place},title={}::{} [{}]\n",
        property(&record.rule),
        data(&record.message),
        data(&record.rule)
    )
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_annotation_escapes_what_would_end_it() {
        let mut record = DiagnosticRecord {
            file: "a,b:c.yml".to_owned(),
            line: 2,
            column: 3,
            end_line: 2,
            end_column: 6,
            severity: Severity::Warning,
            rule: "unknown-key".to_owned(),
            message: "100 % of\nit".to_owned(),
        };
        let text = "::warning file=a%2Cb%3Ac.yml,line=2,endLine=2,col=3,endColumn=5,title=unknown-key::100 %25 of%0Ait [unknown-key]\n";
        assert_eq!(annotation(&record), text);
        record.end_line = 3;
        assert!(!annotation(&record).contains("col="));
    }
}
