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
        let large = size >= u64::from(FIELD_FULL);
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

        // 4.3.12: the entry in the directory.
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
        let directory = &mut self.directory;
        directory.extend(b"PK\x01\x02");
        // Made by Unix, so that the mode below is one.
        directory.extend((3 << 8 | VERSION).to_le_bytes());
        directory.extend(VERSION.to_le_bytes());
        directory.extend(UTF8.to_le_bytes());
        directory.extend([0; 4]);
        directory.extend(DAY.to_le_bytes());
        directory.extend(crc.sum().to_le_bytes());
        directory.extend(if large { FIELD_FULL.to_le_bytes() } else { field(size) });
        directory.extend(if large { FIELD_FULL.to_le_bytes() } else { field(size) });
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
        Ok(())
    }

    /// Writes the directory; gives the length of the archive.
    ///
    /// # Errors
    /// What writing says.
    pub fn finish(mut self) -> io::Result<(W, u64)> {
        let (start, size, entries) = (self.at, self.directory.len() as u64, self.entries);
        let mut end = self.directory;
        if start >= u64::from(FIELD_FULL) || size >= u64::from(FIELD_FULL) || entries >= u64::from(u16::MAX) {
            // 4.3.14 and 4.3.15.
            end.extend(b"PK\x06\x06");
            end.extend(44_u64.to_le_bytes());
            end.extend((3 << 8 | VERSION).to_le_bytes());
            end.extend(VERSION.to_le_bytes());
            end.extend([0; 8]);
            end.extend(entries.to_le_bytes());
            end.extend(entries.to_le_bytes());
            end.extend(size.to_le_bytes());
            end.extend(start.to_le_bytes());
            end.extend(b"PK\x06\x07");
            end.extend([0; 4]);
            end.extend((start + size).to_le_bytes());
            end.extend(1_u32.to_le_bytes());
        }
        // 4.3.16.
        let count = u16::try_from(entries).unwrap_or(u16::MAX).to_le_bytes();
        end.extend(b"PK\x05\x06");
        end.extend([0; 4]);
        end.extend(count);
        end.extend(count);
        end.extend(u32::try_from(size).unwrap_or(FIELD_FULL).to_le_bytes());
        end.extend(u32::try_from(start).unwrap_or(FIELD_FULL).to_le_bytes());
        end.extend([0; 2]);
        self.out.write_all(&end)?;
        self.out.flush()?;
        Ok((self.out, start + end.len() as u64))
    }
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
