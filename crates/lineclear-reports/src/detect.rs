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
        "sarif" => start.starts_with('{').then_some(ReportKind::Sarif),
        "json" if start.starts_with('{') => json(start),
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

fn json(text: &str) -> Option<ReportKind> {
    let has = |key: &str| text.contains(key);
    if has("\"$schema\"") && has("sarif")
        || has("\"version\"") && has("\"2.1.0\"") && has("\"runs\"") && has("\"tool\"")
    {
        return Some(ReportKind::Sarif);
    }
    // The configuration comes first and is longer than what is looked at only with dozens of projects.
    let is_playwright = has("\"config\"") && has("\"rootDir\"") && (has("\"projects\"") || has("\"suites\""));
    (is_playwright && !has("\"testResults\"")).then_some(ReportKind::Playwright)
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
    }

    #[test]
    fn a_report_is_known_in_utf_16_too() {
        let bytes: Vec<u8> = "\u{FEFF}<testsuites/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(detect("a.xml", &bytes), Some(ReportKind::JUnit));
    }
}
