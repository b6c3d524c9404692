//! `grype -o json`.
//!
//! # Source
//! `grype/presenter/models` of grype: `document.go`, `match.go`, `vulnerability.go`, `package.go`.

use lineclear_event::{Finding, Findings, Severity};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::unexpected;
use crate::findings_found::FindingsFound;
use crate::json::{self, or_default};
use crate::{Limits, Wrong};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    matches: Option<Vec<Match>>,
    #[serde(default, deserialize_with = "or_default")]
    ignored_matches: Vec<IgnoredAny>,
    /// What it could not look up as it should, by package.
    #[serde(default, deserialize_with = "or_default")]
    alerts_by_package: Value,
    #[serde(default, deserialize_with = "or_default")]
    descriptor: Value,
}

/// What is said of a distribution that nobody repairs any more: its packages were looked up.
const END_OF_LIFE: &str = "distro-eol";

#[derive(Deserialize)]
struct Match {
    vulnerability: Option<Vulnerability>,
    artifact: Option<Package>,
}

#[derive(Deserialize)]
struct Vulnerability {
    #[serde(default, deserialize_with = "or_default")]
    id: String,
    #[serde(default, deserialize_with = "or_default")]
    severity: String,
    #[serde(default, deserialize_with = "or_default")]
    description: String,
    fix: Option<Fix>,
}

#[derive(Deserialize)]
struct Fix {
    #[serde(default, deserialize_with = "or_default")]
    versions: Vec<String>,
}

#[derive(Default, Deserialize)]
struct Package {
    #[serde(default, deserialize_with = "or_default")]
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    version: String,
}

pub(crate) fn read(name: &str, text: &str, limits: &Limits) -> Result<Findings, Wrong> {
    let report: Report = json::read(text, "the report")?;
    let Some(matches) = report.matches else { return Err(unexpected("no `matches`", "a list of them")) };
    let mut found = FindingsFound::new(limits);
    for one in matches {
        let Some(vulnerability) = one.vulnerability else {
            return Err(unexpected("a match without `vulnerability`", "what matched"));
        };
        let package = one.artifact.unwrap_or_default();
        let fixed = vulnerability.fix.and_then(|fix| fix.versions.into_iter().next());
        found.add(Finding {
            severity: Severity::of_word(&vulnerability.severity),
            id: vulnerability.id,
            place: package.name,
            version: package.version,
            fixed: fixed.unwrap_or_default(),
            title: vulnerability.description,
        });
    }
    found.ignore(report.ignored_matches.len());
    if let Some(why) = without_database(&report.descriptor["db"]) {
        found.incomplete(&why);
    }
    found.not_looked_at(&alerts(&report.alerts_by_package), "package");
    Ok(found.finish(name, "grype"))
}

/// Why there was no database to ask, if it says so; its state stands beside the database or, before version 6 of that, in it.
fn without_database(database: &Value) -> Option<String> {
    [database, &database["status"]].into_iter().find_map(|state| {
        let error = state["error"].as_str().filter(|error| !error.is_empty());
        let is_invalid = state["valid"] == Value::Bool(false);
        error.or(is_invalid.then_some("not valid")).map(|why| format!("its database is of no use: {why}"))
    })
}

/// Packages of which it says that their vulnerabilities could not be looked up, with its word for why.
fn alerts(by_package: &Value) -> Vec<(String, String)> {
    let each = by_package.as_array().into_iter().flatten().filter_map(|of| {
        let kinds = of["alerts"].as_array()?.iter().filter_map(|alert| alert["type"].as_str());
        let kind = kinds.into_iter().find(|kind| *kind != END_OF_LIFE)?;
        Some((of["package"]["name"].as_str().unwrap_or_default().to_owned(), kind.to_owned()))
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_are_findings() {
        let text = r#"{"matches":[{"vulnerability":{"id":"GHSA-xxxx","severity":"Critical","fix":{"versions":["2.0"],"state":"fixed"},"description":"bad"},
          "relatedVulnerabilities":[],"matchDetails":[],"artifact":{"name":"log4j-core","version":"1.9","type":"java-archive"}},
          {"vulnerability":{"id":"CVE-1","severity":"Negligible","fix":{"versions":[],"state":"wont-fix"}},"artifact":{"name":"tar","version":"1"}}],
          "ignoredMatches":[{}],"source":{"type":"image"},"distro":{},"descriptor":{"name":"grype","version":"0.74.0"}}"#;
        let found = read("g.json", text, &Limits::default()).expect("a report");
        let shown: Vec<_> =
            found.found.iter().map(|f| (f.severity.as_str(), f.id.as_str(), f.fixed.as_str())).collect();
        assert_eq!(shown, [("critical", "GHSA-xxxx", "2.0"), ("low", "CVE-1", "")]);
        assert_eq!(found.ignored, 1);
        assert!(read("g.json", "{}", &Limits::default()).is_err());
    }
}
