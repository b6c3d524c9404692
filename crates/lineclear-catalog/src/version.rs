//! Versions of actions, as far as a reference says one.

use std::cmp::Ordering;

/// A version: `v4`, `v4.1`, `4.1.2`. What is left out is open: `v4` stands for whatever is newest of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Version {
    /// The first number.
    pub major: u32,
    /// The second, if the reference has one.
    pub minor: Option<u32>,
    /// The third.
    pub patch: Option<u32>,
}

impl Version {
    /// The version that a tag or branch names: `v4.1.2`, `4`, `release/v1`, `v2.x`, `v3-node20`. Branches and commits name none.
    pub fn of(reference: &str) -> Option<Self> {
        let last = reference.rsplit('/').next()?;
        let digits = last.strip_prefix(['v', 'V']).unwrap_or(last);
        let digits = digits.strip_prefix('.').unwrap_or(digits);
        let end = digits.find(['-', '+', '_']).unwrap_or(digits.len());
        let mut parts = digits.get(..end)?.split('.');
        // Seven digits and more are a shortened commit or a date.
        let major = parts.next().filter(|text| text.len() <= 4).and_then(number)?;
        let minor = match parts.next() {
            None | Some("x") => return Some(Self { major, minor: None, patch: None }),
            Some(text) => number(text)?,
        };
        let patch = match parts.next() {
            None | Some("x") => None,
            Some(text) => Some(number(text)?),
        };
        Some(Self { major, minor: Some(minor), patch })
    }

    /// Whether it names one release and not the newest of several.
    pub fn is_exact(self) -> bool {
        self.patch.is_some()
    }

    /// Compares with a version whose missing parts are zero. A part that is open in `self` is as high as can be.
    pub fn compare(self, other: Self) -> Ordering {
        let open = |part: Option<u32>| part.unwrap_or(u32::MAX);
        (self.major, open(self.minor), open(self.patch)).cmp(&(
            other.major,
            other.minor.unwrap_or(0),
            other.patch.unwrap_or(0),
        ))
    }
}

/// A number without signs.
fn number(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(reference: &str, expected: Option<(u32, Option<u32>, Option<u32>)>) {
        let found = Version::of(reference).map(|Version { major, minor, patch }| (major, minor, patch));
        assert_eq!(found, expected, "{reference}");
    }

    #[test]
    fn a_reference_says_a_version_or_none() {
        check("v4", Some((4, None, None)));
        check("4.1", Some((4, Some(1), None)));
        check("v4.1.2", Some((4, Some(1), Some(2))));
        check("release/v1", Some((1, None, None)));
        check("v2.x", Some((2, None, None)));
        check("v3-node20", Some((3, None, None)));
        check("V1.2.3-beta.1", Some((1, Some(2), Some(3))));
        check("main", None);
        check("stable", None);
        check("8f4b7f84864484a7bf31766abe9204da3cbe65b3", None);
        check("1234567", None);
        check("", None);
        check("v", None);
        check("v4.x.y.z", Some((4, None, None)));
        check("v1.99999999999", None);
    }

    #[test]
    fn what_is_open_is_the_newest() {
        let below =
            |one: &str, other: &str| Version::of(one).unwrap().compare(Version::of(other).unwrap()) == Ordering::Less;
        assert!(below("v4.1.2", "4.1.3"));
        assert!(!below("v4", "4.1.3"));
        assert!(!below("v4.1", "4.1.3"));
        assert!(below("v3", "4"));
        assert!(below("v4.0", "4.1.3"));
    }
}
