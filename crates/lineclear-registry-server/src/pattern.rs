//! Patterns of tags and repositories.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

/// A pattern: `*` stands for any characters but `/`, `**` for any at all, `?` for one character but `/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// A pattern of this text; every text is one.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether the whole of `text` is of this pattern.
    pub fn is_of(&self, text: &str) -> bool {
        matches(self.0.as_bytes(), text.as_bytes())
    }
}

impl FromStr for Pattern {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::new(text))
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// In time of the product of both lengths, whatever the pattern: `reached[i]` says whether the text so far can end at `i` of the pattern.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let mut reached = vec![false; pattern.len() + 1];
    reached[0] = true;
    skip_stars(pattern, &mut reached);
    for byte in text {
        let mut next = vec![false; pattern.len() + 1];
        for (at, wanted) in pattern.iter().enumerate() {
            if !reached[at] {
                continue;
            }
            match wanted {
                b'*' if *byte != b'/' || is_double(pattern, at) => next[at] = true,
                b'*' => {}
                b'?' if *byte != b'/' => next[at + 1] = true,
                wanted if wanted == byte && *wanted != b'?' => next[at + 1] = true,
                _ => {}
            }
        }
        skip_stars(pattern, &mut next);
        reached = next;
    }
    reached.last() == Some(&true)
}

fn is_double(pattern: &[u8], at: usize) -> bool {
    pattern.get(at + 1) == Some(&b'*') || at > 0 && pattern.get(at - 1) == Some(&b'*')
}

/// A star may stand for nothing.
fn skip_stars(pattern: &[u8], reached: &mut [bool]) {
    for at in 0..pattern.len() {
        if reached[at] && pattern[at] == b'*' {
            reached[at + 1] = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_what_they_say() {
        for (pattern, text, fits) in [
            ("v*", "v1.2", true),
            ("v*", "latest", false),
            ("*", "anything", true),
            ("*", "a/b", false),
            ("**", "a/b", true),
            ("o/**", "o/a/b", true),
            ("o/*", "o/a/b", false),
            ("v?.?", "v1.2", true),
            ("v?", "v12", false),
            ("", "", true),
            ("", "a", false),
            ("a*b*c", "a-b-b-c", true),
            ("*/o/**", "ghcr.io/o/app", true),
            ("?", "?", true),
        ] {
            assert_eq!(Pattern::new(pattern).is_of(text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_take_no_time() {
        assert!(!Pattern::new("a*".repeat(100) + "b").is_of(&"a".repeat(255)));
    }
}
