//! `npm audit --json`, and `pnpm audit --json`, which has the older of npm's two forms.
//!
//! # Source
//! npm's documentation of `npm audit`; `npm-audit-report` and `@npmcli/metavuln-calculator` for the form since npm 7 (`auditReportVersion` 2);
//! `npm-registry-fetch`'s answers for the form before; and what npm 11 wrote (`tests/scanners`).

use std::collections::BTreeMap;

use lineclear_event::{Finding, Findings, Severity};
use serde::Deserialize;
use serde_json::Value;

use super::unexpected;
use crate::findings_found::FindingsFound;
use crate::json::{self, or_default};
use crate::{Limits, Wrong};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    audit_report_version: Option<u64>,
    /// Since npm 7: packages by name.
    vulnerabilities: Option<BTreeMap<String, Package>>,
    /// Before: advisories by number.
    advisories: Option<BTreeMap<String, Advisory>>,
    /// What is there instead when nobody answered.
    error: Option<Value>,
    #[serde(default, deserialize_with = "or_default")]
    message: String,
    #[serde(default, deserialize_with = "or_default")]
    metadata: Metadata,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    /// How many by kind, and their `total`.
    dependencies: Option<Value>,
    /// Before npm 7.
    total_dependencies: Option<u64>,
}

impl Metadata {
    /// Whether it says that there was nothing to look at.
    fn is_of_nothing(&self) -> bool {
        let total = self.dependencies.as_ref().and_then(|all| all["total"].as_u64()).or(self.total_dependencies);
        total == Some(0)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Package {
    #[serde(default, deserialize_with = "or_default")]
    severity: String,
    #[serde(default, deserialize_with = "or_default")]
    via: Vec<Via>,
    #[serde(default, deserialize_with = "or_default")]
    range: String,
    fix_available: Option<Value>,
}

/// Why a package is vulnerable.
#[derive(Deserialize)]
#[serde(untagged)]
enum Via {
    /// By an advisory of its own.
    Advisory {
        #[serde(default, deserialize_with = "or_default")]
        severity: String,
        #[serde(default, deserialize_with = "or_default")]
        title: String,
        #[serde(default, deserialize_with = "or_default")]
        url: String,
        #[serde(default, deserialize_with = "or_default")]
        range: String,
        source: Option<Value>,
    },
    /// By a package that it needs.
    Package(String),
}

#[derive(Deserialize)]
struct Advisory {
    id: Option<Value>,
    #[serde(default, deserialize_with = "or_default")]
    module_name: String,
    #[serde(default, deserialize_with = "or_default")]
    severity: String,
    #[serde(default, deserialize_with = "or_default")]
    title: String,
    #[serde(default, deserialize_with = "or_default")]
    url: String,
    #[serde(default, deserialize_with = "or_default")]
    patched_versions: String,
    #[serde(default, deserialize_with = "or_default")]
    cves: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    findings: Vec<Installed>,
}

#[derive(Deserialize)]
struct Installed {
    #[serde(default, deserialize_with = "or_default")]
    version: String,
}

pub(crate) fn read(name: &str, text: &str, limits: &Limits) -> Result<Findings, Wrong> {
    let report: Report = json::read(text, "the report")?;
    let mut found = FindingsFound::new(limits);
    let is_of_nothing = report.metadata.is_of_nothing();
    match report {
        Report { error: Some(error), message, .. } => return Err(refused(&error, &message)),
        Report { audit_report_version: Some(2), vulnerabilities: Some(packages), .. } => {
            for (package, about) in &packages {
                about.findings(package, &packages, &mut found);
            }
        }
        Report { audit_report_version: Some(version), .. } => {
            return Err(unexpected(format!("`auditReportVersion` {version}"), "version 2 with `vulnerabilities`"));
        }
        Report { advisories: Some(advisories), .. } => {
            advisories.into_values().for_each(|advisory| found.add(advisory.finding()));
        }
        Report { .. } => return Err(unexpected("neither `vulnerabilities` nor `advisories`", "one of them")),
    }
    if is_of_nothing && found.is_empty() {
        found.incomplete("it looked at no package");
    }
    Ok(found.finish(name, "npm-audit"))
}

/// npm writes why it could not audit where the report should be.
fn refused(error: &Value, message: &str) -> Wrong {
    let word = |key: &str| error[key].as_str().filter(|text| !text.is_empty());
    let why = word("summary").or(word("detail")).or(word("code")).unwrap_or(message);
    let why = crate::tests_found::shortened(why.lines().next().unwrap_or_default(), 300);
    unexpected(format!("no report but an error of npm ({why})"), "its findings")
}

impl Package {
    /// One finding for each advisory. A package that is vulnerable only by others is listed with those; where they are not in the report,
    /// it stands for itself.
    fn findings(&self, name: &str, all: &BTreeMap<String, Self>, found: &mut FindingsFound<'_>) {
        let fixed = || match &self.fix_available {
            Some(Value::Object(fix)) if fix.get("name").and_then(Value::as_str) == Some(name) => {
                fix.get("version").and_then(Value::as_str).unwrap_or_default().to_owned()
            }
            _ => String::new(),
        };
        let mut is_explained = false;
        for via in &self.via {
            match via {
                Via::Advisory { severity, title, url, range, source } => {
                    is_explained = true;
                    found.add(Finding {
                        severity: Severity::of_word(severity),
                        id: advisory_id(url, source.as_ref()),
                        place: name.to_owned(),
                        version: range.clone(),
                        fixed: fixed(),
                        title: title.clone(),
                    });
                }
                Via::Package(other) => is_explained |= other != name && all.contains_key(other),
            }
        }
        if !is_explained {
            found.add(Finding {
                severity: Severity::of_word(&self.severity),
                id: String::new(),
                place: name.to_owned(),
                version: self.range.clone(),
                fixed: fixed(),
                title: String::new(),
            });
        }
    }
}

impl Advisory {
    fn finding(self) -> Finding {
        let patched = self.patched_versions.trim();
        Finding {
            severity: Severity::of_word(&self.severity),
            id: match self.cves.into_iter().next() {
                Some(cve) if !self.url.contains("GHSA-") => cve,
                _ => advisory_id(&self.url, self.id.as_ref()),
            },
            place: self.module_name,
            version: self.findings.into_iter().next().map(|installed| installed.version).unwrap_or_default(),
            // `<0.0.0` says that there is no such version.
            fixed: if patched == "<0.0.0" {
                String::new()
            } else {
                patched.trim_start_matches(['>', '=', ' ']).to_owned()
            },
            title: self.title,
        }
    }
}

/// `GHSA-…` from the advisory's address, else its number.
fn advisory_id(url: &str, number: Option<&Value>) -> String {
    match url.rsplit('/').next() {
        Some(last) if last.starts_with("GHSA-") => last.to_owned(),
        _ => number.map_or_else(String::new, |number| match number {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The form of npm 6.
    #[test]
    fn advisories_of_older_versions_are_read() {
        let text = r#"{"actions":[],"advisories":{"755":{"findings":[{"version":"4.0.11","paths":["a>handlebars"]}],"id":755,
          "module_name":"handlebars","severity":"critical","title":"Prototype Pollution","url":"https://npmjs.example/advisories/755",
          "patched_versions":">=4.0.14 <4.1.0 || >=4.1.2","cves":["CVE-2019-1"]},
          "9":{"module_name":"b","severity":"moderate","patched_versions":"<0.0.0","url":"https://example.org/advisories/GHSA-a-b-c"}},
          "muted":[],"metadata":{"vulnerabilities":{"critical":1}}}"#;
        let found = read("npm.json", text, &Limits::default()).expect("a report");
        let shown: Vec<_> =
            found.found.iter().map(|f| (f.severity, f.id.as_str(), f.version.as_str(), f.fixed.as_str())).collect();
        assert_eq!(
            shown,
            [
                (Severity::Critical, "CVE-2019-1", "4.0.11", "4.0.14 <4.1.0 || >=4.1.2"),
                (Severity::Medium, "GHSA-a-b-c", "", "")
            ]
        );
    }

    #[test]
    fn a_package_that_is_vulnerable_by_another_is_no_finding_of_its_own() {
        let text = r#"{"auditReportVersion":2,"vulnerabilities":{
          "a":{"name":"a","severity":"high","via":["b"],"range":"*","fixAvailable":true},
          "b":{"name":"b","severity":"high","via":[{"source":7,"title":"t","url":"x","severity":"high","range":"<2"}],
               "fixAvailable":{"name":"b","version":"2.0.0","isSemVerMajor":true}},
          "c":{"name":"c","severity":"critical","via":["d"],"range":"1"}},"metadata":{}}"#;
        let found = read("npm.json", text, &Limits::default()).expect("a report");
        let shown: Vec<_> = found.found.iter().map(|f| (f.place.as_str(), f.id.as_str(), f.fixed.as_str())).collect();
        assert_eq!(shown, [("c", "", ""), ("b", "7", "2.0.0")]);
    }

    #[test]
    fn unknown_versions_are_refused() {
        let error =
            read("a", r#"{"auditReportVersion":3,"vulnerabilities":{}}"#, &Limits::default()).expect_err("version 3");
        assert!(error.to_string().contains("found `auditReportVersion` 3"), "{error}");
    }
}
