//! Which rules speak, how loud, and where.

use std::collections::{BTreeMap, BTreeSet};

use lineclear_source::Severity;
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

impl Settings {
    /// What is set for the rule `id` in the file at `path`, if anything.
    pub fn level(&self, id: &str, path: &str) -> Option<Level> {
        let by_path =
            self.paths.iter().rev().filter(|(patterns, _)| patterns.iter().any(|pattern| pattern.matches(path)));
        let by_path = by_path.filter_map(|(_, levels)| levels.get(id).or_else(|| levels.get("*"))).next();
        by_path.or_else(|| self.levels.get(id)).copied()
    }

    /// Whether the rule is asked at all about the file at `path`.
    pub fn is_on(&self, meta: &RuleMeta, path: &str) -> bool {
        if let Some(only) = &self.only {
            return only.contains(meta.id);
        }
        match self.level(meta.id, path) {
            Some(Level::Off) => false,
            Some(Level::As(_)) => true,
            None => self.pedantic || meta.activity == Activity::Default,
        }
    }
}
