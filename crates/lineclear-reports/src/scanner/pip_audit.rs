//! `pip-audit -f json`.
//!
//! # Source
//! `pip_audit/_format/json.py`, and what 2.10 wrote (`tests/scanners`). Before 2.5 the report was the list of dependencies itself. It has no
//! severities.

use lineclear_event::{Finding, Findings, Severity};
use serde::Deserialize;

use super::unexpected;
use crate::findings_found::FindingsFound;
use crate::json::{self, or_default};
use crate::{Limits, Wrong};

#[derive(Deserialize)]
struct Report {
    dependencies: Option<Vec<Dependency>>,
}

#[derive(Deserialize)]
struct Dependency {
    #[serde(default, deserialize_with = "or_default")]
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    version: String,
    skip_reason: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    vulns: Vec<Vulnerability>,
}

#[derive(Deserialize)]
struct Vulnerability {
    #[serde(default, deserialize_with = "or_default")]
    id: String,
    #[serde(default, deserialize_with = "or_default")]
    fix_versions: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    description: String,
}

pub(crate) fn read(name: &str, text: &str, limits: &Limits) -> Result<Findings, Wrong> {
    let dependencies = if text.trim_start().starts_with('[') {
        json::read(text, "the report")?
    } else {
        let report: Report = json::read(text, "the report")?;
        report.dependencies.ok_or_else(|| unexpected("no `dependencies`", "a list of them"))?
    };
    if let Some(reason) = unanswered(&dependencies) {
        return Err(unexpected(format!("no package that was looked at ({reason})"), "what is known of them"));
    }
    let mut found = FindingsFound::new(limits);
    let mut skipped = Vec::new();
    for dependency in dependencies {
        if let Some(reason) = dependency.skip_reason {
            skipped.push(format!("{}: not looked at: {reason}", dependency.name));
        }
        for vulnerability in dependency.vulns {
            found.add(Finding {
                severity: Severity::Unknown,
                id: vulnerability.id,
                place: dependency.name.clone(),
                version: dependency.version.clone(),
                fixed: vulnerability.fix_versions.into_iter().next().unwrap_or_default(),
                title: vulnerability.description,
            });
        }
    }
    for line in skipped {
        found.say(&line);
    }
    Ok(found.finish(name, "pip-audit"))
}

/// Why every package was skipped, if each of them was: then nobody answered, and that nothing was found says nothing.
fn unanswered(dependencies: &[Dependency]) -> Option<String> {
    let reasons: Option<Vec<&String>> = dependencies.iter().map(|one| one.skip_reason.as_ref()).collect();
    let first = *reasons?.first()?;
    Some(crate::tests_found::shortened(first.lines().next().unwrap_or_default(), 300))
}
