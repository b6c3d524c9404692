//! Filter lists and their rule.

use lineclear_source::{Diagnostic, Spanned};

use super::name::{Name, Names};
use super::{FilterPattern, PatternError};
use crate::{Patterns, code};

/// A filter list: `branches`, `paths-ignore` and their like.
#[derive(Clone, Debug)]
pub struct PatternSet {
    ignore: bool,
    /// Each with its index in the list as written; patterns that could not be read are left out.
    patterns: Vec<(usize, FilterPattern)>,
}

impl PatternSet {
    /// Makes a set of a filter list. Patterns that are none are reported and match nothing.
    pub fn new(patterns: &Patterns) -> (Self, Vec<Diagnostic>) {
        let mut diagnostics = Vec::new();
        let mut list = Vec::with_capacity(patterns.list.len());
        for (index, text) in patterns.list.iter().enumerate() {
            match FilterPattern::parse(&text.value) {
                Ok(pattern) => list.push((index, pattern)),
                Err(error) => diagnostics.push(not_a_pattern(text, &error)),
            }
        }
        (Self { ignore: patterns.ignore, patterns: list }, diagnostics)
    }

    /// The last pattern that matches `name`: whether it takes the name in (`true`) or, by its `!`, out, and its index in
    /// the list as written. `None` where no pattern matches.
    ///
    /// Says nothing about the `-ignore` form: there, to be taken in means to be ignored. See [`Self::includes`].
    pub fn decide(&self, name: &str) -> Option<(bool, usize)> {
        self.decide_prepared(&Name::of(name))
    }

    fn decide_prepared(&self, name: &Name<'_>) -> Option<(bool, usize)> {
        let last =
            self.patterns.iter().rev().find(|(_, pattern)| pattern.may_match(name) && pattern.matches(name.text));
        last.map(|(index, pattern)| (!pattern.negative, *index))
    }

    /// Whether the filter lets `name` pass: for `X` if it is matched, for `X-ignore` if it is not.
    pub fn includes(&self, name: &str) -> bool {
        self.includes_prepared(&Name::of(name))
    }

    fn includes_prepared(&self, name: &Name<'_>) -> bool {
        matches!(self.decide_prepared(name), Some((true, _))) != self.ignore
    }

    /// Whether the filter lets any of `names` pass: the rule for `paths` and `paths-ignore`.
    pub fn any_included(&self, names: &Names<'_>) -> bool {
        self.first_included(names).is_some()
    }

    /// The first of `names` that the filter lets pass, for a reason to show.
    pub fn first_included<'a>(&self, names: &Names<'a>) -> Option<&'a str> {
        if !self.ignore && self.patterns.iter().all(|(_, pattern)| pattern.negative) {
            return None;
        }
        let found = match self.patterns.as_slice() {
            // The common filter has one pattern, and then the loop is worth keeping tight.
            [(_, only)] if !self.ignore => names.iter().find(|name| only.may_match(name) && only.matches(name.text)),
            _ => names.iter().find(|name| self.includes_prepared(name)),
        };
        found.map(|name| name.text)
    }
}

/// The finding for a text that is no pattern.
pub(crate) fn not_a_pattern(text: &Spanned<String>, error: &PatternError) -> Diagnostic {
    Diagnostic::error(code::GLOB_SYNTAX, format!("`{}` is not a filter pattern: {error}", text.value)).at(text.span)
}
