//! What files tell of packages: which ([`Interest::of`]), and what they say ([`Interest::read`]). One file here for each ecosystem.

mod apk;
mod binary;
mod cargo_lock;
mod composer;
mod dpkg;
mod gem;
mod java;

mod npm;
mod python;
mod rpm;

pub(crate) use binary::read as binary;

use crate::{Distribution, Package, PackageType, Purl};

/// Where is being looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// What is installed counts.
    Image,
    /// What lock files ask for counts too.
    Folder,
}

/// What one file told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) packages: Vec<Package>,
    pub(crate) distribution: Option<Distribution>,
    pub(crate) licence: Option<LicenceOf>,
    /// What could not be read and why, a clause each.
    pub(crate) unread: Vec<String>,
}

/// The licence of a package, in another file than the package itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LicenceOf {
    pub(crate) package: String,
    pub(crate) licence: String,
}

impl Found {
    pub(crate) fn is_empty(&self) -> bool {
        self.packages.is_empty() && self.distribution.is_none() && self.licence.is_none() && self.unread.is_empty()
    }

    pub(crate) fn unread(why: impl Into<String>) -> Self {
        Self { unread: vec![why.into()], ..Self::default() }
    }
}

impl From<Vec<Package>> for Found {
    fn from(packages: Vec<Package>) -> Self {
        Self { packages, ..Self::default() }
    }
}

impl From<Option<Package>> for Found {
    fn from(package: Option<Package>) -> Self {
        package.into_iter().collect::<Vec<_>>().into()
    }
}

/// A kind of file that tells of packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interest {
    OsRelease,
    DpkgStatus,
    /// One package of an image that was made without dpkg.
    DpkgStatusPart,
    DpkgCopyright,
    Apk,
    RpmSqlite,
    RpmSqliteLog,
    RpmNdb,
    RpmBerkeley,
    PythonMetadata,
    NpmPackage,
    NpmLock,
    CargoLock,
    ComposerInstalled,
    ComposerLock,
    GemSpecification,
    JavaArchive,
}

impl Interest {
    /// What the file of that path is, by its name; binaries have none, see [`binary`].
    pub(crate) fn of(path: &str, scope: Scope) -> Option<Self> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        // Most files end here.
        Some(match name {
            "os-release" if matches!(folder, "etc" | "usr/lib") => Self::OsRelease,
            "status" if folder == "var/lib/dpkg" => Self::DpkgStatus,
            "copyright" if of_documentation(folder) => Self::DpkgCopyright,
            "installed" if matches!(folder, "lib/apk/db" | "usr/lib/apk/db") => Self::Apk,
            "rpmdb.sqlite" if of_rpm(folder) => Self::RpmSqlite,
            "rpmdb.sqlite-wal" if of_rpm(folder) => Self::RpmSqliteLog,
            "Packages.db" if of_rpm(folder) => Self::RpmNdb,
            "Packages" if of_rpm(folder) => Self::RpmBerkeley,
            "METADATA" if folder.ends_with(".dist-info") => Self::PythonMetadata,
            "PKG-INFO" if folder.ends_with(".egg-info") || folder.ends_with(".egg/EGG-INFO") => Self::PythonMetadata,
            "package.json" if npm::is_module(folder) => Self::NpmPackage,
            "package-lock.json" | "npm-shrinkwrap.json"
                if scope == Scope::Folder && !folder.contains("node_modules") =>
            {
                Self::NpmLock
            }
            "Cargo.lock" if scope == Scope::Folder => Self::CargoLock,
            "composer.lock" if scope == Scope::Folder => Self::ComposerLock,
            "installed.json" if folder.ends_with("vendor/composer") => Self::ComposerInstalled,
            // A package's name may have dots: `libssl1.1`.
            _ if folder == "var/lib/dpkg/status.d" && !name.ends_with(".md5sums") => Self::DpkgStatusPart,
            _ => match name.rsplit_once('.')?.1 {
                "egg-info" if folder.ends_with("-packages") => Self::PythonMetadata,
                "gemspec" if folder.ends_with("/specifications") || folder.ends_with("/specifications/default") => {
                    Self::GemSpecification
                }
                "jar" | "war" | "ear" | "jpi" | "hpi" => Self::JavaArchive,
                _ => return None,
            },
        })
    }

    /// A file of this kind that is larger is not read.
    pub(crate) fn most_bytes(self) -> u64 {
        match self {
            Self::OsRelease | Self::DpkgCopyright | Self::DpkgStatusPart | Self::GemSpecification => 4 << 20,
            Self::PythonMetadata | Self::NpmPackage => 16 << 20,
            Self::DpkgStatus
            | Self::Apk
            | Self::NpmLock
            | Self::CargoLock
            | Self::ComposerInstalled
            | Self::ComposerLock => 64 << 20,
            Self::RpmSqlite | Self::RpmSqliteLog | Self::RpmNdb | Self::RpmBerkeley | Self::JavaArchive => 256 << 20,
        }
    }

    /// What the file says.
    pub(crate) fn read(self, path: &str, bytes: &[u8]) -> Found {
        let text = || String::from_utf8_lossy(bytes);
        match self {
            Self::OsRelease => Found { distribution: Distribution::read(&text()), ..Found::default() },
            Self::DpkgStatus => dpkg::packages(path, &text()),
            Self::DpkgStatusPart => dpkg::part(path, &text()),
            Self::DpkgCopyright => dpkg::licence(path, &text()),
            Self::Apk => apk::packages(path, &text()),
            Self::RpmSqlite => rpm::sqlite(path, bytes),
            Self::RpmSqliteLog if bytes.is_empty() => Found::default(),
            Self::RpmSqliteLog => Found::unread("changes of the RPM database that were not yet written into it"),
            Self::RpmNdb => rpm::ndb(path, bytes),
            Self::RpmBerkeley => rpm::berkeley(path, bytes),
            Self::PythonMetadata => python::package(path, &text()),
            Self::NpmPackage => npm::module(path, bytes),
            Self::NpmLock => npm::lock(path, bytes),
            Self::CargoLock => cargo_lock::packages(path, &text()),
            Self::ComposerInstalled | Self::ComposerLock => composer::packages(path, bytes),
            Self::GemSpecification => gem::gem(path, &text()),
            Self::JavaArchive => java::archive(path, bytes),
        }
    }
}

/// Whether a file that no [`Interest`] names is looked at for being a program.
pub(crate) fn may_be_binary(path: &str) -> bool {
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    // Kernel modules, object files and debugging symbols are ELF files too, and nobody's program.
    !path.contains("usr/lib/debug/") && !name.ends_with(".ko") && !name.ends_with(".o") && !name.ends_with(".debug")
}

fn of_documentation(folder: &str) -> bool {
    folder.strip_prefix("usr/share/doc/").is_some_and(|package| !package.contains('/'))
}

fn of_rpm(folder: &str) -> bool {
    matches!(folder, "var/lib/rpm" | "usr/lib/sysimage/rpm" | "usr/share/rpm")
}

/// A package of which only this is known. `name` and `version` are as [`Package`] has them.
fn package(kind: PackageType, name: &str, version: &str, purl: Purl, path: &str) -> Package {
    Package {
        kind,
        name: name.to_owned(),
        version: version.to_owned(),
        purl,
        source: None,
        licence: None,
        architecture: None,
        path: path.to_owned(),
        layer: None,
    }
}

/// A text without control characters and space at its ends, cut at a sensible length; `None` if nothing is left.
fn tidy(text: &str) -> Option<String> {
    let text: String = text.trim().chars().filter(|character| !character.is_control()).take(512).collect();
    (!text.is_empty()).then_some(text)
}
