//! Filters: sets of patterns, some for files that changed in a certain way only.

use lineclear_runner::native::NativeError;
use serde_json::Value;

use super::changes::{ChangedFile, Status};
use crate::globs::{Dots, Glob};
use crate::yaml;

#[derive(Clone, Debug)]
pub(super) struct Filters {
    /// In the order of the file.
    pub(super) all: Vec<(String, Vec<Rule>)>,
    quantifier: Quantifier,
}

/// How many rules of a filter a file has to match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quantifier {
    Some,
    Every,
}

impl Quantifier {
    pub(super) fn read(text: &str) -> Result<Self, NativeError> {
        match text {
            "some" | "" => Ok(Self::Some),
            "every" => Ok(Self::Every),
            other => {
                let message = "Input parameter 'predicate-quantifier' is set to invalid value";
                Err(NativeError(format!("{message} '{other}'. Valid values: every, some")))
            }
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Rule {
    /// Any way of changing when absent.
    statuses: Option<Vec<Status>>,
    /// One of them has to match.
    globs: Vec<Glob>,
}

impl Filters {
    /// # Errors
    /// A sentence about what cannot be understood.
    pub(super) fn read(text: &str, quantifier: Quantifier) -> Result<Self, String> {
        let invalid = |message: &str| format!("Invalid filter YAML format: {message}.");
        let value = yaml::value("filters", text).map_err(|error| invalid(&error))?;
        let Value::Object(entries) = value else { return Err(invalid("Root element is not an object")) };
        let mut all = Vec::new();
        for (name, value) in &entries {
            let mut rules = Vec::new();
            read_rules(value, 0, &mut rules).map_err(|error| invalid(&error))?;
            all.push((name.clone(), rules));
        }
        Ok(Self { all, quantifier })
    }

    pub(super) fn is_match(&self, rules: &[Rule], file: &ChangedFile) -> bool {
        let mut rules = rules.iter();
        match self.quantifier {
            Quantifier::Some => rules.any(|rule| rule.is_match(file)),
            Quantifier::Every => rules.all(|rule| rule.is_match(file)),
        }
    }
}

impl Rule {
    fn is_match(&self, file: &ChangedFile) -> bool {
        self.statuses.as_ref().is_none_or(|statuses| statuses.contains(&file.status))
            && self.globs.iter().any(|glob| glob.matches(&file.name))
    }
}

fn read_rules(value: &Value, depth: usize, rules: &mut Vec<Rule>) -> Result<(), String> {
    match value {
        Value::String(pattern) => rules.push(Rule { statuses: None, globs: vec![glob(pattern)?] }),
        // Lists in lists come from anchors.
        Value::Array(items) if depth < 20 => {
            for item in items {
                read_rules(item, depth + 1, rules)?;
            }
        }
        Value::Object(entries) => {
            for (status, patterns) in entries {
                let statuses =
                    status.split('|').map(|name| Status::read(name.trim())).collect::<Result<Vec<_>, _>>()?;
                let mut globs = Vec::new();
                for pattern in patterns.as_array().unwrap_or(&vec![patterns.clone()]) {
                    let Value::String(pattern) = pattern else {
                        return Err(format!(
                            "Expected [key:string]= pattern:string | string[], but [{status}] is none"
                        ));
                    };
                    globs.push(glob(pattern)?);
                }
                rules.push(Rule { statuses: Some(statuses), globs });
            }
        }
        other => return Err(format!("Unexpected element type '{other}'")),
    }
    Ok(())
}

fn glob(pattern: &str) -> Result<Glob, String> {
    Glob::new(pattern, Dots::Matched)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, quantifier: Quantifier, expected: &[(&str, usize)]) {
        let files = [("src/a.js", Status::Added), ("docs/a.md", Status::Modified), ("src/b.md", Status::Deleted)];
        let files = files.map(|(name, status)| ChangedFile { name: name.into(), status });
        let filters = Filters::read(text, quantifier).expect("filters");
        let found: Vec<(&str, usize)> = filters
            .all
            .iter()
            .map(|(name, rules)| (name.as_str(), files.iter().filter(|file| filters.is_match(rules, file)).count()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn filters_match_by_path_and_by_kind_of_change() {
        let text = "src: 'src/**'\nadded:\n- added: '**'\nsome:\n- added|deleted: ['src/**']\nshared: &shared\n- docs/**\nall:\n- *shared\n- '**/*.js'\n";
        check(text, Quantifier::Some, &[("src", 2), ("added", 1), ("some", 2), ("shared", 1), ("all", 2)]);
        check("code:\n- 'src/**'\n- '!**/*.md'\n", Quantifier::Every, &[("code", 1)]);
        check("code:\n- 'src/**'\n- '!**/*.md'\n", Quantifier::Some, &[("code", 2)]);
    }

    #[test]
    fn what_cannot_be_understood_is_said() {
        let error = |text: &str| Filters::read(text, Quantifier::Some).expect_err("wrong");
        assert!(error("- a").starts_with("Invalid filter YAML format: Root element is not an object"));
        assert!(error("a: 3").contains("Unexpected element type '3"));
        assert!(error("a:\n- moved: x").contains("moved"));
        assert!(error("a: [").starts_with("Invalid filter YAML format: filters:1:"));
    }
}
