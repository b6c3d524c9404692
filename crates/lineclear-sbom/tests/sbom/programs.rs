//! Programs that say what they were built from.

use std::io::Write;

use lineclear_sbom::{Described, Limits, Reader};

use crate::archives::{file_of_image, names};

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
