//! The order of the house: who may depend on whom, under which licences, and that the texts speak of the project alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::shell::{Cmd, root};

pub fn check() -> Result<()> {
    let metadata = Cmd::new("cargo").args(&["metadata", "--format-version", "1", "--locked"]).read()?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let mut wrong = arrows(&metadata)?;
    wrong.extend(licences(&metadata)?);
    wrong.extend(dependency_notes(&metadata)?);
    wrong.extend(texts()?);
    if !wrong.is_empty() {
        bail!("\n  {}", wrong.join("\n  "));
    }
    Ok(())
}

/// Compares the crates' dependencies on each other with the table in `docs/architecture.md`.
fn arrows(metadata: &Value) -> Result<Vec<String>> {
    let text = fs::read_to_string(root().join("docs/architecture.md"))?;
    // A row: | floor | `lineclear-x` | owns | uses a, b |
    let mut allowed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with('|')) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [_, name, _, uses] = cells[..] else { continue };
        let Some(name) = name.strip_prefix('`').and_then(|name| name.strip_suffix('`')) else { continue };
        let uses = uses.split(',').map(str::trim).filter(|used| !used.is_empty() && *used != "–");
        allowed.insert(name.to_owned(), uses.map(|used| format!("lineclear-{used}")).collect());
    }
    let mut wrong = Vec::new();
    for package in list(metadata, "packages") {
        let name = text_of(package, "name");
        if !name.starts_with("lineclear") || !package["source"].is_null() {
            continue;
        }
        let Some(allowed) = allowed.get(name) else {
            wrong.push(format!("docs/architecture.md has no row for `{name}`"));
            continue;
        };
        for dependency in list(package, "dependencies") {
            let used = text_of(dependency, "name");
            let is_normal = dependency["kind"].is_null();
            if is_normal && used.starts_with("lineclear-") && !allowed.contains(used) && name != "lineclear" {
                wrong.push(format!(
                    "`{name}` depends on `{used}`, which its row in docs/architecture.md does not allow"
                ));
            }
        }
    }
    Ok(wrong)
}

/// Every dependency's licence is one that `deny.toml` allows.
fn licences(metadata: &Value) -> Result<Vec<String>> {
    let deny = fs::read_to_string(root().join("deny.toml"))?;
    let line = deny.lines().find(|line| line.starts_with("allow = [")).context("deny.toml has no list of licences")?;
    let allowed: BTreeSet<&str> = line.split('"').skip(1).step_by(2).collect();
    let mut wrong = Vec::new();
    for package in list(metadata, "packages") {
        let licence = text_of(package, "license").replace('/', " OR ");
        // One of the alternatives must be allowed, with all its parts.
        let is_fine = licence.split(" OR ").any(|alternative| {
            let parts = alternative.trim().trim_matches(['(', ')']).split(" AND ");
            parts.map(|part| part.trim().trim_matches(['(', ')'])).all(|part| allowed.contains(part))
        });
        if !is_fine {
            wrong.push(format!(
                "`{}` has the licence `{licence}`, which deny.toml does not allow",
                text_of(package, "name")
            ));
        }
    }
    Ok(wrong)
}

/// Every direct dependency is explained in `docs/dependencies.md`.
fn dependency_notes(metadata: &Value) -> Result<Vec<String>> {
    let notes = fs::read_to_string(root().join("docs/dependencies.md"))?;
    let mut wrong = BTreeSet::new();
    for package in list(metadata, "packages").iter().filter(|package| package["source"].is_null()) {
        for dependency in list(package, "dependencies") {
            let name = text_of(dependency, "name");
            if !name.starts_with("lineclear-") && !notes.contains(&format!("`{name}`")) {
                wrong.insert(format!("docs/dependencies.md does not say why `{name}` is a dependency"));
            }
        }
    }
    Ok(wrong.into_iter().collect())
}

/// No tracked text holds a private path or the address of a package registry.
fn texts() -> Result<Vec<String>> {
    // Written in two parts, so that this file does not find itself.
    let unwanted = [
        concat!("/ro", "ot/."),
        concat!("/work", "/main"),
        concat!("registry.npm", "js.org"),
        concat!("pypi", ".org"),
        concat!("static.crates", ".io"),
    ];
    let files = Cmd::new("git").args(&["ls-files", "-z"]).read()?;
    let mut wrong = Vec::new();
    for file in files.split('\0').filter(|file| !file.is_empty()) {
        let Ok(text) = fs::read_to_string(root().join(file)) else { continue };
        for (number, line) in text.lines().enumerate() {
            if let Some(found) = unwanted.iter().find(|unwanted| line.contains(**unwanted)) {
                wrong.push(format!("{file}:{}: `{found}` does not belong into the repository", number + 1));
            }
        }
    }
    Ok(wrong)
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

fn text_of<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}
