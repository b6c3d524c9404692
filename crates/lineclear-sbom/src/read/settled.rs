//! From what was found in single files to the inventory of the whole: the distribution says how its packages are called, licences of
//! dpkg's packages lie in files of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::kept::KeptFiles;
use crate::{Described, Distribution, Inventory, Package, PackageType, Purl, SourcePackage, Unread};

pub(super) fn inventory(files: KeptFiles, layers: &[Arc<str>], subject: Described) -> Inventory {
    let mut inventory = Inventory { subject, ..Inventory::default() };
    let mut licences = BTreeMap::new();
    let mut distributions: Vec<(String, Distribution)> = Vec::new();
    let mut programs = BTreeSet::new();
    for (path, kept) in files.into_files() {
        if kept.program.is_some_and(|program| !programs.insert(program)) {
            continue;
        }
        let layer = layers.get(kept.layer).map(ToString::to_string);
        if let Some(distribution) = kept.found.distribution {
            distributions.push((path.clone(), distribution));
        }
        if let Some(licence) = kept.found.licence {
            licences.insert(licence.package, licence.licence);
        }
        inventory
            .packages
            .extend(kept.found.packages.into_iter().map(|package| Package { layer: layer.clone(), ..package }));
        let unread = kept.found.unread.into_iter();
        inventory.unread.extend(unread.map(|why| Unread { path: path.clone(), layer: layer.clone(), why }));
    }
    // `/etc/os-release` is what programs read first.
    distributions.sort_by_key(|(path, _)| !path.starts_with("etc/"));
    inventory.distribution = distributions.into_iter().next().map(|(_, distribution)| distribution);
    for package in &mut inventory.packages {
        if package.kind == PackageType::Deb && package.licence.is_none() {
            package.licence = licences.get(&package.name).cloned();
        }
        name(package, inventory.distribution.as_ref());
    }
    inventory.settle();
    inventory
}

/// The package URL of a distribution's package; others have theirs.
fn name(package: &mut Package, distribution: Option<&Distribution>) {
    let (kind, fallback) = match package.kind {
        PackageType::Deb => ("deb", "debian"),
        PackageType::Apk => ("apk", "alpine"),
        PackageType::Rpm => ("rpm", ""),
        _ => return,
    };
    let (id, of) = match distribution {
        Some(distribution) if distribution.version.is_empty() => (distribution.id.as_str(), distribution.id.clone()),
        Some(distribution) => (distribution.id.as_str(), format!("{}-{}", distribution.id, distribution.version)),
        None => (fallback, String::new()),
    };
    // In purls of RPM packages the epoch is a qualifier.
    let (epoch, version) = match package.version.split_once(':') {
        Some((epoch, version)) if package.kind == PackageType::Rpm => (epoch, version),
        _ => ("", package.version.as_str()),
    };
    let purl = Purl::new(kind, id, &package.name, version)
        .with("arch", package.architecture.as_deref().unwrap_or_default())
        .with("epoch", epoch)
        .with("upstream", &upstream(package))
        .with("distro", &of);
    package.purl = purl;
}

/// The source package, where it is another: `name`, or `name@version`.
fn upstream(package: &Package) -> String {
    match &package.source {
        Some(SourcePackage { name, version }) if *version == package.version && *name == package.name => String::new(),
        Some(SourcePackage { name, version }) if *version == package.version => name.clone(),
        Some(SourcePackage { name, version }) => format!("{name}@{version}"),
        None => String::new(),
    }
}
