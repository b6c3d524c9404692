//! SARIF 2.1.0.
//!
//! # Source
//! The OASIS standard (sections 3.17, 3.27, 3.49), and GitHub's documentation of what it reads of it: the category is what stands
//! before the last slash of `automationDetails.id`, and a result's level falls back to that of its rule.

use std::collections::BTreeMap;

use lineclear_event::Findings;
use serde::Deserialize;

use crate::json::{self, or_default};
use crate::tests_found::shortened;
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
    suppressions: Vec<serde::de::IgnoredAny>,
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
        let tool = self.tool.as_ref().and_then(|tool| tool.driver.as_ref()).map(|driver| driver.name.clone());
        let id = self.automation_details.as_ref().and_then(|details| details.id.as_deref()).unwrap_or_default();
        let mut findings = Findings {
            name: name.to_owned(),
            tool: tool.unwrap_or_default(),
            category: id.rsplit_once('/').map_or(id, |(category, _)| category).to_owned(),
            ..Findings::default()
        };
        // What was looked at and accepted is no finding any more.
        let open = self.results.iter().filter(|found| found.suppressions.is_empty());
        for found in
            open.filter(|found| !matches!(found.kind.as_deref(), Some("pass" | "notApplicable" | "informational")))
        {
            let rule = self.rule(found);
            let configured = rule.and_then(|rule| rule.default_configuration.as_ref()?.level.as_deref());
            let level = match found.level.as_deref().or(configured) {
                Some("none") => continue,
                Some(level @ ("error" | "warning" | "note")) => level,
                _ => "warning",
            };
            *findings.levels.entry(level.to_owned()).or_default() += 1;
            if findings.first.len() < limits.findings {
                findings.first.push(found.line(rule, limits));
            }
        }
        findings
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

    /// "file:line: rule: message".
    fn line(&self, rule: Option<&Rule>, limits: &Limits) -> String {
        let place = self.locations.first().and_then(|location| location.physical_location.as_ref());
        let file = place.and_then(|place| place.artifact_location.as_ref()?.uri.as_deref());
        let line = place.and_then(|place| place.region.as_ref()?.start_line);
        let message = self.message.as_ref();
        let text = message
            .and_then(|message| message.text.as_deref())
            .or_else(|| rule?.message_strings.get(message?.id.as_deref()?)?.text.as_deref());
        let mut parts = Vec::new();
        match (file, line) {
            (Some(file), Some(line)) => parts.push(format!("{file}:{line}")),
            (Some(file), None) => parts.push(file.to_owned()),
            (None, _) => {}
        }
        parts.extend(self.rule_id().or(rule.map(|rule| rule.id.as_str())).map(str::to_owned));
        parts.extend(text.map(|text| shortened(text.lines().next().unwrap_or_default(), limits.message)));
        parts.join(": ")
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
}
