//! Any bytes are read as any kind of report without a panic, and what is read can be summed up.
#![no_main]

use lineclear_reports::{Limits, ReportKind, detect, markdown, read_within, unreadable};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    for name in ["a.xml", "a.json", "a.info", "a.sarif", "npm-audit.json"] {
        let _ = detect(name, data);
    }
    let limits = Limits { bytes: 1 << 20, depth: 64, cases: 20, message: 50, files: 20, findings: 5, kept_findings: 5 };
    let kinds = [
        ReportKind::JUnit,
        ReportKind::Playwright,
        ReportKind::Cobertura,
        ReportKind::Jacoco,
        ReportKind::Lcov,
        ReportKind::Sarif,
        ReportKind::Bandit,
        ReportKind::PipAudit,
        ReportKind::NpmAudit,
        ReportKind::Trivy,
        ReportKind::Grype,
    ];
    for kind in kinds {
        match read_within(kind, "a", data, &limits) {
            Ok(facts) => drop(markdown(&facts)),
            // What no scanner can be said to have found is told of, whatever the bytes are.
            Err(error) => {
                let told = unreadable(kind, "a", data, &error.to_string());
                assert_eq!(told.is_some(), kind.is_of_a_scanner());
            }
        }
    }
});
