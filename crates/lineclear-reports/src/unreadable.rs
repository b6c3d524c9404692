//! Reports of scanners that cannot be read.

use lineclear_event::{Fact, Findings};

use crate::ReportKind;
use crate::tests_found::shortened;

/// Characters of the reason.
const REASON: usize = 500;

/// The fact that the report of a scanner is there and says nothing, because of `reason`; `None` for what no scanner wrote. `bytes` is as much
/// of it as there is: a SARIF file that ends too early may still name its tool.
pub fn unreadable(kind: ReportKind, name: &str, bytes: &[u8], reason: &str) -> Option<Fact> {
    let tool = match kind {
        ReportKind::Sarif => sarif_tool(&String::from_utf8_lossy(bytes)).unwrap_or_else(|| "SARIF".into()),
        ReportKind::Bandit => "bandit".into(),
        ReportKind::PipAudit => "pip-audit".into(),
        ReportKind::NpmAudit => "npm-audit".into(),
        ReportKind::Trivy => "trivy".into(),
        ReportKind::Grype => "grype".into(),
        ReportKind::JUnit | ReportKind::Playwright | ReportKind::Cobertura | ReportKind::Jacoco | ReportKind::Lcov => {
            return None;
        }
    };
    let unreadable = shortened(reason, REASON);
    Some(Fact::Findings(Box::new(Findings { name: name.to_owned(), tool, unreadable, ..Findings::default() })))
}

/// The name in `"driver": { "name": "…" }`, if it is the first one there.
fn sarif_tool(text: &str) -> Option<String> {
    let driver = &text[text.find("\"driver\"")?..];
    let driver = &driver[..driver.find('}').unwrap_or(driver.len())];
    let after = driver[driver.find("\"name\"")? + "\"name\"".len()..].trim_start().strip_prefix(':')?;
    let name = after.trim_start().strip_prefix('"')?.split('"').next()?;
    (!name.is_empty()).then(|| shortened(name, 100))
}
