//! Package URLs: the name of a package that every tool understands.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// `pkg:deb/debian/openssl@3.0.11-1?arch=amd64&distro=debian-12`.
///
/// # Source
/// The package-url specification, with the rules of each type: `pypi` names are lower case with hyphens, `deb`, `apk`, `golang` and
/// `composer` are lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Purl {
    kind: String,
    namespace: Vec<String>,
    name: String,
    version: String,
    qualifiers: BTreeMap<String, String>,
    subpath: Vec<String>,
}

/// A text that is no package URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no package URL: {why}; expected `pkg:type/namespace/name@version`")]
pub struct PurlError {
    pub text: String,
    pub why: &'static str,
}

/// Longer texts are refused.
const MAX_BYTES: usize = 8 << 10;

impl Purl {
    /// `namespace` is split at `/`; empty parts are left out. An empty `version` is none.
    pub fn new(kind: &str, namespace: &str, name: &str, version: &str) -> Self {
        let kind = kind.to_lowercase();
        let fold = |text: &str| match kind.as_str() {
            "pypi" => python_name(text),
            "deb" | "apk" | "composer" | "golang" | "github" | "bitbucket" => text.to_lowercase(),
            _ => text.to_owned(),
        };
        Self {
            namespace: namespace.split('/').filter(|part| !part.is_empty()).map(fold).collect(),
            name: fold(name),
            version: version.to_owned(),
            qualifiers: BTreeMap::new(),
            subpath: Vec::new(),
            kind,
        }
    }

    /// With one more qualifier; an empty value is none.
    #[must_use]
    pub fn with(mut self, key: &str, value: &str) -> Self {
        if !value.is_empty() {
            self.qualifiers.insert(key.to_lowercase(), value.to_owned());
        }
        self
    }

    /// `deb`, `pypi`, `golang`.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The parts joined with `/`; empty for none.
    pub fn namespace(&self) -> String {
        self.namespace.join("/")
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Empty for none.
    pub fn version(&self) -> &str {
        &self.version
    }

    pub fn qualifier(&self, key: &str) -> Option<&str> {
        self.qualifiers.get(key).map(String::as_str)
    }

    /// The name as ecosystems write it: with the namespace in front, `:` between for Maven, and without a distribution's.
    pub fn full_name(&self) -> String {
        match self.kind.as_str() {
            "deb" | "apk" | "rpm" => self.name.clone(),
            _ if self.namespace.is_empty() => self.name.clone(),
            "maven" => format!("{}:{}", self.namespace(), self.name),
            _ => format!("{}/{}", self.namespace(), self.name),
        }
    }
}

/// A Python package's name in its normal form: lower case, runs of `-`, `_` and `.` become one hyphen.
///
/// # Source
/// The Python packaging guide, "Names and normalization".
pub fn python_name(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for character in name.trim().chars() {
        match character {
            '-' | '_' | '.' => {
                if !normal.ends_with('-') {
                    normal.push('-');
                }
            }
            other => normal.extend(other.to_lowercase()),
        }
    }
    normal
}

/// What stays as it is; `:` too, as the specification asks.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b':' => out.push(char::from(byte)),
            _ => {
                // Writing to a text cannot fail.
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

fn decoded(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter();
    while let Some(&byte) = rest.next() {
        if byte == b'%' {
            let digit = |byte: Option<&u8>| char::from(*byte?).to_digit(16);
            let (high, low) = (digit(rest.next())?, digit(rest.next())?);
            out.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

impl fmt::Display for Purl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pkg:{}", self.kind)?;
        for part in &self.namespace {
            write!(f, "/{}", encoded(part))?;
        }
        write!(f, "/{}", encoded(&self.name))?;
        if !self.version.is_empty() {
            write!(f, "@{}", encoded(&self.version))?;
        }
        for (at, (key, value)) in self.qualifiers.iter().enumerate() {
            write!(f, "{}{key}={}", if at == 0 { '?' } else { '&' }, encoded(value))?;
        }
        for (at, part) in self.subpath.iter().enumerate() {
            write!(f, "{}{}", if at == 0 { '#' } else { '/' }, encoded(part))?;
        }
        Ok(())
    }
}

impl FromStr for Purl {
    type Err = PurlError;

    fn from_str(text: &str) -> Result<Self, PurlError> {
        let refuse = |why| PurlError { text: text.chars().take(200).collect(), why };
        if text.len() > MAX_BYTES {
            return Err(refuse("it is too long"));
        }
        let rest =
            text.strip_prefix("pkg:").ok_or_else(|| refuse("it does not begin with `pkg:`"))?.trim_start_matches('/');
        let (rest, subpath) = rest.split_once('#').unwrap_or((rest, ""));
        let (rest, qualifiers) = rest.split_once('?').unwrap_or((rest, ""));
        let (kind, rest) = rest.split_once('/').ok_or_else(|| refuse("it names no package"))?;
        if kind.is_empty()
            || !kind.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+' | b'-'))
        {
            return Err(refuse("its type is not a word"));
        }
        // An unencoded `@` may begin the scope of an npm package: the version's comes after the last slash.
        let last = rest.trim_end_matches('/').rfind('/').map_or(0, |slash| slash + 1);
        let (path, version) = match rest[last..].rfind('@') {
            Some(at) if at > 0 => (&rest[..last + at], &rest[last + at + 1..]),
            _ => (rest, ""),
        };
        let part = |text: &str| {
            decoded(text).ok_or_else(|| refuse("a percent sign without two hexadecimal digits, or no UTF-8"))
        };
        let mut parts = Vec::new();
        for text in path.split('/').filter(|text| !text.is_empty()) {
            parts.push(part(text)?);
        }
        let name = parts.pop().filter(|name| !name.is_empty()).ok_or_else(|| refuse("it names no package"))?;
        let mut purl = Self::new(kind, "", &name, &part(version)?);
        for namespace in parts {
            // A part with an encoded slash is two parts.
            purl.namespace.extend(Self::new(kind, &namespace, "", "").namespace);
        }
        for pair in qualifiers.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').ok_or_else(|| refuse("a qualifier has no value"))?;
            if key.is_empty()
                || !key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
            {
                return Err(refuse("a qualifier's name is not a word"));
            }
            purl = purl.with(key, &part(value)?);
        }
        for text in subpath.split('/').filter(|text| !matches!(*text, "" | "." | "..")) {
            purl.subpath.push(part(text)?);
        }
        Ok(purl)
    }
}

impl TryFrom<String> for Purl {
    type Error = PurlError;

    fn try_from(text: String) -> Result<Self, PurlError> {
        text.parse()
    }
}

impl From<Purl> for String {
    fn from(purl: Purl) -> Self {
        purl.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_package_url_is_written_as_the_specification_says() {
        for (purl, text) in [
            (
                Purl::new("deb", "debian", "openssl", "1:3.0.11-1~deb12u2+b1")
                    .with("arch", "amd64")
                    .with("distro", "debian-12"),
                "pkg:deb/debian/openssl@1:3.0.11-1~deb12u2%2Bb1?arch=amd64&distro=debian-12",
            ),
            (Purl::new("npm", "@types", "node", "20.1.0"), "pkg:npm/%40types/node@20.1.0"),
            (Purl::new("pypi", "", "Zope.Interface_x", "5"), "pkg:pypi/zope-interface-x@5"),
            (
                Purl::new("golang", "github.com/Masterminds", "semver", "v3.2.0"),
                "pkg:golang/github.com/masterminds/semver@v3.2.0",
            ),
            (Purl::new("maven", "org.slf4j", "slf4j-api", "2.0.1"), "pkg:maven/org.slf4j/slf4j-api@2.0.1"),
        ] {
            assert_eq!(purl.to_string(), text);
            assert_eq!(text.parse::<Purl>(), Ok(purl));
        }
    }

    #[test]
    fn others_ways_to_write_it_are_read_too() {
        let scope: Purl = "pkg:npm/@types/node".parse().expect("an unencoded scope");
        assert_eq!((scope.full_name().as_str(), scope.version()), ("@types/node", ""));
        let slashes: Purl = "pkg://maven/org.slf4j/slf4j-api@2.0.1?type=jar".parse().expect("slashes before the type");
        assert_eq!(slashes.full_name(), "org.slf4j:slf4j-api");
    }

    #[test]
    fn what_is_no_package_url_is_refused() {
        for text in [
            "",
            "pkg:",
            "pkg:npm",
            "pkg:npm/",
            "npm/a",
            "pkg:n m/a",
            "pkg:npm/%4",
            "pkg:npm/%ff",
            "pkg:npm/a?b",
            "pkg:npm/a?=c",
        ] {
            assert!(text.parse::<Purl>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(kind in "[a-z]{1,6}", namespace in "[ -.0-~é]{0,8}", name in "[!-.0-~é]{1,12}", version in "[ -~é]{0,12}", value in "[ -~é]{0,6}") {
            let purl = Purl::new(&kind, &namespace, &name, &version).with("arch", &value);
            prop_assert_eq!(purl.to_string().parse::<Purl>(), Ok(purl));
        }
    }
}
