//! Versions of Python packages.
//!
//! # Source
//! PEP 440, "Version scheme" and its appendix B with the regular expression of what is a version, and how each form is normalised.

use std::sync::LazyLock;

use fancy_regex::{Captures, Regex};

/// A version, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    epoch: String,
    release: Vec<String>,
    pre: Option<(&'static str, String)>,
    post: Option<String>,
    dev: Option<String>,
    local: Vec<String>,
}

static PATTERN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let pattern = concat!(
        r"(?i)^\s*v?(?:(?P<epoch>[0-9]+)!)?(?P<release>[0-9]+(?:\.[0-9]+)*)",
        r"(?P<pre>[-_.]?(?P<pre_l>alpha|a|beta|b|preview|pre|c|rc)[-_.]?(?P<pre_n>[0-9]+)?)?",
        r"(?P<post>-(?P<post_n1>[0-9]+)|[-_.]?(?:post|rev|r)[-_.]?(?P<post_n2>[0-9]+)?)?",
        r"(?P<dev>[-_.]?dev[-_.]?(?P<dev_n>[0-9]+)?)?",
        r"(?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?\s*$"
    );
    Regex::new(pattern).ok()
});

impl Version {
    /// Reads a version; `None` for what is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let found = PATTERN.as_ref()?.captures(text).ok()??;
        let of = |name: &str| group(&found, name);
        let pre = of("pre").map(|_| {
            let letter = match of("pre_l").unwrap_or_default().to_ascii_lowercase().as_str() {
                "a" | "alpha" => "a",
                "b" | "beta" => "b",
                _ => "rc",
            };
            (letter, number(of("pre_n").unwrap_or("0")))
        });
        let post = of("post").map(|_| number(of("post_n1").or_else(|| of("post_n2")).unwrap_or("0")));
        let dev = of("dev").map(|_| number(of("dev_n").unwrap_or("0")));
        let local = of("local").map_or_else(Vec::new, |local| {
            local
                .to_ascii_lowercase()
                .split(['.', '-', '_'])
                .map(|part| {
                    let is_number = part.bytes().all(|byte| byte.is_ascii_digit());
                    if is_number { number(part) } else { part.to_owned() }
                })
                .collect()
        });
        Some(Self {
            epoch: number(of("epoch").unwrap_or("0")),
            release: of("release")?.split('.').map(number).collect(),
            pre,
            post,
            dev,
            local,
        })
    }

    /// Whether it is anything but a release as such.
    pub(crate) fn is_special(&self) -> bool {
        self.pre.is_some() || self.post.is_some() || self.dev.is_some()
    }

    /// A number of the release, zero where it has fewer.
    pub(crate) fn part(&self, index: usize) -> &str {
        self.release.get(index).map_or("0", String::as_str)
    }
}

impl std::fmt::Display for Version {
    /// The normal form, but for the parts behind `+`: the real action has commas between them, so its tags have dashes there.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.epoch != "0" {
            write!(f, "{}!", self.epoch)?;
        }
        f.write_str(&self.release.join("."))?;
        if let Some((letter, number)) = &self.pre {
            write!(f, "{letter}{number}")?;
        }
        if let Some(number) = &self.post {
            write!(f, ".post{number}")?;
        }
        if let Some(number) = &self.dev {
            write!(f, ".dev{number}")?;
        }
        if !self.local.is_empty() {
            write!(f, "+{}", self.local.join(","))?;
        }
        Ok(())
    }
}

fn group<'t>(found: &Captures<'t, str>, name: &str) -> Option<&'t str> {
    found.name(name).map(|found| found.as_str())
}

/// Without leading zeros, and of any length: years of a date are numbers here too.
fn number(text: &str) -> String {
    match text.trim_start_matches('0') {
        "" => "0".to_owned(),
        digits => digits.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_have_one_normal_form() {
        let cases = [
            ("1.2.3", "1.2.3", false),
            ("v1.2.3rc2", "1.2.3rc2", true),
            ("1.2.3post1", "1.2.3.post1", true),
            ("1.2.3-1", "1.2.3.post1", true),
            ("1.2.3beta2", "1.2.3b2", true),
            ("1.1-ALPHA", "1.1a0", true),
            ("1.0dev4", "1.0.dev4", true),
            ("1!2.0+Ubuntu-01", "1!2.0+ubuntu,1", false),
            ("2024.01.05", "2024.1.5", false),
            ("1.0.rev3", "1.0.post3", true),
        ];
        for (text, normal, is_special) in cases {
            let version = Version::parse(text).expect(text);
            assert_eq!((version.to_string().as_str(), version.is_special()), (normal, is_special), "{text}");
        }
        for text in ["", "release1", "20200110-RC2-x", "1.2.3_", "p1-v1.0.0"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }

    #[test]
    fn missing_numbers_are_zero() {
        let version = Version::parse("7").expect("a version");
        assert_eq!((version.part(0), version.part(1), version.part(2)), ("7", "0", "0"));
    }
}
