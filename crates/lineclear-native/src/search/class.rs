//! Sets of characters in patterns: `[a-z]`.
//!
//! # Source
//! The documentation of the npm package `minimatch`, after POSIX's bracket expressions.

/// A set of characters: `[a-z]`, `[!0-9]`, `[[:alpha:]_]`.
#[derive(Clone, Debug, Default)]
pub(super) struct Class {
    negated: bool,
    ranges: Vec<(char, char)>,
    named: Vec<String>,
}

impl Class {
    pub(super) fn contains(&self, character: char) -> bool {
        let in_named = |name: &String| match name.as_str() {
            "alpha" => character.is_alphabetic(),
            "digit" => character.is_numeric(),
            "alnum" => character.is_alphanumeric(),
            "upper" => character.is_uppercase(),
            "lower" => character.is_lowercase(),
            "space" => character.is_whitespace(),
            "blank" => matches!(character, ' ' | '\t'),
            "punct" => character.is_ascii_punctuation(),
            "cntrl" => character.is_control(),
            "xdigit" => character.is_ascii_hexdigit(),
            "word" => character.is_alphanumeric() || character == '_',
            "graph" => !character.is_control() && !character.is_whitespace(),
            "print" => !character.is_control(),
            "ascii" => character.is_ascii(),
            _ => false,
        };
        let is_in =
            self.ranges.iter().any(|(from, to)| (*from..=*to).contains(&character)) || self.named.iter().any(in_named);
        is_in != self.negated
    }
}

/// The set that `text` begins with, and its length; `None` where the bracket is never closed and so means itself.
pub(super) fn class(text: &[char]) -> Option<(Class, usize)> {
    let mut class = Class::default();
    let mut at = 1;
    if matches!(text.get(at), Some('!' | '^')) {
        class.negated = true;
        at += 1;
    }
    let start = at;
    loop {
        let character = *text.get(at)?;
        if character == ']' && at > start {
            return Some((class, at + 1));
        }
        if character == '[' && text.get(at + 1) == Some(&':') {
            let name: String = text[at + 2..].iter().take_while(|c| c.is_ascii_lowercase()).collect();
            let end = at + 2 + name.len();
            if text.get(end) == Some(&':') && text.get(end + 1) == Some(&']') {
                class.named.push(name);
                at = end + 2;
                continue;
            }
        }
        let (from, after) = one(text, at)?;
        at = after;
        if text.get(at) == Some(&'-') && text.get(at + 1).is_some_and(|next| *next != ']') {
            let (to, after) = one(text, at + 1)?;
            at = after;
            class.ranges.push((from, to));
        } else {
            class.ranges.push((from, from));
        }
    }
}

/// A character of a set, which may be escaped.
fn one(text: &[char], at: usize) -> Option<(char, usize)> {
    match (*text.get(at)?, text.get(at + 1)) {
        ('\\', Some(next)) => Some((*next, at + 2)),
        (character, _) => Some((character, at + 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(set: &str, inside: &str, outside: &str) {
        let (class, length) = class(&set.chars().collect::<Vec<_>>()).expect("a set");
        assert_eq!(length, set.chars().count(), "{set}");
        assert!(inside.chars().all(|character| class.contains(character)), "{set}");
        assert!(!outside.chars().any(|character| class.contains(character)), "{set}");
    }

    #[test]
    fn sets_are_read() {
        check("[a-c]", "abc", "d-");
        check("[!a-c]", "d", "ab");
        check("[^0]", "1", "0");
        check("[]a]", "]a", "b");
        check("[a-]", "a-", "b");
        check("[[:digit:]x]", "0x", "a");
        check("[\\]]", "]", "\\");
        for open in ["[", "[a", "[!", "[a-", "[[:digit:"] {
            assert!(class(&open.chars().collect::<Vec<_>>()).is_none(), "{open} is never closed");
        }
    }
}
