//! `Cargo.lock`.

use serde::Deserialize;

use super::{Found, package};
use crate::{PackageType, Purl};

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    package: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    version: String,
}

/// What a `Cargo.lock` asks for, with the crates of the workspace itself.
pub(super) fn packages(path: &str, text: &str) -> Found {
    match toml::from_str::<Lock>(text) {
        Ok(lock) => {
            let each = lock.package.iter().map(|Entry { name, version }| {
                package(PackageType::Cargo, name, version, Purl::new("cargo", "", name, version), path)
            });
            each.collect::<Vec<_>>().into()
        }
        Err(error) => Found::unread(format!("it is no lock file of cargo: {}", error.message())),
    }
}
