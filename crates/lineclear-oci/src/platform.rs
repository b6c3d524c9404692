//! What an image runs on.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::descriptor::null_is_empty;

/// An operating system and a processor, such as `linux/arm64` or `linux/arm/v7`.
///
/// `Eq` compares what is written; [`Platform::normalised`] brings the spellings of one platform together.
///
/// # Source
/// The image specification, `image-index.md`; names are those of Go.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Platform {
    /// The processor: `amd64`, `arm64`, …
    #[serde(default)]
    pub architecture: String,
    /// The operating system: `linux`, …
    #[serde(default)]
    pub os: String,
    /// The version of the operating system; only Windows says it.
    #[serde(rename = "os.version", default, skip_serializing_if = "Option::is_none")]
    pub os_version: Option<String>,
    /// What the operating system has to offer; only Windows says it.
    #[serde(
        rename = "os.features",
        default,
        deserialize_with = "null_is_empty",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub os_features: Vec<String>,
    /// The processor's variant: `v7`, `v8`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

/// A text is not a platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a platform; expected `os/architecture` or `os/architecture/variant`, such as `linux/amd64`")]
pub struct PlatformError {
    /// What was read.
    pub text: String,
}

impl Platform {
    /// A platform of a system and a processor.
    pub fn new(os: &str, architecture: &str) -> Self {
        Self {
            architecture: architecture.to_owned(),
            os: os.to_owned(),
            os_version: None,
            os_features: Vec::new(),
            variant: None,
        }
    }

    /// What containers on this machine run: Linux on its processor.
    pub fn of_this_machine() -> Self {
        let architecture = match std::env::consts::ARCH {
            "powerpc64" if cfg!(target_endian = "little") => "ppc64le",
            other => other,
        };
        Self::new("linux", architecture).normalised()
    }

    /// Reads `os/architecture[/variant]`, or an architecture alone for Linux, and normalises it.
    ///
    /// # Errors
    /// For anything else.
    pub fn parse(text: &str) -> Result<Self, PlatformError> {
        let fail = || PlatformError { text: text.to_owned() };
        let well_formed = |part: &&str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
        };
        let parts: Vec<&str> = text.split('/').collect();
        if !parts.iter().all(well_formed) {
            return Err(fail());
        }
        let platform = match parts.as_slice() {
            [architecture] if is_architecture(architecture) => Self::new("linux", architecture),
            [os, architecture] => Self::new(os, architecture),
            [os, architecture, variant] => Self { variant: Some((*variant).to_owned()), ..Self::new(os, architecture) },
            _ => return Err(fail()),
        };
        Ok(platform.normalised())
    }

    /// The usual spelling: `x86_64` is `amd64`, `arm64/v8` is `arm64`, `arm` alone is `arm/v7`.
    pub fn normalised(&self) -> Self {
        let os = match self.os.to_ascii_lowercase().as_str() {
            "macos" => "darwin".to_owned(),
            other => other.to_owned(),
        };
        let variant = self.variant.as_deref().map(str::to_ascii_lowercase).filter(|variant| !variant.is_empty());
        let (architecture, variant) = match (self.architecture.to_ascii_lowercase().as_str(), variant.as_deref()) {
            ("x86_64" | "x86-64" | "amd64", None | Some("v1")) => ("amd64", None),
            ("x86_64" | "x86-64" | "amd64", variant) => ("amd64", variant),
            ("aarch64" | "arm64", None | Some("8" | "v8" | "v8.0")) => ("arm64", None),
            ("aarch64" | "arm64", variant) => ("arm64", variant),
            ("i386" | "i686" | "x86" | "386", _) => ("386", None),
            ("armhf", _) => ("arm", Some("v7")),
            ("armel", _) => ("arm", Some("v6")),
            ("arm", None | Some("7")) => ("arm", Some("v7")),
            ("arm", Some("5")) => ("arm", Some("v5")),
            ("arm", Some("6")) => ("arm", Some("v6")),
            ("arm", Some("8")) => ("arm", Some("v8")),
            ("loongarch64", variant) => ("loong64", variant),
            ("powerpc64le", variant) => ("ppc64le", variant),
            (other, variant) => {
                return Self {
                    os,
                    architecture: other.to_owned(),
                    variant: variant.map(str::to_owned),
                    ..self.clone()
                };
            }
        };
        Self { os, architecture: architecture.to_owned(), variant: variant.map(str::to_owned), ..self.clone() }
    }

    /// Whether both are one platform, however they are spelt.
    pub fn is(&self, other: &Self) -> bool {
        let (one, two) = (self.normalised(), other.normalised());
        (one.os, one.architecture, one.variant) == (two.os, two.architecture, two.variant)
    }

    /// How well a machine of this platform runs what was made for `offered`: 0 is best, `None` is not at all.
    ///
    /// Newer variants of a processor run what was made for older ones: `arm/v7` also `arm/v6` and `arm/v5`, `amd64/v3` also `amd64`.
    pub fn runs(&self, offered: &Self) -> Option<u32> {
        let (machine, offered) = (self.normalised(), offered.normalised());
        if machine.os != offered.os || machine.architecture != offered.architecture {
            return None;
        }
        if machine.variant == offered.variant {
            return Some(0);
        }
        let least = match machine.architecture.as_str() {
            "amd64" => 1,
            "arm64" => 8,
            "arm" => 5,
            _ => return None,
        };
        let generation = |variant: &Option<String>| match variant {
            None => Some(least),
            Some(text) => text.strip_prefix('v')?.split('.').next()?.parse::<u32>().ok(),
        };
        generation(&machine.variant)?.checked_sub(generation(&offered.variant)?)
    }

    /// Whether it says nothing, as BuildKit's attestations do (`unknown/unknown`).
    pub fn is_unknown(&self) -> bool {
        self.os == "unknown" || self.architecture == "unknown"
    }
}

/// Go's names of processors, and the usual other spellings.
fn is_architecture(text: &str) -> bool {
    matches!(
        text.to_ascii_lowercase().as_str(),
        "amd64"
            | "x86_64"
            | "x86-64"
            | "arm64"
            | "aarch64"
            | "arm"
            | "armhf"
            | "armel"
            | "386"
            | "i386"
            | "i686"
            | "ppc64le"
            | "s390x"
            | "riscv64"
            | "mips64"
            | "mips64le"
            | "loong64"
            | "ppc64"
            | "mips"
            | "mipsle"
    )
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.as_deref().filter(|variant| !variant.is_empty()).map_or(Ok(()), |variant| write!(f, "/{variant}"))
    }
}

impl FromStr for Platform {
    type Err = PlatformError;
    fn from_str(text: &str) -> Result<Self, PlatformError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platform(text: &str) -> Platform {
        text.parse().expect(text)
    }

    #[test]
    fn spellings_of_one_platform_come_together() {
        for (text, expected) in [
            ("linux/x86_64", "linux/amd64"),
            ("linux/amd64/v1", "linux/amd64"),
            ("linux/amd64/v3", "linux/amd64/v3"),
            ("linux/arm64/v8", "linux/arm64"),
            ("linux/aarch64", "linux/arm64"),
            ("linux/arm64/v9", "linux/arm64/v9"),
            ("linux/arm", "linux/arm/v7"),
            ("linux/armhf", "linux/arm/v7"),
            ("linux/arm/v6", "linux/arm/v6"),
            ("Linux/i386", "linux/386"),
            ("macos/arm64", "darwin/arm64"),
            ("arm64", "linux/arm64"),
            ("linux/riscv64", "linux/riscv64"),
        ] {
            assert_eq!(platform(text).to_string(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_platform_is_refused() {
        for text in ["", "linux", "linux/", "/amd64", "a/b/c/d", "linux/am d64"] {
            assert_eq!(text.parse::<Platform>(), Err(PlatformError { text: text.to_owned() }));
        }
    }

    #[test]
    fn a_machine_runs_its_own_and_older_variants() {
        let runs = |machine: &str, offered: &str| platform(machine).runs(&platform(offered));
        assert_eq!(runs("linux/arm/v7", "linux/arm/v7"), Some(0));
        assert_eq!(runs("linux/arm/v7", "linux/arm/v6"), Some(1));
        assert_eq!(runs("linux/arm/v6", "linux/arm/v7"), None);
        assert_eq!(runs("linux/amd64", "linux/amd64/v3"), None);
        assert_eq!(runs("linux/amd64/v3", "linux/amd64"), Some(2));
        assert_eq!(runs("linux/arm64", "linux/arm64/v8"), Some(0));
        assert_eq!(runs("linux/amd64", "linux/arm64"), None);
        assert_eq!(runs("linux/amd64", "windows/amd64"), None);
    }

    #[test]
    fn this_machine_is_linux_on_a_known_processor() {
        let here = Platform::of_this_machine();
        assert_eq!(here.os, "linux");
        assert!(is_architecture(&here.architecture), "{here}");
    }
}
