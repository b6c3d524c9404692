//! Unpacking with distrust.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::directory::{Archive, Entry, LOCAL, Method, read, u16_at};
use super::place::Place;
use super::{UnpackError, UnpackLimits};
use crate::ReadAt;

/// Bytes that are read and written at a time.
const CHUNK: usize = 1 << 16;

/// What was unpacked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unpacked {
    pub files: u64,
    pub bytes: u64,
}

/// Unpacks the archive `content` of `size` bytes below `folder`, which is made when it is missing.
///
/// Files of the same names are replaced, other files stay. Nothing is written outside of `folder`, and no link that is there
/// already is followed: one in the way is removed. Modes and times are not restored, as with the official clients; a symbolic
/// link in the archive becomes a file that holds its target. The list of entries is in memory, contents never are.
///
/// # Errors
/// Nothing is written when the list of entries is refused: for `..`, absolute paths, drives and zero bytes in names, one name
/// twice or as file and folder, overlapping or encrypted contents, devices, unknown methods, and what `limits` do not allow.
/// An entry whose contents are cut off, longer than said, or of another checksum ends the unpacking: its file is not left
/// behind, those before it are.
pub fn unpack(
    content: &mut dyn ReadAt,
    size: u64,
    folder: &Path,
    limits: &UnpackLimits,
) -> Result<Unpacked, UnpackError> {
    let mut archive = Archive::new(content, size);
    let directory = read(&mut archive, limits)?;
    let mut place = Place::open(folder).map_err(|source| UnpackError::Io { path: folder.to_owned(), source })?;
    let mut done = Unpacked::default();
    let mut buffers = Buffers { packed: vec![0; CHUNK], raw: vec![0; CHUNK] };
    let mut ends = 0;
    for entry in &directory.entries {
        let path = folder.join(OsStr::from_bytes(&entry.name));
        let failed = |source: io::Error| UnpackError::Io { path: path.clone(), source };
        let start = contents_of(&mut archive, entry, ends)?;
        ends = start.saturating_add(entry.packed);
        if ends > directory.start {
            return Err(UnpackError::entry(&entry.name, "it overlaps with another part of the archive"));
        }
        if entry.is_folder {
            place.folder(&entry.name).map_err(failed)?;
            continue;
        }
        let mut file = place.file(&entry.name).map_err(failed)?;
        let written = match entry.method {
            Method::Stored => buffers.copy(&mut archive, entry, start, &mut file, &path),
            Method::Deflated => buffers.inflate(&mut archive, entry, start, &mut file, &path),
        };
        if let Err(error) = written {
            place.remove(&entry.name);
            return Err(error);
        }
        done.files += 1;
        done.bytes += entry.size;
    }
    Ok(done)
}

/// Writes `content` of `size` bytes as the one file `name` of `folder`, by the rules of [`unpack`].
///
/// # Errors
/// [`UnpackError::Io`], and what reading says: the file is then not left behind.
pub fn write_file(content: &mut dyn ReadAt, size: u64, folder: &Path, name: &str) -> Result<(), UnpackError> {
    let path = folder.join(name);
    let failed = |source: io::Error| UnpackError::Io { path: path.clone(), source };
    let mut place = Place::open(folder).map_err(failed)?;
    let mut file = place.file(name.as_bytes()).map_err(failed)?;
    let mut archive = Archive::new(content, size);
    let mut buffer = vec![0; CHUNK];
    let mut at = 0;
    while at < size {
        let length = usize::try_from(size - at).unwrap_or(CHUNK).min(CHUNK);
        let piece = &mut buffer[..length];
        let written = archive.exactly(at, piece).and_then(|()| file.write_all(piece).map_err(failed));
        if let Err(error) = written {
            place.remove(name.as_bytes());
            return Err(error);
        }
        at += length as u64;
    }
    Ok(())
}

/// Where the contents of an entry begin, after its own header. That header has to agree with the list: other readers go by it,
/// and both must see the same archive.
fn contents_of(archive: &mut Archive<'_>, entry: &Entry, ends: u64) -> Result<u64, UnpackError> {
    let refuse = |why: &str| UnpackError::entry(&entry.name, why);
    if entry.start < ends {
        return Err(refuse("it overlaps with another part of the archive"));
    }
    let mut header = [0; LOCAL];
    archive.exactly(entry.start, &mut header)?;
    if !header.starts_with(b"PK\x03\x04") {
        return Err(refuse("it is not where the list of entries says"));
    }
    let mut name = vec![0; usize::from(u16_at(&header, 26))];
    archive.exactly(entry.start + LOCAL as u64, &mut name)?;
    let plain = name.strip_suffix(b"/").filter(|_| entry.is_folder).unwrap_or(&name);
    if *plain != *entry.name {
        return Err(refuse("it has another name where its contents are"));
    }
    let method = if entry.method == Method::Stored { 0 } else { 8 };
    if u16_at(&header, 8) != method || u16_at(&header, 6) & 1 != 0 {
        return Err(refuse("it is packed in another way than the list of entries says"));
    }
    Ok(entry.start + (LOCAL + name.len()) as u64 + u64::from(u16_at(&header, 28)))
}

struct Buffers {
    packed: Vec<u8>,
    raw: Vec<u8>,
}

impl Buffers {
    fn copy(
        &mut self,
        archive: &mut Archive<'_>,
        entry: &Entry,
        start: u64,
        file: &mut File,
        path: &Path,
    ) -> Result<(), UnpackError> {
        let mut output = Output::new(entry, file, path);
        let mut at = 0;
        while at < entry.packed {
            let length = usize::try_from(entry.packed - at).unwrap_or(CHUNK).min(CHUNK);
            archive.exactly(start.saturating_add(at), &mut self.raw[..length])?;
            output.write(&self.raw[..length])?;
            at += length as u64;
        }
        output.finish()
    }

    fn inflate(
        &mut self,
        archive: &mut Archive<'_>,
        entry: &Entry,
        start: u64,
        file: &mut File,
        path: &Path,
    ) -> Result<(), UnpackError> {
        let mut output = Output::new(entry, file, path);
        let mut inflater = Decompress::new(false);
        let (mut at, mut from, mut to) = (0_u64, 0, 0);
        loop {
            if from == to && at < entry.packed {
                let length = usize::try_from(entry.packed - at).unwrap_or(CHUNK).min(CHUNK);
                archive.exactly(start.saturating_add(at), &mut self.packed[..length])?;
                (at, from, to) = (at + length as u64, 0, length);
            }
            let (before_in, before_out) = (inflater.total_in(), inflater.total_out());
            let status = inflater
                .decompress(&self.packed[from..to], &mut self.raw, FlushDecompress::None)
                .map_err(|error| UnpackError::entry(&entry.name, format!("its contents are damaged: {error}")))?;
            // Never more than the buffers hold.
            let used = (inflater.total_in() - before_in) as usize;
            let made = (inflater.total_out() - before_out) as usize;
            from += used;
            output.write(&self.raw[..made])?;
            match status {
                Status::StreamEnd => break,
                Status::Ok | Status::BufError if used == 0 && made == 0 && from == to && at == entry.packed => {
                    return Err(UnpackError::entry(&entry.name, "its contents are cut off"));
                }
                Status::BufError if used == 0 && made == 0 && from < to => {
                    return Err(UnpackError::entry(&entry.name, "its contents are damaged"));
                }
                Status::Ok | Status::BufError => {}
            }
        }
        if at != entry.packed || from != to {
            return Err(UnpackError::entry(&entry.name, "its contents end before they should"));
        }
        output.finish()
    }
}

/// A file on its way, compared with what the list of entries says of it.
struct Output<'a> {
    entry: &'a Entry,
    file: &'a mut File,
    path: &'a Path,
    crc: Crc,
    written: u64,
}

impl<'a> Output<'a> {
    fn new(entry: &'a Entry, file: &'a mut File, path: &'a Path) -> Self {
        Self { entry, file, path, crc: Crc::new(), written: 0 }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), UnpackError> {
        self.written += bytes.len() as u64;
        if self.written > self.entry.size {
            let why = format!("it holds more than the {} bytes that it says", self.entry.size);
            return Err(UnpackError::entry(&self.entry.name, why));
        }
        self.crc.update(bytes);
        self.file.write_all(bytes).map_err(|source| UnpackError::Io { path: self.path.to_owned(), source })
    }

    fn finish(self) -> Result<(), UnpackError> {
        if self.written != self.entry.size {
            let why = format!("it holds {} bytes instead of {}", self.written, self.entry.size);
            return Err(UnpackError::entry(&self.entry.name, why));
        }
        if self.crc.sum() != self.entry.crc {
            return Err(UnpackError::entry(&self.entry.name, "its checksum differs: it is damaged"));
        }
        Ok(())
    }
}
