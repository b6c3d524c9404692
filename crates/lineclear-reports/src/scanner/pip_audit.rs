//! `pip-audit -f json`.
//!
//! # Source
//! `pip_audit/_format/json.py`, `pip_audit/_dependency_source/pip.py`, and what 2.10 wrote (`tests/scanners`). Before 2.5 the report was the list of dependencies itself. It has no
//! severities.

use lineclear_event::{Finding, Findings, Severity};
use serde::Deserialize;

use super::unexpected;
use crate::findings_found::FindingsFound;
use crate::json::{self, or_default};
use crate::{Limits, Wrong};

/// Why it skips what `--skip-editable` leaves out: what somebody asked for, and not what went wrong.
const EDITABLE: &str = "distribution marked as editable";

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
    if dependencies.is_empty() {
        found.incomplete("it looked at no package");
    }
    let mut skipped = Vec::new();
    for dependency in dependencies {
        match dependency.skip_reason {
            Some(reason) if reason == EDITABLE => {
                found.say(&format!("{}: left out by `--skip-editable`", dependency.name));
            }
            Some(reason) => skipped.push((dependency.name.clone(), reason)),
            None => {}
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
    found.not_looked_at(&skipped, "package");
    Ok(found.finish(name, "pip-audit"))
}

/// Why every package was skipped, if each of them was: then nobody answered, and that nothing was found says nothing.
fn unanswered(dependencies: &[Dependency]) -> Option<String> {
    let reasons: Option<Vec<&String>> = dependencies.iter().map(|one| one.skip_reason.as_ref()).collect();
    let first = *reasons?.first()?;
    Some(crate::tests_found::shortened(first.lines().next().unwrap_or_default(), 300))
}
