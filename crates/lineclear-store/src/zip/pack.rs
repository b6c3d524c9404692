//! Packing: the same names and contents always give the same bytes.

use std::io::{self, Read, Seek, SeekFrom, Write};

use flate2::Crc;

const VERSION: u16 = 45;
/// Names are UTF-8.
const UTF8: u16 = 1 << 11;
/// 1980-01-01, the first day of the format.
const DAY: u16 = 0x21;
const FIELD_FULL: u32 = u32::MAX;

/// Writes a zip archive of uncompressed files: the reader is usually on the same machine, and sizes and checksums stand before
/// each file, so that readers which stream need no search for a file's end.
#[derive(Debug)]
pub struct Packer<W> {
    out: W,
    at: u64,
    directory: Vec<u8>,
    entries: u64,
}

impl<W: Write + Seek> Packer<W> {
    /// Starts an archive at the beginning of `out`.
    pub fn new(out: W) -> Self {
        Self { out, at: 0, directory: Vec::new(), entries: 0 }
    }

    /// Adds a file of `size` bytes. `name` has forward slashes.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] when `content` is not `size` bytes or the name is too long; otherwise what reading and writing say.
    pub fn file(&mut self, name: &str, size: u64, content: &mut dyn Read) -> io::Result<()> {
        let length = u16::try_from(name.len()).map_err(|_| invalid("a name of more than 65535 bytes"))?;
        let start = self.at;
        self.out.write_all(&local_header(name, length, size, 0))?;
        let mut crc = Crc::new();
        let mut buffer = vec![0; 1 << 16];
        let mut written = 0_u64;
        loop {
            let read = match content.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            written += read as u64;
            if written > size {
                break;
            }
            crc.update(&buffer[..read]);
            self.out.write_all(&buffer[..read])?;
        }
        if written != size {
            return Err(invalid("a file has another length than was said"));
        }
        self.out.seek(SeekFrom::Start(start))?;
        let header = local_header(name, length, size, crc.sum());
        self.out.write_all(&header)?;
        self.at = start + header.len() as u64 + size;
        self.out.seek(SeekFrom::Start(self.at))?;
        self.entries += 1;

        directory_entry(&mut self.directory, name, length, size, crc.sum(), start);
        Ok(())
    }

    /// Writes the directory; gives the length of the archive.
    ///
    /// # Errors
    /// What writing says.
    pub fn finish(mut self) -> io::Result<(W, u64)> {
        let (start, mut end) = (self.at, self.directory);
        end_records(&mut end, start, self.entries);
        self.out.write_all(&end)?;
        self.out.flush()?;
        Ok((self.out, start + end.len() as u64))
    }
}

/// Where everything is in the archive that [`Packer`] makes of these files, known before a byte of them is read: for giving out
/// parts of an archive that is nowhere kept.
#[derive(Debug)]
pub struct Layout {
    files: Vec<Planned>,
    /// Where the directory begins.
    directory: u64,
    size: u64,
}

#[derive(Debug)]
struct Planned {
    name: String,
    length: u16,
    size: u64,
    start: u64,
}

/// What lies at a place of an archive, and how far inside of it the place is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What stands before the contents of a file, by its number: [`Layout::header`].
    Header(usize, u64),
    Content(usize, u64),
    /// [`Layout::directory`].
    Directory(u64),
    End,
}

impl Layout {
    /// The archive of these names and sizes, in this order.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] when a name is too long.
    pub fn new(files: Vec<(String, u64)>) -> io::Result<Self> {
        let mut planned: Vec<Planned> = Vec::with_capacity(files.len());
        let mut at = 0_u64;
        for (name, size) in files {
            let length = u16::try_from(name.len()).map_err(|_| invalid("a name of more than 65535 bytes"))?;
            let header = local_header(&name, length, size, 0).len() as u64;
            planned.push(Planned { name, length, size, start: at });
            at = at.saturating_add(header).saturating_add(size);
        }
        let mut layout = Self { files: planned, directory: at, size: at };
        let directory = layout.directory(&vec![0; layout.files.len()]).len() as u64;
        layout.size = at.saturating_add(directory);
        Ok(layout)
    }

    /// Bytes of the whole archive.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// What lies at `offset`.
    pub fn part(&self, offset: u64) -> Part {
        if offset >= self.size {
            return Part::End;
        }
        if offset >= self.directory {
            return Part::Directory(offset - self.directory);
        }
        // Files begin at zero and each behind the one before, so there is one that began.
        let number = self.files.partition_point(|file| file.start <= offset) - 1;
        let file = &self.files[number];
        let header = local_header(&file.name, file.length, file.size, 0).len() as u64;
        match (offset - file.start).checked_sub(header) {
            None => Part::Header(number, offset - file.start),
            Some(inside) => Part::Content(number, inside),
        }
    }

    /// What stands before file `number`, whose contents have this CRC-32.
    pub fn header(&self, number: usize, crc: u32) -> Vec<u8> {
        self.files.get(number).map_or_else(Vec::new, |file| local_header(&file.name, file.length, file.size, crc))
    }

    /// What stands behind all files, given the CRC-32 of each.
    pub fn directory(&self, crcs: &[u32]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (file, crc) in self.files.iter().zip(crcs) {
            directory_entry(&mut bytes, &file.name, file.length, file.size, *crc, file.start);
        }
        end_records(&mut bytes, self.directory, self.files.len() as u64);
        bytes
    }
}

/// 4.3.12: a file in the directory.
fn directory_entry(directory: &mut Vec<u8>, name: &str, length: u16, size: u64, crc: u32, start: u64) {
    let large = size >= u64::from(FIELD_FULL);
    let mut extra = Vec::new();
    if large {
        extra.extend(size.to_le_bytes());
        extra.extend(size.to_le_bytes());
    }
    if start >= u64::from(FIELD_FULL) {
        extra.extend(start.to_le_bytes());
    }
    let extra_length = if extra.is_empty() { 0 } else { extra.len() as u16 + 4 };
    let field = |value: u64| u32::try_from(value).unwrap_or(FIELD_FULL).to_le_bytes();
    directory.extend(b"PK\x01\x02");
    // Made by Unix, so that the mode below is one.
    directory.extend((3 << 8 | VERSION).to_le_bytes());
    directory.extend(VERSION.to_le_bytes());
    directory.extend(UTF8.to_le_bytes());
    directory.extend([0; 4]);
    directory.extend(DAY.to_le_bytes());
    directory.extend(crc.to_le_bytes());
    directory.extend(field(size));
    directory.extend(field(size));
    directory.extend(length.to_le_bytes());
    directory.extend(extra_length.to_le_bytes());
    directory.extend([0; 6]);
    directory.extend((0o100_644_u32 << 16).to_le_bytes());
    directory.extend(field(start));
    directory.extend(name.as_bytes());
    if extra_length > 0 {
        directory.extend(1_u16.to_le_bytes());
        directory.extend((extra.len() as u16).to_le_bytes());
        directory.extend(extra);
    }
}

/// Ends `directory`, which begins at `start` and has this many entries.
fn end_records(directory: &mut Vec<u8>, start: u64, entries: u64) {
    let size = directory.len() as u64;
    if start >= u64::from(FIELD_FULL) || size >= u64::from(FIELD_FULL) || entries >= u64::from(u16::MAX) {
        // 4.3.14 and 4.3.15.
        directory.extend(b"PK\x06\x06");
        directory.extend(44_u64.to_le_bytes());
        directory.extend((3 << 8 | VERSION).to_le_bytes());
        directory.extend(VERSION.to_le_bytes());
        directory.extend([0; 8]);
        directory.extend(entries.to_le_bytes());
        directory.extend(entries.to_le_bytes());
        directory.extend(size.to_le_bytes());
        directory.extend(start.to_le_bytes());
        directory.extend(b"PK\x06\x07");
        directory.extend([0; 4]);
        directory.extend((start + size).to_le_bytes());
        directory.extend(1_u32.to_le_bytes());
    }
    // 4.3.16.
    let count = u16::try_from(entries).unwrap_or(u16::MAX).to_le_bytes();
    directory.extend(b"PK\x05\x06");
    directory.extend([0; 4]);
    directory.extend(count);
    directory.extend(count);
    directory.extend(u32::try_from(size).unwrap_or(FIELD_FULL).to_le_bytes());
    directory.extend(u32::try_from(start).unwrap_or(FIELD_FULL).to_le_bytes());
    directory.extend([0; 2]);
}

/// 4.3.7.
fn local_header(name: &str, length: u16, size: u64, crc: u32) -> Vec<u8> {
    let large = size >= u64::from(FIELD_FULL);
    let mut header = Vec::with_capacity(50 + name.len());
    header.extend(b"PK\x03\x04");
    header.extend(VERSION.to_le_bytes());
    header.extend(UTF8.to_le_bytes());
    header.extend([0; 4]);
    header.extend(DAY.to_le_bytes());
    header.extend(crc.to_le_bytes());
    let field = if large { FIELD_FULL } else { u32::try_from(size).unwrap_or(FIELD_FULL) };
    header.extend(field.to_le_bytes());
    header.extend(field.to_le_bytes());
    header.extend(length.to_le_bytes());
    header.extend(if large { 20_u16 } else { 0 }.to_le_bytes());
    header.extend(name.as_bytes());
    if large {
        header.extend(1_u16.to_le_bytes());
        header.extend(16_u16.to_le_bytes());
        header.extend(size.to_le_bytes());
        header.extend(size.to_le_bytes());
    }
    header
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
