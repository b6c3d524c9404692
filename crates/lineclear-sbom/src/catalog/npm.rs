//! npm packages: installed modules, and lock files.
//!
//! # Source
//! npm's documentation, `package.json` and `package-lock.json` (versions 1 to 3).

use serde_json::Value;

use super::{Found, package, tidy};
use crate::{Package, PackageType, Purl};

/// Locks that nest deeper are cut there.
const MAX_DEPTH: usize = 64;

/// Whether the folder is that of an installed module: `…/node_modules/name`, `…/node_modules/@scope/name`. Modules of the distribution's
/// packages lie elsewhere, and are told by its database.
pub(super) fn is_module(folder: &str) -> bool {
    let mut parts = folder.rsplit('/');
    let (name, above, top) = (parts.next(), parts.next(), parts.next());
    match (name, above, top) {
        (Some(name), Some("node_modules"), _) => !name.starts_with(['@', '.']),
        (Some(_), Some(scope), Some("node_modules")) => scope.starts_with('@'),
        _ => false,
    }
}

/// The module of a `package.json`.
pub(super) fn module(path: &str, bytes: &[u8]) -> Found {
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else { return Found::unread("it is no JSON") };
    // A file without name or version marks a kind of modules below it, and is no package.
    let (Some(name), Some(version)) = (value["name"].as_str().and_then(tidy), value["version"].as_str().and_then(tidy))
    else {
        return Found::default();
    };
    let licence = licence(&value["license"]).or_else(|| licence(&value["licenses"][0]));
    Some(Package { licence, ..npm(&name, &version, path) }).into()
}

/// What a lock file asks for.
pub(super) fn lock(path: &str, bytes: &[u8]) -> Found {
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else { return Found::unread("it is no JSON") };
    let mut packages = Vec::new();
    if let Some(entries) = value["packages"].as_object() {
        for (place, entry) in entries {
            // The folder itself, and packages of the repository that modules are links to, were not got from anywhere.
            let Some((_, named)) = place.rsplit_once("node_modules/") else { continue };
            let name = entry["name"].as_str().unwrap_or(named);
            let (Some(name), Some(version)) = (tidy(name), entry["version"].as_str().and_then(tidy)) else { continue };
            packages.push(Package { licence: licence(&entry["license"]), ..npm(&name, &version, path) });
        }
    } else if value["dependencies"].is_object() {
        dependencies(path, &value["dependencies"], 0, &mut packages);
    } else if value["lockfileVersion"].is_null() {
        return Found::unread("it is a lock file of no known version");
    }
    packages.into()
}

/// Version 1: each entry may hold others.
fn dependencies(path: &str, entries: &Value, depth: usize, packages: &mut Vec<Package>) {
    let Some(entries) = entries.as_object().filter(|_| depth < MAX_DEPTH) else { return };
    for (name, entry) in entries {
        if let (Some(name), Some(version)) = (tidy(name), entry["version"].as_str().and_then(tidy)) {
            // `npm:other@1.2.3` is another package under this name.
            let alias = version
                .strip_prefix("npm:")
                .and_then(|alias| alias.rsplit_once('@'))
                .filter(|(name, _)| !name.is_empty());
            let (name, version) = alias.unwrap_or((&name, &version));
            packages.push(npm(name, version, path));
        }
        dependencies(path, &entry["dependencies"], depth + 1, packages);
    }
}

fn npm(name: &str, version: &str, path: &str) -> Package {
    let (scope, short) = name.split_once('/').unwrap_or(("", name));
    package(PackageType::Npm, name, version, Purl::new("npm", scope, short, version), path)
}

/// `"MIT"`, or as it was written long ago: `{"type": "MIT"}`.
fn licence(value: &Value) -> Option<String> {
    value.as_str().or_else(|| value["type"].as_str()).and_then(tidy)
}
