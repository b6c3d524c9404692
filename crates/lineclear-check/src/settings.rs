//! Which rules speak, how loud, and where.

use std::collections::{BTreeMap, BTreeSet};

use lineclear_policy::{CheckPolicy, RuleLevel};
use lineclear_source::{Severity, Spanned};
use lineclear_workflow::FilterPattern;

use crate::{Activity, Dialect, RuleMeta};

/// What a setting makes of a rule's findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// They are not looked for.
    Off,
    /// They have this severity.
    As(Severity),
}

/// How to check.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The language of files that are in none of the forges' own folders.
    pub dialect: Dialect,
    /// Whether pedantic rules speak.
    pub pedantic: bool,
    /// Levels by rule id.
    pub levels: BTreeMap<String, Level>,
    /// Levels by rule id for the files that any of the patterns matches; later ones win. An id of `*` means every rule.
    pub paths: Vec<(Vec<FilterPattern>, BTreeMap<String, Level>)>,
    /// If set, the rules that speak at all, those of the readers included.
    pub only: Option<BTreeSet<String>>,
    /// Whether findings carry their fixes.
    pub fixes: bool,
    /// Whether comments that ignore nothing are reported.
    pub report_unused_ignores: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            dialect: Dialect::GitHub,
            pedantic: false,
            levels: BTreeMap::new(),
            paths: Vec::new(),
            only: None,
            fixes: false,
            report_unused_ignores: true,
        }
    }
}

fn levels(rules: &[(Spanned<String>, Spanned<RuleLevel>)]) -> impl Iterator<Item = (String, Level)> {
    rules.iter().map(|(rule, level)| (rule.value.clone(), Level::from(level.value)))
}

impl From<RuleLevel> for Level {
    fn from(level: RuleLevel) -> Self {
        match level {
            RuleLevel::Off => Self::Off,
            RuleLevel::As(severity) => Self::As(severity),
        }
    }
}

impl Settings {
    /// Takes over what `[check]` of `lineclear.toml` says. Patterns that cannot be read match nothing: `unknown-rule-setting` tells of them.
    pub fn take(&mut self, check: &CheckPolicy) {
        self.pedantic |= check.pedantic.as_ref().is_some_and(|pedantic| pedantic.value);
        if let Some(dialect) = &check.dialect {
            self.dialect = match dialect.value {
                lineclear_policy::Dialect::GitHub => Dialect::GitHub,
                lineclear_policy::Dialect::Gitea => Dialect::Gitea,
            };
        }
        self.levels.extend(levels(&check.rules));
        for paths in &check.paths {
            let patterns = paths.files.iter().filter_map(|pattern| FilterPattern::parse(&pattern.value).ok()).collect();
            self.paths.push((patterns, levels(&paths.rules).collect()));
        }
    }

    /// What is set for the rule `id` in the file at `path`, if anything.
    pub fn level(&self, id: &str, path: &str) -> Option<Level> {
        let by_path =
            self.paths.iter().rev().filter(|(patterns, _)| patterns.iter().any(|pattern| pattern.matches(path)));
        let by_path = by_path.filter_map(|(_, levels)| levels.get(id).or_else(|| levels.get("*"))).next();
        by_path.or_else(|| self.levels.get(id)).copied()
    }

    /// Whether the settings for the file at `path` name the rule itself.
    fn is_named(&self, id: &str, path: &str) -> bool {
        let of_path = self.paths.iter().filter(|(patterns, _)| patterns.iter().any(|pattern| pattern.matches(path)));
        self.levels.contains_key(id) || of_path.into_iter().any(|(_, levels)| levels.contains_key(id))
    }

    /// Whether the rule is asked at all about the file at `path`.
    pub fn is_on(&self, meta: &RuleMeta, path: &str) -> bool {
        if let Some(only) = &self.only {
            return only.contains(meta.id);
        }
        match self.level(meta.id, path) {
            Some(Level::Off) => false,
            // `*` sets how loud rules are; a pedantic one speaks only where it is named.
            Some(Level::As(_)) if self.is_named(meta.id, path) => true,
            Some(Level::As(_)) | None => self.pedantic || meta.activity == Activity::Default,
        }
    }
}
