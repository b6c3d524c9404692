//! Packages of apk (Alpine, Wolfi).
//!
//! # Source
//! Alpine's wiki, "Apk spec", the installed database.

use super::{Found, package, tidy};
use crate::{Package, PackageType, Purl, SourcePackage};

/// The packages of an installed database.
pub(super) fn packages(path: &str, text: &str) -> Found {
    let paragraphs = text.split("\n\n").filter(|paragraph| !paragraph.trim().is_empty());
    paragraphs.filter_map(|paragraph| installed(path, paragraph)).collect::<Vec<_>>().into()
}

fn installed(path: &str, paragraph: &str) -> Option<Package> {
    let (mut name, mut version, mut architecture, mut origin, mut licence) = (None, None, None, None, None);
    for line in paragraph.lines() {
        let Some((key, value)) = line.split_once(':') else { continue };
        match key {
            "P" => name = tidy(value),
            "V" => version = tidy(value),
            "A" => architecture = tidy(value),
            "o" => origin = tidy(value),
            "L" => licence = tidy(value),
            _ => {}
        }
    }
    let (name, version) = (name?, version.unwrap_or_default());
    let source = SourcePackage { name: origin.unwrap_or_else(|| name.clone()), version: version.clone() };
    let purl = Purl::new("apk", "alpine", &name, &version);
    Some(Package {
        architecture,
        licence,
        source: Some(source),
        ..package(PackageType::Apk, &name, &version, purl, path)
    })
}
