//! Reports as workflows read them on: tables, SARIF, and JSON in the forms of trivy and grype, with what of them scripts ask for.
//!
//! # Source
//! `pkg/types/report.go` of trivy (`SchemaVersion` 2); `grype/presenter/models` of grype.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use lineclear_event::Severity;
use lineclear_vulnerability::{Hit, sarif as sarif_of};
use serde_json::{Value, json};

use super::looked::Looked;

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The widest column of a table.
const WIDEST: usize = 48;

/// A table for people.
pub(super) fn table(looked: &Looked) -> String {
    let mut text = String::new();
    for (inventory, scan) in &looked.all {
        let subject = &inventory.subject;
        let facts = [subject.platform.clone(), inventory.distribution.as_ref().map(|known| known.pretty.clone())];
        let facts: Vec<String> = facts.into_iter().flatten().filter(|fact| !fact.is_empty()).collect();
        let facts = if facts.is_empty() { String::new() } else { format!(" ({})", facts.join(", ")) };
        let counts: Vec<String> =
            scan.counts().iter().rev().map(|(severity, count)| format!("{}: {count}", upper(*severity))).collect();
        let counts = if counts.is_empty() { String::new() } else { format!(" ({})", counts.join(", ")) };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}{facts}\nTotal: {}{counts}", subject.name, scan.hits.len());
        if !scan.hits.is_empty() {
            text.push('\n');
        }
        let heads = ["Library", "Vulnerability", "Severity", "Installed", "Fixed", "Title"].map(str::to_owned);
        let mut rows = vec![heads];
        for hit in &scan.hits {
            let severity = upper(hit.severity);
            let columns = [&hit.package, &hit.id, &severity, &hit.version, &hit.fixed, &hit.title];
            rows.push(columns.map(Clone::clone));
        }
        if rows.len() > 1 {
            let widths: [usize; 6] = std::array::from_fn(|column| {
                rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0).min(WIDEST)
            });
            for row in &rows {
                let mut line = String::new();
                for (column, width) in row.iter().zip(widths) {
                    let _ = write!(line, "{column:<width$}  ");
                }
                let _ = writeln!(text, "{}", line.trim_end());
            }
        }
        text.push('\n');
    }
    text
}

/// SARIF 2.1.0: a run for each image, each in a category of its own where there are several.
pub(super) fn sarif(looked: &Looked) -> Value {
    let mut log = Value::Null;
    let mut runs = Vec::new();
    for (inventory, scan) in &looked.all {
        let subject = &inventory.subject;
        log = sarif_of(scan, &subject.name, subject.digest.as_deref(), VERSION);
        let Some(mut run) = log["runs"].get_mut(0).map(Value::take) else { continue };
        if let Some(platform) = subject.platform.as_ref().filter(|_| looked.all.len() > 1) {
            run["automationDetails"] = json!({ "id": format!("lineclear/{platform}/") });
        }
        runs.push(run);
    }
    log["runs"] = Value::Array(runs);
    log
}

/// As `trivy --format json` has it.
pub(super) fn trivy(looked: &Looked) -> Value {
    let mut results = Vec::new();
    for (inventory, scan) in &looked.all {
        let distribution = inventory.distribution.clone().unwrap_or_default();
        let mut groups: BTreeMap<(bool, &str, &str), Vec<Value>> = BTreeMap::new();
        for hit in &scan.hits {
            let (is_library, kind) = kind_of(hit);
            let place = if is_library && !looked.is_image { hit.path.as_str() } else { "" };
            groups.entry((is_library, kind, place)).or_default().push(trivy_vulnerability(hit));
        }
        let name = &inventory.subject.name;
        for ((is_library, kind, place), found) in groups {
            let target = match (is_library, place) {
                (false, _) => format!("{name} ({} {})", distribution.id, distribution.version),
                (true, "") => kind.to_owned(),
                (true, place) => place.to_owned(),
            };
            results.push(json!({
                "Target": target,
                "Class": if is_library { "lang-pkgs" } else { "os-pkgs" },
                "Type": if is_library { kind } else { distribution.id.as_str() },
                "Vulnerabilities": found,
            }));
        }
    }
    let first = looked.all.first().map(|(inventory, _)| inventory);
    let name = first.map_or("", |inventory| inventory.subject.name.as_str());
    let digests: Vec<&String> =
        looked.all.iter().filter_map(|(inventory, _)| inventory.subject.digest.as_ref()).collect();
    let mut metadata = json!({});
    if !digests.is_empty() {
        let repository = first.map_or("", |inventory| inventory.subject.repository());
        metadata["RepoDigests"] = digests.iter().map(|digest| json!(format!("{repository}@{digest}"))).collect();
    }
    if let Some(distribution) = first.and_then(|inventory| inventory.distribution.as_ref()) {
        metadata["OS"] = json!({ "Family": distribution.id, "Name": distribution.version });
    }
    json!({
        "SchemaVersion": 2,
        "ArtifactName": name,
        "ArtifactType": if looked.is_image { "container_image" } else { "filesystem" },
        "Metadata": metadata,
        "Results": results,
    })
}

fn trivy_vulnerability(hit: &Hit) -> Value {
    json!({
        "VulnerabilityID": hit.id,
        "VendorIDs": hit.aliases,
        "PkgName": hit.package,
        "PkgPath": hit.path,
        "PkgIdentifier": { "PURL": hit.purl },
        "InstalledVersion": hit.version,
        "FixedVersion": hit.fixed,
        "Status": if hit.fixed.is_empty() { "affected" } else { "fixed" },
        "Title": hit.title,
        "Severity": upper(hit.severity),
    })
}

/// As `grype -o json` has it.
pub(super) fn grype(looked: &Looked) -> Value {
    let word = |severity: Severity| {
        let lower = severity.as_str();
        lower[..1].to_uppercase() + &lower[1..]
    };
    let one = |hit: &Hit| {
        let versions: Vec<&str> = Some(hit.fixed.as_str()).into_iter().filter(|fixed| !fixed.is_empty()).collect();
        let related: Vec<Value> = hit.aliases.iter().map(|name| json!({ "id": name })).collect();
        json!({
            "vulnerability": {
                "id": hit.id,
                "severity": word(hit.severity),
                "description": hit.title,
                "fix": { "versions": versions, "state": if hit.fixed.is_empty() { "not-fixed" } else { "fixed" } },
            },
            "relatedVulnerabilities": related,
            "artifact": {
                "name": hit.package,
                "version": hit.version,
                "type": kind_of(hit).1,
                "purl": hit.purl,
                "locations": [{ "path": format!("/{}", hit.path.trim_start_matches('/')) }],
            },
        })
    };
    let first = looked.all.first().map(|(inventory, _)| inventory);
    let subject = first.map(|inventory| inventory.subject.clone()).unwrap_or_default();
    let distribution = first.and_then(|inventory| inventory.distribution.clone()).unwrap_or_default();
    json!({
        "matches": looked.hits().map(one).collect::<Vec<_>>(),
        "source": {
            "type": if looked.is_image { "image" } else { "directory" },
            "target": { "userInput": subject.name, "manifestDigest": subject.digest },
        },
        "distro": { "name": distribution.id, "version": distribution.version, "idLike": distribution.like },
        "descriptor": { "name": "lineclear", "version": VERSION },
    })
}

/// Whether it is of a language and not of the distribution, and the word for its kind.
pub(super) fn kind_of(hit: &Hit) -> (bool, &str) {
    let kind = hit.purl.strip_prefix("pkg:").and_then(|rest| rest.split('/').next()).unwrap_or_default();
    match kind {
        "deb" | "apk" | "rpm" => (false, kind),
        "pypi" => (true, "python-pkg"),
        "npm" => (true, "node-pkg"),
        "golang" => (true, "gobinary"),
        "cargo" => (true, "rustbinary"),
        "maven" => (true, "jar"),
        "gem" => (true, "gemspec"),
        other => (true, other),
    }
}

pub(super) fn upper(severity: Severity) -> String {
    severity.as_str().to_ascii_uppercase()
}
