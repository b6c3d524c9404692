//! Java archives: their manifests, what Maven wrote into them, and archives inside of archives.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use super::{Found, package, tidy};
use crate::{Package, PackageType, Purl};

/// How deep archives in archives are opened.
const MAX_DEPTH: usize = 4;
/// Files of an archive.
const MAX_FILES: usize = 200_000;
/// Bytes of a file that is read for its text.
const MAX_TEXT: u64 = 1 << 20;
/// Bytes of a name that is followed: each package in an archive carries the archive's.
const MAX_NAME: usize = 1 << 10;
const MAX_PATH: usize = 4 << 10;
/// What one file may ask for, with all archives inside of it.
const MAX_UNPACKED: u64 = 1 << 30;
const MAX_HELD: u64 = 256 << 20;
const MAX_PACKAGES: usize = 20_000;
const MAX_UNREAD: usize = 100;

/// The packages of an archive and of those in it. What is not looked at because an archive asks for too much is told.
pub(super) fn archive(path: &str, bytes: &[u8]) -> Found {
    let mut opened = Opened { found: Found::default(), unpacked: MAX_UNPACKED, held: MAX_HELD, more_unread: 0 };
    if path.len() > MAX_PATH {
        return Found::unread("its name is too long");
    }
    opened.open(path, bytes, 0);
    if opened.more_unread > 0 {
        opened.found.unread.push(format!("{} more of its parts were not looked at", opened.more_unread));
    }
    opened.found
}

/// What was found, and what is left to spend.
struct Opened {
    found: Found,
    /// Bytes that may still be unpacked, of all archives together.
    unpacked: u64,
    /// Bytes that may still be held at the same time: an archive is, while those in it are open.
    held: u64,
    /// Parts that were not looked at beyond [`MAX_UNREAD`].
    more_unread: usize,
}

impl Opened {
    fn unread(&mut self, why: String) {
        if self.found.unread.len() < MAX_UNREAD {
            self.found.unread.push(why);
        } else {
            self.more_unread += 1;
        }
    }

    /// Adds a package; `false` where there are too many.
    fn add(&mut self, package: Package) -> bool {
        let has_room = self.found.packages.len() < MAX_PACKAGES;
        if has_room {
            self.found.packages.push(package);
        }
        has_room
    }

    fn open(&mut self, path: &str, bytes: &[u8], depth: usize) {
        // The library keeps what it knows of every file; an archive of nothing but entries would fill the memory.
        if memchr::memmem::find_iter(bytes, b"PK\x01\x02").take(MAX_FILES + 1).count() > MAX_FILES {
            self.unread(format!("`{path}` has more than {MAX_FILES} files"));
            return;
        }
        let Ok(mut zip) = zip::ZipArchive::new(Cursor::new(bytes)) else {
            self.unread(format!("`{path}` is no archive of Java, or a broken one"));
            return;
        };
        let names: Vec<String> = zip.file_names().map(str::to_owned).collect();
        self.own(path, &names, &mut zip);
        for name in names.iter().filter(|name| name.ends_with(".jar") || name.ends_with(".war")) {
            let inside = format!("{path}!/{}", start_of(name));
            if name.len() > MAX_NAME {
                self.unread(format!("`{inside}…` has too long a name"));
                continue;
            }
            if depth + 1 >= MAX_DEPTH {
                self.unread(format!("`{inside}` is in too many archives"));
                continue;
            }
            match self.unpack(&mut zip, name, self.held) {
                Ok(bytes) => {
                    let length = bytes.len() as u64;
                    self.held -= length;
                    self.open(&inside, &bytes, depth + 1);
                    self.held += length;
                }
                Err(why) => self.unread(format!("`{inside}` {why}")),
            }
        }
    }

    /// The packages that an archive itself is.
    fn own(&mut self, path: &str, names: &[String], zip: &mut Zip<'_>) {
        let mut manifest = BTreeMap::new();
        let mut poms = 0_usize;
        let mut last = None;
        let is_pom = |name: &str| name.starts_with("META-INF/maven/") && name.ends_with("/pom.properties");
        for name in names.iter().filter(|name| *name == "META-INF/MANIFEST.MF" || is_pom(name)) {
            let text = match self.unpack(zip, name, MAX_TEXT) {
                Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                Err(why) => {
                    self.unread(format!("`{path}!/{}` {why}", start_of(name)));
                    continue;
                }
            };
            if !is_pom(name) {
                manifest = attributes(&text);
                continue;
            }
            poms += 1;
            let pom = properties(&text);
            let value = |key: &str| pom.get(key).and_then(|value| tidy(value));
            if let (Some(group), Some(artifact)) = (value("groupId"), value("artifactId")) {
                let package = maven(&group, &artifact, &value("version").unwrap_or_default(), path);
                if !self.add(package) {
                    self.unread(format!("`{path}` has more than {MAX_PACKAGES} packages with those around it"));
                    return;
                }
                last = Some(self.found.packages.len() - 1);
            }
        }
        let licence = manifest.get("Bundle-License").and_then(|text| tidy(text)).filter(|text| !text.contains("://"));
        match last.and_then(|last| self.found.packages.get_mut(last)) {
            Some(package) if poms == 1 => package.licence = licence,
            Some(_) => {}
            None if poms > 0 => {}
            None => {
                if let Some((group, artifact, version)) = by_manifest(path, &manifest)
                    && !self.add(Package { licence, ..maven(&group, &artifact, &version, path) })
                {
                    self.unread(format!("`{path}` has more than {MAX_PACKAGES} packages with those around it"));
                }
            }
        }
    }

    /// The bytes of a file, `most` of them and no more than there is to spend.
    fn unpack(&mut self, zip: &mut Zip<'_>, name: &str, most: u64) -> Result<Vec<u8>, &'static str> {
        let most = most.min(self.unpacked);
        let mut bytes = Vec::new();
        let file = zip.by_name(name).map_err(|_| "cannot be unpacked")?;
        let read = file.take(most + 1).read_to_end(&mut bytes);
        self.unpacked = self.unpacked.saturating_sub(bytes.len() as u64);
        read.map_err(|_| "cannot be unpacked")?;
        if bytes.len() as u64 > most {
            return Err("is too large, or what is unpacked together with it");
        }
        Ok(bytes)
    }
}

type Zip<'b> = zip::ZipArchive<Cursor<&'b [u8]>>;

/// As much of a name as is told.
fn start_of(name: &str) -> &str {
    name.char_indices().nth(MAX_NAME / 4).map_or(name, |(end, _)| &name[..end])
}

fn maven(group: &str, artifact: &str, version: &str, path: &str) -> Package {
    let name = if group.is_empty() { artifact.to_owned() } else { format!("{group}:{artifact}") };
    package(PackageType::Java, &name, version, Purl::new("maven", group, artifact, version), path)
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
