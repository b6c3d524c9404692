//! Inventories as documents that other tools read, and such documents as inventories.

mod cyclonedx;
mod licence;
mod spdx;

use lineclear_event::hexadecimal;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{Described, Inventory, Package, PackageType, Purl, SourcePackage};

/// Most bytes of a document that is read, and most packages in it.
pub const MAX_DOCUMENT_BYTES: usize = 128 << 20;
const MAX_PACKAGES: usize = 500_000;

/// A form of document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentFormat {
    /// SPDX 2.3 as JSON.
    Spdx,
    /// CycloneDX 1.5 as JSON.
    CycloneDx15,
    /// CycloneDX 1.6 as JSON.
    CycloneDx16,
}

/// Who made a document and when: with the inventory, all that decides on its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Creation {
    /// UTC to the second: `2026-01-31T12:00:00Z`.
    pub at: String,
    /// The version of Lineclear.
    pub version: String,
}

/// Why a document could not be read.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    #[error("the document has {bytes} bytes; at most {MAX_DOCUMENT_BYTES} are read")]
    TooLarge { bytes: usize },
    #[error("the document is no JSON")]
    NotJson(#[source] serde_json::Error),
    #[error("the document is neither SPDX (`spdxVersion`) nor CycloneDX (`bomFormat`); both are read as JSON")]
    UnknownFormat,
    #[error("the document is of {found}; {known} can be read")]
    UnknownVersion { found: String, known: &'static str },
    #[error("the document names more than {MAX_PACKAGES} packages")]
    TooMany,
}

impl DocumentFormat {
    /// `spdx` or `cyclonedx`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Spdx => "spdx",
            Self::CycloneDx15 | Self::CycloneDx16 => "cyclonedx",
        }
    }

    /// The media type, under which registries keep it too.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Spdx => "application/spdx+json",
            Self::CycloneDx15 | Self::CycloneDx16 => "application/vnd.cyclonedx+json",
        }
    }

    /// The inventory as a document, ending in a line break. The same inventory and creation give the same bytes.
    pub fn write(self, inventory: &Inventory, creation: &Creation) -> Vec<u8> {
        let document = match self {
            Self::Spdx => spdx::write(inventory, creation),
            Self::CycloneDx15 => cyclonedx::write(inventory, creation, "1.5"),
            Self::CycloneDx16 => cyclonedx::write(inventory, creation, "1.6"),
        };
        format!("{document:#}\n").into_bytes()
    }
}

/// Reads a document of either form, whoever wrote it, and says which form it is.
///
/// What it says of packages is taken as it stands; a component without package URL gets one of the type `generic`. Versions of the
/// formats that are close enough are read too: SPDX 2.2 and 2.3, CycloneDX 1.2 to 1.7.
///
/// # Errors
/// [`DocumentError`] for what is none, too large, or of a version that is not known.
pub fn read_document(bytes: &[u8]) -> Result<(DocumentFormat, Inventory), DocumentError> {
    if bytes.len() > MAX_DOCUMENT_BYTES {
        return Err(DocumentError::TooLarge { bytes: bytes.len() });
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let document: Value = serde_json::from_slice(bytes).map_err(DocumentError::NotJson)?;
    let (format, mut inventory) = if document["spdxVersion"].is_string() {
        (DocumentFormat::Spdx, spdx::read(&document)?)
    } else if document["bomFormat"] == "CycloneDX" {
        cyclonedx::read(&document)?
    } else {
        return Err(DocumentError::UnknownFormat);
    };
    if inventory.packages.len() > MAX_PACKAGES {
        return Err(DocumentError::TooMany);
    }
    inventory.settle();
    Ok((format, inventory))
}

/// A package as a document of others names it.
fn of_document(name: &str, version: &str, purl: Option<&str>) -> Option<Package> {
    let purl = match purl.map(str::parse::<Purl>) {
        Some(Ok(purl)) => purl,
        Some(Err(_)) | None if name.is_empty() => return None,
        Some(Err(_)) | None => Purl::new("generic", "", name, version),
    };
    let kind = PackageType::of_purl(purl.kind());
    let version = match kind {
        // The document's own version has the epoch in it.
        PackageType::Rpm => match purl.qualifier("epoch") {
            Some(epoch) if epoch != "0" => format!("{epoch}:{}", purl.version()),
            _ => purl.version().to_owned(),
        },
        _ if purl.version().is_empty() => version.to_owned(),
        _ => purl.version().to_owned(),
    };
    // The URL folds the case of some names that their ecosystems do not fold.
    let name = if purl.full_name().eq_ignore_ascii_case(name) { name.to_owned() } else { purl.full_name() };
    let is_of_distribution = matches!(kind, PackageType::Deb | PackageType::Apk | PackageType::Rpm);
    let source = is_of_distribution.then(|| match purl.qualifier("upstream") {
        None => SourcePackage { name: name.clone(), version: version.clone() },
        Some(upstream) => match upstream.split_once('@') {
            Some((name, version)) => SourcePackage { name: name.to_owned(), version: version.to_owned() },
            // Others name the file of RPM's source package here.
            None => source_file(upstream)
                .unwrap_or_else(|| SourcePackage { name: upstream.to_owned(), version: version.clone() }),
        },
    });
    Some(Package {
        kind,
        name,
        version,
        source,
        licence: None,
        architecture: purl.qualifier("arch").map(str::to_owned),
        path: String::new(),
        layer: None,
        purl,
    })
}

fn source_file(upstream: &str) -> Option<SourcePackage> {
    let (rest, release) = upstream.strip_suffix(".src.rpm")?.rsplit_once('-')?;
    let (name, version) = rest.rsplit_once('-')?;
    Some(SourcePackage { name: name.to_owned(), version: format!("{version}-{release}") })
}

/// A short text that is another one for another package or another place of it.
fn identity(package: &Package) -> String {
    let mut hash = Sha256::new();
    for part in [package.purl.to_string().as_str(), &package.path] {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    hexadecimal(&hash.finalize()[..8])
}

/// A UUID that is the document's own: made of what it says, of the time, and of who made it.
fn uuid(inventory: &Inventory, creation: &Creation, form: &str) -> String {
    let mut hash = Sha256::new();
    // Plain data can always be written; an empty text would only make the id less of its own.
    hash.update(serde_json::to_vec(inventory).unwrap_or_default());
    for part in [form, &creation.at, &creation.version] {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    let mut id: [u8; 16] = [0; 16];
    id.copy_from_slice(&hash.finalize()[..16]);
    // Version 8: made by rules of one's own.
    id[6] = (id[6] & 0x0f) | 0x80;
    id[8] = (id[8] & 0x3f) | 0x80;
    let text = hexadecimal(&id);
    format!("{}-{}-{}-{}-{}", &text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..])
}

/// `pkg:oci/app@sha256:…?repository_url=registry.example/app` for an image with a digest.
fn image_purl(subject: &Described) -> Option<Purl> {
    let digest = subject.digest.as_deref()?;
    let reference = lineclear_oci::Reference::parse(&subject.name).ok();
    let repository = reference.map_or_else(|| "image".to_owned(), |reference| reference.bare().name());
    let name = repository.rsplit('/').next().unwrap_or(&repository).to_lowercase();
    let purl = Purl::new("oci", "", &name, digest).with("repository_url", &repository);
    let architecture = subject.platform.as_deref().and_then(|platform| platform.split('/').nth(1)).unwrap_or_default();
    Some(purl.with("arch", architecture))
}
