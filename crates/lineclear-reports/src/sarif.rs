//! SARIF 2.1.0.
//!
//! # Source
//! The OASIS standard (sections 3.17, 3.20, 3.27, 3.49, 3.58), and GitHub's documentation of what it reads of it: the category is what stands
//! before the last slash of `automationDetails.id`, and a result's level falls back to that of its rule.

use std::collections::BTreeMap;

use lineclear_event::{Finding, Findings, Severity};
use serde::Deserialize;
use serde_json::Value;

use crate::findings_found::FindingsFound;
use crate::json::{self, or_default};
use crate::{Limits, Wrong};

#[derive(Deserialize)]
struct Log {
    #[serde(default, deserialize_with = "or_default")]
    version: String,
    runs: Option<Vec<Run>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Option<Tool>,
    automation_details: Option<AutomationDetails>,
    #[serde(default, deserialize_with = "or_default")]
    results: Vec<Found>,
    #[serde(default, deserialize_with = "or_default")]
    invocations: Vec<Invocation>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: Option<bool>,
    #[serde(default, deserialize_with = "or_default")]
    tool_execution_notifications: Vec<Notification>,
    #[serde(default, deserialize_with = "or_default")]
    tool_configuration_notifications: Vec<Notification>,
}

/// What the scanner says of its own work. An error among them keeps what it found from being all that is there.
#[derive(Deserialize)]
struct Notification {
    level: Option<String>,
    message: Option<Message>,
    #[serde(default, deserialize_with = "or_default")]
    locations: Vec<Location>,
}

impl Notification {
    fn is_error(&self) -> bool {
        self.level.as_deref() == Some("error")
    }

    fn about(&self) -> (String, String) {
        let place = self.locations.first().and_then(|location| location.physical_location.as_ref());
        let file = place.and_then(|place| place.artifact_location.as_ref()?.uri.clone());
        let text = self.message.as_ref().and_then(|message| message.text.clone());
        (file.unwrap_or_else(|| "a part".into()), text.unwrap_or_else(|| "it does not say why".into()))
    }
}

/// What scanners add, of which only this has an agreed meaning: a score between 0 and 10, as text or as number.
#[derive(Default, Deserialize)]
struct Properties {
    #[serde(rename = "security-severity")]
    security_severity: Option<Value>,
}

#[derive(Deserialize)]
struct Suppression {
    status: Option<String>,
}

#[derive(Deserialize)]
struct Tool {
    driver: Option<Component>,
    #[serde(default, deserialize_with = "or_default")]
    extensions: Vec<Component>,
}

#[derive(Default, Deserialize)]
struct Component {
    #[serde(default, deserialize_with = "or_default")]
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    #[serde(default, deserialize_with = "or_default")]
    id: String,
    default_configuration: Option<Configuration>,
    #[serde(default, deserialize_with = "or_default")]
    message_strings: BTreeMap<String, Message>,
    short_description: Option<Message>,
    help: Option<Message>,
    #[serde(default, deserialize_with = "or_default")]
    properties: Properties,
}

#[derive(Deserialize)]
struct Configuration {
    level: Option<String>,
}

#[derive(Deserialize)]
struct AutomationDetails {
    id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    rule_id: Option<String>,
    rule_index: Option<i64>,
    rule: Option<RuleReference>,
    level: Option<String>,
    kind: Option<String>,
    message: Option<Message>,
    #[serde(default, deserialize_with = "or_default")]
    locations: Vec<Location>,
    #[serde(default, deserialize_with = "or_default")]
    suppressions: Vec<Suppression>,
    baseline_state: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    properties: Properties,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RuleReference {
    id: Option<String>,
    index: Option<i64>,
    tool_component: Option<ComponentReference>,
}

#[derive(Deserialize)]
struct ComponentReference {
    index: Option<i64>,
}

#[derive(Default, Deserialize)]
struct Message {
    text: Option<String>,
    id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: Option<PhysicalLocation>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: Option<ArtifactLocation>,
    region: Option<Region>,
}

#[derive(Deserialize)]
struct ArtifactLocation {
    uri: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: Option<u64>,
}

pub(crate) fn read(name: &str, text: &str, limits: &Limits) -> Result<Vec<Findings>, Wrong> {
    let log: Log = json::read(text, "the report")?;
    let unexpected = |found: String, expected| Wrong::Unexpected { line: 1, found, expected };
    if log.version != "2.1.0" {
        let found = if log.version.is_empty() { "no `version`".into() } else { format!("version `{}`", log.version) };
        return Err(unexpected(found, "version `2.1.0`"));
    }
    let Some(runs) = log.runs else { return Err(unexpected("no `runs`".into(), "a list of runs")) };
    Ok(runs.iter().map(|run| run.findings(name, limits)).collect())
}

impl Run {
    fn findings(&self, name: &str, limits: &Limits) -> Findings {
        let tool = self.tool.as_ref().and_then(|tool| tool.driver.as_ref()).map_or("", |driver| driver.name.as_str());
        let id = self.automation_details.as_ref().and_then(|details| details.id.as_deref()).unwrap_or_default();
        let mut levels: BTreeMap<String, u64> = BTreeMap::new();
        let mut all = FindingsFound::new(limits);
        for found in self.results.iter().filter(|found| found.is_open()) {
            // What was looked at and accepted is no finding any more.
            if found.is_suppressed() {
                all.ignore(1);
                continue;
            }
            let rule = self.rule(found);
            let configured = rule.and_then(|rule| rule.default_configuration.as_ref()?.level.as_deref());
            let score = found.properties.score().or_else(|| rule?.properties.score());
            let level = match found.level.as_deref().or(configured) {
                Some("none") if score.is_none_or(|score| score <= 0.0) => continue,
                Some(level @ ("error" | "warning" | "note")) => level,
                _ => "warning",
            };
            *levels.entry(level.to_owned()).or_default() += 1;
            let severity = score.map_or_else(|| severity_of_level(level), Severity::of_score);
            all.add(found.finding(severity, rule));
        }
        if self.invocations.iter().any(|one| one.execution_successful == Some(false)) {
            all.incomplete("the scanner says of itself that it did not finish (`executionSuccessful` is false)");
        }
        let own = |one: &'_ Invocation| -> Vec<(String, String)> {
            let all = one.tool_execution_notifications.iter().chain(&one.tool_configuration_notifications);
            all.filter(|note| note.is_error()).map(Notification::about).collect()
        };
        all.not_looked_at(&self.invocations.iter().flat_map(own).collect::<Vec<_>>(), "part");
        Findings {
            category: id.rsplit_once('/').map_or(id, |(category, _)| category).to_owned(),
            levels,
            ..all.finish(name, tool)
        }
    }

    fn rule(&self, found: &Found) -> Option<&Rule> {
        let tool = self.tool.as_ref()?;
        let reference = found.rule.as_ref();
        let extension = reference.and_then(|rule| rule.tool_component.as_ref()?.index);
        let component = match extension.and_then(|index| usize::try_from(index).ok()) {
            Some(index) => tool.extensions.get(index)?,
            None => tool.driver.as_ref()?,
        };
        let index = found.rule_index.or_else(|| reference?.index).and_then(|index| usize::try_from(index).ok());
        let id = found.rule_id();
        index
            .and_then(|index| component.rules.get(index))
            .or_else(|| component.rules.iter().find(|rule| Some(rule.id.as_str()) == id))
    }
}

impl Found {
    fn rule_id(&self) -> Option<&str> {
        self.rule_id.as_deref().or_else(|| self.rule.as_ref()?.id.as_deref())
    }

    /// Whether it is about something that is there.
    fn is_open(&self) -> bool {
        !matches!(self.kind.as_deref(), Some("pass" | "notApplicable" | "informational"))
            && self.baseline_state.as_deref() != Some("absent")
    }

    /// A suppression that is under review, or was rejected, is none yet.
    fn is_suppressed(&self) -> bool {
        let is_accepted = |one: &Suppression| one.status.as_deref().is_none_or(|status| status == "accepted");
        !self.suppressions.is_empty() && self.suppressions.iter().all(is_accepted)
    }

    fn finding(&self, severity: Severity, rule: Option<&Rule>) -> Finding {
        let place = self.locations.first().and_then(|location| location.physical_location.as_ref());
        let file = place.and_then(|place| place.artifact_location.as_ref()?.uri.as_deref());
        let line = place.and_then(|place| place.region.as_ref()?.start_line);
        let message = self.message.as_ref();
        let text = message
            .and_then(|message| message.text.as_deref())
            .or_else(|| rule?.message_strings.get(message?.id.as_deref()?)?.text.as_deref())
            .unwrap_or_default();
        let id = self.rule_id().or(rule.map(|rule| rule.id.as_str())).unwrap_or_default();
        let package = Package::named_in(text).or_else(|| Package::named_in(rule?.help.as_ref()?.text.as_deref()?));
        if let Some(package) = package {
            return Finding {
                severity,
                id: package.vulnerability.unwrap_or(id).to_owned(),
                place: package.name.to_owned(),
                version: package.version.to_owned(),
                fixed: package.fixed.to_owned(),
                title: rule.and_then(|rule| rule.short_description.as_ref()?.text.clone()).unwrap_or_default(),
            };
        }
        let place = match (file, line) {
            (Some(file), Some(line)) => format!("{file}:{line}"),
            (Some(file), None) => file.to_owned(),
            (None, _) => String::new(),
        };
        let (version, fixed) = (String::new(), String::new());
        Finding { severity, id: id.to_owned(), place, version, fixed, title: text.to_owned() }
    }
}

impl Properties {
    fn score(&self) -> Option<f64> {
        match self.security_severity.as_ref()? {
            Value::String(text) => text.trim().parse().ok(),
            other => other.as_f64(),
        }
        .filter(|score: &f64| (0.0..=10.0).contains(score))
    }
}

/// For findings without a score: nothing of them says that they are critical.
fn severity_of_level(level: &str) -> Severity {
    match level {
        "error" => Severity::High,
        "note" => Severity::Low,
        _ => Severity::Medium,
    }
}

/// The package that trivy's messages and grype's help texts name, one fact a line.
struct Package<'t> {
    name: &'t str,
    version: &'t str,
    fixed: &'t str,
    vulnerability: Option<&'t str>,
}

impl<'t> Package<'t> {
    fn named_in(text: &'t str) -> Option<Self> {
        let value = |keys: &[&str]| {
            text.lines().find_map(|line| keys.iter().find_map(|key| line.strip_prefix(*key))).map(str::trim)
        };
        Some(Self {
            name: value(&["Package: "]).filter(|name| !name.is_empty())?,
            version: value(&["Installed Version:", "Version:"])?,
            fixed: value(&["Fixed Version:", "Fix Version:"]).unwrap_or_default(),
            vulnerability: value(&["Vulnerability "]).filter(|id| !id.is_empty()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"{"$schema":"https://json.schemastore.org/sarif-2.1.0.json","version":"2.1.0","runs":[
      {"tool":{"driver":{"name":"Bandit","rules":[{"id":"B101","defaultConfiguration":{"level":"note"}},{"id":"B602"}]}},
       "automationDetails":{"id":"bandit/2024-01-01"},
       "results":[
        {"ruleId":"B602","ruleIndex":1,"level":"error","message":{"text":"shell=True\nmore"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"src/a.py"},"region":{"startLine":3}}}]},
        {"ruleId":"B101","message":{"text":"assert used"}},
        {"ruleId":"B999","message":{"text":"unknown rule"}},
        {"ruleId":"B101","message":{"text":"accepted"},"suppressions":[{"kind":"inSource"}]},
        {"ruleId":"B101","kind":"pass","message":{"text":"fine"}}]},
      {"tool":{"driver":{"name":"Trivy"}},"results":null}]}"#;

    /// S1-53, S1-68: findings by level, under the category of the run.
    #[test]
    fn findings_are_counted_by_level_and_category() {
        let found = read("a.sarif", REPORT, &Limits::default()).expect("a report");
        assert_eq!((found[0].tool.as_str(), found[0].category.as_str()), ("Bandit", "bandit"));
        let levels: Vec<_> = found[0].levels.iter().map(|(level, count)| (level.as_str(), *count)).collect();
        assert_eq!(levels, [("error", 1), ("note", 1), ("warning", 1)]);
        assert_eq!(found[0].first, ["src/a.py:3: B602: shell=True", "B101: assert used", "B999: unknown rule"]);
        assert_eq!((found[1].tool.as_str(), found[1].levels.len()), ("Trivy", 0));
    }

    #[test]
    fn other_versions_and_damage_are_refused() {
        let error = |text: &str| read("a", text, &Limits::default()).expect_err("damaged").to_string();
        assert_eq!(
            error(r#"{"version":"2.0.0","runs":[]}"#),
            "line 1: found version `2.0.0`, expected version `2.1.0`"
        );
        assert!(error("{\n\"version\":\"2.1.0\",\n\"runs\":[{").starts_with("line 3: the file ends inside the report"));
        assert!(error(r#"{"version":"2.1.0"}"#).contains("no `runs`"));
    }

    /// trivy's form: the score stands in the rule, the package in the message.
    #[test]
    fn scores_are_severities_and_packages_are_named() {
        let text = r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"Trivy","rules":[
          {"id":"CVE-2024-1","shortDescription":{"text":"glibc: overflow"},"defaultConfiguration":{"level":"error"},
           "properties":{"precision":"very-high","security-severity":"9.8","tags":["vulnerability","security","CRITICAL"]}},
          {"id":"CVE-2024-2","defaultConfiguration":{"level":"error"},"properties":{"security-severity":"0.0"}},
          {"id":"GHSA-1-pip","help":{"text":"Vulnerability GHSA-1\nSeverity: high\nPackage: pip\nVersion: 1\nFix Version: 2\nType: python"},
           "properties":{"security-severity":"7.5"}}]}},
         "results":[
          {"ruleId":"CVE-2024-1","ruleIndex":0,"level":"error","message":{"text":"Package: libc6\nInstalled Version: 2.36\nVulnerability CVE-2024-1\nSeverity: CRITICAL\nFixed Version: 2.37\nLink: x"}},
          {"ruleId":"CVE-2024-2","level":"none","message":{"text":"nothing"}},
          {"ruleId":"CVE-2024-2","level":"note","properties":{"security-severity":5.1},"message":{"text":"own score"}},
          {"ruleId":"GHSA-1-pip","level":"error","message":{"text":"A high vulnerability in python package: pip"}},
          {"ruleId":"gone","baselineState":"absent","message":{"text":"repaired"}},
          {"ruleId":"seen","suppressions":[{"kind":"external","status":"underReview"}],"message":{"text":"not yet accepted"}},
          {"ruleId":"ok","suppressions":[{"kind":"external","status":"accepted"}],"message":{"text":"accepted"}}]}]}"#;
        let found = &read("a.sarif", text, &Limits::default()).expect("a report")[0];
        let shown: Vec<_> = found
            .found
            .iter()
            .map(|f| (f.severity.as_str(), f.id.as_str(), f.place.as_str(), f.version.as_str(), f.fixed.as_str()))
            .collect();
        assert_eq!(
            shown,
            [
                ("critical", "CVE-2024-1", "libc6", "2.36", "2.37"),
                ("high", "GHSA-1", "pip", "1", "2"),
                ("medium", "CVE-2024-2", "", "", ""),
                ("medium", "seen", "", "", ""),
            ]
        );
        assert_eq!((found.found[0].title.as_str(), found.ignored), ("glibc: overflow", 1));
        assert_eq!(found.counts.values().sum::<u64>(), 4);
    }

    #[test]
    fn a_scanner_that_did_not_finish_has_found_nothing_that_counts() {
        let text = r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"T"}},"invocations":[{"executionSuccessful":false}],"results":[]}]}"#;
        let found = &read("a.sarif", text, &Limits::default()).expect("a report")[0];
        assert!(found.unreadable.contains("did not finish"), "{}", found.unreadable);
    }
}
