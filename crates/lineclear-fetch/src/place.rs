//! `owner/repo@ref` with parts that are safe in an address, a path and an argument of git.

use std::fmt;

use crate::FetchError;

/// Bytes that the name of an owner, a repository or a ref may have.
const LONGEST_NAME: usize = 100;
const LONGEST_REFERENCE: usize = 255;

/// A repository at a ref; checked.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) owner: String,
    pub(crate) repo: String,
    pub(crate) reference: String,
}

impl Place {
    /// # Errors
    /// [`FetchError::Name`] for what no forge has and git or a path could misread: `..`, a leading `-`, `@{`, spaces.
    pub(crate) fn new(owner: &str, repo: &str, reference: &str) -> Result<Self, FetchError> {
        let checked = name(owner).and_then(|()| name(repo)).and_then(|()| self::reference(reference));
        let place = Self { owner: owner.to_owned(), repo: repo.to_owned(), reference: reference.to_owned() };
        match checked {
            Ok(()) => Ok(place),
            Err(why) => Err(FetchError::Name { uses: shortened(&place.to_string()), why }),
        }
    }

    /// How the lock and the cache call it: forges do not tell the case of owners and repositories apart.
    pub(crate) fn key(&self) -> String {
        format!("{}/{}@{}", self.owner.to_lowercase(), self.repo.to_lowercase(), self.reference)
    }

    /// The commit, where the ref is a full id.
    pub(crate) fn full_commit(&self) -> Option<String> {
        is_commit(&self.reference).then(|| self.reference.to_lowercase())
    }

    /// Whether the ref looks like the beginning of an id.
    pub(crate) fn looks_abbreviated(&self) -> bool {
        (4..40).contains(&self.reference.len()) && self.reference.bytes().all(|byte| byte.is_ascii_hexdigit())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}@{}", self.owner, self.repo, self.reference)
    }
}

/// A full SHA-1 or SHA-256 id.
pub(crate) fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn name(text: &str) -> Result<(), &'static str> {
    if text.is_empty() || text.len() > LONGEST_NAME {
        return Err("the name of the owner or repository is empty or too long");
    }
    if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
        return Err("names of owners and repositories have letters, digits, `-`, `_` and `.` only");
    }
    if text.starts_with(['-', '.']) && !matches!(text, ".github" | ".github-private") || text.chars().all(|c| c == '.')
    {
        return Err("the name of an owner or repository does not begin with `-` or `.`");
    }
    if text.to_lowercase().ends_with(".git") {
        return Err("the name is written without `.git`");
    }
    Ok(())
}

/// The rules of `git check-ref-format`, and no leading `-`.
fn reference(text: &str) -> Result<(), &'static str> {
    if text.is_empty() || text.len() > LONGEST_REFERENCE {
        return Err("the ref is empty or too long");
    }
    if text.starts_with('-') {
        return Err("a ref does not begin with `-`");
    }
    if text.chars().any(|c| c.is_control() || c.is_whitespace() || "~^:?*[\\".contains(c)) {
        return Err("a ref has no spaces and none of ~ ^ : ? * [ \\");
    }
    if text.contains("..") || text.contains("@{") || text == "@" || text.ends_with('.') {
        return Err("a ref has no `..` or `@{`, and does not end in `.`");
    }
    if text.split('/').any(|part| part.is_empty() || part.starts_with('.') || part.ends_with(".lock")) {
        return Err("no part of a ref is empty, begins with `.` or ends in `.lock`");
    }
    Ok(())
}

fn shortened(text: &str) -> String {
    let visible = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c });
    if text.chars().count() <= 200 { visible.collect() } else { visible.take(200).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_git_or_a_path_could_misread_are_refused() {
        let long = "x".repeat(300);
        for (owner, repo, reference) in [
            ("..", "r", "v1"),
            (".", "r", "v1"),
            ("o", "..", "v1"),
            ("o", "-upload-pack=x", "v1"),
            ("--upload-pack=x", "r", "v1"),
            ("o/p", "r", "v1"),
            ("o", "r\0", "v1"),
            ("o", "ü", "v1"),
            ("o", "r.git", "v1"),
            ("o", "a b", "v1"),
            ("", "r", "v1"),
            (&long, "r", "v1"),
            ("o", "r", ""),
            ("o", "r", "-upload-pack=x"),
            ("o", "r", "a b"),
            ("o", "r", "main@{1}"),
            ("o", "r", "@"),
            ("o", "r", "a..b"),
            ("o", "r", "../x"),
            ("o", "r", "a//b"),
            ("o", "r", "/a"),
            ("o", "r", "a/"),
            ("o", "r", "a.lock"),
            ("o", "r", ".a"),
            ("o", "r", "v1^{commit}"),
            ("o", "r", "a:b"),
            ("o", "r", "+a*"),
            ("o", "r", "a\nb"),
            ("o", "r", &long),
        ] {
            let refused = Place::new(owner, repo, reference);
            assert!(matches!(refused, Err(FetchError::Name { .. })), "{owner}/{repo}@{reference}: {refused:?}");
        }
    }

    #[test]
    fn names_that_forges_have_are_taken() {
        for (owner, repo, reference) in [
            ("actions", "checkout", "v4"),
            ("O", ".github", "main"),
            ("a-b", "c.d_e", "releases/v1.2"),
            ("o", "r", "refs/heads/x"),
            ("o", "r", "größe"),
            ("o", "r", "feature#1+x"),
            ("o", "r", "a@b"),
        ] {
            assert!(Place::new(owner, repo, reference).is_ok(), "{owner}/{repo}@{reference}");
        }
        let place = Place::new("Actions", "Checkout", "V4").expect("valid");
        assert_eq!(place.key(), "actions/checkout@V4");
    }
}
