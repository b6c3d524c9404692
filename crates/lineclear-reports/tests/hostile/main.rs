//! Damaged reports: cut, changed and in other encodings. Each is read or refused, within its limits and without a panic.

use lineclear_event::Fact;
use lineclear_reports::{Limits, ReportKind, detect, markdown, read, read_within};
use proptest::prelude::*;

const SEEDS: [(ReportKind, &str, &[u8]); 11] = [
    (ReportKind::JUnit, "a.xml", include_bytes!("../../../../fuzz/corpus/report/junit.xml")),
    (ReportKind::Cobertura, "a.xml", include_bytes!("../../../../fuzz/corpus/report/cobertura.xml")),
    (ReportKind::Jacoco, "a.xml", include_bytes!("../../../../fuzz/corpus/report/jacoco.xml")),
    (ReportKind::Lcov, "a.info", include_bytes!("../../../../fuzz/corpus/report/lcov.info")),
    (ReportKind::Sarif, "a.sarif", include_bytes!("../../../../fuzz/corpus/report/a.sarif")),
    (ReportKind::Playwright, "a.json", include_bytes!("../../../../fuzz/corpus/report/playwright.json")),
    (ReportKind::Bandit, "a.json", include_bytes!("../scanners/bandit-1.9.json")),
    (ReportKind::PipAudit, "a.json", include_bytes!("../scanners/pip-audit-2.10.json")),
    (ReportKind::NpmAudit, "a.json", include_bytes!("../scanners/npm-audit-11.json")),
    (ReportKind::Trivy, "a.json", include_bytes!("../scanners/trivy.json")),
    (ReportKind::Grype, "a.json", include_bytes!("../scanners/grype.json")),
];

/// What has to hold of every report that could be read.
fn check(facts: &[Fact], limits: &Limits) {
    for fact in facts {
        match fact {
            Fact::Tests(tests) => {
                let totals = tests.totals;
                let all = totals.passed + totals.flaky + totals.failed + totals.skipped;
                assert_eq!(all, tests.cases.len() as u64 + tests.left_out);
                assert!(tests.cases.len() <= limits.cases);
            }
            Fact::Coverage(coverage) => {
                assert!(coverage.lines_covered <= coverage.lines && coverage.branches_covered <= coverage.branches);
                assert!(coverage.files.len() <= limits.files);
            }
            Fact::Findings(findings) => {
                assert!(findings.first.len() <= limits.findings && findings.found.len() <= limits.kept_findings);
                let counted = findings.counts.values().sum::<u64>();
                assert!(counted >= findings.found.len() as u64);
                assert!(findings.found.is_sorted_by_key(|finding| std::cmp::Reverse(finding.severity)));
            }
            other => panic!("{other:?} is in no report"),
        }
    }
    drop(markdown(facts));
}

proptest! {
    #[test]
    fn changed_reports_are_read_or_refused(
        seed in 0_usize..SEEDS.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
        reader in 0_usize..SEEDS.len(),
    ) {
        let (_, name, bytes) = SEEDS[seed];
        let mut bytes = bytes.to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if is_cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let _ = detect(name, &bytes);
        let limits = Limits { cases: 1, files: 1, findings: 1, depth: 4, message: 3, ..Limits::default() };
        for (kind, limits) in [(SEEDS[seed].0, Limits::default()), (SEEDS[reader].0, limits)] {
            match read_within(kind, name, &bytes, &limits) {
                Ok(facts) => check(&facts, &limits),
                Err(error) => prop_assert!(error.to_string().contains("cannot be read as")),
            }
        }
    }
}

#[test]
fn every_seed_is_known_and_read() {
    for (kind, name, bytes) in SEEDS {
        assert_eq!(detect(name, bytes), Some(kind), "{kind}");
        let facts = read(kind, name, bytes).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(facts.len(), 1, "{kind}");
        let text = std::str::from_utf8(bytes).expect("text");
        let utf16: Vec<u8> = std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        assert_eq!(read(kind, name, &utf16).as_ref(), Ok(&facts), "{kind} in UTF-16");
        let marked = [b"\xEF\xBB\xBF", bytes].concat();
        assert_eq!(read(kind, name, &marked).as_ref(), Ok(&facts), "{kind} with a byte order mark");
    }
}

#[test]
fn a_file_beyond_the_limit_is_refused_by_its_size() {
    let limits = Limits { bytes: 10, ..Limits::default() };
    let error = read_within(ReportKind::JUnit, "junit.xml", &[b'x'; 11], &limits).expect_err("too large");
    assert_eq!(error.to_string(), "`junit.xml` cannot be read as JUnit XML: it has 11 bytes, and a report may have 10");
}
