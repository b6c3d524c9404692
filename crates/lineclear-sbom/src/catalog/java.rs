//! Java archives: their manifests, what Maven wrote into them, and archives inside of archives.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use super::{Found, package, tidy};
use crate::{Package, PackageType, Purl};

/// How deep archives in archives are opened.
const MAX_DEPTH: usize = 4;
/// Files of an archive; bytes of a file that is read; bytes of all archives inside of one.
const MAX_FILES: usize = 200_000;
const MAX_TEXT: u64 = 1 << 20;
const MAX_INSIDE: u64 = 512 << 20;

/// The packages of an archive and of those in it.
pub(super) fn archive(path: &str, bytes: &[u8]) -> Found {
    let mut found = Found::default();
    let mut budget = MAX_INSIDE;
    open(path, bytes, 0, &mut budget, &mut found);
    found
}

fn open(path: &str, bytes: &[u8], depth: usize, budget: &mut u64, found: &mut Found) {
    // The library keeps what it knows of every file; an archive of nothing but entries would fill the memory.
    if memchr::memmem::find_iter(bytes, b"PK\x01\x02").take(MAX_FILES + 1).count() > MAX_FILES {
        found.unread.push(format!("`{path}` has more than {MAX_FILES} files"));
        return;
    }
    let Ok(mut zip) = zip::ZipArchive::new(Cursor::new(bytes)) else {
        found.unread.push(format!("`{path}` is no archive of Java, or a broken one"));
        return;
    };
    let names: Vec<String> = zip.file_names().map(str::to_owned).collect();
    let mut manifest = BTreeMap::new();
    let mut poms = Vec::new();
    for name in &names {
        let is_pom = name.starts_with("META-INF/maven/") && name.ends_with("/pom.properties");
        if name == "META-INF/MANIFEST.MF" || is_pom {
            let Some(text) = zip.by_name(name).ok().and_then(text_of) else {
                found.unread.push(format!("`{path}!/{name}` cannot be unpacked"));
                continue;
            };
            if is_pom {
                poms.push(properties(&text));
            } else {
                manifest = attributes(&text);
            }
        }
    }
    let licence = manifest.get("Bundle-License").and_then(|text| tidy(text)).filter(|text| !text.contains("://"));
    for pom in &poms {
        let value = |key: &str| pom.get(key).and_then(|value| tidy(value));
        if let (Some(group), Some(artifact)) = (value("groupId"), value("artifactId")) {
            let version = value("version").unwrap_or_default();
            let licence = if poms.len() == 1 { licence.clone() } else { None };
            found.packages.push(Package { licence, ..maven(&group, &artifact, &version, path) });
        }
    }
    if poms.is_empty()
        && let Some((group, artifact, version)) = by_manifest(path, &manifest)
    {
        found.packages.push(Package { licence, ..maven(&group, &artifact, &version, path) });
    }
    for name in names.iter().filter(|name| name.ends_with(".jar") || name.ends_with(".war")) {
        let inside = format!("{path}!/{name}");
        if depth + 1 >= MAX_DEPTH {
            found.unread.push(format!("`{inside}` is in too many archives"));
            continue;
        }
        let mut bytes = Vec::new();
        let read = zip.by_name(name).ok().and_then(|file| file.take(*budget + 1).read_to_end(&mut bytes).ok());
        match read {
            Some(length) if length as u64 <= *budget => {
                *budget -= length as u64;
                open(&inside, &bytes, depth + 1, budget, found);
            }
            Some(_) => found.unread.push(format!("`{inside}`: the archives in it are too large together")),
            None => found.unread.push(format!("`{inside}` cannot be unpacked")),
        }
    }
}

fn maven(group: &str, artifact: &str, version: &str, path: &str) -> Package {
    let name = if group.is_empty() { artifact.to_owned() } else { format!("{group}:{artifact}") };
    package(PackageType::Java, &name, version, Purl::new("maven", group, artifact, version), path)
}

fn text_of(file: impl Read) -> Option<String> {
    let mut bytes = Vec::new();
    file.take(MAX_TEXT).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn properties(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().filter(|line| !line.starts_with(['#', '!']));
    let pairs = lines.filter_map(|line| line.split_once('='));
    pairs.map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned())).collect()
}

/// The attributes of a manifest's first section; lines that begin with a space go on.
fn attributes(text: &str) -> BTreeMap<String, String> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let mut last: Option<String> = None;
    for line in text.lines() {
        if line.is_empty() {
            break;
        }
        if let Some(more) = line.strip_prefix(' ') {
            if let Some(value) = last.as_ref().and_then(|key| found.get_mut(key)) {
                value.push_str(more);
            }
        } else if let Some((key, value)) = line.split_once(':') {
            found.insert(key.to_owned(), value.trim().to_owned());
            last = Some(key.to_owned());
        }
    }
    found
}

/// Without Maven's files: the archive's name says artifact and version, the manifest the vendor's id.
fn by_manifest(path: &str, manifest: &BTreeMap<String, String>) -> Option<(String, String, String)> {
    let value = |keys: &[&str]| keys.iter().find_map(|key| manifest.get(*key).and_then(|value| tidy(value)));
    let stem = path.rsplit('/').next()?.rsplit_once('.')?.0;
    let at = stem
        .match_indices('-')
        .map(|(at, _)| at)
        .find(|at| stem[at + 1..].starts_with(|first: char| first.is_ascii_digit()));
    let (artifact, version) = match at {
        Some(at) => (stem[..at].to_owned(), Some(stem[at + 1..].to_owned())),
        None => (stem.to_owned(), None),
    };
    let version = version.or_else(|| value(&["Implementation-Version", "Bundle-Version", "Specification-Version"]))?;
    // `org.slf4j.api;singleton:=true`: the vendor's id is no group, but it begins as one.
    let symbolic =
        value(&["Implementation-Vendor-Id", "Automatic-Module-Name", "Bundle-SymbolicName"]).unwrap_or_default();
    let symbolic = symbolic.split(';').next().unwrap_or_default().trim().to_owned();
    let group = match symbolic.strip_suffix(&format!(".{artifact}")) {
        Some(group) => group.to_owned(),
        None if symbolic == artifact => String::new(),
        None => symbolic,
    };
    Some((group, artifact, version))
}
