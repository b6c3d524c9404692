//! Layers on top of each other, and archives that were made to do harm.

use std::io::{self, Read};

use lineclear_sbom::{Described, Limits, ReadError, Reader};
use tar::EntryType::{Link, Symlink};

use crate::archives::{Layer, file_of_image, image, names, one};

const METADATA: &str = "Metadata-Version: 2.1\nName: Flask\nVersion: 3.0.0\n\nA text.\n";
const PLACE: &str = "usr/lib/python3/dist-packages/flask-3.0.0.dist-info/METADATA";

fn module(name: &str) -> String {
    format!(r#"{{"name":"{name}","version":"1.0.0"}}"#)
}

#[test]
fn layers_are_read_plain_and_packed_and_each_package_names_its_layer() {
    let plain = Layer::new().file("app/node_modules/a/package.json", module("a")).tar();
    let gzip = Layer::new().file("app/node_modules/b/package.json", module("b")).gzip();
    let tar = Layer::new().file("app/node_modules/c/package.json", module("c")).tar();
    let zstd = zstd::stream::encode_all(tar.as_slice(), 1).expect("it packs");
    let inventory = image(vec![plain, gzip, zstd]);
    assert_eq!(names(&inventory), ["a 1.0.0", "b 1.0.0", "c 1.0.0"]);
    let layers: Vec<_> = inventory.packages.iter().filter_map(|package| package.layer.as_deref()).collect();
    assert_eq!(layers, ["sha256:0", "sha256:1", "sha256:2"]);
    assert!(inventory.is_whole());
}

#[test]
fn an_upper_layer_replaces_and_removes() {
    let lower = || {
        Layer::new()
            .file("app/node_modules/a/package.json", module("a"))
            .file("app/node_modules/b/package.json", module("b"))
            .file("srv/node_modules/c/package.json", module("c"))
            .file("opt/node_modules/d/package.json", module("d"))
            .tar()
    };
    let newer = Layer::new().file("app/node_modules/a/package.json", r#"{"name":"a","version":"2.0.0"}"#).tar();
    assert_eq!(names(&image(vec![lower(), newer])), ["a 2.0.0", "b 1.0.0", "c 1.0.0", "d 1.0.0"]);
    // One file, one folder, and all that was in a folder.
    let gone = Layer::new()
        .file("app/node_modules/a/.wh.package.json", "")
        .file("app/node_modules/.wh.b", "")
        .file("srv/.wh..wh..opq", "")
        .tar();
    assert_eq!(names(&image(vec![lower(), gone])), ["d 1.0.0"]);
    // A link where a folder was.
    let linked = Layer::new().link("opt", "elsewhere", Symlink).tar();
    assert_eq!(names(&image(vec![lower(), linked])), ["a 1.0.0", "b 1.0.0", "c 1.0.0"]);
    // A folder over a folder keeps what was in it.
    let folder = Layer::new().folder("opt/node_modules/d").tar();
    assert_eq!(image(vec![lower(), folder]).packages.len(), 4);
}

#[test]
fn a_whiteout_removes_nothing_of_its_own_layer() {
    let lower = Layer::new().file("app/node_modules/old/package.json", module("old")).tar();
    let before =
        Layer::new().file("app/.wh..wh..opq", "").file("app/node_modules/new/package.json", module("new")).tar();
    let after =
        Layer::new().file("app/node_modules/new/package.json", module("new")).file("app/.wh..wh..opq", "").tar();
    assert_eq!(names(&image(vec![lower.clone(), before])), ["new 1.0.0"]);
    assert_eq!(names(&image(vec![lower, after])), ["new 1.0.0"]);
}

#[test]
fn a_file_that_no_longer_tells_of_packages_takes_them_away() {
    let lower = Layer::new().file(PLACE, METADATA).tar();
    let upper = Layer::new().file(PLACE, "nothing").tar();
    let inventory = image(vec![lower, upper]);
    assert!(inventory.packages.is_empty());
    assert_eq!(inventory.unread[0].why, "it names no Python package");
}

#[test]
fn hard_links_and_long_names_are_followed() {
    let long = format!("app/{}/node_modules/a/package.json", "deep/".repeat(60));
    let inventory = image(vec![Layer::new().file(&long, module("a")).tar()]);
    assert_eq!(one(&inventory).path, long.replace("//", "/"));
    let (first, second) = ("app/node_modules/a/package.json", "web/node_modules/a/package.json");
    let linked = Layer::new().file(first, module("a")).link(second, first, Link).tar();
    let inventory = image(vec![linked]);
    let paths: Vec<_> = inventory.packages.iter().map(|package| package.path.as_str()).collect();
    assert_eq!(paths, [first, second]);
    // What a link names must have been kept: nothing is left out in silence.
    let inventory = image(vec![Layer::new().file("store/1", module("a")).link(first, "store/1", Link).tar()]);
    assert!(inventory.packages.is_empty() && inventory.unread[0].why.contains("hard link to `store/1`"));
}

#[test]
fn extended_headers_say_path_and_size() {
    let path = format!("app/{}/node_modules/ä/package.json", "x".repeat(120));
    let mut builder = tar::Builder::new(Vec::new());
    builder.append_pax_extensions([("path", path.as_bytes())]).expect("it is written");
    let bytes = module("ä");
    let mut header = tar::Header::new_ustar();
    header.set_size(bytes.len() as u64);
    header.set_path("short").expect("a path");
    header.set_cksum();
    builder.append(&header, bytes.as_bytes()).expect("it is written");
    assert_eq!(one(&image(vec![builder.into_inner().expect("it is written")])).path, path);
}

/// A program's capabilities are bytes and no text; what stands behind them is read all the same.
#[test]
fn extended_headers_with_binary_values_say_path_and_size() {
    let path = "app/node_modules/a/package.json";
    let bytes = module("a");
    let size = bytes.len().to_string();
    let capability = b"\x01\x00\x00\x02\xff\xfe=\n\xc3\x28";
    let entry = |records: &[(&str, &[u8])]| {
        let mut builder = tar::Builder::new(Vec::new());
        builder.append_pax_extensions(records.iter().copied()).expect("it is written");
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_path("PaxHeaders/short").expect("a path");
        header.set_cksum();
        builder.append(&header, bytes.as_bytes()).expect("it is written");
        builder.into_inner().expect("it is written")
    };
    let said: [(&str, &[u8]); 3] =
        [("SCHILY.xattr.security.capability", capability), ("path", path.as_bytes()), ("size", size.as_bytes())];
    assert_eq!(one(&image(vec![entry(&said)])).path, path);
    // The real name of a sparse file wins over the made-up one, in whatever order they stand.
    let sparse: [(&str, &[u8]); 2] = [("GNU.sparse.name", path.as_bytes()), ("path", b"GNUSparseFile.1/x")];
    let inventory = image(vec![entry(&sparse)]);
    assert_eq!(
        (inventory.unread[0].path.as_str(), inventory.unread[0].why.as_str()),
        (path, "it is stored with holes")
    );
    // What is not of its form is no reason to go on with half of it.
    for (at, byte) in [(512, b'9'), (512, b'x')] {
        let mut damaged = entry(&said);
        damaged[at] = byte;
        let read = Reader::of_image(Limits::default()).layer("sha256:0", damaged.as_slice());
        assert!(matches!(read, Err(ReadError::Layer { .. })), "{read:?}");
    }
}

#[test]
fn a_path_above_the_root_is_the_root() {
    let inventory = image(vec![Layer::new().file("../../etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n").tar()]);
    assert_eq!(inventory.distribution.map(|known| (known.id, known.version)), Some(("debian".into(), "12".into())));
}

#[test]
fn what_is_no_layer_is_an_error_and_not_an_empty_image() {
    let whole = Layer::new().file(PLACE, METADATA).gzip();
    let mut damaged = Layer::new().file(PLACE, METADATA).tar();
    damaged[10] ^= 1;
    let half_a_file = Layer::new().file("big", vec![1; 10_000]).tar()[..3000].to_vec();
    for bytes in [b"no layer".to_vec(), vec![7; 4096], whole[..whole.len() - 20].to_vec(), damaged, half_a_file] {
        let read = Reader::of_image(Limits::default()).layer("sha256:0", bytes.as_slice());
        assert!(matches!(read, Err(ReadError::Layer { .. })), "{read:?}");
    }
    // A layer that changes nothing is one.
    assert!(image(vec![Vec::new(), Layer::new().tar()]).packages.is_empty());
}

#[test]
fn an_archive_made_of_nothing_but_size_is_refused_in_little_memory() {
    // A name of ten gigabytes: the header says so, and nothing of it is waited for.
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::GNULongName);
    header.set_size(10 << 30);
    header.set_cksum();
    let endless = header.as_bytes().as_slice().chain(io::repeat(b'a'));
    let read = Reader::of_image(Limits::default()).layer("sha256:0", endless);
    assert!(matches!(&read, Err(ReadError::Layer { source, .. }) if source.to_string().contains("64 KiB")), "{read:?}");
    // A file without end.
    let mut header = tar::Header::new_gnu();
    header.set_path("big").expect("a path");
    header.set_size(1 << 40);
    header.set_cksum();
    let limits = Limits { bytes: 64 << 20, ..Limits::default() };
    let endless = header.as_bytes().as_slice().chain(io::repeat(0));
    let read = Reader::of_image(limits).layer("sha256:0", endless);
    assert!(matches!(read, Err(ReadError::TooMuch { what: "its layers are too large", .. })), "{read:?}");
    // Files without end.
    let one = Layer::new().file("a", "").tar();
    let one = &one[..512];
    let limits = Limits { entries: 10_000, ..Limits::default() };
    let read = Reader::of_image(limits).layer("sha256:0", one.repeat(20_000).as_slice());
    assert!(matches!(read, Err(ReadError::TooMuch { what: "it has too many files", .. })), "{read:?}");
    // Packages without end.
    let many: String =
        (0..300).map(|number| format!("Package: p{number}\nStatus: install ok installed\nVersion: 1\n\n")).collect();
    let layer = Layer::new().file("var/lib/dpkg/status", many).tar();
    let read = Reader::of_image(Limits { packages: 200, ..Limits::default() }).layer("sha256:0", layer.as_slice());
    assert!(matches!(read, Err(ReadError::TooMuch { what: "it has too many packages", .. })), "{read:?}");
}

#[test]
fn a_file_that_is_too_large_is_said() {
    let limits = Limits { whole: 1000, ..Limits::default() };
    let mut reader = Reader::of_image(limits);
    let layer = Layer::new().file("var/lib/dpkg/status", vec![b'\n'; 2000]).tar();
    reader.layer("sha256:0", layer.as_slice()).expect("a layer");
    let inventory = reader.finish(Described::default());
    assert_eq!(inventory.unread[0].path, "var/lib/dpkg/status");
    assert!(!inventory.is_whole());
}

#[test]
fn the_whole_stream_is_read_so_that_its_digest_can_be_checked() {
    let mut layer = Layer::new().file(PLACE, METADATA).gzip();
    layer.extend_from_slice(&[0; 100_000]);
    let mut left = layer.as_slice();
    // What follows a packed layer is no part of it; gzip calls it broken, or padding.
    let _ = Reader::of_image(Limits::default()).layer("sha256:0", &mut left);
    let mut plain = Layer::new().file(PLACE, METADATA).tar();
    plain.extend_from_slice(&[0; 100_000]);
    let mut left = plain.as_slice();
    Reader::of_image(Limits::default()).layer("sha256:0", &mut left).expect("a layer");
    assert!(left.is_empty());
}

#[test]
fn lock_files_of_an_image_are_not_what_is_installed() {
    assert!(file_of_image("app/Cargo.lock", "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n").packages.is_empty());
}
