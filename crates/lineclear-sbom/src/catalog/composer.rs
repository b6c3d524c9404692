//! PHP packages of composer: what is installed, and what its lock file asks for.

use serde_json::Value;

use super::{Found, package, tidy};
use crate::{Package, PackageType, Purl};

/// The packages of `vendor/composer/installed.json` (both forms) or `composer.lock`.
pub(super) fn packages(path: &str, bytes: &[u8]) -> Found {
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else { return Found::unread("it is no JSON") };
    let lists = [&value, &value["packages"], &value["packages-dev"]];
    let entries = lists.into_iter().filter_map(Value::as_array).flatten();
    let each = entries.filter_map(|entry| {
        let (name, version) = (entry["name"].as_str().and_then(tidy)?, entry["version"].as_str().and_then(tidy)?);
        let (vendor, short) = name.split_once('/').unwrap_or(("", &name));
        let licences: Vec<&str> = entry["license"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let licence = tidy(&licences.join(" OR "));
        let purl = Purl::new("composer", vendor, short, &version);
        Some(Package { licence, ..package(PackageType::Composer, &name, &version, purl, path) })
    });
    each.collect::<Vec<_>>().into()
}
