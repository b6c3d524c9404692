//! CycloneDX as JSON.
//!
//! # Source
//! The CycloneDX specification 1.5 and 1.6, and their JSON schemas.

use serde_json::{Value, json};

use super::licence::{self, Licence};
use super::{Creation, DocumentError, DocumentFormat, identity, image_purl, of_document, uuid};
use crate::{Described, Distribution, Inventory, Package, Unread};

const ROOT: &str = "root";
const LAYER: &str = "lineclear:layer";
const PLATFORM: &str = "lineclear:platform";
const UNREAD: &str = "lineclear:unread";

pub(super) fn write(inventory: &Inventory, creation: &Creation, version: &str) -> Value {
    let mut components = Vec::new();
    if let Some(distribution) = &inventory.distribution {
        let mut system = json!({
            "type": "operating-system",
            "bom-ref": "operating-system",
            "name": distribution.id,
        });
        if !distribution.version.is_empty() {
            system["version"] = json!(distribution.version);
        }
        if !distribution.pretty.is_empty() {
            system["description"] = json!(distribution.pretty);
        }
        components.push(system);
    }
    components.extend(inventory.packages.iter().map(one));
    let mut metadata = json!({
        "timestamp": creation.at,
        "tools": { "components": [{ "type": "application", "name": "lineclear", "version": creation.version }] },
        "component": root(&inventory.subject),
    });
    if !inventory.unread.is_empty() {
        let each = |unread: &Unread| property(UNREAD, &format!("{}: {}", unread.path, unread.why));
        metadata["properties"] = inventory.unread.iter().map(each).collect();
    }
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": version,
        "serialNumber": format!("urn:uuid:{}", uuid(inventory, creation, version)),
        "version": 1,
        "metadata": metadata,
        "components": components,
        "compositions": [{
            "aggregate": if inventory.is_whole() { "complete" } else { "incomplete" },
            "assemblies": [ROOT],
        }],
    })
}

fn property(name: &str, value: &str) -> Value {
    json!({ "name": name, "value": value })
}

fn root(subject: &Described) -> Value {
    let mut root = json!({
        "type": if subject.digest.is_some() { "container" } else { "application" },
        "bom-ref": ROOT,
        "name": if subject.name.is_empty() { "inventory" } else { &subject.name },
    });
    if let Some(digest) = &subject.digest {
        root["version"] = json!(digest);
        if let Some(hash) = digest.strip_prefix("sha256:") {
            root["hashes"] = json!([{ "alg": "SHA-256", "content": hash }]);
        }
    }
    if let Some(purl) = image_purl(subject) {
        root["purl"] = json!(purl.to_string());
    }
    if let Some(platform) = &subject.platform {
        root["properties"] = json!([property(PLATFORM, platform)]);
    }
    root
}

fn one(package: &Package) -> Value {
    let mut one = json!({
        "type": "library",
        "bom-ref": format!("{}-{}", package.kind, identity(package)),
        "name": package.name,
    });
    if !package.version.is_empty() {
        one["version"] = json!(package.version);
    }
    match package.licence.as_deref().map(licence::of) {
        None => {}
        Some(Licence::Expression(expression)) => one["licenses"] = json!([{ "expression": expression }]),
        Some(Licence::Text(text)) => one["licenses"] = json!([{ "license": { "name": text } }]),
    }
    one["purl"] = json!(package.purl.to_string());
    if let Some(layer) = &package.layer {
        one["properties"] = json!([property(LAYER, layer)]);
    }
    if !package.path.is_empty() {
        one["evidence"] = json!({ "occurrences": [{ "location": package.path }] });
    }
    one
}

pub(super) fn read(document: &Value) -> Result<(DocumentFormat, Inventory), DocumentError> {
    let format = match document["specVersion"].as_str().unwrap_or_default() {
        "1.2" | "1.3" | "1.4" | "1.5" => DocumentFormat::CycloneDx15,
        "1.6" | "1.7" => DocumentFormat::CycloneDx16,
        other => {
            let found = format!("CycloneDX {}", other.chars().take(40).collect::<String>());
            return Err(DocumentError::UnknownVersion { found, known: "CycloneDX 1.2 to 1.7" });
        }
    };
    let metadata = &document["metadata"];
    let component = &metadata["component"];
    let mut inventory = Inventory::default();
    let version = component["version"].as_str().unwrap_or_default();
    inventory.subject = Described {
        name: component["name"].as_str().unwrap_or_default().to_owned(),
        digest: version.starts_with("sha256:").then(|| version.to_owned()),
        platform: named(component, PLATFORM).map(str::to_owned),
    };
    for value in properties(metadata, UNREAD) {
        let (path, why) = value.split_once(": ").unwrap_or(("", value));
        inventory.unread.push(Unread { path: path.to_owned(), layer: None, why: why.to_owned() });
    }
    components(&document["components"], &mut inventory);
    Ok((format, inventory))
}

/// Components, and those in them. The depth is that of the JSON, which its reader bounds.
fn components(entries: &Value, inventory: &mut Inventory) {
    for entry in entries.as_array().into_iter().flatten() {
        components(&entry["components"], inventory);
        let text = |key: &str| entry[key].as_str().unwrap_or_default();
        match text("type") {
            "operating-system" => {
                inventory.distribution = Some(Distribution {
                    id: text("name").to_lowercase(),
                    version: text("version").to_owned(),
                    pretty: text("description").to_owned(),
                    ..Distribution::default()
                });
            }
            // Not packages: single files, data, devices.
            "file" | "data" | "device" | "machine-learning-model" | "cryptographic-asset" | "platform" => {}
            _ => {
                let name = match text("group") {
                    "" => text("name").to_owned(),
                    group if text("purl").starts_with("pkg:maven/") => format!("{group}:{}", text("name")),
                    group => format!("{group}/{}", text("name")),
                };
                if let Some(package) = of_document(&name, text("version"), entry["purl"].as_str()) {
                    let path = entry["evidence"]["occurrences"][0]["location"].as_str().unwrap_or_default().to_owned();
                    let layer = named(entry, LAYER).map(str::to_owned);
                    inventory.packages.push(Package { licence: licence_of(entry), path, layer, ..package });
                }
            }
        }
    }
}

fn licence_of(entry: &Value) -> Option<String> {
    let each = |choice: &Value| {
        let license = &choice["license"];
        let text =
            choice["expression"].as_str().or_else(|| license["id"].as_str()).or_else(|| license["name"].as_str());
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let all: Vec<String> = entry["licenses"].as_array()?.iter().filter_map(each).collect();
    (!all.is_empty()).then(|| all.join(" AND "))
}

fn properties<'a>(of: &'a Value, name: &'a str) -> impl Iterator<Item = &'a str> {
    let properties = of["properties"].as_array().into_iter().flatten();
    properties.filter(move |property| property["name"] == name).filter_map(|property| property["value"].as_str())
}

fn named<'a>(of: &'a Value, name: &'a str) -> Option<&'a str> {
    properties(of, name).next()
}
