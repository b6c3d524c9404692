//! `grype -o json`.
//!
//! # Source
//! `grype/presenter/models` of grype: `document.go`, `match.go`, `vulnerability.go`, `package.go`.

use lineclear_event::{Finding, Findings, Severity};
use serde::Deserialize;
use serde::de::IgnoredAny;

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
}

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
    Ok(found.finish(name, "grype"))
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
