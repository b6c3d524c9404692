//! What scanners really write: bandit 1.9.4, pip-audit 2.10.1 and npm 11 wrote the files beside this one. trivy's and grype's follow their
//! documented forms.

use std::collections::BTreeMap;

use lineclear_event::{Fact, Findings, Severity};
use lineclear_reports::{Limits, ReportKind, detect, read, read_within, unreadable};

#[track_caller]
fn findings(name: &str, bytes: &[u8], kind: ReportKind) -> Findings {
    assert_eq!(detect(name, bytes), Some(kind), "{name}");
    match read(kind, name, bytes).expect("a report").as_slice() {
        [Fact::Findings(findings)] => (**findings).clone(),
        other => panic!("{other:?}"),
    }
}

fn shown(findings: &Findings) -> Vec<String> {
    let line =
        |f: &lineclear_event::Finding| format!("{} {} {} {} -> {}", f.severity, f.id, f.place, f.version, f.fixed);
    findings.found.iter().map(line).collect()
}

/// S1-72, S1-75
#[test]
fn bandit_tells_severity_and_place_and_what_it_did_not_look_at() {
    let found = findings("bandit-report.json", include_bytes!("bandit-1.9.json"), ReportKind::Bandit);
    assert_eq!(found.counts, BTreeMap::from([(Severity::Low, 2), (Severity::High, 2)]));
    assert_eq!(
        shown(&found),
        ["high B602 app.py:4  -> ", "high B324 app.py:5  -> ", "low B403 app.py:1  -> ", "low B101 app.py:2  -> "]
    );
    assert_eq!(found.first[4], "./broken.py: not looked at: syntax error while parsing AST from file");
    assert_eq!(found.unreadable, "it did not look at 1 file (./broken.py: syntax error while parsing AST from file)");
}

/// What a scanner says of itself decides whether it scanned: without findings it is clean only if it looked at everything.
#[test]
fn a_report_that_says_that_it_did_not_look_is_no_scan() {
    const OTHERS: &str = r#""vulnerabilities":{"info":0,"total":0}"#;
    let npm = |of: &str| format!(r#"{{"auditReportVersion":2,"vulnerabilities":{{}},"metadata":{{{OTHERS},{of}}}}}"#);
    let sarif = |of: &str| {
        let driver = r#""tool":{"driver":{"name":"Bandit","rules":[]}},"results":[]"#;
        format!(r#"{{"version":"2.1.0","runs":[{{{driver},"invocations":[{{"executionSuccessful":true{of}}}]}}]}}"#)
    };
    let sarif_error = r#","toolConfigurationNotifications":[{"level":"error","message":{"text":"syntax error"},
        "locations":[{"physicalLocation":{"artifactLocation":{"uri":"broken.py"}}}]}]"#;
    let sarif_warning = r#","toolExecutionNotifications":[{"level":"warning","message":{"text":"slow"}}]"#;
    let grype = |of: &str| format!(r#"{{"matches":[],"source":{{"type":"image"}},"descriptor":{{"name":"grype"{of}}}"#);
    let trivy = |of: &str| format!(r#"{{"SchemaVersion":2,"ArtifactName":"a","ArtifactType":"filesystem"{of}}}"#);
    let pip = |of: &str| format!(r#"{{"dependencies":[{of}],"fixes":[]}}"#);
    let bandit = |files: &str| {
        format!(r#"{{"errors":[],"metrics":{{{files}"_totals":{{"SEVERITY.HIGH":0,"loc":0}}}},"results":[]}}"#)
    };
    let looked = r#"{"name":"b","version":"1","vulns":[]}"#;
    for (kind, name, text, why) in [
        (ReportKind::Bandit, "bandit.json", bandit(r#""a.py":{"loc":3},"#), ""),
        (ReportKind::Bandit, "bandit.json", bandit(""), "it looked at no file"),
        (ReportKind::PipAudit, "pip-audit.json", pip(looked), ""),
        (ReportKind::PipAudit, "pip-audit.json", pip(""), "it looked at no package"),
        (
            ReportKind::PipAudit,
            "pip-audit.json",
            pip(&format!(r#"{looked},{{"name":"own","skip_reason":"not on PyPI"}},{{"name":"c","skip_reason":"x"}}"#)),
            "it did not look at 2 packages (own: not on PyPI, …)",
        ),
        // What somebody asked for.
        (
            ReportKind::PipAudit,
            "pip-audit.json",
            pip(&format!(r#"{looked},{{"name":"own","skip_reason":"distribution marked as editable"}}"#)),
            "",
        ),
        (ReportKind::NpmAudit, "npm-audit.json", npm(r#""dependencies":{"prod":3,"total":2}"#), ""),
        (
            ReportKind::NpmAudit,
            "npm-audit.json",
            npm(r#""dependencies":{"prod":1,"total":0}"#),
            "it looked at no package",
        ),
        (ReportKind::NpmAudit, "npm-audit.json", npm(r#""totalDependencies":0"#), "it looked at no package"),
        (ReportKind::Trivy, "trivy.json", trivy(r#","Results":[{"Target":"go.mod","Class":"lang-pkgs"}]"#), ""),
        (
            ReportKind::Trivy,
            "trivy.json",
            trivy(""),
            "it names nothing that it looked at (`--list-all-pkgs` makes it name all of it)",
        ),
        (ReportKind::Grype, "grype.json", grype(r#","db":{"status":{"valid":true,"error":null}}}"#), ""),
        (
            ReportKind::Grype,
            "grype.json",
            grype(r#","db":{"status":{"valid":false,"error":"no such file"}}}"#),
            "its database is of no use: no such file",
        ),
        (
            ReportKind::Grype,
            "grype.json",
            grype(r#"},"alertsByPackage":[{"package":{"name":"tar"},"alerts":[{"type":"distro-unknown"}]}]"#),
            "it did not look at 1 package (tar: distro-unknown)",
        ),
        (
            ReportKind::Grype,
            "grype.json",
            grype(r#"},"alertsByPackage":[{"package":{"name":"tar"},"alerts":[{"type":"distro-eol"}]}]"#),
            "",
        ),
        (ReportKind::Sarif, "a.sarif", sarif(sarif_warning), ""),
        (ReportKind::Sarif, "a.sarif", sarif(sarif_error), "it did not look at 1 part (broken.py: syntax error)"),
    ] {
        let found = findings(name, text.as_bytes(), kind);
        assert!(found.counts.is_empty(), "{text}: {found:?}");
        assert_eq!(found.unreadable, why, "{text}");
        assert_eq!(found.statement().unreadable, why, "it is what the ledger is told");
    }
}

/// Then the rest of the report stands beyond what is looked at to know it.
#[test]
fn a_report_that_begins_with_many_errors_is_one() {
    let error = r#"{"filename": "a.py", "reason": "syntax error"}"#;
    let text = format!(r#"{{"errors": [{}], "metrics": {{}}, "results": []}}"#, [error; 3000].join(", "));
    let found = findings("bandit.json", text.as_bytes(), ReportKind::Bandit);
    assert_eq!(found.unreadable, "it did not look at 3000 files (a.py: syntax error, …)");
}

/// S1-75: pip-audit has no severities.
#[test]
fn pip_audit_tells_the_version_that_repairs() {
    let found = findings("pip-audit.json", include_bytes!("pip-audit-2.10.json"), ReportKind::PipAudit);
    assert_eq!(shown(&found), ["unknown CVE-2020-28493 jinja2 3.0.0 -> 3.1.4"]);
    let partly = br#"{"dependencies": [{"name": "own", "skip_reason": "not on PyPI"}, {"name": "b", "version": "1", "vulns": []}]}"#;
    let found = findings("pip-audit.json", partly, ReportKind::PipAudit);
    assert!(found.counts.is_empty() && found.first[0].starts_with("own: not looked at:"), "{found:?}");
}

/// Whom nobody answered has looked at nothing: that is no report without findings.
#[test]
fn an_audit_that_skipped_every_package_is_not_one_without_findings() {
    let bytes = include_bytes!("pip-audit-skipped.json");
    assert_eq!(detect("pip-audit.json", bytes), Some(ReportKind::PipAudit));
    let error = read(ReportKind::PipAudit, "pip-audit.json", bytes).expect_err("nothing was looked at").to_string();
    assert!(error.contains("no package that was looked at (Dependency not found on PyPI"), "{error}");
    let none = br#"{"dependencies": [], "fixes": []}"#;
    assert!(findings("pip-audit.json", none, ReportKind::PipAudit).counts.is_empty());
}

/// S1-72, S1-75
#[test]
fn npm_audit_tells_one_finding_an_advisory() {
    let found = findings("npm-audit.json", include_bytes!("npm-audit-11.json"), ReportKind::NpmAudit);
    assert_eq!(
        shown(&found),
        [
            "critical GHSA-jf85-cpcp-j695 lodash <4.17.12 -> ",
            "critical GHSA-xvch-5gv4-984h minimist <0.2.4 -> ",
            "medium GHSA-29mw-wpgm-hmr9 lodash <4.17.21 -> ",
        ]
    );
}

/// What npm leaves where nobody answered it is no report without findings.
#[test]
fn an_audit_that_failed_is_not_one_without_findings() {
    let bytes = include_bytes!("npm-audit-failed.json");
    assert_eq!(detect("reports/npm-audit.json", bytes), Some(ReportKind::NpmAudit));
    let error = read(ReportKind::NpmAudit, "npm-audit.json", bytes).expect_err("npm's own error").to_string();
    assert!(error.contains("no report but an error of npm (405 Method Not Allowed"), "{error}");
    let fact = unreadable(ReportKind::NpmAudit, "npm-audit.json", bytes, &error);
    let Some(Fact::Findings(findings)) = fact else { panic!("{fact:?}") };
    assert_eq!((findings.tool.as_str(), findings.counts.len()), ("npm-audit", 0));
    assert!(findings.unreadable.contains("405"));
}

#[test]
fn trivy_and_grype_tell_packages_and_what_repairs_them() {
    let found = findings("trivy.json", include_bytes!("trivy.json"), ReportKind::Trivy);
    assert_eq!(
        shown(&found),
        ["critical CVE-2024-2961 libc6 2.36-9 -> 2.36-9+deb12u6", "low CVE-2005-2541 tar 1.34 -> "]
    );
    let found = findings("grype.json", include_bytes!("grype.json"), ReportKind::Grype);
    assert_eq!(shown(&found), ["critical GHSA-jfh8-c2jp-5v3q log4j-core 2.14.1 -> 2.15.0"]);
}

/// Cut, empty, in an encoding of its own, too large: each is refused with its reason, never read as a report without findings.
#[test]
fn no_damaged_report_reads_as_one_without_findings() {
    let whole: [(ReportKind, &str, &[u8]); 5] = [
        (ReportKind::Bandit, "bandit.json", include_bytes!("bandit-1.9.json")),
        (ReportKind::PipAudit, "pip-audit.json", include_bytes!("pip-audit-2.10.json")),
        (ReportKind::NpmAudit, "npm-audit.json", include_bytes!("npm-audit-11.json")),
        (ReportKind::Trivy, "trivy.json", include_bytes!("trivy.json")),
        (ReportKind::Grype, "grype.json", include_bytes!("grype.json")),
    ];
    for (kind, name, bytes) in whole {
        let utf16: Vec<u8> =
            std::str::from_utf8(bytes).expect("text").encode_utf16().flat_map(u16::to_be_bytes).collect();
        let mut marked = vec![0xFE, 0xFF];
        marked.extend(&utf16);
        assert_eq!(detect(name, &marked), Some(kind));
        assert!(read(kind, name, &marked).is_ok(), "{name} in UTF-16");
        for (what, damaged) in
            [("cut", &bytes[..bytes.trim_ascii_end().len() - 1]), ("empty", &[][..]), ("unmarked", &utf16[..])]
        {
            assert_eq!(detect(name, damaged), Some(kind), "{name}, {what}");
            let error = read(kind, name, damaged).expect_err("damaged").to_string();
            assert!(unreadable(kind, name, damaged, &error).is_some(), "{name}, {what}: {error}");
        }
        let mut wrong = bytes.to_vec();
        wrong[bytes.len() / 2] = 0xFF;
        assert!(read(kind, name, &wrong).expect_err("no text").to_string().contains("not valid text"));
        let limits = Limits { bytes: 10, ..Limits::default() };
        assert!(
            read_within(kind, name, bytes, &limits).expect_err("large").to_string().contains("a report may have 10")
        );
    }
}

#[test]
fn a_sarif_file_that_ends_too_early_still_names_its_tool() {
    let text = br#"{"version":"2.1.0","runs":[{"tool": {"driver": { "name" : "Trivy", "rules":[{"id":"#;
    let Some(Fact::Findings(found)) = unreadable(ReportKind::Sarif, "a.sarif", text, "cut") else { panic!() };
    assert_eq!((found.tool.as_str(), found.unreadable.as_str()), ("Trivy", "cut"));
    assert_eq!(unreadable(ReportKind::JUnit, "a.xml", b"", "cut"), None);
}
