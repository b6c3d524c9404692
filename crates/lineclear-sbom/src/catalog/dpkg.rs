//! Packages of dpkg (Debian, Ubuntu), also in images that were made without it.
//!
//! # Source
//! The Debian policy manual, chapters 5 (control fields) and 12.5 (copyright files); the form of copyright files 1.0.

use std::collections::BTreeSet;

use super::{Found, LicenceOf, package, tidy};
use crate::{Package, PackageType, Purl, SourcePackage};

/// The package of a file of `status.d`: a paragraph of a status file, without `Status`.
pub(super) fn part(path: &str, text: &str) -> Found {
    let found = packages(path, text);
    if found.is_empty() && !text.trim().is_empty() && !is_of_removed(text) {
        return Found::unread("it names no package");
    }
    found
}

fn is_of_removed(text: &str) -> bool {
    text.lines().any(|line| line.starts_with("Status:"))
}

/// The installed packages of a status file.
pub(super) fn packages(path: &str, text: &str) -> Found {
    let paragraphs = text.split("\n\n").filter(|paragraph| !paragraph.trim().is_empty());
    paragraphs.filter_map(|paragraph| installed(path, paragraph)).collect::<Vec<_>>().into()
}

fn installed(path: &str, paragraph: &str) -> Option<Package> {
    let (mut name, mut version, mut architecture, mut source, mut status) = (None, None, None, None, None);
    for line in paragraph.lines() {
        // Lines that go on begin with a space.
        let Some((key, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        match key {
            "Package" => name = tidy(value),
            "Version" => version = tidy(value),
            "Architecture" => architecture = tidy(value),
            "Source" => source = tidy(value),
            "Status" => status = Some(value.rsplit(' ').next().unwrap_or_default()),
            _ => {}
        }
    }
    // `deinstall ok config-files` is no longer there; `install ok half-configured` is.
    if status.is_some_and(|status| matches!(status, "config-files" | "not-installed")) {
        return None;
    }
    let (name, version) = (name?, version.unwrap_or_default());
    let source = match source.as_deref().map(|source| source.split_once(" (").unwrap_or((source, ""))) {
        None => SourcePackage { name: name.clone(), version: version.clone() },
        Some((source, "")) => SourcePackage { name: source.to_owned(), version: version.clone() },
        Some((source, other)) => {
            SourcePackage { name: source.to_owned(), version: other.trim_end_matches(')').to_owned() }
        }
    };
    let purl = Purl::new("deb", "debian", &name, &version);
    Some(Package { architecture, source: Some(source), ..package(PackageType::Deb, &name, &version, purl, path) })
}

/// The licences that a copyright file names; nothing for one that is written for people alone.
pub(super) fn licence(path: &str, text: &str) -> Found {
    let Some(name) = path.strip_prefix("usr/share/doc/").and_then(|rest| rest.strip_suffix("/copyright")) else {
        return Found::default();
    };
    if !text.trim_start().starts_with("Format:") && !text.contains("\nFormat:") {
        return Found::default();
    }
    let named: BTreeSet<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("License:"))
        .filter_map(tidy)
        .map(|name| expression(&name))
        .collect();
    if named.is_empty() || named.len() > 40 {
        return Found::default();
    }
    let several = named.len() > 1;
    let each: Vec<String> = named
        .into_iter()
        .map(|name| if several && name.contains(" OR ") { format!("({name})") } else { name })
        .collect();
    let licence = LicenceOf { package: name.to_owned(), licence: each.join(" AND ") };
    Found { licence: Some(licence), ..Found::default() }
}

/// `GPL-2+ or Expat` as an SPDX expression, as far as the words are known.
fn expression(named: &str) -> String {
    let words = named.split_whitespace().map(|word| match word.trim_end_matches(',') {
        "and" => "AND",
        "or" => "OR",
        "GPL-1" => "GPL-1.0-only",
        "GPL-1+" => "GPL-1.0-or-later",
        "GPL-2" | "GPL-2.0" => "GPL-2.0-only",
        "GPL-2+" | "GPL-2.0+" => "GPL-2.0-or-later",
        "GPL-3" | "GPL-3.0" => "GPL-3.0-only",
        "GPL-3+" | "GPL-3.0+" => "GPL-3.0-or-later",
        "LGPL-2" | "LGPL-2.0" => "LGPL-2.0-only",
        "LGPL-2+" | "LGPL-2.0+" => "LGPL-2.0-or-later",
        "LGPL-2.1" => "LGPL-2.1-only",
        "LGPL-2.1+" => "LGPL-2.1-or-later",
        "LGPL-3" | "LGPL-3.0" => "LGPL-3.0-only",
        "LGPL-3+" | "LGPL-3.0+" => "LGPL-3.0-or-later",
        "Expat" => "MIT",
        "BSD-2-clause" => "BSD-2-Clause",
        "BSD-3-clause" => "BSD-3-Clause",
        "Apache-2" => "Apache-2.0",
        "MPL-1.1" => "MPL-1.1",
        "zlib" => "Zlib",
        other => other,
    });
    words.collect::<Vec<_>>().join(" ")
}
