//! Archives that say whatever a test wants, and a folder to unpack them into.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use flate2::{Compression, Crc, write::DeflateEncoder};

use crate::zip::{UnpackError, UnpackLimits, Unpacked, unpack};
use crate::{ReadAt, StoreError};

/// An archive in memory.
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

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
pub(super) struct Entry {
    pub(super) name: Vec<u8>,
    pub(super) local_name: Option<Vec<u8>>,
    pub(super) content: Vec<u8>,
    pub(super) method: u16,
    pub(super) flags: u16,
    pub(super) crc: Option<u32>,
    pub(super) size: Option<u32>,
    pub(super) packed: Option<Vec<u8>>,
    pub(super) mode: u32,
    pub(super) offset: Option<u32>,
    pub(super) descriptor: bool,
}

pub(super) fn entry(name: &str, content: &[u8]) -> Entry {
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

pub(super) fn deflated(content: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(content).expect("memory can be written to");
    encoder.finish().expect("memory can be written to")
}

pub(super) fn crc_of(content: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(content);
    crc.sum()
}

pub(super) fn archive(entries: &[Entry]) -> Vec<u8> {
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

pub(super) fn end(out: &mut Vec<u8>, list: &[u8], entries: u16) {
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
pub(super) struct Scratch(pub(super) tempfile::TempDir);

impl Scratch {
    pub(super) fn new() -> Self {
        let scratch = tempfile::tempdir().expect("a temporary folder can be made");
        fs::write(scratch.path().join("outside"), "untouched").expect("it can be written to");
        Self(scratch)
    }

    pub(super) fn to(&self) -> PathBuf {
        self.0.path().join("to")
    }

    pub(super) fn unpack(&self, bytes: &[u8], limits: &UnpackLimits) -> Result<Unpacked, UnpackError> {
        let outcome = unpack(&mut Bytes(bytes), bytes.len() as u64, &self.to(), limits);
        assert_eq!(fs::read(self.0.path().join("outside")).expect("it is there"), b"untouched");
        let beside = fs::read_dir(self.0.path()).expect("it can be read").count();
        assert_eq!(beside, 1 + usize::from(self.to().exists()), "nothing is written beside the folder");
        outcome
    }

    pub(super) fn files(&self) -> Vec<(String, Vec<u8>)> {
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

pub(super) fn check_refused(entries: &[Entry], why: &str) {
    check_bytes_refused(&archive(entries), why);
}

/// Refused with `why`, before anything is written.
pub(super) fn check_bytes_refused(bytes: &[u8], why: &str) {
    let scratch = Scratch::new();
    let error = scratch.unpack(bytes, &UnpackLimits::default()).expect_err("it is refused").to_string();
    assert!(error.contains(why), "{error}");
    assert!(scratch.files().is_empty(), "nothing is written of what is refused");
}

/// Refused with `why` in the middle: what came before stays, the bad file does not.
pub(super) fn check_broken(bad: Entry, why: &str) {
    let scratch = Scratch::new();
    let bytes = archive(&[entry("good", b"whole"), bad, entry("later", b"never")]);
    let error = scratch.unpack(&bytes, &UnpackLimits::default()).expect_err("it is refused").to_string();
    assert!(error.contains(why) && error.contains("`bad`"), "{error}");
    assert_eq!(scratch.files(), [("good".to_owned(), b"whole".to_vec())]);
}
