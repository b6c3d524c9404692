//! When a label applies.

use fancy_regex::Regex;
use serde_json::Value;

use crate::globs::{Dots, Glob};

/// What is known of the pull request.
#[derive(Clone, Debug, Default)]
pub(super) struct Pull {
    pub(super) files: Vec<String>,
    pub(super) base: String,
    pub(super) head: String,
}

/// The configuration.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    /// By label, in the order of the file: all groups have to match.
    pub(super) labels: Vec<(String, Vec<Group>)>,
    /// Label and key of what is not known.
    pub(super) unknown: Vec<(String, String)>,
}

/// Conditions of which one or all have to hold.
#[derive(Clone, Debug)]
pub(super) enum Group {
    Any(Vec<Condition>),
    All(Vec<Condition>),
}

/// What has to hold. Parts that are absent hold in `all` and do not in `any`.
#[derive(Clone, Debug, Default)]
pub(super) struct Condition {
    files: Vec<Files>,
    base: Vec<Regex>,
    head: Vec<Regex>,
}

/// Patterns against the changed files.
#[derive(Clone, Debug)]
struct Files {
    how: How,
    globs: Vec<Glob>,
}

#[derive(Clone, Copy, Debug)]
enum How {
    AnyGlobAnyFile,
    AnyGlobAllFiles,
    AllGlobsAnyFile,
    AllGlobsAllFiles,
}

impl Rules {
    /// # Errors
    /// A sentence about what cannot be understood.
    pub(super) fn read(configuration: &Value, dots: Dots) -> Result<Self, String> {
        let mut rules = Self::default();
        let labels = match configuration {
            Value::Null => return Ok(rules),
            Value::Object(labels) => labels,
            _ => return Err("the configuration is to be a mapping from labels to their conditions".into()),
        };
        for (label, options) in labels {
            // Settings of the whole file, in the newest versions.
            if options.is_number() && ["changed-files-labels-limit", "max-files-changed"].contains(&label.as_str()) {
                rules.unknown.push(("the file".into(), label.clone()));
                continue;
            }
            let Value::Array(options) = options else {
                return Err(format!("found unexpected type for label '{label}' (should be array of config options)"));
            };
            let groups = rules.groups(label, options, dots)?;
            rules.labels.push((label.clone(), groups));
        }
        Ok(rules)
    }

    fn groups(&mut self, label: &str, options: &[Value], dots: Dots) -> Result<Vec<Group>, String> {
        let mut groups = Vec::new();
        // What stands outside of `any` and `all` comes together in one `any`.
        let mut loose: Option<usize> = None;
        for option in options {
            let Value::Object(option) = option else {
                if option.is_null() {
                    continue;
                }
                return Err(format!("label '{label}': a condition is to be a mapping such as `changed-files: …`"));
            };
            for (key, value) in option {
                match key.as_str() {
                    "any" | "all" => {
                        let conditions = list(value)
                            .iter()
                            .map(|value| condition(label, value, dots))
                            .collect::<Result<Vec<_>, _>>()?;
                        if key == "any" {
                            loose.get_or_insert(groups.len());
                            groups.push(Group::Any(conditions));
                        } else {
                            groups.push(Group::All(conditions));
                        }
                    }
                    "changed-files" | "base-branch" | "head-branch" => {
                        let one = condition(label, &serde_json::json!({ key: value }), dots)?;
                        match loose.and_then(|index| groups.get_mut(index)) {
                            Some(Group::Any(conditions)) => conditions.push(one),
                            _ => {
                                loose = Some(groups.len());
                                groups.push(Group::Any(vec![one]));
                            }
                        }
                    }
                    other => self.unknown.push((label.to_owned(), other.to_owned())),
                }
            }
        }
        Ok(groups)
    }
}

fn condition(label: &str, value: &Value, dots: Dots) -> Result<Condition, String> {
    let mut condition = Condition::default();
    let Value::Object(parts) = value else {
        return Err(format!("label '{label}': a condition is to be a mapping such as `changed-files: …`"));
    };
    for (key, value) in parts {
        match key.as_str() {
            "changed-files" => {
                for entry in list(value) {
                    let Value::Object(entry) = entry else {
                        return Err(format!(
                            "The \"changed-files\" section must have a valid config structure. Please read the action documentation for more information (label '{label}')"
                        ));
                    };
                    for (how, globs) in entry {
                        condition.files.push(files(label, how, globs, dots)?);
                    }
                }
            }
            "base-branch" => condition.base = regexes(label, value)?,
            "head-branch" => condition.head = regexes(label, value)?,
            _ => {}
        }
    }
    Ok(condition)
}

fn files(label: &str, how: &str, globs: &Value, dots: Dots) -> Result<Files, String> {
    let how = match how {
        "any-glob-to-any-file" => How::AnyGlobAnyFile,
        "any-glob-to-all-files" => How::AnyGlobAllFiles,
        "all-globs-to-any-file" => How::AllGlobsAnyFile,
        "all-globs-to-all-files" => How::AllGlobsAllFiles,
        other => {
            return Err(format!(
                "Unknown config options were under \"changed-files\": {other} (label '{label}'); expected any-glob-to-any-file, \
                 any-glob-to-all-files, all-globs-to-any-file or all-globs-to-all-files"
            ));
        }
    };
    let globs = texts(globs).into_iter().map(|glob| Glob::new(&glob, dots)).collect::<Result<Vec<_>, _>>()?;
    Ok(Files { how, globs })
}

fn regexes(label: &str, value: &Value) -> Result<Vec<Regex>, String> {
    let read = |text: String| {
        Regex::new(&text).map_err(|error| format!("label '{label}': `{text}` is no usable regular expression: {error}"))
    };
    texts(value).into_iter().map(read).collect()
}

/// A list, or one entry in its place.
fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

fn texts(value: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    list(value).into_iter().map(text).collect()
}

impl Group {
    pub(super) fn matches(&self, pull: &Pull) -> bool {
        match self {
            Self::Any(conditions) => conditions.iter().any(|condition| condition.parts(pull).any(|part| part)),
            Self::All(conditions) => {
                !conditions.is_empty() && conditions.iter().all(|condition| condition.all_parts(pull))
            }
        }
    }
}

impl Condition {
    /// Of each part that is there, whether one of its entries holds.
    fn parts<'c>(&'c self, pull: &'c Pull) -> impl Iterator<Item = bool> + 'c {
        let files = (!self.files.is_empty()).then(|| self.files.iter().any(|files| files.matches(&pull.files)));
        let base = (!self.base.is_empty()).then(|| self.base.iter().any(|regex| is_match(regex, &pull.base)));
        let head = (!self.head.is_empty()).then(|| self.head.iter().any(|regex| is_match(regex, &pull.head)));
        [base, files, head].into_iter().flatten()
    }

    fn all_parts(&self, pull: &Pull) -> bool {
        self.files.iter().all(|files| files.matches(&pull.files))
            && self.base.iter().all(|regex| is_match(regex, &pull.base))
            && self.head.iter().all(|regex| is_match(regex, &pull.head))
    }
}

impl Files {
    fn matches(&self, files: &[String]) -> bool {
        match self.how {
            How::AnyGlobAnyFile => files.iter().any(|file| self.globs.iter().any(|glob| glob.matches(file))),
            How::AnyGlobAllFiles => self.globs.iter().any(|glob| files.iter().all(|file| glob.matches(file))),
            How::AllGlobsAnyFile => files.iter().any(|file| self.globs.iter().all(|glob| glob.matches(file))),
            How::AllGlobsAllFiles => self.globs.iter().all(|glob| files.iter().all(|file| glob.matches(file))),
        }
    }
}

fn is_match(regex: &Regex, branch: &str) -> bool {
    regex.is_match(branch).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(configuration: &str, expected: &[&str]) {
        let pull =
            Pull { files: vec!["src/a.js".into(), "docs/a.md".into()], base: "main".into(), head: "feature/x".into() };
        let configuration = crate::yaml::value("labeler.yml", configuration).expect("YAML");
        let rules = Rules::read(&configuration, Dots::Matched).expect("rules");
        let labels: Vec<&str> = rules
            .labels
            .iter()
            .filter(|(_, groups)| groups.iter().all(|group| group.matches(&pull)))
            .map(|(label, _)| label.as_str())
            .collect();
        assert_eq!(labels, expected);
    }

    #[test]
    fn labels_follow_files_and_branches() {
        check(
            "docs:\n- changed-files:\n  - any-glob-to-any-file: [docs/**]\n\
             only-docs:\n- changed-files:\n  - any-glob-to-all-files: docs/**\n\
             all:\n- changed-files:\n  - all-globs-to-all-files: ['**', '!lib/**']\n\
             both:\n- changed-files:\n  - all-globs-to-any-file: ['src/**', '**/*.js']\n",
            &["docs", "all", "both"],
        );
        check(
            "feature:\n- head-branch: ['^feature', 'x']\n\
             release:\n- base-branch: '^release'\n\
             either:\n- base-branch: none\n- head-branch: feature\n\
             src-to-main:\n- all:\n  - changed-files:\n    - any-glob-to-any-file: 'src/**'\n  - base-branch: main\n\
             neither:\n- any:\n  - base-branch: dev\n  - head-branch: fix\n",
            &["feature", "either", "src-to-main"],
        );
    }

    #[test]
    fn what_cannot_be_understood_is_said() {
        let read = |text: &str| {
            let value = crate::yaml::value("labeler.yml", text).expect("YAML");
            Rules::read(&value, Dots::Matched).map(|rules| rules.unknown)
        };
        assert!(read("docs: 'docs/**'").is_err_and(|error| error.contains("should be array of config options")));
        assert!(read("a:\n- changed-files:\n  - any: x").is_err_and(|error| error.contains("Unknown config options")));
        assert!(read("a:\n- head-branch: '('").is_err_and(|error| error.contains("regular expression")));
        assert_eq!(read("a:\n- wat: x"), Ok(vec![("a".into(), "wat".into())]));
    }
}
