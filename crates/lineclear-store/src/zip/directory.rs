//! The directory of an archive: found, read and checked as a whole, before anything is written.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hasher, RandomState};

use super::{UnpackError, UnpackLimits};
use crate::ReadAt;

/// Bytes of the record at the end, without its comment, of the record of large archives, and of what points to that.
const END: u64 = 22;
const END_64: u64 = 56;
const LOCATOR: u64 = 20;
const LONGEST_COMMENT: u64 = 65_535;
/// Bytes of an entry's fixed part in the directory, and before its contents.
const CENTRAL: usize = 46;
pub(super) const LOCAL: usize = 30;

/// One file or folder.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Without the slash at the end of a folder's.
    pub(super) name: Box<[u8]>,
    pub(super) is_folder: bool,
    pub(super) method: Method,
    pub(super) crc: u32,
    pub(super) packed: u64,
    pub(super) size: u64,
    /// Where its own header is.
    pub(super) start: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Stored,
    Deflated,
}

/// An archive that is read from any place.
pub(super) struct Archive<'a> {
    content: &'a mut dyn ReadAt,
    pub(super) size: u64,
}

impl<'a> Archive<'a> {
    pub(super) fn new(content: &'a mut dyn ReadAt, size: u64) -> Self {
        Self { content, size }
    }

    /// Fills `into` from `at` on.
    pub(super) fn exactly(&mut self, at: u64, into: &mut [u8]) -> Result<(), UnpackError> {
        let mut done = 0;
        while done < into.len() {
            match self.content.read_at(at.saturating_add(done as u64), &mut into[done..])? {
                0 => return Err(UnpackError::not_zip("it is cut off")),
                read => done += read,
            }
        }
        Ok(())
    }
}

#[derive(Debug)]
pub(super) struct Directory {
    /// In the order of their contents in the archive.
    pub(super) entries: Vec<Entry>,
    /// Where it begins: all contents end before.
    pub(super) start: u64,
}

/// Reads and checks the directory.
pub(super) fn read(archive: &mut Archive<'_>, limits: &UnpackLimits) -> Result<Directory, UnpackError> {
    let place = find(archive)?;
    let most = |what, asked, limit| match asked > limit {
        true => Err(UnpackError::TooMuch { what, asked, limit }),
        false => Ok(()),
    };
    most("entries", place.entries, limits.entries)?;
    most("bytes for its list of entries", place.size, limits.directory_bytes)?;
    if place.size / (CENTRAL as u64) < place.entries {
        return Err(UnpackError::not_zip("it says that it has more entries than are in it"));
    }
    let mut entries = Vec::new();
    let mut list = Listing { archive, at: place.start, left: place.size };
    let mut total = 0_u64;
    for _ in 0..place.entries {
        let entry = list.entry()?;
        total = total.saturating_add(entry.size);
        most("bytes", total, limits.bytes)?;
        if entry.size > limits.unchecked_bytes && entry.size / limits.ratio.max(1) > entry.packed {
            let why = format!("{} bytes are said to unpack to {}: no real file does", entry.packed, entry.size);
            return Err(UnpackError::entry(&entry.name, why));
        }
        entries.push(entry);
    }
    if list.left != 0 {
        // Readers that go by its length would see other entries.
        return Err(UnpackError::not_zip("its list of entries is longer than it says"));
    }
    check_names(&entries, limits)?;
    entries.sort_by_key(|entry| entry.start);
    for (index, entry) in entries.iter().enumerate() {
        let least = (LOCAL + entry.name.len()) as u64;
        let end = entry.start.saturating_add(least).saturating_add(entry.packed);
        let next = entries.get(index + 1).map_or(place.start, |next| next.start);
        if end > next {
            return Err(UnpackError::entry(&entry.name, "it overlaps with another part of the archive"));
        }
    }
    Ok(Directory { entries, start: place.start })
}

/// Where the list of entries is.
struct Place {
    start: u64,
    size: u64,
    entries: u64,
}

fn find(archive: &mut Archive<'_>) -> Result<Place, UnpackError> {
    if archive.size < END {
        return Err(UnpackError::not_zip("it is too short"));
    }
    let tail = archive.size.min(END + LONGEST_COMMENT);
    let first = archive.size - tail;
    // At most 64 KiB and a little.
    let mut bytes = vec![0; usize::try_from(tail).unwrap_or(0)];
    archive.exactly(first, &mut bytes)?;
    // The comment has to reach exactly to the end, so that a record in the comment is not taken for the real one.
    let found = (0..=bytes.len() - END as usize).rev().find(|at| {
        bytes[*at..].starts_with(b"PK\x05\x06") && u64::from(u16_at(&bytes, at + 20)) == (bytes.len() - at) as u64 - END
    });
    let Some(at) = found else {
        return Err(UnpackError::not_zip("the record at its end is missing; it may be cut off"));
    };
    let end_at = first + at as u64;
    let record = &bytes[at..];
    let disks = u32::from(u16_at(record, 4)) + u32::from(u16_at(record, 6));
    let mut place = Place {
        entries: u64::from(u16_at(record, 10)),
        size: u64::from(u32_at(record, 12)),
        start: u64::from(u32_at(record, 16)),
    };
    let needs_64 = place.entries == u64::from(u16::MAX)
        || place.size == u64::from(u32::MAX)
        || place.start == u64::from(u32::MAX)
        || disks == 2 * u32::from(u16::MAX);
    let mut limit = end_at;
    let mut read_64 = false;
    if needs_64 && end_at >= LOCATOR + END_64 {
        let mut locator = [0; LOCATOR as usize];
        archive.exactly(end_at - LOCATOR, &mut locator)?;
        if locator.starts_with(b"PK\x06\x07") {
            limit = u64_at(&locator, 8);
            if limit > end_at - LOCATOR - END_64 {
                return Err(UnpackError::not_zip("its record of large archives lies outside of it"));
            }
            let mut record = [0; END_64 as usize];
            archive.exactly(limit, &mut record)?;
            if !record.starts_with(b"PK\x06\x06") || u32_at(&record, 16) != 0 || u32_at(&record, 20) != 0 {
                return Err(UnpackError::not_zip("its record of large archives is damaged"));
            }
            place = Place { entries: u64_at(&record, 32), size: u64_at(&record, 40), start: u64_at(&record, 48) };
            read_64 = true;
        }
    }
    if !read_64 && disks != 0 {
        return Err(UnpackError::not_zip("it is a part of several"));
    }
    if place.start.checked_add(place.size).is_none_or(|end| end > limit) {
        return Err(UnpackError::not_zip("its list of entries lies outside of it"));
    }
    Ok(place)
}

/// Reads the list entry by entry.
struct Listing<'a, 'b> {
    archive: &'a mut Archive<'b>,
    at: u64,
    left: u64,
}

impl Listing<'_, '_> {
    fn take(&mut self, into: &mut [u8]) -> Result<(), UnpackError> {
        let length = into.len() as u64;
        self.left =
            self.left.checked_sub(length).ok_or_else(|| UnpackError::not_zip("its list of entries is cut off"))?;
        self.archive.exactly(self.at, into)?;
        self.at += length;
        Ok(())
    }

    /// 4.3.12.
    fn entry(&mut self) -> Result<Entry, UnpackError> {
        let mut fixed = [0; CENTRAL];
        self.take(&mut fixed)?;
        if !fixed.starts_with(b"PK\x01\x02") {
            return Err(UnpackError::not_zip("its list of entries is damaged"));
        }
        let mut name = vec![0; usize::from(u16_at(&fixed, 28))];
        self.take(&mut name)?;
        let mut extra = vec![0; usize::from(u16_at(&fixed, 30))];
        self.take(&mut extra)?;
        let comment = u64::from(u16_at(&fixed, 32));
        self.left =
            self.left.checked_sub(comment).ok_or_else(|| UnpackError::not_zip("its list of entries is cut off"))?;
        self.at += comment;

        let (flags, method) = (u16_at(&fixed, 8), u16_at(&fixed, 10));
        let refuse = |why: String| UnpackError::entry(&name, why);
        // Bit 0: encrypted; bit 6: strongly; bit 13: the directory is.
        if flags & (1 | 1 << 6 | 1 << 13) != 0 || method == 99 {
            return Err(refuse("it is encrypted".into()));
        }
        let method = match method {
            0 => Method::Stored,
            8 => Method::Deflated,
            other => {
                return Err(refuse(format!("it is packed by method {other}; known are 0 (stored) and 8 (deflate)")));
            }
        };
        let (mut packed, mut size, mut start) =
            (u64::from(u32_at(&fixed, 20)), u64::from(u32_at(&fixed, 24)), u64::from(u32_at(&fixed, 42)));
        let full = u64::from(u32::MAX);
        if let Some(large) = extra_field(&extra, 1) {
            // 4.5.3: only what does not fit above, in this order.
            let mut rest = large;
            for value in [&mut size, &mut packed, &mut start] {
                if *value == full {
                    let (now, later) =
                        rest.split_at_checked(8).ok_or_else(|| refuse("its sizes are cut off".into()))?;
                    *value = u64_at(now, 0);
                    rest = later;
                }
            }
        }
        if method == Method::Stored && packed != size {
            return Err(refuse("it is not packed, and yet has two sizes".into()));
        }
        let attributes = u32_at(&fixed, 38);
        // Only what was made on Unix says a kind of file.
        let kind = if fixed[5] == 3 { attributes >> 16 & 0o170_000 } else { 0 };
        let is_folder = name.last() == Some(&b'/') || kind == 0o040_000;
        match kind {
            // A symbolic link becomes a file that holds its target, as with the official clients: no link ever leads anywhere.
            0 | 0o100_000 | 0o040_000 | 0o120_000 => {}
            _ => return Err(refuse("it is a device, a pipe or a socket".into())),
        }
        check_name(&name, is_folder)?;
        if is_folder && size != 0 {
            return Err(refuse("it is a folder with contents".into()));
        }
        if name.last() == Some(&b'/') {
            name.pop();
        }
        Ok(Entry { name: name.into(), is_folder, method, crc: u32_at(&fixed, 16), packed, size, start })
    }
}

/// A relative path of plain names, on every system.
fn check_name(name: &[u8], is_folder: bool) -> Result<(), UnpackError> {
    let refuse = |why: &str| Err(UnpackError::entry(name, why));
    let path = if is_folder { name.strip_suffix(b"/").unwrap_or(name) } else { name };
    if path.is_empty() {
        return refuse("it has no name");
    }
    if path.contains(&0) {
        return refuse("its name has a zero byte");
    }
    if path.len() > 4096 || path.split(|byte| *byte == b'/').any(|part| part.len() > 255) {
        return refuse("its name is longer than file systems allow");
    }
    if matches!(path[0], b'/' | b'\\') {
        return refuse("its path is absolute");
    }
    if path.get(1) == Some(&b':') && path[0].is_ascii_alphabetic() {
        return refuse("its path begins with a drive");
    }
    if path.split(|byte| matches!(byte, b'/' | b'\\')).any(|part| part == b"..") {
        return refuse("its path leads out by `..`");
    }
    if path.split(|byte| *byte == b'/').any(|part| part.is_empty() || part == b".") {
        return refuse("its path has an empty part or `.`");
    }
    Ok(())
}

/// No name twice, none both as a file and as a folder, and no more folders on the way to files than entries are allowed.
///
/// The work is that of reading each name once, however deep it is: folders are known by keyed hashes that grow along the name.
fn check_names(entries: &[Entry], limits: &UnpackLimits) -> Result<(), UnpackError> {
    let mut names: HashMap<&[u8], bool> = HashMap::with_capacity(entries.len());
    for entry in entries {
        if names.insert(&entry.name, entry.is_folder).is_some() {
            return Err(UnpackError::entry(&entry.name, "its name stands there twice"));
        }
    }
    let keys = RandomState::new();
    let whole = |name: &[u8]| {
        let mut last = 0;
        each_folder(&keys, name, |_, _| {}, &mut last);
        last
    };
    let files: HashSet<u64> = entries.iter().filter(|entry| !entry.is_folder).map(|entry| whole(&entry.name)).collect();
    let mut folders: HashSet<u64> = HashSet::new();
    let mut file = None;
    for entry in entries {
        let each = |end: usize, hash: u64| {
            folders.insert(hash);
            if file.is_none() && files.contains(&hash) && names.get(&entry.name[..end]) == Some(&false) {
                file = Some(&entry.name[..end]);
            }
        };
        each_folder(&keys, &entry.name, each, &mut 0);
        if let Some(name) = file {
            return Err(UnpackError::entry(name, "its name is also that of a folder"));
        }
        if folders.len() as u64 > limits.entries {
            let asked = folders.len() as u64;
            return Err(UnpackError::TooMuch { what: "folders", asked, limit: limits.entries });
        }
    }
    Ok(())
}

/// Gives the end and the hash of each folder on the way to `name`; `whole` becomes the hash of the name itself.
fn each_folder(keys: &RandomState, name: &[u8], mut each: impl FnMut(usize, u64), whole: &mut u64) {
    let mut hasher = keys.build_hasher();
    let mut begin = 0;
    for (end, _) in name.iter().enumerate().filter(|(_, byte)| **byte == b'/') {
        hasher.write(&name[begin..end]);
        each(end, hasher.finish());
        hasher.write(b"/");
        begin = end + 1;
    }
    hasher.write(&name[begin..]);
    *whole = hasher.finish();
}

/// 4.5: the data of extra field `wanted`.
fn extra_field(mut extra: &[u8], wanted: u16) -> Option<&[u8]> {
    while extra.len() >= 4 {
        let (id, length) = (u16_at(extra, 0), usize::from(u16_at(extra, 2)));
        let data = extra.get(4..4 + length)?;
        if id == wanted {
            return Some(data);
        }
        extra = &extra[4 + length..];
    }
    None
}

/// Little-endian numbers; zero beyond the end, where callers never look.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).and_then(|part| part.try_into().ok()).map_or(0, u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|part| part.try_into().ok()).map_or(0, u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|part| part.try_into().ok()).map_or(0, u64::from_le_bytes)
}
