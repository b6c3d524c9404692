//! Programs that say what they were built from.

use std::io::Write;

use lineclear_sbom::{Described, Limits, Reader};

use crate::archives::{Layer, file_of_image, image, names};

const BEGIN: &[u8] = b"\x30\x77\xaf\x0c\x92\x74\x08\x02\x41\xe1\xc1\x07\xe6\xd6\x18\xe6";
const END: &[u8] = b"\xf9\x32\x43\x31\x86\x18\x20\x72\x00\x82\x42\x10\x41\x16\xd8\xf2";

fn go_program(list: &str, before: usize) -> Vec<u8> {
    let mut bytes = b"\x7fELF".to_vec();
    bytes.resize(before, 0x78);
    bytes.extend_from_slice(b"\xff Go buildinf:\x08\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x08go1.22.1\x80\x01");
    bytes.extend_from_slice(BEGIN);
    bytes.extend_from_slice(list.as_bytes());
    bytes.extend_from_slice(END);
    bytes.resize(bytes.len() + 300_000, 0);
    bytes
}

#[test]
fn a_program_of_go_tells_its_modules_wherever_in_it_they_are() {
    let list = "path\texample.org/app\nmod\texample.org/app\t(devel)\t\ndep\tgithub.com/spf13/cobra\tv1.8.0\th1:x=\n\
                dep\texample.org/old\tv1.0.0\n=>\texample.org/new\tv1.1.0\th1:y=\nbuild\t-compiler=gc\n";
    for before in [64, 262_100, 262_144, 524_280] {
        let inventory = file_of_image("usr/bin/app", go_program(list, before));
        let expected = ["example.org/app ", "example.org/new v1.1.0", "github.com/spf13/cobra v1.8.0", "stdlib 1.22.1"];
        assert_eq!(names(&inventory), expected, "{before}");
    }
    assert!(file_of_image("usr/bin/app", go_program("other text", 64)).packages.is_empty());
    // A text that is no program is not looked through.
    assert!(file_of_image("app/notes", &go_program(list, 64)[1..]).packages.is_empty());
}

/// Whatever becomes of one of its names, a program is there while it has another.
#[test]
fn a_program_with_two_names_counts_once_and_stays_when_one_of_them_goes() {
    let program = |version: &str| {
        go_program(&format!("path\texample.org/app\ndep\texample.org/a\t{version}\th1:x=\nbuild\t-compiler=gc\n"), 64)
    };
    let both = || {
        Layer::new().file("usr/bin/app", program("v1.0.0")).link("usr/bin/tool", "usr/bin/app", tar::EntryType::Link)
    };
    let paths = |layers: Vec<Vec<u8>>| -> Vec<String> {
        let modules = image(layers).packages.into_iter().filter(|package| package.name == "example.org/a");
        modules.map(|package| format!("{} {}", package.path, package.version)).collect()
    };
    assert_eq!(paths(vec![both().tar()]), ["usr/bin/app v1.0.0"]);
    let gone = Layer::new().file("usr/bin/.wh.app", "").tar();
    assert_eq!(paths(vec![both().tar(), gone]), ["usr/bin/tool v1.0.0"]);
    let newer = Layer::new().file("usr/bin/app", program("v2.0.0")).tar();
    assert_eq!(paths(vec![both().tar(), newer]), ["usr/bin/tool v1.0.0", "usr/bin/app v2.0.0"]);
}

/// Before Go 1.18, and in what is built from its own repository, the version stands elsewhere, or is none.
#[test]
fn a_standard_library_of_unknown_version_is_told_as_one() {
    let list = "path\texample.org/app\ndep\texample.org/a\tv1.0.0\th1:x=\nbuild\t-compiler=gc\n";
    let mut program = go_program(list, 64);
    let at = program.windows(8).position(|bytes| bytes == b"go1.22.1").expect("its version");
    program[at..at + 8].copy_from_slice(b"devel +a");
    assert_eq!(names(&file_of_image("usr/bin/app", program)), ["example.org/a v1.0.0", "stdlib "]);
}

#[test]
fn a_program_of_rust_with_its_list_of_crates_tells_them() {
    let list = br#"{"packages":[{"name":"app","version":"0.1.0","source":"local","root":true,"dependencies":[1]},
        {"name":"serde","version":"1.0.200","source":"crates.io"},{"name":"cc","version":"1.0.0","source":"crates.io","kind":"build"}]}"#;
    for (level, before) in [(1, 300), (7, 262_140), (9, 600_000)] {
        let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(level));
        packer.write_all(list).expect("it packs");
        let mut bytes = b"\x7fELF".to_vec();
        bytes.resize(before, b'x');
        bytes.extend(packer.finish().expect("it packs"));
        bytes.resize(bytes.len() + 5000, 0);
        assert_eq!(names(&file_of_image("usr/local/bin/app", &bytes)), ["app 0.1.0", "serde 1.0.200"], "level {level}");
    }
}

#[test]
fn a_real_program_of_go_is_read_as_go_itself_reads_it() {
    // Debian's container tools are programs of Go; its registry is one that the tests need anyway.
    let path =
        ["/usr/bin/docker-registry", "/usr/sbin/dockerd"].into_iter().find(|path| std::path::Path::new(path).exists());
    let path = path.expect("a program of Go: the package `docker-registry`");
    let mut reader = Reader::of_image(Limits::default());
    let mut archive = tar::Builder::new(Vec::new());
    archive.append_path_with_name(path, "usr/bin/program").expect("it is added");
    reader.layer("sha256:0", archive.into_inner().expect("it is added").as_slice()).expect("a layer");
    let inventory = reader.finish(Described::default());
    let found = names(&inventory);
    assert!(found.iter().any(|name| name.starts_with("stdlib 1.")), "{found:?}");
    // Debian builds without module versions: where the program has no list, there is the standard library alone.
    let program = std::fs::read(path).expect("it is there");
    let lines =
        program.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"dep\t") || line.starts_with(b"mod\t"));
    let modules: std::collections::BTreeSet<&[u8]> = lines.collect();
    assert_eq!(found.len(), modules.len() + 1, "{found:?}");
}
