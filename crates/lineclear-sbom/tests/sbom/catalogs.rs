//! Each ecosystem's files.

use std::io::Write;

use lineclear_sbom::{PackageType, SourcePackage};

use crate::archives::{Layer, file_of_folder, file_of_image, image, names, one};

#[test]
fn dpkg_tells_packages_with_their_sources_and_licences() {
    let status = "Package: libssl3\nStatus: install ok installed\nArchitecture: amd64\nSource: openssl\nVersion: 3.0.11-1~deb12u2\n\
                  Description: a library\n of more lines: than one\n\n\
                  Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n\
                  Package: cpp\nStatus: hold ok installed\nArchitecture: amd64\nSource: gcc-defaults (1.203)\nVersion: 4:12.2.0-3\n";
    let copyright = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nLicense: Apache-2.0\n\n\
                     Files: debian/*\nLicense: GPL-2+ or Expat\n";
    let layer = Layer::new()
        .file("usr/share/doc/libssl3/copyright", copyright)
        .file("var/lib/dpkg/status", status)
        .file("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n")
        .tar();
    let inventory = image(vec![layer]);
    assert_eq!(names(&inventory), ["cpp 4:12.2.0-3", "libssl3 3.0.11-1~deb12u2"]);
    let [cpp, ssl] = inventory.packages.as_slice() else { panic!("two packages") };
    assert_eq!(
        ssl.purl.to_string(),
        "pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64&distro=debian-12&upstream=openssl"
    );
    assert_eq!(ssl.source, Some(SourcePackage { name: "openssl".into(), version: "3.0.11-1~deb12u2".into() }));
    assert_eq!(ssl.licence.as_deref(), Some("Apache-2.0 AND (GPL-2.0-or-later OR MIT)"));
    assert_eq!(cpp.source, Some(SourcePackage { name: "gcc-defaults".into(), version: "1.203".into() }));
    assert!(cpp.purl.to_string().ends_with("&upstream=gcc-defaults%401.203"), "{}", cpp.purl);
}

#[test]
fn an_image_without_dpkg_has_its_packages_in_parts() {
    let layer = Layer::new()
        .file("var/lib/dpkg/status.d/base", "Package: base-files\nVersion: 12.4\nArchitecture: amd64\n")
        .file("var/lib/dpkg/status.d/base.md5sums", "0 usr/x\n")
        .tar();
    let inventory = image(vec![layer]);
    assert_eq!(one(&inventory).path, "var/lib/dpkg/status.d/base");
}

#[test]
fn a_part_whose_name_has_dots_is_read_and_one_that_names_nothing_is_told() {
    let layer = Layer::new()
        .file("var/lib/dpkg/status.d/libssl1.1", "Package: libssl1.1\nVersion: 1.1.1n-0+deb11u5\nSource: openssl\n")
        .file("var/lib/dpkg/status.d/libssl1.1.md5sums", "0 usr/x\n")
        .file("var/lib/dpkg/status.d/libpython3.9-stdlib", "something else")
        .tar();
    let inventory = image(vec![layer]);
    assert_eq!(names(&inventory), ["libssl1.1 1.1.1n-0+deb11u5"]);
    let unread: Vec<_> = inventory.unread.iter().map(|unread| (unread.path.as_str(), unread.why.as_str())).collect();
    assert_eq!(unread, [("var/lib/dpkg/status.d/libpython3.9-stdlib", "it names no package")]);
}

#[test]
fn apk_tells_packages() {
    let installed = "C:Q1=\nP:libcrypto3\nV:3.1.4-r5\nA:x86_64\nL:Apache-2.0\no:openssl\nF:lib\nR:libcrypto.so.3\n\nP:musl\nV:1.2.4-r2\n";
    let layer =
        Layer::new().file("lib/apk/db/installed", installed).file("etc/os-release", "ID=alpine\nVERSION_ID=3.19.1\n");
    let inventory = image(vec![layer.tar()]);
    assert_eq!(names(&inventory), ["libcrypto3 3.1.4-r5", "musl 1.2.4-r2"]);
    let crypto = &inventory.packages[0];
    assert_eq!(
        crypto.purl.to_string(),
        "pkg:apk/alpine/libcrypto3@3.1.4-r5?arch=x86_64&distro=alpine-3.19.1&upstream=openssl"
    );
    assert_eq!(crypto.licence.as_deref(), Some("Apache-2.0"));
}

#[test]
fn python_packages_are_found_however_they_were_installed() {
    for path in [
        "opt/venv/lib/python3.11/site-packages/Zope_Interface-6.dist-info/METADATA",
        "usr/lib/python3/dist-packages/Zope.Interface-6.egg-info/PKG-INFO",
        "usr/lib/python3/dist-packages/Zope.Interface-6.egg-info",
    ] {
        let text = "Metadata-Version: 2.1\nName: Zope.Interface\nVersion: 6.0\nLicense: UNKNOWN\nClassifier: License :: OSI Approved :: MIT License\n\nName: no\n";
        let inventory = file_of_image(path, text);
        let package = one(&inventory);
        assert_eq!(
            (package.name.as_str(), package.purl.to_string().as_str()),
            ("zope-interface", "pkg:pypi/zope-interface@6.0")
        );
        assert_eq!(package.licence.as_deref(), Some("MIT License"));
    }
}

#[test]
fn npm_modules_are_those_in_node_modules() {
    let module = r#"{"name":"@types/node","version":"20.1.0","license":"MIT"}"#;
    let inventory = file_of_image("app/node_modules/@types/node/package.json", module);
    assert_eq!(one(&inventory).purl.to_string(), "pkg:npm/%40types/node@20.1.0");
    for path in ["app/package.json", "app/node_modules/a/test/package.json", "app/node_modules/package.json"] {
        assert!(file_of_image(path, module).packages.is_empty(), "{path}");
    }
    // A mark for the modules below it is no package.
    assert!(file_of_image("app/node_modules/a/package.json", r#"{"type":"module"}"#).is_whole());
    assert!(!file_of_image("app/node_modules/a/package.json", "{").is_whole());
}

#[test]
fn npm_locks_of_all_versions_are_read() {
    let third = r#"{"lockfileVersion":3,"packages":{"":{"name":"app","version":"1.0.0"},"node_modules/a":{"version":"1.0.0","license":"MIT"},
        "node_modules/a/node_modules/@s/b":{"version":"2.0.0"},"node_modules/alias":{"name":"real","version":"3.0.0"},
        "node_modules/own":{"link":true,"resolved":"packages/own"},"packages/own":{"version":"1.0.0"}}}"#;
    assert_eq!(names(&file_of_folder("package-lock.json", third)), ["@s/b 2.0.0", "a 1.0.0", "real 3.0.0"]);
    let first = r#"{"lockfileVersion":1,"dependencies":{"a":{"version":"1.0.0","dependencies":{"b":{"version":"npm:real@2.0.0"}}}}}"#;
    assert_eq!(names(&file_of_folder("web/package-lock.json", first)), ["a 1.0.0", "real 2.0.0"]);
    assert!(!file_of_folder("package-lock.json", "{}").is_whole());
}

#[test]
fn a_lock_of_cargo_is_read() {
    let lock = "version = 4\n\n[[package]]\nname = \"serde\"\nversion = \"1.0.200\"\nsource = \"registry+x\"\n";
    assert_eq!(one(&file_of_folder("Cargo.lock", lock)).purl.to_string(), "pkg:cargo/serde@1.0.200");
    assert!(!file_of_folder("Cargo.lock", "[[package]]\nname = 1\n").is_whole());
}

#[test]
fn gems_and_composer_packages_are_read() {
    let gem = "# -*- encoding: utf-8 -*-\n# stub: json 2.6.3 ruby lib\n\nGem::Specification.new do |s|\n  s.licenses = [\"Ruby\".freeze]\nend\n";
    let inventory = file_of_image("usr/lib/ruby/gems/3.1.0/specifications/default/json-2.6.3.gemspec", gem);
    assert_eq!((one(&inventory).kind, one(&inventory).licence.as_deref()), (PackageType::Gem, Some("Ruby")));
    let named = file_of_image("var/lib/gems/3.1.0/specifications/net-http-0.3.gemspec", "Gem::Specification.new");
    assert_eq!(names(&named), ["net-http 0.3"]);
    let installed = r#"{"packages":[{"name":"monolog/monolog","version":"2.9.1","license":["MIT"]}]}"#;
    let inventory = file_of_image("app/vendor/composer/installed.json", installed);
    assert_eq!(one(&inventory).purl.to_string(), "pkg:composer/monolog/monolog@2.9.1");
}

fn jar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).expect("a file");
        zip.write_all(bytes).expect("its bytes");
    }
    zip.finish().expect("an archive").into_inner()
}

#[test]
fn java_archives_are_opened_with_those_in_them() {
    let inner = jar(&[(
        "META-INF/maven/org.slf4j/slf4j-api/pom.properties",
        b"groupId=org.slf4j\nartifactId=slf4j-api\nversion=2.0.9\n",
    )]);
    let manifest =
        b"Manifest-Version: 1.0\nImplementation-Title: x\nBundle-SymbolicName: com.exam\n ple.app;singleton:=true\n";
    let outer = jar(&[("META-INF/MANIFEST.MF", manifest), ("BOOT-INF/lib/slf4j-api-2.0.9.jar", &inner)]);
    let inventory = file_of_image("opt/app-1.4.2.jar", &outer);
    assert_eq!(names(&inventory), ["com.example:app 1.4.2", "org.slf4j:slf4j-api 2.0.9"]);
    assert_eq!(inventory.packages[1].path, "opt/app-1.4.2.jar!/BOOT-INF/lib/slf4j-api-2.0.9.jar");
    assert_eq!(inventory.packages[1].purl.to_string(), "pkg:maven/org.slf4j/slf4j-api@2.0.9");
    assert!(!file_of_image("opt/broken.jar", &outer[..outer.len() - 30]).is_whole());
    let deep = (0..6).fold(inner, |inner, _| jar(&[("lib/inner.jar", &inner)]));
    assert!(file_of_image("opt/deep.jar", deep).unread[0].why.contains("too many archives"));
}

/// Each of these would fill the memory, or the day; what is not looked at is said.
#[test]
fn archives_that_ask_for_too_much_are_told_and_not_unpacked() {
    let told = |inventory: &lineclear_sbom::Inventory, words: &str| {
        let found = inventory.unread.iter().any(|unread| unread.why.contains(words));
        assert!(found, "{words}: {:?}", inventory.unread.iter().map(|unread| &unread.why).collect::<Vec<_>>());
    };
    // A text of megabytes, in few bytes.
    let packed = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("META-INF/maven/a/a/pom.properties", packed).expect("a file");
    zip.write_all(&vec![b'#'; 3 << 20]).expect("its bytes");
    let long = zip.finish().expect("an archive").into_inner();
    assert!(long.len() < 64 << 10);
    let inventory = file_of_image("opt/app.jar", &long);
    assert!(inventory.packages.is_empty());
    told(&inventory, "`opt/app.jar!/META-INF/maven/a/a/pom.properties` is too large");
    // Archives in archives.
    let mut nested = jar(&[("META-INF/MANIFEST.MF", b"Implementation-Version: 1.0.0\n")]);
    for _ in 0..6 {
        nested = jar(&[("a.jar", &nested)]);
    }
    told(&file_of_image("opt/app.jar", &nested), "`opt/app.jar!/a.jar!/a.jar!/a.jar!/a.jar` is in too many archives");
    // Names that each package in them would carry.
    let name = format!("{}.jar", "n".repeat(5000));
    let inventory = file_of_image("opt/app.jar", jar(&[(&name, &long)]));
    told(&inventory, "has too long a name");
    assert!(inventory.unread.iter().all(|unread| unread.why.len() < 1000));
    // Packages without end: the first of them are there.
    let poms: Vec<(String, String)> = (0..20_010)
        .map(|number| {
            (
                format!("META-INF/maven/g/a{number}/pom.properties"),
                format!("groupId=g\nartifactId=a{number}\nversion=1\n"),
            )
        })
        .collect();
    let poms: Vec<(&str, &[u8])> = poms.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    let inventory = file_of_image("opt/app.jar", jar(&poms));
    assert_eq!(inventory.packages.len(), 20_000);
    told(&inventory, "has more than 20000 packages");
    // So many broken ones are told by number.
    let broken: Vec<String> = (0..150).map(|number| format!("lib/{number}.jar")).collect();
    let broken: Vec<(&str, &[u8])> = broken.iter().map(|name| (name.as_str(), &b"none"[..])).collect();
    let inventory = file_of_image("opt/app-1.0.jar", jar(&broken));
    assert_eq!(inventory.unread.len(), 101);
    told(&inventory, "50 more of its parts were not looked at");
}
