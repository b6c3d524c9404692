//! Names of secrets and variables.

use std::fmt;

/// Most bytes that a value may have: 48 KB.
///
/// # Source
/// "Using secrets in GitHub Actions", limits for secrets.
pub const LARGEST_VALUE: usize = 48 * 1024;

/// Most characters that a name may have. A limit of Lineclear's own.
pub const LONGEST_NAME: usize = 255;

/// A well-formed name, in upper case: names ignore case.
///
/// # Source
/// "Naming your secrets" of GitHub's documentation: letters, digits and `_`, no digit first, not beginning with `GITHUB_`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

/// Why a text is no name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// There is no character in it.
    #[error("a name cannot be empty")]
    Empty,
    /// A character that no name has, or a digit at its beginning.
    #[error("`{text}` is no name for a secret or variable: letters, digits and `_` only, and no digit first")]
    Malformed {
        /// What was given.
        text: String,
    },
    /// Names that only the platform gives.
    #[error("`{text}` is no name of yours to give: names that begin with GITHUB_ are the platform's")]
    Reserved {
        /// What was given.
        text: String,
    },
    /// More than [`LONGEST_NAME`] characters.
    #[error("a name has at most {LONGEST_NAME} characters; this one has {length}")]
    TooLong {
        /// How many it has.
        length: usize,
    },
}

impl Name {
    /// Reads a name.
    ///
    /// # Errors
    /// It is no name by GitHub's rules.
    pub fn new(text: &str) -> Result<Self, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if text.len() > LONGEST_NAME {
            return Err(NameError::TooLong { length: text.chars().count() });
        }
        let well_formed = !text.starts_with(|first: char| first.is_ascii_digit())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !well_formed {
            return Err(NameError::Malformed { text: text.to_owned() });
        }
        let upper = text.to_ascii_uppercase();
        if upper.starts_with("GITHUB_") {
            return Err(NameError::Reserved { text: text.to_owned() });
        }
        Ok(Self(upper))
    }

    /// The name in upper case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_github_accepts() {
        let read = |text: &str| Name::new(text).map(|name| name.0);
        assert_eq!(read("deploy_Key2"), Ok("DEPLOY_KEY2".into()));
        assert_eq!(read("_"), Ok("_".into()));
        assert_eq!(read(""), Err(NameError::Empty));
        for wrong in ["1A", "A-B", "A B", "Ä", "A\n", "A=B", "a.b"] {
            assert_eq!(read(wrong), Err(NameError::Malformed { text: wrong.into() }));
        }
        assert_eq!(read("github_x"), Err(NameError::Reserved { text: "github_x".into() }));
        assert_eq!(read("GITHUBX"), Ok("GITHUBX".into()));
        assert_eq!(read(&"A".repeat(256)), Err(NameError::TooLong { length: 256 }));
    }
}
