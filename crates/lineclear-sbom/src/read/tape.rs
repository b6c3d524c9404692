//! A tar stream taken entry by entry, in memory that no archive can make grow.
//!
//! The headers are read by the `tar` crate; what is ours is the loop around them: that crate keeps long names and extended headers
//! of any size in memory, and a layer may come from anybody.

use std::io::{self, Read};

/// Longer names and extended headers are refused.
const MAX_NAME: u64 = 64 << 10;
const MAX_EXTENDED: u64 = 1 << 20;
const BLOCK: usize = 512;

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EntryKind {
    File,
    Directory,
    /// The path of the file that it is another name of, as [`Entry::path`].
    HardLink(String),
    /// Symbolic links, devices, sockets.
    Other,
}

/// One entry. Its bytes are read from the reader that comes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Without leading `/` and `./`, without `..`: what is above the root is the root.
    pub(crate) path: String,
    pub(crate) kind: EntryKind,
    pub(crate) size: u64,
    /// The bytes are not the file's: it has holes that they leave out.
    pub(crate) is_sparse: bool,
}

/// Gives each entry of the archive to `visit`, in their order. What `visit` leaves of an entry's bytes is skipped.
///
/// # Errors
/// Those of the stream and of `visit`; `InvalidData` for what is no tar archive, or a broken one.
pub(crate) fn entries(
    reader: &mut dyn Read,
    mut visit: impl FnMut(&Entry, &mut dyn Read) -> io::Result<()>,
) -> io::Result<()> {
    let mut block = [0; BLOCK];
    let mut said = Said::default();
    let mut is_first = true;
    while fill(reader, &mut block, is_first)? {
        is_first = false;
        if block.iter().all(|byte| *byte == 0) {
            // The end is two such blocks, and nothing after them counts.
            return Ok(());
        }
        let header = tar::Header::from_byte_slice(&block);
        if !sums_up(&block) {
            return Err(broken("a header has another checksum than it says"));
        }
        let kind = header.entry_type();
        let stored = header.entry_size().map_err(|_| broken("a header has no size"))?;
        if kind.is_gnu_longname() || kind.is_gnu_longlink() {
            let bytes = bytes_of(reader, stored, MAX_NAME, "a name is longer than 64 KiB")?;
            let text = text_of(bytes.split(|byte| *byte == 0).next().unwrap_or_default());
            *(if kind.is_gnu_longname() { &mut said.path } else { &mut said.link }) = Some(text);
            continue;
        }
        if kind.is_pax_local_extensions() {
            said.take(&bytes_of(reader, stored, MAX_EXTENDED, "an extended header is longer than 1 MiB")?)?;
            continue;
        }
        if kind.is_pax_global_extensions() {
            skip(reader, padded(stored)?)?;
            continue;
        }
        let said = std::mem::take(&mut said);
        if kind.is_gnu_sparse() {
            skip_sparse_map(reader, &block)?;
        }
        let path = said.real_path.or(said.path).unwrap_or_else(|| text_of(&header.path_bytes()));
        let link = || said.link.clone().or_else(|| Some(text_of(&header.link_name_bytes()?)));
        let is_file = kind.is_file() || kind.is_contiguous() || kind.is_gnu_sparse();
        let entry = Entry {
            kind: match () {
                // Archives of before 1988 mark directories by the slash alone.
                () if is_file && path.ends_with('/') => EntryKind::Directory,
                () if is_file => EntryKind::File,
                () if kind.is_dir() => EntryKind::Directory,
                () if kind.is_hard_link() => EntryKind::HardLink(normal(&link().unwrap_or_default())),
                () => EntryKind::Other,
            },
            path: normal(&path),
            size: said.size.unwrap_or(stored),
            is_sparse: kind.is_gnu_sparse() || said.is_sparse,
        };
        // Links and directories have no bytes, whatever their size says.
        let length = if is_file || !matches!(kind.as_byte(), b'1'..=b'6') { entry.size } else { 0 };
        let padding = padded(length)? - length;
        let mut bytes = reader.take(length);
        visit(&entry, &mut bytes)?;
        let left = bytes.limit();
        skip(reader, left)?;
        skip(reader, padding)?;
    }
    Ok(())
}

/// What extended headers said of the entry after them.
#[derive(Default)]
struct Said {
    path: Option<String>,
    /// Of a sparse file, whose `path` is a made-up one.
    real_path: Option<String>,
    link: Option<String>,
    size: Option<u64>,
    is_sparse: bool,
}

impl Said {
    /// Takes the records of a PAX header: `length key=value\n`. The length counts bytes, and values may be any: capabilities of a program
    /// are.
    fn take(&mut self, records: &[u8]) -> io::Result<()> {
        let mut rest = records;
        // Some writers fill the block with zeros, and count them.
        while !rest.is_empty() && rest[0] != 0 {
            let (key, value, after) = record(rest).ok_or_else(|| broken("an extended header is not of its form"))?;
            match key {
                b"path" => self.path = Some(text_of(value)),
                b"linkpath" => self.link = Some(text_of(value)),
                b"size" => {
                    let size = std::str::from_utf8(value).ok().and_then(|size| size.parse().ok());
                    self.size = Some(size.ok_or_else(|| broken("an extended header has a size that is none"))?);
                }
                b"GNU.sparse.name" => self.real_path = Some(text_of(value)),
                _ => {}
            }
            self.is_sparse |= key.starts_with(b"GNU.sparse.");
            rest = after;
        }
        Ok(())
    }
}

/// The first record's key and value, and what follows it.
fn record(records: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = records.iter().position(|byte| *byte == b' ')?;
    let length: usize = std::str::from_utf8(&records[..space]).ok()?.parse().ok()?;
    let record = records.get(space + 1..length)?.strip_suffix(b"\n")?;
    let equals = record.iter().position(|byte| *byte == b'=')?;
    Some((&record[..equals], &record[equals + 1..], &records[length..]))
}

pub(crate) fn broken(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.to_owned())
}

/// Whether the header's checksum is its own; with signed bytes too, as old programs wrote it.
fn sums_up(block: &[u8; BLOCK]) -> bool {
    let said = String::from_utf8_lossy(&block[148..156]);
    let Ok(said) = i64::from_str_radix(said.trim_matches(['\0', ' ']), 8) else { return false };
    let bytes = || block.iter().enumerate().map(|(at, byte)| if (148..156).contains(&at) { b' ' } else { *byte });
    let unsigned: i64 = bytes().map(i64::from).sum();
    let signed: i64 = bytes().map(|byte| i64::from(byte.cast_signed())).sum();
    said == unsigned || said == signed
}

/// Whether there was a whole block; the end of the stream in the middle of one is an error. An empty stream is an empty archive.
fn fill(reader: &mut dyn Read, block: &mut [u8; BLOCK], is_first: bool) -> io::Result<bool> {
    let mut have = 0;
    while have < BLOCK {
        match reader.read(&mut block[have..]) {
            Ok(0) if have == 0 => return Ok(false),
            Ok(0) if is_first => return Err(broken("it is no tar archive")),
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(length) => have += length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

fn padded(length: u64) -> io::Result<u64> {
    length.checked_next_multiple_of(BLOCK as u64).ok_or_else(|| broken("an entry has an impossible size"))
}

fn skip(reader: &mut dyn Read, length: u64) -> io::Result<()> {
    let skipped = io::copy(&mut reader.take(length), &mut io::sink())?;
    if skipped < length { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
}

fn bytes_of(reader: &mut dyn Read, length: u64, most: u64, why: &str) -> io::Result<Vec<u8>> {
    if length > most {
        return Err(broken(why));
    }
    let mut bytes = Vec::new();
    reader.take(length).read_to_end(&mut bytes)?;
    skip(reader, padded(length)? - bytes.len() as u64)?;
    Ok(bytes)
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The map of a sparse file goes on in blocks of its own.
fn skip_sparse_map(reader: &mut dyn Read, header: &[u8; BLOCK]) -> io::Result<()> {
    let mut goes_on = header[482] != 0;
    let mut block = [0; BLOCK];
    while goes_on {
        reader.read_exact(&mut block)?;
        goes_on = block[504] != 0;
    }
    Ok(())
}

/// A path without leading slash, `.`, `..` and empty parts.
pub(crate) fn normal(path: &str) -> String {
    if !path.is_empty() && !path.starts_with('/') && !path.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return path.to_owned();
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}
