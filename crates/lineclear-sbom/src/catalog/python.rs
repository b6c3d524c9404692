//! Python packages that pip, or a distribution, installed.
//!
//! # Source
//! The core metadata of Python packages, versions 1.0 to 2.4.

use super::{Found, package as package_with, tidy};
use crate::{Package, PackageType, Purl, python_name};

/// The package of a `METADATA` or `PKG-INFO`.
pub(super) fn package(path: &str, text: &str) -> Found {
    let Some((name, version, licence)) = said(text) else {
        return Found::unread("it names no Python package");
    };
    let purl = Purl::new("pypi", "", &name, &version);
    let found = package_with(PackageType::Python, &python_name(&name), &version, purl, path);
    Some(Package { licence, ..found }).into()
}

/// Name, version and licence that the file says.
fn said(text: &str) -> Option<(String, String, Option<String>)> {
    let (mut name, mut version, mut expression, mut free, mut classifiers) = (None, None, None, None, Vec::new());
    // The description comes after an empty line, and is any text.
    for line in text.lines().take_while(|line| !line.trim().is_empty()) {
        let Some((key, value)) = line.split_once(':') else { continue };
        match key {
            "Name" => name = tidy(value),
            "Version" => version = tidy(value),
            "License-Expression" => expression = tidy(value),
            "License" if value.len() < 100 => free = tidy(value).filter(|value| value != "UNKNOWN"),
            "Classifier" => {
                if let Some(classifier) = value.trim().strip_prefix("License ::") {
                    classifiers.extend(classifier.rsplit("::").next().and_then(tidy));
                }
            }
            _ => {}
        }
    }
    let classified = (!classifiers.is_empty()).then(|| classifiers.join(", "));
    Some((name?, version.unwrap_or_default(), expression.or(free).or(classified)))
}
