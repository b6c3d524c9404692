//! What is known of an image's or a folder's contents: [`Inventory`].

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Purl;

/// The packages of an image or a folder, and everything that kept the list from being whole.
///
/// An inventory is in canonical order (see [`Inventory::settle`]): the same contents give the same inventory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    /// Of what this is an inventory; empty where nobody said.
    #[serde(default)]
    pub subject: Described,
    /// From `os-release`; `None` where there is none (an image from scratch).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distribution: Option<Distribution>,
    /// In canonical order, each once.
    pub packages: Vec<Package>,
    /// What was found and could not be read: an inventory with an entry here is not known to be whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<Unread>,
}

/// Of what an inventory is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Described {
    /// The reference or folder as the user wrote it: `registry.example/app:1.2`, `./frontend`.
    pub name: String,
    /// `sha256:…` of the image's manifest; `None` for a folder and for an archive without manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// `linux/amd64`; `None` for a folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
}

impl Described {
    /// The image's name without tag and digest: `registry.example/app` of `registry.example/app:1.2`.
    pub fn repository(&self) -> &str {
        let name = self.name.split('@').next().unwrap_or_default();
        match name.rsplit_once(':') {
            // A colon before a slash is that of a port.
            Some((repository, tag)) if !tag.contains('/') => repository,
            _ => name,
        }
    }
}

/// One installed package.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Package {
    #[serde(rename = "type")]
    pub kind: PackageType,
    /// As its ecosystem and vulnerability databases write it: `openssl`, `@types/node`, `org.slf4j:slf4j-api` (Maven: group, colon,
    /// artifact), `github.com/spf13/cobra`, `monolog/monolog`. Python names are lower case with single hyphens.
    pub name: String,
    /// As its ecosystem writes it, with epoch and revision: `1:3.0.11-1~deb12u2`, `v1.8.0` (Go), `4.17.21`. Empty if nothing says it.
    pub version: String,
    pub purl: Purl,
    /// The source that the binary package was built from, under whose name vulnerabilities of distributions are kept. `None` for types
    /// that know no source packages; the package itself where the database names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourcePackage>,
    /// As the package says it, best effort; an SPDX expression only if it says one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// `amd64`, `noarch`; `None` where the type knows none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// The file that tells of it, without leading `/`: `var/lib/dpkg/status`, `app/package-lock.json`; inside of an archive after `!/`.
    pub path: String,
    /// `sha256:…` of the layer that the file is in, as the manifest names it; `None` for a folder and for documents that do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<String>,
}

/// The source of a distribution's package.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SourcePackage {
    pub name: String,
    pub version: String,
}

/// Which ecosystem a package is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PackageType {
    Deb,
    Apk,
    Rpm,
    Python,
    Npm,
    Cargo,
    Go,
    Java,
    Gem,
    Composer,
    /// From a document of others, of a type that has no reader here: its `purl` says which.
    Other,
}

/// The distribution that an image is of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distribution {
    /// `ID`: `debian`, `alpine`, `rocky`; lower case.
    pub id: String,
    /// `VERSION_ID`: `12`, `3.19.1`; empty for a rolling one.
    #[serde(default)]
    pub version: String,
    /// `VERSION_CODENAME`: `bookworm`; empty where there is none.
    #[serde(default)]
    pub codename: String,
    /// `PRETTY_NAME`.
    #[serde(default)]
    pub pretty: String,
    /// `ID_LIKE`, in its order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub like: Vec<String>,
}

/// Something that was found, tells of packages, and could not be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Unread {
    /// The file, without leading `/`; empty for the whole.
    pub path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<String>,
    /// What is missing because of it and why, one clause.
    pub why: String,
}

impl Inventory {
    /// Puts the inventory in canonical order and merges what stands twice: packages by type, name, version, path; a package with the
    /// same purl at the same path once.
    pub fn settle(&mut self) {
        self.packages.sort();
        self.packages
            .dedup_by(|later, first| later.purl == first.purl && later.path == first.path && later.kind == first.kind);
        self.unread.sort();
        self.unread.dedup();
    }

    /// Whether nothing is known to be missing.
    pub fn is_whole(&self) -> bool {
        self.unread.is_empty()
    }

    /// How many packages of each type there are, in the order of the types.
    pub fn counts(&self) -> Vec<(PackageType, usize)> {
        let mut counts: Vec<(PackageType, usize)> = Vec::new();
        for package in &self.packages {
            match counts.last_mut() {
                Some((kind, count)) if *kind == package.kind => *count += 1,
                _ => counts.push((package.kind, 1)),
            }
        }
        counts
    }
}

impl PackageType {
    /// Its name in tables and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deb => "deb",
            Self::Apk => "apk",
            Self::Rpm => "rpm",
            Self::Python => "python",
            Self::Npm => "npm",
            Self::Cargo => "cargo",
            Self::Go => "go",
            Self::Java => "java",
            Self::Gem => "gem",
            Self::Composer => "composer",
            Self::Other => "other",
        }
    }

    /// The type of a purl: `pypi`, `golang`, `maven`.
    pub fn of_purl(kind: &str) -> Self {
        match kind {
            "deb" => Self::Deb,
            "apk" => Self::Apk,
            "rpm" => Self::Rpm,
            "pypi" => Self::Python,
            "npm" => Self::Npm,
            "cargo" => Self::Cargo,
            "golang" => Self::Go,
            "maven" => Self::Java,
            "gem" => Self::Gem,
            "composer" => Self::Composer,
            _ => Self::Other,
        }
    }
}

impl fmt::Display for PackageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Distribution {
    /// Reads an `os-release` file.
    ///
    /// # Source
    /// `os-release(5)`.
    pub fn read(text: &str) -> Option<Self> {
        let mut found = Self::default();
        for line in text.lines().take(200) {
            let Some((key, value)) = line.trim().split_once('=') else { continue };
            let value = value.trim().trim_matches(['"', '\'']).to_owned();
            match key {
                "ID" => found.id = value.to_lowercase(),
                "VERSION_ID" => found.version = value,
                "VERSION_CODENAME" => found.codename = value,
                "PRETTY_NAME" => found.pretty = value,
                "ID_LIKE" => found.like = value.split_whitespace().map(str::to_lowercase).collect(),
                _ => {}
            }
        }
        (!found.id.is_empty()).then_some(found)
    }
}
