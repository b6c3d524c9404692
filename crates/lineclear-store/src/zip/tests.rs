//! What unpacking lets through, and what it refuses.

use std::fs;
use std::io::{Cursor, Read, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use flate2::{Compression, Crc, write::DeflateEncoder};
use proptest::prelude::*;

use super::*;
use crate::{ReadAt, StoreError};

/// An archive in memory.
struct Bytes<'a>(&'a [u8]);

impl ReadAt for Bytes<'_> {
    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> Result<usize, StoreError> {
        let rest = usize::try_from(offset).ok().and_then(|offset| self.0.get(offset..)).unwrap_or_default();
        let length = rest.len().min(into.len());
        into[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }
}

/// An entry that says whatever a test wants.
#[derive(Clone, Debug)]
struct Entry {
    name: Vec<u8>,
    local_name: Option<Vec<u8>>,
    content: Vec<u8>,
    method: u16,
    flags: u16,
    crc: Option<u32>,
    size: Option<u32>,
    packed: Option<Vec<u8>>,
    mode: u32,
    offset: Option<u32>,
    descriptor: bool,
}

fn entry(name: &str, content: &[u8]) -> Entry {
    Entry {
        name: name.into(),
        local_name: None,
        content: content.to_vec(),
        method: 8,
        flags: 1 << 11,
        crc: None,
        size: None,
        packed: None,
        mode: 0o100_644,
        offset: None,
        descriptor: false,
    }
}

fn deflated(content: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(content).expect("memory can be written to");
    encoder.finish().expect("memory can be written to")
}

fn crc_of(content: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(content);
    crc.sum()
}

fn archive(entries: &[Entry]) -> Vec<u8> {
    let (mut out, mut list) = (Vec::new(), Vec::new());
    for entry in entries {
        let packed = entry.packed.clone().unwrap_or_else(|| match entry.method {
            8 => deflated(&entry.content),
            _ => entry.content.clone(),
        });
        let crc = entry.crc.unwrap_or_else(|| crc_of(&entry.content));
        let size = entry.size.unwrap_or(entry.content.len() as u32);
        let start = out.len() as u32;
        let local_name = entry.local_name.as_ref().unwrap_or(&entry.name);
        let flags = if entry.descriptor { entry.flags | 1 << 3 } else { entry.flags };
        let in_front = if entry.descriptor { [0; 3] } else { [crc, packed.len() as u32, size] };
        out.extend(b"PK\x03\x04\x14\0");
        out.extend(flags.to_le_bytes());
        out.extend(entry.method.to_le_bytes());
        out.extend([0; 4]);
        in_front.iter().for_each(|number| out.extend(number.to_le_bytes()));
        out.extend((local_name.len() as u16).to_le_bytes());
        out.extend([0; 2]);
        out.extend(local_name);
        out.extend(&packed);
        if entry.descriptor {
            out.extend(b"PK\x07\x08");
            [crc, packed.len() as u32, size].iter().for_each(|number| out.extend(number.to_le_bytes()));
        }
        list.extend(b"PK\x01\x02\x14\x03\x14\0");
        list.extend(flags.to_le_bytes());
        list.extend(entry.method.to_le_bytes());
        list.extend([0; 4]);
        [crc, packed.len() as u32, size].iter().for_each(|number| list.extend(number.to_le_bytes()));
        list.extend((entry.name.len() as u16).to_le_bytes());
        list.extend([0; 8]);
        list.extend((entry.mode << 16).to_le_bytes());
        list.extend(entry.offset.unwrap_or(start).to_le_bytes());
        list.extend(&entry.name);
    }
    end(&mut out, &list, entries.len() as u16);
    out
}

fn end(out: &mut Vec<u8>, list: &[u8], entries: u16) {
    let start = out.len() as u32;
    out.extend(list);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend(entries.to_le_bytes());
    out.extend(entries.to_le_bytes());
    out.extend((list.len() as u32).to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0; 2]);
}

/// A folder to unpack into, beside a file that nobody may touch.
struct Scratch(tempfile::TempDir);

impl Scratch {
    fn new() -> Self {
        let scratch = tempfile::tempdir().expect("a temporary folder can be made");
        fs::write(scratch.path().join("outside"), "untouched").expect("it can be written to");
        Self(scratch)
    }

    fn to(&self) -> PathBuf {
        self.0.path().join("to")
    }

    fn unpack(&self, bytes: &[u8], limits: &UnpackLimits) -> Result<Unpacked, UnpackError> {
        let outcome = unpack(&mut Bytes(bytes), bytes.len() as u64, &self.to(), limits);
        assert_eq!(fs::read(self.0.path().join("outside")).expect("it is there"), b"untouched");
        let beside = fs::read_dir(self.0.path()).expect("it can be read").count();
        assert_eq!(beside, 1 + usize::from(self.to().exists()), "nothing is written beside the folder");
        outcome
    }

    fn files(&self) -> Vec<(String, Vec<u8>)> {
        let (mut found, mut open) = (Vec::new(), vec![self.to()]);
        while let Some(folder) = open.pop() {
            for file in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let path = file.path();
                match file.file_type().expect("it is there").is_dir() {
                    true => open.push(path),
                    false => {
                        let name = path.strip_prefix(self.to()).expect("it is below").to_string_lossy().into_owned();
                        found.push((name, fs::read(&path).expect("it can be read")));
                    }
                }
            }
        }
        found.sort();
        found
    }
}

fn check_refused(entries: &[Entry], why: &str) {
    check_bytes_refused(&archive(entries), why);
}

/// Refused with `why`, before anything is written.
fn check_bytes_refused(bytes: &[u8], why: &str) {
    let scratch = Scratch::new();
    let error = scratch.unpack(bytes, &UnpackLimits::default()).expect_err("it is refused").to_string();
    assert!(error.contains(why), "{error}");
    assert!(scratch.files().is_empty(), "nothing is written of what is refused");
}

/// Refused with `why` in the middle: what came before stays, the bad file does not.
fn check_broken(bad: Entry, why: &str) {
    let scratch = Scratch::new();
    let bytes = archive(&[entry("good", b"whole"), bad, entry("later", b"never")]);
    let error = scratch.unpack(&bytes, &UnpackLimits::default()).expect_err("it is refused").to_string();
    assert!(error.contains(why) && error.contains("`bad`"), "{error}");
    assert_eq!(scratch.files(), [("good".to_owned(), b"whole".to_vec())]);
}

#[test]
fn what_others_pack_is_unpacked() {
    let scratch = Scratch::new();
    let long = b"0123456789abcdef".repeat(20_000);
    let stored = Entry { method: 0, ..entry("stored.txt", b"as it is") };
    let streamed = Entry { descriptor: true, ..entry("a/b/streamed.txt", &long) };
    let folder = Entry { method: 0, mode: 0o040_755, ..entry("a/empty/", b"") };
    let link = Entry { method: 0, mode: 0o120_777, ..entry("link", b"/etc/passwd") };
    let plain = Entry { flags: 0, mode: 0, ..entry("no system said.bin", b"\x00\xff") };
    let back = entry("a\\b.txt", b"one name");
    let bytes = archive(&[stored, streamed, folder, link, plain, back]);
    let done = scratch.unpack(&bytes, &UnpackLimits::default()).expect("it is unpacked");
    assert_eq!(done, Unpacked { files: 5, bytes: 8 + 320_000 + 11 + 2 + 8 });
    let names: Vec<String> = scratch.files().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["a/b/streamed.txt", "a\\b.txt", "link", "no system said.bin", "stored.txt"]);
    assert!(fs::read(scratch.to().join("a/b/streamed.txt")).expect("it is there") == long);
    assert!(scratch.to().join("a/empty").is_dir());
    let link = fs::symlink_metadata(scratch.to().join("link")).expect("it is there");
    assert!(link.is_file(), "a link becomes a file that holds its target");
    // With a comment, and with something in front that the offsets know of.
    let mut commented = archive(&[entry("f", b"1")]);
    let length = commented.len();
    commented[length - 2..].copy_from_slice(&7_u16.to_le_bytes());
    commented.extend(b"comment");
    assert_eq!(scratch.unpack(&commented, &UnpackLimits::default()).expect("it is unpacked").files, 1);
    let empty = archive(&[]);
    assert_eq!(scratch.unpack(&empty, &UnpackLimits::default()).expect("it is unpacked"), Unpacked::default());
}

#[test]
fn what_the_packer_writes_other_programs_read() {
    let scratch = Scratch::new();
    let mut packer = Packer::new(Cursor::new(Vec::new()));
    let files: [(&str, &[u8]); 3] = [("a/é.txt", b"text"), ("empty", b""), ("z.bin", &[7; 100_000])];
    for (name, content) in files {
        packer.file(name, content.len() as u64, &mut &*content).expect("memory can be written to");
    }
    let (bytes, length) = packer.finish().expect("memory can be written to");
    let bytes = bytes.into_inner();
    assert_eq!(bytes.len() as u64, length);
    fs::create_dir_all(scratch.to()).expect("a folder is made");
    fs::write(scratch.to().join("a.zip"), &bytes).expect("it can be written");
    let program = "import zipfile,sys\nz=zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\n\
                   print([(i.filename,i.file_size) for i in z.infolist()])";
    let said = std::process::Command::new("python3")
        .args(["-c", program])
        .arg(scratch.to().join("a.zip"))
        .env("PYTHONIOENCODING", "utf-8")
        .output()
        .expect("python3 is there");
    assert!(said.status.success(), "{said:?}");
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert_eq!(said.trim(), "[('a/é.txt', 4), ('empty', 0), ('z.bin', 100000)]");
    let short = Packer::new(Cursor::new(Vec::new())).file("f", 5, &mut &b"1234"[..]);
    assert!(short.is_err(), "a file that shrank is an error");
    let long = Packer::new(Cursor::new(Vec::new())).file("f", 5, &mut &b"123456"[..]);
    assert!(long.is_err(), "and so is one that grew");
}

static ZEROS: [u8; 1 << 16] = [0; 1 << 16];

/// Writes where there is nothing: keeps headers and forgets zeros, so that large archives fit into a test.
struct Sparse {
    file: fs::File,
}

impl Write for Sparse {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        use std::io::Seek;
        if ZEROS.starts_with(bytes) {
            self.file.seek_relative(bytes.len() as i64)?;
            return Ok(bytes.len());
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

impl std::io::Seek for Sparse {
    fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
        self.file.seek(to)
    }
}

struct OnDisk(fs::File);

impl ReadAt for OnDisk {
    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> Result<usize, StoreError> {
        use std::os::unix::fs::FileExt;
        Ok(self.0.read_at(into, offset).expect("the file can be read"))
    }
}

#[test]
fn a_file_of_more_than_four_gigabytes_has_sizes_that_fit() {
    const SIZE: u64 = (4 << 30) + 5;
    let scratch = Scratch::new();
    fs::create_dir_all(scratch.to()).expect("a folder is made");
    let file = fs::File::create(scratch.to().join("z")).expect("a file is made");
    let mut packer = Packer::new(Sparse { file });
    for (name, size) in [("large", SIZE), ("behind", 3)] {
        packer.file(name, size, &mut std::io::repeat(0).take(size)).expect("it is packed");
    }
    let (_, length) = packer.finish().expect("it is packed");
    let mut content = OnDisk(fs::File::open(scratch.to().join("z")).expect("it is there"));
    let mut archive = directory::Archive::new(&mut content, length);
    let limits = UnpackLimits { ratio: 1, ..UnpackLimits::default() };
    let read = directory::read(&mut archive, &limits).expect("it is read").entries;
    let found: Vec<(&[u8], u64, u64)> = read.iter().map(|entry| (&*entry.name, entry.size, entry.packed)).collect();
    assert_eq!(found, [(&b"large"[..], SIZE, SIZE), (b"behind", 3, 3)]);
    assert!(read[1].start > u64::from(u32::MAX));
}

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
fn a_hundred_thousand_entries_are_no_trouble() {
    const ENTRIES: u64 = 100_000;
    let mut packer = Packer::new(Cursor::new(Vec::new()));
    for number in 0..ENTRIES {
        let name = format!("folder {}/{number}", number % 7);
        packer.file(&name, 0, &mut std::io::empty()).expect("memory can be written to");
    }
    let bytes = packer.finish().expect("memory can be written to").0.into_inner();
    let mut content = Bytes(&bytes);
    let mut archive = directory::Archive::new(&mut content, bytes.len() as u64);
    let read = directory::read(&mut archive, &UnpackLimits::default()).expect("it is read");
    assert_eq!(read.entries.len() as u64, ENTRIES, "more than the short record can count");
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// unpack ∘ pack = id.
    #[test]
    fn what_is_packed_comes_back(
        files in proptest::collection::btree_map("[a-c]{1,2}(/[a-c]{1,2}){0,2}", proptest::collection::vec(any::<u8>(), 0..300), 0..8),
        deflate in any::<bool>(),
    ) {
        // Names of one length of path cannot be file and folder at once.
        let files: Vec<(String, Vec<u8>)> =
            files.into_iter().map(|(name, content)| (format!("{}{name}", name.matches('/').count()), content)).collect();
        let bytes = if deflate {
            archive(&files.iter().map(|(name, content)| entry(name, content)).collect::<Vec<_>>())
        } else {
            let mut packer = Packer::new(Cursor::new(Vec::new()));
            for (name, content) in &files {
                packer.file(name, content.len() as u64, &mut content.as_slice()).expect("memory can be written to");
            }
            packer.finish().expect("memory can be written to").0.into_inner()
        };
        let scratch = Scratch::new();
        scratch.unpack(&bytes, &UnpackLimits::default()).expect("it is unpacked");
        let mut expected = files;
        expected.sort();
        prop_assert_eq!(scratch.files(), expected);
    }

    /// Whatever is changed: no panic, nothing outside, and what is written is what was packed.
    #[test]
    fn a_changed_archive_writes_nothing_that_was_not_packed(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
        shorten in any::<bool>(),
    ) {
        let text = b"text that can be packed, text that can be packed".to_vec();
        let stored = Entry { method: 0, ..entry("b/c", b"stored") };
        let mut bytes = archive(&[entry("a", &text), stored, Entry { descriptor: true, ..entry("d", &text) }]);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if shorten {
            bytes.truncate(cut.index(bytes.len()));
        }
        let scratch = Scratch::new();
        let limits = UnpackLimits { bytes: 1 << 20, ..UnpackLimits::default() };
        let outcome = scratch.unpack(&bytes, &limits);
        for (name, content) in scratch.files() {
            // Names and their checksums may have been changed together only by more luck than a test has.
            prop_assert!(content.is_empty() || content == text || content == b"stored", "{name}: {outcome:?}");
        }
    }

    #[test]
    fn noise_is_never_an_archive_and_never_a_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let scratch = Scratch::new();
        let _refused = scratch.unpack(&bytes, &UnpackLimits::default());
        end(&mut bytes, b"PK\x01\x02", 1);
        let _refused = scratch.unpack(&bytes, &UnpackLimits::default());
        prop_assert!(scratch.files().is_empty());
    }
}
