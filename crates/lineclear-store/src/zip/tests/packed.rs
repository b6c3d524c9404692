//! What others pack is unpacked, and what we pack others unpack.

use std::fs;
use std::io::{Cursor, Read, Write};

use super::fixture::{Bytes, Entry, Scratch, archive, entry};
use crate::zip::{Layout, Packer, Part, UnpackLimits, Unpacked, directory};
use crate::{ReadAt, StoreError};

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

    // The layout knows all of that without the contents.
    let layout = Layout::new(vec![("large".into(), SIZE), ("behind".into(), 3)]).expect("the names are short");
    assert_eq!(layout.size(), length);
    assert_eq!(layout.part(read[1].start), Part::Header(1, 0));
    assert_eq!(layout.part(read[1].start - 1), Part::Content(0, SIZE - 1));
    assert_eq!(layout.part(length - 1), Part::Directory(length - 1 - (read[1].start + 36 + 3)));
    assert_eq!(layout.part(length), Part::End);
    let directory = layout.directory(&[read[0].crc, read[1].crc]);
    let mut written = vec![0; directory.len()];
    archive.exactly(length - directory.len() as u64, &mut written).expect("it is there");
    assert!(written == directory);
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

/// The longest names that there can be, each a chain of folders: checking them takes no longer than reading them.
#[test]
fn deep_names_are_checked_in_one_go() {
    let mut packer = Packer::new(Cursor::new(Vec::new()));
    let chain = "a/".repeat(2040);
    for number in 0..1_000 {
        packer.file(&format!("{chain}{number}"), 0, &mut std::io::empty()).expect("memory can be written to");
    }
    let bytes = packer.finish().expect("memory can be written to").0.into_inner();
    let mut content = Bytes(&bytes);
    let mut archive = directory::Archive::new(&mut content, bytes.len() as u64);
    let read = directory::read(&mut archive, &UnpackLimits::default()).expect("it is read");
    assert_eq!(read.entries.len(), 1_000);
}
