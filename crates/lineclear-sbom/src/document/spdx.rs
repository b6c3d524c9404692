//! SPDX 2.3 as JSON.
//!
//! # Source
//! The SPDX specification 2.3, and its JSON schema.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::licence::{self, Licence};
use super::{Creation, DocumentError, hexadecimal, identity, image_purl, of_document, uuid};
use crate::{Described, Distribution, Inventory, Package, Unread};

const ROOT: &str = "SPDXRef-Root";
const SYSTEM: &str = "SPDXRef-OperatingSystem";
const UNREAD: &str = "not read: ";
const FOUND_IN: &str = "found in ";
const OF_LAYER: &str = ", of layer ";

pub(super) fn write(inventory: &Inventory, creation: &Creation) -> Value {
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    let mut packages = vec![root(&inventory.subject)];
    let mut relationships = vec![relationship("SPDXRef-DOCUMENT", "DESCRIBES", ROOT)];
    if let Some(distribution) = &inventory.distribution {
        packages.push(json!({
            "name": distribution.id,
            "SPDXID": SYSTEM,
            "versionInfo": distribution.version,
            "downloadLocation": "NOASSERTION",
            "filesAnalyzed": false,
            "primaryPackagePurpose": "OPERATING-SYSTEM",
            "summary": distribution.pretty,
        }));
        relationships.push(relationship(ROOT, "CONTAINS", SYSTEM));
    }
    for package in &inventory.packages {
        let id = id(package);
        relationships.push(relationship(ROOT, "CONTAINS", &id));
        packages.push(one(package, &id, &mut texts));
    }
    let mut document = json!({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": if inventory.subject.name.is_empty() { "inventory" } else { &inventory.subject.name },
        "documentNamespace": format!("https://spdx.org/spdxdocs/lineclear-{}", uuid(inventory, creation, "spdx")),
        "creationInfo": {
            "created": creation.at,
            "creators": [format!("Tool: lineclear-{}", creation.version)],
        },
        "packages": packages,
        "relationships": relationships,
    });
    if !texts.is_empty() {
        let each = |(id, text): (String, String)| json!({ "licenseId": id, "extractedText": text, "name": text });
        document["hasExtractedLicensingInfos"] = texts.into_iter().map(each).collect();
    }
    if !inventory.unread.is_empty() {
        let each = |unread: &Unread| {
            json!({
                "annotationType": "REVIEW",
                "annotator": format!("Tool: lineclear-{}", creation.version),
                "annotationDate": creation.at,
                "comment": format!("{UNREAD}{}: {}", unread.path, unread.why),
            })
        };
        document["annotations"] = inventory.unread.iter().map(each).collect();
    }
    document
}

fn relationship(from: &str, kind: &str, to: &str) -> Value {
    json!({ "spdxElementId": from, "relationshipType": kind, "relatedSpdxElement": to })
}

fn root(subject: &Described) -> Value {
    let mut root = json!({
        "name": if subject.name.is_empty() { "inventory" } else { &subject.name },
        "SPDXID": ROOT,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": false,
        "primaryPackagePurpose": if subject.digest.is_some() { "CONTAINER" } else { "SOURCE" },
    });
    if let Some(digest) = &subject.digest {
        root["versionInfo"] = json!(digest);
        if let Some(hash) = digest.strip_prefix("sha256:") {
            root["checksums"] = json!([{ "algorithm": "SHA256", "checksumValue": hash }]);
        }
    }
    if let Some(purl) = image_purl(subject) {
        root["externalRefs"] = purl_reference(&purl.to_string());
    }
    if let Some(platform) = &subject.platform {
        root["comment"] = json!(format!("platform {platform}"));
    }
    root
}

fn purl_reference(purl: &str) -> Value {
    json!([{ "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl }])
}

fn id(package: &Package) -> String {
    let name: String = package
        .name
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() || letter == '.' { letter } else { '-' })
        .take(60)
        .collect();
    format!("SPDXRef-Package-{}-{name}-{}", package.kind, identity(package))
}

fn one(package: &Package, id: &str, texts: &mut BTreeMap<String, String>) -> Value {
    let declared = match package.licence.as_deref().map(licence::of) {
        None => "NOASSERTION".to_owned(),
        Some(Licence::Expression(expression)) => expression,
        Some(Licence::Text(text)) => {
            let id = format!("LicenseRef-{}", hexadecimal(&Sha256::digest(&text)[..8]));
            texts.insert(id.clone(), text);
            id
        }
    };
    let mut one = json!({
        "name": package.name,
        "SPDXID": id,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": false,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": declared,
        "copyrightText": "NOASSERTION",
        "supplier": "NOASSERTION",
        "externalRefs": purl_reference(&package.purl.to_string()),
    });
    if !package.version.is_empty() {
        one["versionInfo"] = json!(package.version);
    }
    if !package.path.is_empty() {
        let layer = package.layer.as_ref().map_or_else(String::new, |layer| format!("{OF_LAYER}{layer}"));
        one["sourceInfo"] = json!(format!("{FOUND_IN}{}{layer}", package.path));
    }
    one
}

pub(super) fn read(document: &Value) -> Result<Inventory, DocumentError> {
    let version = document["spdxVersion"].as_str().unwrap_or_default();
    if !matches!(version, "SPDX-2.2" | "SPDX-2.3") {
        let found = version.chars().take(40).collect();
        return Err(DocumentError::UnknownVersion { found, known: "SPDX-2.2 and SPDX-2.3" });
    }
    let mut inventory = Inventory::default();
    let described = described(document);
    let texts: BTreeMap<&str, &str> = list(&document["hasExtractedLicensingInfos"])
        .filter_map(|info| {
            Some((info["licenseId"].as_str()?, info["name"].as_str().or_else(|| info["extractedText"].as_str())?))
        })
        .collect();
    for entry in list(&document["packages"]) {
        let text = |key: &str| entry[key].as_str().unwrap_or_default();
        let purl = list(&entry["externalRefs"])
            .find(|reference| reference["referenceType"] == "purl")
            .and_then(|reference| reference["referenceLocator"].as_str());
        if text("primaryPackagePurpose") == "OPERATING-SYSTEM" {
            inventory.distribution = Some(Distribution {
                id: text("name").to_lowercase(),
                version: text("versionInfo").to_owned(),
                pretty: text("summary").to_owned(),
                ..Distribution::default()
            });
        } else if described.contains(&text("SPDXID")) {
            inventory.subject = Described {
                name: text("name").to_owned(),
                digest: Some(text("versionInfo")).filter(|version| version.starts_with("sha256:")).map(str::to_owned),
                platform: text("comment").strip_prefix("platform ").map(str::to_owned),
            };
        } else if let Some(package) = of_document(text("name"), text("versionInfo"), purl) {
            let licence = [text("licenseDeclared"), text("licenseConcluded")]
                .into_iter()
                .find(|licence| !matches!(*licence, "" | "NOASSERTION" | "NONE"))
                .map(|licence| texts.get(licence).copied().unwrap_or(licence).to_owned());
            let place = text("sourceInfo").strip_prefix(FOUND_IN).unwrap_or_default();
            let (path, layer) = place.split_once(OF_LAYER).map_or((place, None), |(path, layer)| (path, Some(layer)));
            let (path, layer) = (path.to_owned(), layer.map(str::to_owned));
            inventory.packages.push(Package { licence, path, layer, ..package });
        }
    }
    for annotation in list(&document["annotations"]) {
        if let Some(rest) = annotation["comment"].as_str().and_then(|comment| comment.strip_prefix(UNREAD)) {
            let (path, why) = rest.split_once(": ").unwrap_or(("", rest));
            inventory.unread.push(Unread { path: path.to_owned(), layer: None, why: why.to_owned() });
        }
    }
    Ok(inventory)
}

/// What the document is of: said in one of two ways.
fn described(document: &Value) -> Vec<&str> {
    let by_relationship = list(&document["relationships"])
        .filter(|relationship| relationship["relationshipType"] == "DESCRIBES")
        .filter_map(|relationship| relationship["relatedSpdxElement"].as_str());
    let roots: Vec<&str> =
        by_relationship.chain(list(&document["documentDescribes"]).filter_map(Value::as_str)).collect();
    // A document that describes each of its packages has no root.
    if roots.len() == 1 { roots } else { Vec::new() }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
