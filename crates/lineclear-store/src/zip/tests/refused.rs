//! What is refused, and what nothing in an archive can bring about.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::fixture::{Entry, Scratch, archive, check_broken, check_bytes_refused, check_refused, deflated, entry};
use crate::zip::{UnpackError, UnpackLimits, unpack};
use crate::{ReadAt, StoreError};

#[test]
fn names_that_lead_anywhere_else_are_refused() {
    for (name, why) in [
        ("../out", "`..`"),
        ("a/../../out", "`..`"),
        ("a\\..\\..\\out", "`..`"),
        ("..", "`..`"),
        ("/etc/passwd", "absolute"),
        ("\\\\server\\share", "absolute"),
        ("C:\\windows", "drive"),
        ("c:x", "drive"),
        ("a\0b", "zero byte"),
        ("a//b", "empty part"),
        ("./a", "empty part"),
        ("", "no name"),
        ("/", "no name"),
    ] {
        check_refused(&[entry("ok", b"1"), entry(name, b"1")], why);
    }
    check_refused(&[entry(&"a".repeat(256), b"1")], "longer than");
    check_refused(&[entry(&"a/".repeat(3000), b"")], "longer than");
}

#[test]
fn entries_that_are_no_plain_files_are_refused() {
    for mode in [0o020_666, 0o060_660, 0o010_644, 0o140_755] {
        check_refused(&[Entry { mode, ..entry("bad", b"") }], "device, a pipe or a socket");
    }
    check_refused(&[Entry { flags: 1, ..entry("bad", b"1") }], "encrypted");
    check_refused(&[Entry { flags: 1 << 6, ..entry("bad", b"1") }], "encrypted");
    check_refused(&[Entry { method: 99, ..entry("bad", b"1") }], "encrypted");
    check_refused(&[Entry { method: 9, ..entry("bad", b"1") }], "method 9");
    check_refused(&[Entry { mode: 0o040_755, ..entry("bad/", b"1") }], "folder with contents");
}

#[test]
fn two_entries_for_one_place_are_refused() {
    check_refused(&[entry("a", b"1"), entry("a", b"2")], "twice");
    check_refused(&[entry("a", b"1"), Entry { method: 0, ..entry("a/", b"") }], "twice");
    check_refused(&[entry("a", b"1"), entry("a/b", b"2")], "also that of a folder");
    check_refused(&[entry("a/b/c", b"2"), entry("a/b", b"1")], "also that of a folder");
    let twice = Entry { offset: Some(0), ..entry("b", b"1") };
    check_refused(&[entry("a", b"1"), twice], "overlaps");
    check_refused(&[Entry { offset: Some(u32::MAX - 1), ..entry("a", b"1") }], "overlaps");
}

#[test]
fn contents_that_are_not_what_is_said_are_refused() {
    let text = b"some text, and some more text".repeat(100);
    check_broken(Entry { crc: Some(1), ..entry("bad", &text) }, "checksum differs");
    check_broken(Entry { crc: Some(1), method: 0, ..entry("bad", &text) }, "checksum differs");
    check_broken(Entry { size: Some(10), ..entry("bad", &text) }, "more than the 10 bytes");
    check_broken(Entry { size: Some(2901), ..entry("bad", &text) }, "2900 bytes instead of 2901");
    let packed = deflated(&text);
    let cut = packed[..packed.len() - 4].to_vec();
    check_broken(Entry { packed: Some(cut), ..entry("bad", &text) }, "cut off");
    let more = [packed.as_slice(), b"behind the end"].concat();
    check_broken(Entry { packed: Some(more), ..entry("bad", &text) }, "end before they should");
    check_broken(Entry { packed: Some(vec![0xff; 50]), ..entry("bad", &text) }, "damaged");
    check_broken(Entry { packed: Some(vec![]), ..entry("bad", &text) }, "cut off");
    check_broken(Entry { local_name: Some(b"dab".to_vec()), ..entry("bad", &text) }, "another name");
    check_refused(&[Entry { method: 0, size: Some(4), ..entry("bad", b"12345") }], "two sizes");
}

#[test]
fn bombs_do_not_go_off() {
    let bomb = archive(&[entry("bomb", &vec![0; 4 << 20])]);
    let tight = UnpackLimits { unchecked_bytes: 1 << 20, ..UnpackLimits::default() };
    let scratch = Scratch::new();
    let error = scratch.unpack(&bomb, &tight).expect_err("it is refused").to_string();
    assert!(error.contains("`bomb`") && error.contains("no real file does"), "{error}");
    let small = UnpackLimits { bytes: 100, ..UnpackLimits::default() };
    let error = scratch.unpack(&archive(&[entry("a", &[1; 60]), entry("b", &[1; 60])]), &small);
    let error = error.expect_err("it is refused").to_string();
    assert_eq!(error, "the zip archive asks for 120 bytes; at most 100 are unpacked");
    let few = UnpackLimits { entries: 1, ..UnpackLimits::default() };
    let error = scratch.unpack(&archive(&[entry("a", b"1"), entry("b", b"1")]), &few).expect_err("it is refused");
    assert!(error.to_string().contains("2 entries; at most 1"), "{error}");
    assert!(scratch.files().is_empty());
    // Folders that only names make are counted too.
    let deep = archive(&[entry(&"a/".repeat(200), b""), entry(&format!("{}f", "b/".repeat(200)), b"1")]);
    let shallow = UnpackLimits { entries: 300, ..UnpackLimits::default() };
    let error = scratch.unpack(&deep, &shallow).expect_err("it is refused").to_string();
    assert_eq!(error, "the zip archive asks for 399 folders; at most 300 are unpacked");
    assert!(scratch.files().is_empty());
    // One that lies about its size ends when the lie is out.
    check_broken(Entry { size: Some(1000), ..entry("bad", &vec![0; 4 << 20]) }, "more than the 1000 bytes");
}

#[test]
fn what_is_no_archive_is_refused() {
    let whole = archive(&[entry("a", b"1"), entry("b", b"2")]);
    check_bytes_refused(b"", "too short");
    check_bytes_refused(&[0; 100], "record at its end is missing");
    for cut in 1..whole.len() {
        check_bytes_refused(&whole[..cut], "no zip archive");
    }
    let last = whole.len();
    let patched = |at: usize, bytes: &[u8]| {
        let mut patched = whole.clone();
        patched[at..at + bytes.len()].copy_from_slice(bytes);
        patched
    };
    check_bytes_refused(&patched(last - 6, &u32::MAX.to_le_bytes()), "lies outside");
    check_bytes_refused(&patched(last - 10, &u32::MAX.to_le_bytes()), "no zip archive");
    check_bytes_refused(&patched(last - 12, &9_u16.to_le_bytes()), "more entries than");
    check_bytes_refused(&patched(last - 12, &1_u16.to_le_bytes()), "longer than it says");
    check_bytes_refused(&patched(last - 18, &1_u16.to_le_bytes()), "part of several");
}

#[test]
fn links_that_are_there_are_never_followed() {
    let scratch = Scratch::new();
    let outside = scratch.0.path().join("outside");
    fs::create_dir_all(scratch.to().join("kept")).expect("a folder is made");
    symlink(&outside, scratch.to().join("file")).expect("a link is made");
    symlink(scratch.0.path(), scratch.to().join("folder")).expect("a link is made");
    symlink(scratch.0.path().join("new"), scratch.to().join("kept/dangling")).expect("a link is made");
    let bytes = archive(&[entry("file", b"1"), entry("folder/outside", b"2"), entry("kept/dangling", b"3")]);
    scratch.unpack(&bytes, &UnpackLimits::default()).expect("it is unpacked");
    let expected = [("file", b"1"), ("folder/outside", b"2"), ("kept/dangling", b"3")];
    let expected: Vec<(String, Vec<u8>)> =
        expected.iter().map(|(name, byte)| ((*name).into(), byte.to_vec())).collect();
    assert_eq!(scratch.files(), expected);
    // A folder with something in it is not removed for a file.
    let scratch = Scratch::new();
    fs::create_dir_all(scratch.to().join("a/b")).expect("a folder is made");
    let error = scratch.unpack(&archive(&[entry("a", b"1")]), &UnpackLimits::default()).expect_err("it is in the way");
    assert!(matches!(error, UnpackError::Io { ref path, .. } if path.ends_with("to/a")), "{error:?}");
    assert!(scratch.to().join("a/b").is_dir());
}

#[test]
fn the_error_of_a_store_keeps_its_kind() {
    struct Damaged;
    impl ReadAt for Damaged {
        fn read_at(&mut self, _: u64, _: &mut [u8]) -> Result<usize, StoreError> {
            Err(StoreError::Damaged { what: "block 1".into(), why: "altered".into() })
        }
    }
    let error = unpack(&mut Damaged, 100, Path::new("/nowhere"), &UnpackLimits::default()).expect_err("it is damaged");
    assert!(matches!(error.of_artifact("a"), StoreError::Damaged { .. }));
    let refused = UnpackError::not_zip("it is too short").of_artifact("a").to_string();
    assert_eq!(
        refused,
        "the artifact `a` cannot be unpacked: it is no zip archive that could be read: it is too short"
    );
}
