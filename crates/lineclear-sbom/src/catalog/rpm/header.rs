//! The header of an installed package: tags with their values.
//!
//! # Source
//! RPM's documentation, "Package format", section "Header format", and its list of tags.

use super::super::{package as package_with, tidy};
use super::big;
use crate::{Package, PackageType, Purl, SourcePackage};

const NAME: u32 = 1000;
const VERSION: u32 = 1001;
const RELEASE: u32 = 1002;
const EPOCH: u32 = 1003;
const LICENCE: u32 = 1014;
const ARCHITECTURE: u32 = 1022;
const SOURCE: u32 = 1044;

/// A blob that is no header.
#[derive(Debug)]
pub(super) struct NotAHeader;

/// The package; `None` for a public key, which the database keeps as if it were one.
pub(super) fn package(blob: &[u8]) -> Result<Option<Package>, NotAHeader> {
    read(blob).ok_or(NotAHeader)
}

fn read(blob: &[u8]) -> Option<Option<Package>> {
    let (entries, length) = (big(blob, 0)? as usize, big(blob, 4)? as usize);
    let index = blob.get(8..8_usize.checked_add(entries.checked_mul(16)?)?)?;
    let data = blob.get(8 + index.len()..)?.get(..length)?;
    let entry = |tag: u32| index.chunks_exact(16).find(|entry| big(entry, 0) == Some(tag));
    let text = |tag: u32| {
        let bytes = data.get(big(entry(tag)?, 8)? as usize..)?;
        let end = memchr::memchr(0, bytes)?;
        tidy(&String::from_utf8_lossy(&bytes[..end]))
    };
    let name = text(NAME)?;
    if name == "gpg-pubkey" {
        return Some(None);
    }
    let release = text(RELEASE).map_or_else(String::new, |release| format!("-{release}"));
    let plain = format!("{}{release}", text(VERSION)?);
    let epoch = entry(EPOCH).and_then(|entry| big(data, big(entry, 8)? as usize)).filter(|epoch| *epoch > 0);
    let version = epoch.map_or_else(|| plain.clone(), |epoch| format!("{epoch}:{plain}"));
    let source = text(SOURCE).and_then(|file| source(&file, epoch));
    Some(Some(Package {
        source: Some(source.unwrap_or_else(|| SourcePackage { name: name.clone(), version: version.clone() })),
        licence: text(LICENCE),
        architecture: text(ARCHITECTURE),
        ..package_of(&name, &version, &plain)
    }))
}

fn package_of(name: &str, version: &str, plain: &str) -> Package {
    package_with(PackageType::Rpm, name, version, Purl::new("rpm", "", name, plain), "")
}

/// `bash-5.1.8-6.el9.src.rpm`. The file's name has no epoch; it is the packages' own nearly always.
fn source(file: &str, epoch: Option<u32>) -> Option<SourcePackage> {
    let stem = file.strip_suffix(".src.rpm").or_else(|| file.strip_suffix(".nosrc.rpm"))?;
    let (rest, release) = stem.rsplit_once('-')?;
    let (name, version) = rest.rsplit_once('-')?;
    let epoch = epoch.map_or_else(String::new, |epoch| format!("{epoch}:"));
    Some(SourcePackage { name: name.to_owned(), version: format!("{epoch}{version}-{release}") })
}
