//! What kind of report a file is.

use std::fmt;

use crate::decode;
use crate::xml::{Piece, Reader};

/// How much of a file is looked at.
const LOOKED_AT: usize = 64 << 10;
/// How many elements of an XML file are looked at.
const ELEMENTS: usize = 40;

/// A kind of report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReportKind {
    /// Tests, as JUnit and everybody after it writes them.
    JUnit,
    /// Tests, from the `json` reporter of Playwright.
    Playwright,
    /// Coverage, as Cobertura, coverage.py and many others write it.
    Cobertura,
    /// Coverage of Java.
    Jacoco,
    /// Coverage, as `lcov`, c8 and Istanbul write it.
    Lcov,
    /// Findings in the Static Analysis Results Interchange Format, version 2.1.0.
    Sarif,
    /// What is wrong with Python code, from `bandit -f json`.
    Bandit,
    /// Vulnerable packages of Python, from `pip-audit -f json`.
    PipAudit,
    /// Vulnerable packages of Node, from `npm audit --json` or `pnpm audit --json`.
    NpmAudit,
    /// From `trivy --format json`.
    Trivy,
    /// From `grype -o json`.
    Grype,
}

impl ReportKind {
    /// Whether it is the report of a scanner.
    pub fn is_of_a_scanner(self) -> bool {
        match self {
            Self::Sarif | Self::Bandit | Self::PipAudit | Self::NpmAudit | Self::Trivy | Self::Grype => true,
            Self::JUnit | Self::Playwright | Self::Cobertura | Self::Jacoco | Self::Lcov => false,
        }
    }
}

impl fmt::Display for ReportKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::JUnit => "JUnit XML",
            Self::Playwright => "Playwright JSON",
            Self::Cobertura => "Cobertura XML",
            Self::Jacoco => "JaCoCo XML",
            Self::Lcov => "LCOV",
            Self::Sarif => "SARIF",
            Self::Bandit => "bandit's JSON",
            Self::PipAudit => "pip-audit's JSON",
            Self::NpmAudit => "npm audit's JSON",
            Self::Trivy => "trivy's JSON",
            Self::Grype => "grype's JSON",
        })
    }
}

/// What kind of report a file is, by its name and what it begins with. `None` for everything that is no report.
///
/// Looks at no more than the first 64 KiB, so it is cheap for any file; a damaged report is still one.
pub fn detect(name: &str, bytes: &[u8]) -> Option<ReportKind> {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name).to_ascii_lowercase();
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    if !["xml", "json", "sarif", "info", "lcov"].contains(&extension) {
        return None;
    }
    // A character may be cut through at the end of the excerpt.
    let excerpt = &bytes[..bytes.len().min(LOOKED_AT)];
    let text = match decode::text(excerpt) {
        Ok(text) => text.into_owned(),
        Err(_) => String::from_utf8_lossy(excerpt).into_owned(),
    };
    let start = text.trim_start();
    match extension {
        "xml" => xml(start),
        // Nothing else is called so: what it has instead is for the reader to say.
        "sarif" => Some(ReportKind::Sarif),
        "json" if start.starts_with('{') => json(&name, start),
        "json" if start.starts_with('[') => list(start),
        // A scanner that was stopped leaves an empty file, or its error where the report should be.
        "json" => of_scanner(&name),
        "info" | "lcov" => lcov(start),
        _ => None,
    }
}

fn xml(text: &str) -> Option<ReportKind> {
    if !text.starts_with('<') {
        return None;
    }
    let mut reader = Reader::new(text, ELEMENTS);
    let mut is_report = false;
    let mut is_coverage = false;
    for _ in 0..4 * ELEMENTS {
        let Ok(Some(piece)) = reader.next() else { return None };
        let Piece::Open(element) = piece else { continue };
        match element.name.as_str() {
            "testsuites" | "testsuite" => return Some(ReportKind::JUnit),
            "coverage" if element.get("line-rate").is_some() => return Some(ReportKind::Cobertura),
            "coverage" => is_coverage = true,
            "packages" | "sources" if is_coverage => return Some(ReportKind::Cobertura),
            // Clover has the same root as Cobertura.
            "project" if is_coverage => return None,
            "report" => is_report = true,
            "sessioninfo" | "package" | "group" | "counter" if is_report => return Some(ReportKind::Jacoco),
            _ if is_report || is_coverage => {}
            // The root is something else.
            _ => return None,
        }
    }
    None
}

fn json(name: &str, text: &str) -> Option<ReportKind> {
    let has = |key: &str| text.contains(key);
    if has("\"$schema\"") && has("sarif")
        || has("\"version\"") && has("\"2.1.0\"") && has("\"runs\"") && has("\"tool\"")
    {
        return Some(ReportKind::Sarif);
    }
    if let Some(kind) = scanner(name, text) {
        return Some(kind);
    }
    // The configuration comes first and is longer than what is looked at only with dozens of projects.
    let is_playwright = has("\"config\"") && has("\"rootDir\"") && (has("\"projects\"") || has("\"suites\""));
    (is_playwright && !has("\"testResults\"")).then_some(ReportKind::Playwright)
}

/// Reports of scanners, also those without findings.
fn scanner(name: &str, text: &str) -> Option<ReportKind> {
    let has = |key: &str| text.contains(key);
    let begins = |key: &str| text.trim_start_matches(['{', ' ', '\r', '\n', '\t']).starts_with(key);
    if has("\"SchemaVersion\"") && (has("\"ArtifactName\"") || has("\"ArtifactType\"") || has("\"Results\"")) {
        return Some(ReportKind::Trivy);
    }
    // What it could not read comes first, and may be more than is looked at here.
    let is_of_errors = begins("\"errors\"") && has("\"filename\"") && has("\"reason\"");
    let is_of_issues = has("\"issue_severity\"") && has("\"test_id\"");
    if has("\"SEVERITY.HIGH\"") && has("\"metrics\"") || is_of_issues || is_of_errors {
        return Some(ReportKind::Bandit);
    }
    if begins("\"dependencies\"") && (has("\"vulns\"") || has("\"skip_reason\"") || has("\"fixes\"")) {
        return Some(ReportKind::PipAudit);
    }
    let is_older_npm = has("\"advisories\"") && (begins("\"actions\"") || has("\"module_name\"") || has("\"muted\""));
    if has("\"auditReportVersion\"") || is_older_npm {
        return Some(ReportKind::NpmAudit);
    }
    if begins("\"matches\"")
        && (has("\"vulnerability\"") && has("\"artifact\"") || has("\"descriptor\"") && has("grype"))
    {
        return Some(ReportKind::Grype);
    }
    let by_name = of_scanner(name)?;
    // npm writes why there is no report in the report's place; a scanner that was stopped leaves the beginning of one.
    let is_error = by_name == ReportKind::NpmAudit && has("\"error\"");
    let is_damaged = || text.len() < LOOKED_AT / 2 && serde_json::from_str::<serde::de::IgnoredAny>(text).is_err();
    (is_error || is_damaged()).then_some(by_name)
}

/// A list at the top: what older versions wrote.
fn list(text: &str) -> Option<ReportKind> {
    let has = |key: &str| text.contains(key);
    if has("\"name\"") && (has("\"vulns\"") || has("\"skip_reason\"")) {
        return Some(ReportKind::PipAudit);
    }
    (has("\"Target\"") && has("\"Vulnerabilities\"")).then_some(ReportKind::Trivy)
}

/// By the file's name alone.
fn of_scanner(name: &str) -> Option<ReportKind> {
    let of = [
        ("bandit", ReportKind::Bandit),
        ("pip-audit", ReportKind::PipAudit),
        ("pip_audit", ReportKind::PipAudit),
        ("npm-audit", ReportKind::NpmAudit),
        ("npm_audit", ReportKind::NpmAudit),
        ("pnpm-audit", ReportKind::NpmAudit),
        ("trivy", ReportKind::Trivy),
        ("grype", ReportKind::Grype),
    ];
    of.into_iter().find(|(word, _)| name.contains(word)).map(|(_, kind)| kind)
}

fn lcov(text: &str) -> Option<ReportKind> {
    let first = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#'))?;
    (first.starts_with("TN:") || first.starts_with("SF:")).then_some(ReportKind::Lcov)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, text: &str, expected: Option<ReportKind>) {
        assert_eq!(detect(name, text.as_bytes()), expected, "{name}: {text}");
    }

    #[test]
    fn reports_are_known_by_what_they_begin_with() {
        check("a/junit.xml", "<?xml version='1.0'?>\n<testsuites/>", Some(ReportKind::JUnit));
        check("TEST-a.xml", "<!-- made by x -->\n<testsuite name='a'><testcase", Some(ReportKind::JUnit));
        check("coverage.xml", "<coverage line-rate='1'>", Some(ReportKind::Cobertura));
        let doctype =
            "<?xml version=\"1.0\" ?><!DOCTYPE coverage SYSTEM \"http://x/coverage-04.dtd\"><coverage><sources/>";
        check("coverage.xml", doctype, Some(ReportKind::Cobertura));
        check("clover.xml", "<coverage generated='1'><project/></coverage>", None);
        check("jacoco.xml", "<report name='a'><sessioninfo id='b'/>", Some(ReportKind::Jacoco));
        check("pom.xml", "<project><report><package/></report></project>", None);
        check("lcov.info", "TN:\nSF:a.js\n", Some(ReportKind::Lcov));
        check("app.info", "name: x", None);
        check("results.json", r#"{"config":{"rootDir":"/a","projects":[]},"suites":[]}"#, Some(ReportKind::Playwright));
        check("package.json", r#"{"config":{}, "version": "2.1.0"}"#, None);
        check("a.sarif", "{}", Some(ReportKind::Sarif));
        check("a.json", r#"{"version":"2.1.0","runs":[{"tool":{}}]}"#, Some(ReportKind::Sarif));
        check("index.html", "<testsuites/>", None);
        check("r.json", r#"{"SchemaVersion":2,"ArtifactName":"a"}"#, Some(ReportKind::Trivy));
        check(
            "r.json",
            r#"{ "errors": [], "metrics": {"_totals": {"SEVERITY.HIGH": 0}}, "results": []}"#,
            Some(ReportKind::Bandit),
        );
        check("r.json", r#"{"dependencies": [], "fixes": []}"#, Some(ReportKind::PipAudit));
        check("r.json", r#"[{"name": "a", "version": "1", "vulns": []}]"#, Some(ReportKind::PipAudit));
        check("package.json", r#"{"dependencies": {"a": "1"}, "version": "1"}"#, None);
        check("r.json", r#"{"auditReportVersion": 2}"#, Some(ReportKind::NpmAudit));
        check("r.json", r#"{"actions": [], "advisories": {}, "muted": []}"#, Some(ReportKind::NpmAudit));
        check("r.json", r#"{"matches":[],"descriptor":{"name":"grype"}}"#, Some(ReportKind::Grype));
        check("settings.json", r#"{"error": "no", "matches": []}"#, None);
    }

    /// A scanner that left nothing, or its error, is one that has to be told of.
    #[test]
    fn an_empty_report_of_a_scanner_is_known_by_its_name() {
        check("out/npm-audit.json", "", Some(ReportKind::NpmAudit));
        check("npm-audit.json", r#"{"message": "x", "error": {"summary": ""}}"#, Some(ReportKind::NpmAudit));
        check("trivy-results.json", "FATAL: no database", Some(ReportKind::Trivy));
        check("bandit.json", r#"{"results": ["#, Some(ReportKind::Bandit));
        check("trivy.sarif", "", Some(ReportKind::Sarif));
        check("trivy-settings.json", r#"{"severity": ["HIGH"]}"#, None);
        check("data.json", "", None);
    }

    #[test]
    fn a_report_is_known_in_utf_16_too() {
        let bytes: Vec<u8> = "\u{FEFF}<testsuites/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(detect("a.xml", &bytes), Some(ReportKind::JUnit));
    }
}
