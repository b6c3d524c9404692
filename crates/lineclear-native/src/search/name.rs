//! Patterns for names of artifacts: minimatch with its defaults, for names without slashes.
//!
//! # Source
//! The documentation of the npm package `minimatch`: braces, extended patterns, `!` and `#` in front, and that a leading dot is
//! matched only by a dot.

use super::class::{Class, class};
use crate::braces;

/// Deepest nesting of brackets.
const DEEPEST: usize = 20;

/// Whether an artifact's name matches the pattern.
pub(crate) fn name_matches(pattern: &str, name: &str) -> bool {
    let pattern = pattern.trim();
    if pattern.starts_with('#') {
        return false;
    }
    let bangs = pattern.chars().take_while(|character| *character == '!').count();
    let pattern: Vec<char> = pattern[bangs..].chars().collect();
    let name: Vec<char> = name.chars().collect();
    let matches = braces::expand(&pattern).iter().any(|alternative| one_matches(alternative, &name));
    matches != (bangs % 2 == 1)
}

fn one_matches(pattern: &[char], name: &[char]) -> bool {
    // A name is a path of one segment: `**/` in front of it matches nothing.
    let mut pattern = pattern;
    while let Some(rest) = pattern.strip_prefix(&['*', '*', '/']) {
        pattern = rest;
    }
    let starts_with_dot = name.first() == Some(&'.');
    if pattern.is_empty() || (starts_with_dot && pattern.first() != Some(&'.')) {
        return name.is_empty() && pattern.is_empty();
    }
    let mut start = vec![false; name.len() + 1];
    start[0] = true;
    ends(&parse(pattern, DEEPEST), name, start).last() == Some(&true)
}

/// A part of a pattern.
#[derive(Clone, Debug)]
enum Part {
    Character(char),
    AnyCharacter,
    AnyText,
    OneOf(Class),
    /// `?(a|b)`, `*(a|b)`, `+(a|b)`, `@(a|b)`, `!(a|b)`.
    Group(char, Vec<Vec<Part>>),
}

fn parse(pattern: &[char], depth: usize) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(&character) = pattern.get(at) {
        if "?*+@!".contains(character)
            && pattern.get(at + 1) == Some(&'(')
            && depth > 0
            && let Some((alternatives, length)) = group(&pattern[at + 1..])
        {
            let alternatives = alternatives.iter().map(|alternative| parse(alternative, depth - 1)).collect();
            parts.push(Part::Group(character, alternatives));
            at += 1 + length;
            continue;
        }
        at += 1;
        parts.push(match character {
            '*' => Part::AnyText,
            '?' => Part::AnyCharacter,
            '[' => match class(&pattern[at - 1..]) {
                Some((class, length)) => {
                    at += length - 1;
                    Part::OneOf(class)
                }
                None => Part::Character('['),
            },
            '\\' => match pattern.get(at) {
                Some(&next) => {
                    at += 1;
                    Part::Character(next)
                }
                None => Part::Character('\\'),
            },
            other => Part::Character(other),
        });
    }
    parts
}

/// The alternatives in parentheses at the start of `text`, and their length.
fn group(text: &[char]) -> Option<(Vec<Vec<char>>, usize)> {
    let (mut depth, mut alternatives, mut current) = (0_usize, Vec::new(), Vec::new());
    for (at, &character) in text.iter().enumerate() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        match (character, depth) {
            (')', 0) => {
                alternatives.push(current);
                return Some((alternatives, at + 1));
            }
            ('|', 1) => alternatives.push(std::mem::take(&mut current)),
            ('(', 1) => {}
            _ => current.push(character),
        }
    }
    None
}

/// Places in a name where a match can stand: one for each character, and the end.
type Places = Vec<bool>;

/// Where a match of `parts` that begins at one of `from` can end.
fn ends(parts: &[Part], name: &[char], from: Places) -> Places {
    parts.iter().fold(from, |places, part| after(part, name, &places))
}

fn after(part: &Part, name: &[char], from: &[bool]) -> Places {
    let step = |fits: &dyn Fn(char) -> bool| -> Places {
        let moved = name.iter().zip(from).map(|(character, is_here)| *is_here && fits(*character));
        std::iter::once(false).chain(moved).collect()
    };
    match part {
        Part::Character(wanted) => step(&|character| character == *wanted),
        Part::AnyCharacter => step(&|_| true),
        Part::OneOf(class) => step(&|character| class.contains(character)),
        Part::AnyText => {
            let mut seen = false;
            let mark = |is_here: &bool| {
                seen |= is_here;
                seen
            };
            from.iter().map(mark).collect()
        }
        Part::Group(kind, alternatives) => {
            let once = |from: &[bool]| {
                let each = alternatives.iter().map(|parts| ends(parts, name, from.to_vec()));
                each.fold(vec![false; from.len()], |all, places| union(&all, &places))
            };
            match kind {
                '@' => once(from),
                '?' => union(&once(from), from),
                '!' => {
                    let mut reached = vec![false; from.len()];
                    for place in (0..from.len()).filter(|place| from[*place]) {
                        let mut here = vec![false; from.len()];
                        here[place] = true;
                        let excluded = once(&here);
                        (place..from.len()).filter(|end| !excluded[*end]).for_each(|end| reached[end] = true);
                    }
                    reached
                }
                _ => {
                    let mut reached = once(from);
                    loop {
                        let further = union(&once(&reached), &reached);
                        if further == reached {
                            break;
                        }
                        reached = further;
                    }
                    if *kind == '*' { union(&reached, from) } else { reached }
                }
            }
        }
    }
}

fn union(left: &[bool], right: &[bool]) -> Places {
    left.iter().zip(right).map(|(left, right)| left | right).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, fits: &[&str], misfits: &[&str]) {
        for (names, expected) in [(fits, true), (misfits, false)] {
            for name in names {
                assert_eq!(name_matches(pattern, name), expected, "{pattern} {name}");
            }
        }
    }

    #[test]
    fn names_are_matched_as_minimatch_does() {
        check("*", &["a", "a b"], &[".a"]);
        check("report-*", &["report-", "report-3.12"], &["reports", "my-report-1"]);
        check("{junit,coverage}-*", &["junit-1", "coverage-x"], &["{junit,coverage}-1"]);
        check("a{1..3}", &["a1", "a3"], &["a4", "a"]);
        check("a{1,{b,c}d}", &["a1", "abd", "acd"], &["ab"]);
        check("{a}", &["{a}"], &["a"]);
        check("[0-9]?", &["1x"], &["x1", "1"]);
        check("!a*", &["b"], &["ab"]);
        check("!!a*", &["ab"], &["b"]);
        check("!(a|b)", &["a", "b"], &["(a|b)"]);
        check("x!(a|b)", &["xc", "xab", "x"], &["xa", "xb"]);
        check("+(ab|c)x", &["abx", "ccabx"], &["x"]);
        check("@(a|b)*(-[0-9])", &["a", "b-1-2"], &["c", "a-x"]);
        check("a?(b)c", &["ac", "abc"], &["abbc"]);
        check("**", &["a"], &[".a"]);
        check("**/a", &["a"], &["b"]);
        check(".*", &[".a"], &["a"]);
        check("#a", &[], &["#a", "a"]);
        check("", &[""], &["a"]);
        check("a\\*", &["a*"], &["ab"]);
        check("x(", &["x("], &["x"]);
    }

    #[test]
    fn no_pattern_takes_long() {
        let name = "a".repeat(500);
        assert!(!name_matches(&("a*".repeat(100) + "b"), &name));
        assert!(!name_matches(&("+(a|aa)".repeat(10) + "b"), &name));
        name_matches(&"{a,b}".repeat(30), "a");
        name_matches(&"{".repeat(5000), "a");
        name_matches(&"+(".repeat(5000), "a");
    }
}
