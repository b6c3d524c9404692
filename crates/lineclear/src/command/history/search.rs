//! Looking for a text in log lines.

use std::ops::Range;

use fancy_regex::Regex;
use lineclear_source::Style;

use crate::history::HistoryError;

/// What is looked for.
#[derive(Debug)]
pub(super) struct Search(Regex);

/// How a pattern is meant.
#[derive(Clone, Copy, Debug)]
pub(super) struct Meaning {
    pub(super) ignore_case: bool,
    /// As plain text, not as a regular expression.
    pub(super) is_fixed: bool,
}

impl Search {
    /// # Errors
    /// The pattern is no regular expression.
    pub(super) fn new(pattern: &str, meaning: Meaning) -> Result<Self, HistoryError> {
        let text = if meaning.is_fixed { fancy_regex::escape(pattern).into_owned() } else { pattern.to_owned() };
        let text = if meaning.ignore_case { format!("(?i){text}") } else { text };
        let wrong = |error: fancy_regex::Error| {
            HistoryError::Asked(format!("`{pattern}` is no regular expression: {error}; -F looks for it as plain text"))
        };
        Regex::new(&text).map(Self).map_err(wrong)
    }

    /// Whether the line has it. A pattern that takes too long on a line does not match it.
    pub(super) fn is_in(&self, line: &str) -> bool {
        self.0.is_match(line).unwrap_or(false)
    }

    /// Where it is in the line.
    pub(super) fn places(&self, line: &str) -> Vec<Range<usize>> {
        self.0
            .find_iter(line)
            .map_while(Result::ok)
            .map(|found| found.range())
            .filter(|range| !range.is_empty())
            .collect()
    }

    /// The line with what was found in colour; without colours it stays as it is.
    pub(super) fn highlighted(&self, line: &str, style: Style) -> String {
        let mut text = String::new();
        let mut shown = 0;
        for place in self.places(line) {
            text.push_str(&line[shown..place.start]);
            text.push_str(&style.paint("1;31", &line[place.clone()]));
            shown = place.end;
        }
        text.push_str(&line[shown..]);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_a_regular_expression_unless_said_otherwise() {
        let search = |pattern: &str, ignore_case, is_fixed| {
            Search::new(pattern, Meaning { ignore_case, is_fixed }).expect("a pattern")
        };
        assert!(search("a.c", false, false).is_in("abc"));
        assert!(!search("a.c", false, true).is_in("abc"));
        assert!(search("A.C", true, true).is_in("xa.c"));
        assert_eq!(
            search("b+", false, false).highlighted("abbcb", Style::Coloured),
            "a\u{1b}[1;31mbb\u{1b}[0mc\u{1b}[1;31mb\u{1b}[0m"
        );
        assert_eq!(search("x*", false, false).places("aé").len(), 0, "what is found everywhere is shown nowhere");
        let wrong = Search::new("(", Meaning { ignore_case: false, is_fixed: false }).expect_err("no expression");
        assert!(wrong.to_string().contains("-F looks for it as plain text"), "{wrong}");
    }
}
