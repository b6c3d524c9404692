//! The parts of an image's name that are texts: repositories and tags, and why a text is none.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Longest name of a repository, in bytes.
const MAX_REPOSITORY: usize = 255;
/// Longest tag, in bytes.
const MAX_TAG: usize = 128;

/// Which part of a name a [`NameError`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamePart {
    /// The registry: a host, perhaps with a port.
    Registry,
    /// The path of the repository.
    Repository,
    /// What follows the colon.
    Tag,
    /// What follows the `@`.
    Digest,
}

impl fmt::Display for NamePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Registry => "registry",
            Self::Repository => "repository",
            Self::Tag => "tag",
            Self::Digest => "digest",
        })
    }
}

/// What is wrong with a part of a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameFault {
    /// There is nothing.
    #[error("is empty")]
    Empty,
    /// Longer than allowed, in bytes.
    #[error("is {length} characters long; at most {limit} are allowed")]
    TooLong {
        /// Its length.
        length: usize,
        /// What is allowed.
        limit: usize,
    },
    /// An upper-case letter where only lower case is allowed.
    #[error("has the upper-case letter `{0}`; write it in lower case")]
    UpperCase(char),
    /// A character that is never allowed there.
    #[error("cannot have {0:?}; {1}")]
    Character(char, &'static str),
    /// A separator at the beginning or the end, or two that may not meet.
    #[error("has `{0}` where a letter or a digit is expected")]
    Separator(char),
    /// A port that is none.
    #[error("has the port `{0}`; expected a number from 1 to 65535")]
    Port(String),
    /// The bracket of an IPv6 address is not closed, or what is in it is no address.
    #[error("has `{0}` where an IPv6 address in brackets is expected")]
    Address(String),
    /// A digest without `algorithm:`.
    #[error("has no algorithm; expected `sha256:` and 64 hexadecimal digits")]
    NoAlgorithm,
    /// An algorithm that is not known here.
    #[error("has the algorithm `{0}`; known are sha256 and sha512")]
    Algorithm(String),
    /// Not as many digits as the algorithm has.
    #[error("has {found} hexadecimal digits; expected {expected}")]
    DigestLength {
        /// How many are there.
        found: usize,
        /// How many there have to be.
        expected: usize,
    },
    /// 64 hexadecimal digits look like the id of an image, and Docker takes them for one.
    #[error("is 64 hexadecimal digits, which is an image's id and not its name; write `name@sha256:…`")]
    LooksLikeId,
}

/// A text is not a name of an image, or of a part of one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not valid: its {part} {fault} (at character {})", shown(.text), .at + 1)]
pub struct NameError {
    /// The whole text that was read.
    pub text: String,
    /// The part that is wrong.
    pub part: NamePart,
    /// Where, in bytes from the beginning of `text`.
    pub at: usize,
    /// What is wrong.
    pub fault: NameFault,
}

impl NameError {
    pub(crate) fn new(text: &str, part: NamePart, at: usize, fault: NameFault) -> Self {
        Self { text: text.to_owned(), part, at, fault }
    }

    /// The same, found in a part of `whole` that begins at `offset`.
    pub(crate) fn within(self, whole: &str, offset: usize) -> Self {
        Self { text: whole.to_owned(), at: self.at + offset, ..self }
    }
}

/// As much of a text as fits into a message, without what would disturb a terminal.
fn shown(text: &str) -> String {
    const LONGEST: usize = 160;
    let mut shown: String = text.chars().take(LONGEST).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

/// The path of a repository within its registry, such as `library/postgres`.
///
/// Parts of lower-case letters and digits, joined by `.`, `_`, `__` or any number of `-`, between slashes; at most 255 bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RepositoryName(String);

impl RepositoryName {
    /// Reads a repository's path.
    ///
    /// # Errors
    /// What is wrong, and at which byte.
    ///
    /// # Source
    /// The distribution specification, "Pulling manifests": the grammar of `<name>`.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let fail = |at, fault| Err(NameError::new(text, NamePart::Repository, at, fault));
        if text.is_empty() {
            return fail(0, NameFault::Empty);
        }
        if text.len() > MAX_REPOSITORY {
            return fail(MAX_REPOSITORY, NameFault::TooLong { length: text.len(), limit: MAX_REPOSITORY });
        }
        // What stands before: nothing (a part begins), a letter or digit, or the separator so far.
        let mut separator = String::from("/");
        let mut last = (0, '/');
        for (at, c) in text.char_indices() {
            match c {
                'a'..='z' | '0'..='9' => separator.clear(),
                '.' | '_' | '-' | '/' => {
                    separator.push(c);
                    let allowed =
                        matches!(separator.as_str(), "." | "_" | "__" | "/") || separator.bytes().all(|b| b == b'-');
                    if !allowed {
                        return fail(at, NameFault::Separator(c));
                    }
                }
                'A'..='Z' => return fail(at, NameFault::UpperCase(c)),
                other => {
                    return fail(
                        at,
                        NameFault::Character(other, "allowed are lower-case letters, digits, `.`, `_`, `-` and `/`"),
                    );
                }
            }
            last = (at, c);
        }
        if separator.is_empty() { Ok(Self(text.to_owned())) } else { fail(last.0, NameFault::Separator(last.1)) }
    }

    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// This repository below another: `ghcr.io` and `owner/app` make `ghcr.io/owner/app`.
    ///
    /// # Errors
    /// When that is longer than a repository's name may be.
    pub fn below(&self, prefix: &Self) -> Result<Self, NameError> {
        Self::parse(&format!("{prefix}/{self}"))
    }
}

/// A tag: a name that may be moved, such as `15-alpine`. At most 128 letters, digits, `_`, `.`, `-`; not beginning with `.` or `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Tag(String);

impl Tag {
    /// Reads a tag.
    ///
    /// # Errors
    /// What is wrong, and at which byte.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let fail = |at, fault| Err(NameError::new(text, NamePart::Tag, at, fault));
        if text.is_empty() {
            return fail(0, NameFault::Empty);
        }
        for (at, c) in text.char_indices() {
            match c {
                'a'..='z' | 'A'..='Z' | '0'..='9' | '_' => {}
                '.' | '-' if at > 0 => {}
                '.' | '-' => return fail(at, NameFault::Separator(c)),
                other => {
                    return fail(at, NameFault::Character(other, "allowed are letters, digits, `_`, `.` and `-`"));
                }
            }
        }
        if text.len() > MAX_TAG {
            return fail(MAX_TAG, NameFault::TooLong { length: text.len(), limit: MAX_TAG });
        }
        Ok(Self(text.to_owned()))
    }

    /// The tag that a name without one means: `latest`.
    pub fn latest() -> Self {
        Self("latest".to_owned())
    }

    /// The tag.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A tag known to be well formed: made of the digits of a digest.
    pub(crate) fn trusted(text: String) -> Self {
        Self(text)
    }
}

/// What each of the textual names has in common.
macro_rules! textual {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::parse(text)
            }
        }
        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                Self::parse(&text)
            }
        }
        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.to_string()
            }
        }
    };
}
pub(crate) use textual;

textual!(RepositoryName);
textual!(Tag);

#[cfg(test)]
mod tests {
    use super::*;

    fn fault<T: FromStr<Err = NameError>>(text: &str) -> (usize, NameFault) {
        match text.parse::<T>() {
            Ok(_) => panic!("{text:?} is taken"),
            Err(error) => (error.at, error.fault),
        }
    }

    #[test]
    fn repositories_follow_the_grammar() {
        for good in ["a", "library/postgres", "a.b/c_d/e__f/g-h/i---j", "0/1/2", &"a".repeat(255)] {
            assert_eq!(good.parse::<RepositoryName>().expect(good).as_str(), good);
        }
        for (bad, at) in [
            ("/a", 0),
            ("a/", 1),
            ("a//b", 2),
            ("-a", 0),
            ("a-", 1),
            ("a..b", 2),
            ("a___b", 3),
            ("a._b", 2),
            ("a-_b", 2),
            ("_a", 0),
            ("a/_b", 2),
        ] {
            let (found, fault) = fault::<RepositoryName>(bad);
            assert!(matches!(fault, NameFault::Separator(_)), "{bad}: {fault:?}");
            assert_eq!(found, at, "{bad}");
        }
        assert_eq!(fault::<RepositoryName>("a/Bc"), (2, NameFault::UpperCase('B')));
        assert_eq!(fault::<RepositoryName>(""), (0, NameFault::Empty));
        assert!(matches!(fault::<RepositoryName>("a b").1, NameFault::Character(' ', _)));
        assert!(matches!(fault::<RepositoryName>(&"a".repeat(256)).1, NameFault::TooLong { length: 256, limit: 255 }));
    }

    #[test]
    fn tags_follow_the_grammar() {
        for good in ["latest", "1.0.0-rc_1", "_x", &"v".repeat(128)] {
            assert_eq!(good.parse::<Tag>().expect(good).as_str(), good);
        }
        assert_eq!(fault::<Tag>(".a"), (0, NameFault::Separator('.')));
        assert_eq!(fault::<Tag>("-a"), (0, NameFault::Separator('-')));
        assert!(matches!(fault::<Tag>("a+b"), (1, NameFault::Character('+', _))));
        assert!(matches!(fault::<Tag>(&"v".repeat(129)).1, NameFault::TooLong { .. }));
    }
}
