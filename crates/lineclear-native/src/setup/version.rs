//! Versions and the ways in which workflows ask for them.
//!
//! # Source
//! node-semver's ranges, which the setup actions use: a bare `3.11` means any 3.11, spaces mean *and*, `||` means *or*.

use std::fmt;

use semver::{Version as Semver, VersionReq};

/// What a workflow asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Whatever there is, the newest.
    Newest,
    /// Any of these ranges.
    Ranges { alternatives: Vec<VersionReq>, text: String },
}

/// Whether a version that is not released yet will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prereleases {
    Never,
    /// If no released version fits.
    IfNeeded,
}

/// A text that asks for no version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` asks for no version: expected something like `3.12`, `20.x`, `>=1.21 <1.23` or `latest`")]
pub(crate) struct NoVersion(String);

impl Wanted {
    /// Reads a version as the setup actions take it.
    pub(crate) fn parse(text: &str) -> Result<Self, NoVersion> {
        let trimmed = text.trim().trim_start_matches(['v', 'V']);
        if matches!(trimmed, "" | "*" | "x" | "latest" | "current" | "node" | "stable") {
            return Ok(Self::Newest);
        }
        let no_version = || NoVersion(text.trim().to_owned());
        let alternatives = trimmed.split("||").map(|part| range(part).ok_or_else(no_version));
        Ok(Self::Ranges { alternatives: alternatives.collect::<Result<_, _>>()?, text: trimmed.to_owned() })
    }

    pub(crate) fn matches(&self, version: &Semver) -> bool {
        match self {
            Self::Newest => version.pre.is_empty(),
            Self::Ranges { alternatives, .. } => alternatives.iter().any(|range| range.matches(version)),
        }
    }
}

impl Wanted {
    /// Whether the version will match once it is released.
    pub(crate) fn matches_before_release(&self, version: &Semver) -> bool {
        self.matches(&Semver::new(version.major, version.minor, version.patch))
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Newest => f.write_str("any version"),
            Self::Ranges { text, .. } => f.write_str(text),
        }
    }
}

/// One alternative: comparators that must all hold, or `a - b`.
fn range(text: &str) -> Option<VersionReq> {
    let text = text.trim();
    if let Some((from, to)) = text.split_once(" - ") {
        return VersionReq::parse(&format!(">={}, <={}", plain(from), plain(to))).ok();
    }
    let mut comparators: Vec<String> = Vec::new();
    let mut operator = String::new();
    for word in text.split([' ', ',']).filter(|word| !word.is_empty()) {
        // An operator may stand apart from its version: `>= 3.9`.
        if word.chars().all(|character| "<>=~^".contains(character)) {
            operator = word.to_owned();
            continue;
        }
        let has_operator = word.starts_with(['<', '>', '=', '~', '^']) || !operator.is_empty();
        let comparator = format!("{}{word}", std::mem::take(&mut operator));
        comparators.push(if has_operator { clean(&comparator) } else { format!("={}", plain(word)) });
    }
    VersionReq::parse(&comparators.join(", ")).ok()
}

/// A comparator with its version in the form that the library reads.
fn clean(comparator: &str) -> String {
    let at = comparator.find(|character: char| !"<>=~^".contains(character)).unwrap_or(comparator.len());
    let (operator, version) = comparator.split_at(at);
    format!("{}{}", operator.replace("==", "="), plain(version))
}

/// A version without a leading `v`, leading zeros or `.x` parts: `1.08` is none of semver's, `20.x` is `20`.
fn plain(version: &str) -> String {
    let version = version.trim().trim_start_matches(['v', 'V']);
    let parts = version.split('.').take_while(|part| !matches!(*part, "x" | "X" | "*"));
    parts
        .map(|part| part.trim_start_matches('0').to_owned())
        .map(|part| if part.is_empty() { "0".into() } else { part })
        .collect::<Vec<String>>()
        .join(".")
}

/// A version as programs print it: `3.11`, `v20.20.2`, `1.26rc1`, `17.0.15+6`, `1.8.0_392`.
pub(crate) fn read_version(text: &str) -> Option<Semver> {
    let text = text.trim().trim_start_matches(|character: char| !character.is_ascii_digit());
    let end = text.find(|character: char| !character.is_ascii_digit() && character != '.').unwrap_or(text.len());
    let (numbers, rest) = text.split_at(end);
    let mut parts = numbers.split('.').filter(|part| !part.is_empty()).map(|part| part.parse::<u64>().ok());
    let major = parts.next()??;
    let (minor, patch) = (parts.next().unwrap_or(Some(0))?, parts.next().unwrap_or(Some(0))?);
    let mut version = Semver::new(major, minor, patch);
    // `1.26rc1`, `3.13.0a2`: not as good as the release.
    let is_pre_release = rest.trim_start_matches('-').starts_with(|first: char| first.is_ascii_alphabetic());
    if is_pre_release {
        let name: String =
            rest.trim_start_matches('-').chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '.').collect();
        version.pre = semver::Prerelease::new(name.trim_end_matches('.')).ok()?;
    }
    Some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(wanted: &str, fits: &[&str], misfits: &[&str]) {
        let wanted = Wanted::parse(wanted).expect("a version");
        for (versions, expected) in [(fits, true), (misfits, false)] {
            for version in versions {
                let version = read_version(version).expect("a version");
                assert_eq!(wanted.matches(&version), expected, "{wanted}: {version}");
            }
        }
    }

    #[test]
    fn versions_are_asked_for_as_in_workflows() {
        check("3.11", &["3.11.0", "3.11.7"], &["3.1.1", "3.12.0", "3.11.0rc1"]);
        check("20.x", &["20.20.2"], &["21.0.0"]);
        check("v20", &["v20.1.0"], &["18.0.0"]);
        check(">=20", &["20.0.0", "24.1.0"], &["19.9.9"]);
        check(">=3.9 <3.12", &["3.9.18", "3.11.7"], &["3.12.1"]);
        check(">= 3.9, < 3.12", &["3.10.0"], &["3.12.0"]);
        check("~1.21.3", &["1.21.9"], &["1.21.2", "1.22.0"]);
        check("^1.21", &["1.26.8"], &["2.0.0"]);
        check("3.9 - 3.11", &["3.9.0", "3.11.9"], &["3.12.0"]);
        check("16 || 20", &["16.1.0", "20.5.0"], &["18.0.0"]);
        check("latest", &["1.0.0"], &["2.0.0-rc.1"]);
        assert!(Wanted::parse("pypy3.9!").is_err());
    }

    #[test]
    fn printed_versions_are_read() {
        let read = |text: &str| read_version(text).map(|version| version.to_string());
        assert_eq!(read("Python 3.13.0a2").as_deref(), Some("3.13.0-a2"));
        assert_eq!(read("go1.26.8").as_deref(), Some("1.26.8"));
        assert_eq!(read("1.8.0_392").as_deref(), Some("1.8.0"));
        assert_eq!(read("17").as_deref(), Some("17.0.0"));
        assert_eq!(read("none"), None);
    }
}
