//! Any bytes are read as a layer, as a file that tells of packages, and as a document, or refused: without a panic, within the limits. What was
//! read can be written, and is read again as what it was.
#![no_main]

use lineclear_sbom::{Creation, Described, DocumentFormat, Limits, Reader, read_document};

const LIMITS: Limits = Limits { bytes: 1 << 20, entries: 1000, packages: 1000, whole: 1 << 18 };
/// Names under which the bytes are read as a file; the first byte chooses.
const PLACES: [&str; 16] = [
    "etc/os-release",
    "var/lib/dpkg/status",
    "usr/share/doc/a/copyright",
    "lib/apk/db/installed",
    "var/lib/rpm/rpmdb.sqlite",
    "var/lib/rpm/Packages.db",
    "var/lib/rpm/Packages",
    "site-packages/a.dist-info/METADATA",
    "node_modules/a/package.json",
    "package-lock.json",
    "Cargo.lock",
    "composer.lock",
    "vendor/composer/installed.json",
    "gems/specifications/a-1.gemspec",
    "a.jar",
    "usr/bin/program",
];
const FORMATS: [DocumentFormat; 3] = [DocumentFormat::Spdx, DocumentFormat::CycloneDx15, DocumentFormat::CycloneDx16];

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let creation = Creation { at: "2026-01-31T12:00:00Z".into(), version: "0".into() };
    let Some((&first, bytes)) = data.split_first() else { return };
    let mut image = Reader::of_image(LIMITS);
    let mut found = Vec::new();
    if image.layer("sha256:0", bytes).is_ok() && image.layer("sha256:1", bytes).is_ok() {
        found.push(image.finish(Described::default()));
    }
    let mut folder = Reader::of_folder(LIMITS);
    if folder.file(PLACES[usize::from(first) % PLACES.len()], bytes).is_ok() {
        found.push(folder.finish(Described::default()));
    }
    if let Ok((_, inventory)) = read_document(bytes) {
        found.push(inventory);
    }
    for inventory in found {
        for format in FORMATS {
            let written = format.write(&inventory, &creation);
            let (again, read) = read_document(&written).expect("what is written is a document");
            assert_eq!(again, format);
            assert!(read.packages.len() <= inventory.packages.len(), "nothing is read that was not written");
        }
    }
});
