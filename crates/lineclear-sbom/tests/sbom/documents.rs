//! Documents: what is written is valid, always the same, and reads back; what others write is read.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use lineclear_sbom::{
    Creation, Described, Distribution, DocumentError, DocumentFormat, Inventory, Package, PackageType, Purl, Unread,
    read_document,
};
use proptest::prelude::*;

use crate::archives::{Layer, image, names};

const FORMATS: [DocumentFormat; 3] = [DocumentFormat::Spdx, DocumentFormat::CycloneDx15, DocumentFormat::CycloneDx16];
const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn creation() -> Creation {
    Creation { at: "2026-01-31T12:00:00Z".into(), version: "0.1.0".into() }
}

/// One package of each kind of licence, of a distribution and of a language, and something that was not read.
fn inventory() -> Inventory {
    let status = "Package: libssl3\nArchitecture: amd64\nSource: openssl\nVersion: 3.0.11-1~deb12u2+b1\nStatus: install ok installed\n";
    let copyright = "Format: x\nLicense: Apache-2.0\n";
    let layer = Layer::new()
        .file("var/lib/dpkg/status", status)
        .file("usr/share/doc/libssl3/copyright", copyright)
        .file("etc/os-release", "ID=debian\nVERSION_ID=12\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n")
        .file("app/node_modules/@s/a/package.json", r#"{"name":"@s/a","version":"1.0.0","license":"SEE LICENSE IN x"}"#)
        .file("app/node_modules/b/package.json", r#"{"name":"b","version":"2.0.0"}"#)
        .file("app/node_modules/c/package.json", "{");
    let subject = Described {
        name: "registry.example/team/App:1.2".to_lowercase(),
        digest: Some(DIGEST.into()),
        platform: Some("linux/amd64".into()),
    };
    Inventory { subject, ..image(vec![layer.tar()]) }
}

#[test]
fn the_same_inventory_makes_the_same_bytes_and_they_name_the_digest() {
    // S0-43: the document names the published digest.
    for format in FORMATS {
        let first = format.write(&inventory(), &creation());
        assert_eq!(first, format.write(&inventory(), &creation()));
        let text = String::from_utf8(first.clone()).expect("text");
        assert!(text.contains(DIGEST), "{text}");
        let later = Creation { at: "2026-01-31T12:00:01Z".into(), ..creation() };
        assert_ne!(first, format.write(&inventory(), &later), "another time is another document");
    }
}

#[test]
fn what_is_written_reads_back() {
    for format in FORMATS {
        let before = inventory();
        let (found, mut after) = read_document(&format.write(&before, &creation())).expect("a document");
        assert_eq!(found, format);
        for (after, before) in after.unread.iter_mut().zip(&before.unread) {
            // The layer of what was not read is not in the document.
            after.layer.clone_from(&before.layer);
        }
        assert_eq!(after, before, "{format:?}");
    }
}

#[test]
fn documents_of_other_programs_are_read() {
    let spdx = r#"{"spdxVersion":"SPDX-2.3","SPDXID":"SPDXRef-DOCUMENT","packages":[
        {"name":"app","SPDXID":"SPDXRef-image","versionInfo":"sha256:ab","primaryPackagePurpose":"CONTAINER"},
        {"name":"bash","SPDXID":"SPDXRef-1","versionInfo":"0:5.1.8-6.el9","licenseDeclared":"GPL-3.0-or-later",
         "externalRefs":[{"referenceCategory":"SECURITY","referenceType":"cpe23Type","referenceLocator":"cpe:2.3:a:x"},
           {"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl",
            "referenceLocator":"pkg:rpm/rocky/bash@5.1.8-6.el9?arch=x86_64&upstream=bash-5.1.8-6.el9.src.rpm&distro=rocky-9.3"}]},
        {"name":"nameless","SPDXID":"SPDXRef-2"}],
        "relationships":[{"spdxElementId":"SPDXRef-DOCUMENT","relationshipType":"DESCRIBES","relatedSpdxElement":"SPDXRef-image"}]}"#;
    let (_, inventory) = read_document(spdx.as_bytes()).expect("a document");
    assert_eq!(names(&inventory), ["bash 5.1.8-6.el9", "nameless "]);
    assert_eq!(inventory.packages[0].source.as_ref().map(|source| source.name.as_str()), Some("bash"));
    assert_eq!(inventory.packages[1].kind, PackageType::Other);
    assert_eq!(inventory.subject.name, "app");
    let cyclone = r#"{"bomFormat":"CycloneDX","specVersion":"1.4","metadata":{"component":{"name":"app","version":"sha256:ab","type":"container"}},
        "components":[{"type":"operating-system","name":"alpine","version":"3.19.1"},{"type":"file","name":"/etc/passwd"},
        {"type":"library","group":"org.slf4j","name":"slf4j-api","version":"2.0.9","purl":"pkg:maven/org.slf4j/slf4j-api@2.0.9",
         "licenses":[{"license":{"id":"MIT"}}],"components":[{"type":"library","name":"inner","version":"1"}]}]}"#;
    let (_, inventory) = read_document(cyclone.as_bytes()).expect("a document");
    assert_eq!(names(&inventory), ["org.slf4j:slf4j-api 2.0.9", "inner 1"]);
    assert_eq!(inventory.distribution.map(|known| known.id), Some("alpine".into()));
}

#[test]
fn what_is_no_document_is_refused() {
    let refused = |text: &str| read_document(text.as_bytes()).expect_err("it is none");
    assert!(matches!(refused("no"), DocumentError::NotJson(_)));
    assert!(matches!(refused("{}"), DocumentError::UnknownFormat));
    assert!(matches!(refused(r#"{"spdxVersion":"SPDX-3.0"}"#), DocumentError::UnknownVersion { .. }));
    assert!(matches!(refused(r#"{"bomFormat":"CycloneDX","specVersion":"9"}"#), DocumentError::UnknownVersion { .. }));
    let deep =
        format!(r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","components":{}"#, "[{\"components\":".repeat(10_000));
    assert!(matches!(refused(&deep), DocumentError::NotJson(_)));
}

/// A Python with the validators that the formats' own projects maintain, made once below the build folder.
fn validators() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sbom-validators");
    fs::create_dir_all(&folder).expect("a folder below the build folder");
    let lock = File::create(folder.join("lock")).expect("a lock file");
    lock.lock().expect("the lock");
    let wanted = "cyclonedx-python-lib[json-validation]==11.12.0 spdx-tools==0.8.5";
    let python = folder.join("venv/bin/python");
    if !fs::read_to_string(folder.join("installed")).is_ok_and(|known| known == wanted) {
        let run = |program: &str, args: &[&str]| {
            let output = Command::new(program).args(args).output().expect("python3 with venv is here");
            assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
        };
        run("python3", &["-m", "venv", &folder.join("venv").to_string_lossy()]);
        let mut args = vec!["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        args.extend(wanted.split(' '));
        run(&python.to_string_lossy(), &args);
        fs::write(folder.join("installed"), wanted).expect("a note of what is installed");
    }
    python
}

const CYCLONEDX: &str = "
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
found = JsonStrictValidator(getattr(SchemaVersion, sys.argv[2])).validate_str(open(sys.argv[1]).read())
sys.exit(str(found) if found else 0)
";

const SPDX: &str = "
import sys
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document
found = validate_full_spdx_document(parse_file(sys.argv[1]))
sys.exit('\\n'.join(one.validation_message for one in found) if found else 0)
";

#[test]
fn documents_are_valid_by_the_official_schemas_and_rules() {
    // S1-51
    let python = validators();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let of_folder = Inventory { subject: Described { name: "./app".into(), ..Described::default() }, ..inventory() };
    for (number, inventory) in [inventory(), of_folder, Inventory::default()].into_iter().enumerate() {
        for (format, script, version) in
            [(FORMATS[0], SPDX, "2.3"), (FORMATS[1], CYCLONEDX, "V1_5"), (FORMATS[2], CYCLONEDX, "V1_6")]
        {
            let path = folder.join(format!("valid-{number}-{version}.{}.json", format.as_str()));
            fs::write(&path, format.write(&inventory, &creation())).expect("it is written");
            let valid = |path: &Path| {
                let output = Command::new(&python).args(["-c", script]).arg(path).arg(version).output();
                let output = output.expect("the validator starts");
                (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
            };
            let (is_valid, said) = valid(&path);
            assert!(is_valid, "{format:?} {version}: {said}");
            // The validator would notice.
            let text = fs::read_to_string(&path).expect("it is there");
            let broken = text.replacen("\"name\"", "\"nom\"", 1);
            fs::write(&path, broken).expect("it is written");
            assert!(!valid(&path).0, "{format:?} {version}: a document without a name passes");
        }
    }
}

proptest! {
    #[test]
    fn any_package_reads_back(kind in 0..4_usize, name in "[a-z][a-z0-9]{0,8}", version in "[0-9][!-~]{0,8}", licence in "[ -~]{1,20}", path in "[!-~]{1,20}", why in "[ -~]{1,20}") {
        let (kind, scheme) = [(PackageType::Npm, "npm"), (PackageType::Cargo, "cargo"), (PackageType::Python, "pypi"), (PackageType::Gem, "gem")][kind];
        let licence = Some(licence).filter(|text| !matches!(text.as_str(), "NONE" | "NOASSERTION"));
        let package = Package { kind, purl: Purl::new(scheme, "", &name, &version), name, version, source: None, licence, architecture: None, path, layer: None };
        let before = Inventory {
            packages: vec![package],
            distribution: Some(Distribution { id: "debian".into(), ..Distribution::default() }),
            unread: vec![Unread { path: String::new(), layer: None, why }],
            subject: Described { name: "app".into(), ..Described::default() },
        };
        for format in FORMATS {
            let (_, after) = read_document(&format.write(&before, &creation())).expect("a document");
            prop_assert_eq!(&after, &before);
        }
    }
}
