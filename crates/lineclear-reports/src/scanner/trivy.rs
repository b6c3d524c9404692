//! `trivy … --format json`.
//!
//! # Source
//! `pkg/types/report.go` and `pkg/types/vulnerability.go` of trivy (`SchemaVersion` 2, since 0.20).

use lineclear_event::{Finding, Findings, Severity};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::unexpected;
use crate::findings_found::FindingsFound;
use crate::json::{self, or_default};
use crate::{Limits, Wrong};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Report {
    schema_version: Option<u64>,
    #[serde(default, deserialize_with = "or_default")]
    results: Vec<Target>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Target {
    #[serde(default, deserialize_with = "or_default")]
    target: String,
    #[serde(default, deserialize_with = "or_default")]
    vulnerabilities: Vec<Vulnerability>,
    #[serde(default, deserialize_with = "or_default")]
    misconfigurations: Vec<Misconfiguration>,
    #[serde(default, deserialize_with = "or_default")]
    secrets: Vec<Secret>,
    #[serde(default, deserialize_with = "or_default")]
    licenses: Vec<License>,
    /// What an ignore file or a VEX document took away.
    #[serde(default, deserialize_with = "or_default")]
    experimental_modified_findings: Vec<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Vulnerability {
    #[serde(default, rename = "VulnerabilityID", deserialize_with = "or_default")]
    id: String,
    #[serde(default, deserialize_with = "or_default")]
    pkg_name: String,
    #[serde(default, deserialize_with = "or_default")]
    installed_version: String,
    #[serde(default, deserialize_with = "or_default")]
    fixed_version: String,
    #[serde(default, deserialize_with = "or_default")]
    severity: String,
    #[serde(default, deserialize_with = "or_default")]
    title: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Misconfiguration {
    #[serde(default, rename = "ID", deserialize_with = "or_default")]
    id: String,
    #[serde(default, deserialize_with = "or_default")]
    title: String,
    #[serde(default, deserialize_with = "or_default")]
    severity: String,
    #[serde(default, deserialize_with = "or_default")]
    status: String,
    #[serde(default, deserialize_with = "or_default")]
    cause_metadata: Cause,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Cause {
    #[serde(default, deserialize_with = "or_default")]
    start_line: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Secret {
    #[serde(default, rename = "RuleID", deserialize_with = "or_default")]
    id: String,
    #[serde(default, deserialize_with = "or_default")]
    title: String,
    #[serde(default, deserialize_with = "or_default")]
    severity: String,
    #[serde(default, deserialize_with = "or_default")]
    start_line: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct License {
    #[serde(default, deserialize_with = "or_default")]
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    pkg_name: String,
    #[serde(default, deserialize_with = "or_default")]
    severity: String,
}

pub(crate) fn read(name: &str, text: &str, limits: &Limits) -> Result<Findings, Wrong> {
    if text.trim_start().starts_with('[') {
        return Err(unexpected("a list, as trivy before 0.20 wrote it", "`SchemaVersion` 2"));
    }
    let report: Report = json::read(text, "the report")?;
    match report.schema_version {
        Some(2) => {}
        Some(version) => return Err(unexpected(format!("`SchemaVersion` {version}"), "`SchemaVersion` 2")),
        None => return Err(unexpected("no `SchemaVersion`", "`SchemaVersion` 2")),
    }
    let mut found = FindingsFound::new(limits);
    if report.results.is_empty() {
        // Of an empty folder and of one that is clean, some versions write the same: nobody knows.
        found.incomplete("it names nothing that it looked at (`--list-all-pkgs` makes it name all of it)");
    }
    for target in report.results {
        target.findings(&mut found);
    }
    Ok(found.finish(name, "trivy"))
}

impl Target {
    fn findings(self, found: &mut FindingsFound<'_>) {
        let file = self.target;
        let at = |line: u64| if line == 0 { file.clone() } else { format!("{file}:{line}") };
        for one in self.vulnerabilities {
            found.add(Finding {
                severity: Severity::of_word(&one.severity),
                id: one.id,
                place: one.pkg_name,
                version: one.installed_version,
                fixed: one.fixed_version,
                title: one.title,
            });
        }
        // Passed and excepted checks are listed, too, where that was asked for.
        let failed = |one: &Misconfiguration| one.status.is_empty() || one.status.eq_ignore_ascii_case("fail");
        for one in self.misconfigurations.into_iter().filter(failed) {
            found.add(plain(&one.severity, one.id, at(one.cause_metadata.start_line), one.title));
        }
        for one in self.secrets {
            found.add(plain(&one.severity, one.id, at(one.start_line), one.title));
        }
        for one in self.licenses {
            let place = if one.pkg_name.is_empty() { file.clone() } else { one.pkg_name };
            found.add(plain(&one.severity, one.name, place, "licence".into()));
        }
        found.ignore(self.experimental_modified_findings.len());
    }
}

fn plain(severity: &str, id: String, place: String, title: String) -> Finding {
    Finding { severity: Severity::of_word(severity), id, place, version: String::new(), fixed: String::new(), title }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"{"SchemaVersion":2,"CreatedAt":"2024-05-01T10:00:00Z","ArtifactName":"app:1","ArtifactType":"container_image",
      "Metadata":{"OS":{"Family":"debian","Name":"12.5"}},"Results":[
      {"Target":"app:1 (debian 12.5)","Class":"os-pkgs","Type":"debian","Vulnerabilities":[
        {"VulnerabilityID":"CVE-2024-2961","PkgID":"libc6@2.36-9","PkgName":"libc6","InstalledVersion":"2.36-9","FixedVersion":"2.36-9+deb12u6",
         "Status":"fixed","Severity":"HIGH","Title":"glibc: out of bounds write"},
        {"VulnerabilityID":"CVE-2005-2541","PkgName":"tar","InstalledVersion":"1.34","Severity":"LOW"}]},
      {"Target":"Dockerfile","Class":"config","Misconfigurations":[
        {"ID":"DS002","Title":"root user","Severity":"HIGH","Status":"FAIL","CauseMetadata":{"StartLine":3}},
        {"ID":"DS001","Severity":"MEDIUM","Status":"PASS"}]},
      {"Target":"/app/.env","Class":"secret","Secrets":[{"RuleID":"aws-access-key-id","Severity":"CRITICAL","Title":"key","StartLine":1}]},
      {"Target":"go.mod","Class":"lang-pkgs","Vulnerabilities":null,"ExperimentalModifiedFindings":[{},{}]}]}"#;

    #[test]
    fn vulnerabilities_misconfigurations_and_secrets_are_findings() {
        let found = read("trivy.json", REPORT, &Limits::default()).expect("a report");
        let shown: Vec<_> =
            found.found.iter().map(|f| (f.severity.as_str(), f.id.as_str(), f.place.as_str())).collect();
        assert_eq!(
            shown,
            [
                ("critical", "aws-access-key-id", "/app/.env:1"),
                ("high", "DS002", "Dockerfile:3"),
                ("high", "CVE-2024-2961", "libc6"),
                ("low", "CVE-2005-2541", "tar"),
            ]
        );
        assert_eq!((found.found[2].fixed.as_str(), found.ignored), ("2.36-9+deb12u6", 2));
    }

    #[test]
    fn other_schemas_are_refused() {
        let error = |text: &str| read("a", text, &Limits::default()).expect_err("another schema").to_string();
        assert!(error(r#"{"SchemaVersion":3,"Results":[]}"#).contains("`SchemaVersion` 3"));
        assert!(error(r#"[{"Target":"x"}]"#).contains("before 0.20"));
        assert!(error(&REPORT[..REPORT.len() - 9]).contains("the file ends inside the report"));
    }
}
