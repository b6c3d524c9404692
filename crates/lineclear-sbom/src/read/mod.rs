//! From layers or files to an inventory: [`Reader`].

mod kept;
mod settled;
mod tape;

use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;

use crate::catalog::{self, Interest, Scope};
use crate::{Described, Inventory};
use kept::{Kept, KeptFiles};
use tape::EntryKind;

/// What is read at most. An image beyond these is refused: it was made to exhaust whoever reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all layers together, unpacked.
    pub bytes: u64,
    /// Files of all layers together.
    pub entries: u64,
    /// Packages found.
    pub packages: usize,
    /// Bytes of a file that has to be in memory as a whole: a database of packages, a Java archive. A larger one is said in
    /// [`Inventory::unread`].
    pub whole: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 256 << 30, entries: 20_000_000, packages: 500_000, whole: 256 << 20 }
    }
}

/// Why no inventory could be made.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The layer's bytes could not be had, or are not what a layer is made of.
    #[error("the layer {layer} cannot be read")]
    Layer { layer: String, source: io::Error },
    /// A file of a folder could not be read.
    #[error("`{path}` cannot be read")]
    File { path: String, source: io::Error },
    #[error("{what}; nothing is read beyond {limit}")]
    TooMuch { what: &'static str, limit: u64 },
}

/// Reads the layers of one image, or the files of one folder, and gives their inventory.
///
/// Only what tells of packages is kept, and that as packages: memory grows with what is installed and not with the image. One file at a
/// time is in memory as a whole, and only if its format asks for that; [`Limits::whole`] bounds it.
///
/// ```
/// # fn layers() -> Vec<(&'static str, &'static [u8])> { Vec::new() }
/// use lineclear_sbom::{Described, Limits, Reader};
/// let mut reader = Reader::of_image(Limits::default());
/// for (digest, bytes) in layers() {
///     reader.layer(digest, bytes)?;
/// }
/// let inventory = reader.finish(Described::default());
/// assert!(inventory.packages.is_empty());
/// # Ok::<(), lineclear_sbom::ReadError>(())
/// ```
#[derive(Debug)]
pub struct Reader {
    scope: Scope,
    limits: Limits,
    files: KeptFiles,
    layers: Vec<Arc<str>>,
    bytes: u64,
    entries: u64,
}

impl Reader {
    /// For the layers of an image: what is installed counts, lock files that lie in it do not.
    pub fn of_image(limits: Limits) -> Self {
        Self::of(Scope::Image, limits)
    }

    /// For the files of a folder: lock files count too.
    pub fn of_folder(limits: Limits) -> Self {
        Self::of(Scope::Folder, limits)
    }

    fn of(scope: Scope, limits: Limits) -> Self {
        Self { scope, limits, files: KeptFiles::default(), layers: Vec::new(), bytes: 0, entries: 0 }
    }

    /// Reads the next layer, the lowest first: a tar archive as it is, or packed with gzip or zstd (its first bytes say which). The
    /// stream is read to its end, so that a digest taken of it on the way is one of the whole.
    ///
    /// # Errors
    /// [`ReadError::Layer`] for what is no layer or breaks off, [`ReadError::TooMuch`] beyond the limits. The reader is of no use then.
    pub fn layer(&mut self, digest: &str, reader: impl Read) -> Result<(), ReadError> {
        self.layers.push(Arc::from(digest));
        let failed = |source| match TooMuch::of(&source) {
            Some(TooMuch { what, limit }) => ReadError::TooMuch { what, limit },
            None => ReadError::Layer { layer: digest.to_owned(), source },
        };
        let mut packed = BufReader::with_capacity(64 << 10, reader);
        let read = self.unpack(&mut packed).and_then(|()| io::copy(&mut packed, &mut io::sink()).map(drop));
        read.map_err(failed)
    }

    /// Reads a file of a folder; `path` is that from the folder on, with `/` between its parts.
    ///
    /// # Errors
    /// [`ReadError::File`] if its bytes cannot be had, [`ReadError::TooMuch`] beyond the limits.
    pub fn file(&mut self, path: &str, mut reader: impl Read) -> Result<(), ReadError> {
        let failed = |source| match TooMuch::of(&source) {
            Some(TooMuch { what, limit }) => ReadError::TooMuch { what, limit },
            None => ReadError::File { path: path.to_owned(), source },
        };
        self.count().map_err(failed)?;
        self.take(&tape::normal(path), false, &mut reader).map_err(failed)
    }

    /// The inventory of all that was read.
    pub fn finish(self, subject: Described) -> Inventory {
        settled::inventory(self.files, &self.layers, subject)
    }

    fn unpack(&mut self, packed: &mut dyn BufRead) -> io::Result<()> {
        let magic = packed.fill_buf()?;
        if magic.starts_with(&[0x1f, 0x8b]) {
            let plain = flate2::bufread::MultiGzDecoder::new(packed);
            self.untar(&mut BufReader::with_capacity(64 << 10, plain))
        } else if magic.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) || matches!(magic, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..]) {
            self.untar(&mut BufReader::with_capacity(64 << 10, zstd::stream::read::Decoder::with_buffer(packed)?))
        } else {
            self.untar(packed)
        }
    }

    fn untar(&mut self, plain: &mut dyn Read) -> io::Result<()> {
        let mut counted =
            Counted { inner: plain, left: self.limits.bytes.saturating_sub(self.bytes), limit: self.limits.bytes };
        let done = tape::entries(&mut counted, |entry, bytes| {
            self.count()?;
            self.entry(entry, bytes)
        });
        // What is behind the end of the archive is padding; it is unpacked too, because its checksum stands behind it.
        let done = done.and_then(|()| io::copy(&mut counted, &mut io::sink()).map(drop));
        self.bytes = self.limits.bytes.saturating_sub(counted.left);
        done
    }

    fn count(&mut self) -> io::Result<()> {
        self.entries += 1;
        if self.entries > self.limits.entries {
            return Err(TooMuch { what: "it has too many files", limit: self.limits.entries }.into());
        }
        Ok(())
    }

    /// The number of the layer that is being read.
    fn current(&self) -> usize {
        self.layers.len().saturating_sub(1)
    }

    fn entry(&mut self, entry: &tape::Entry, bytes: &mut dyn Read) -> io::Result<()> {
        let path = entry.path.as_str();
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let current = self.current();
        if name == ".wh..wh..opq" {
            self.files.remove_below(folder, current);
            return Ok(());
        }
        if let Some(gone) = name.strip_prefix(".wh.") {
            let gone = if folder.is_empty() { gone.to_owned() } else { format!("{folder}/{gone}") };
            self.files.remove(&gone, current);
            return Ok(());
        }
        match &entry.kind {
            EntryKind::Directory => {
                // A folder keeps what was in it.
                self.files.forget(path);
                Ok(())
            }
            EntryKind::Other => {
                self.files.replace(path, current);
                Ok(())
            }
            // A file is a name of itself.
            EntryKind::HardLink(target) if target == path => Ok(()),
            EntryKind::HardLink(target) => {
                self.files.replace(path, current);
                self.link(path, target);
                Ok(())
            }
            EntryKind::File => {
                self.files.replace(path, current);
                self.take(path, entry.is_sparse, bytes)
            }
        }
    }

    /// A second name of a file: what was found in the file is found there too, if that name tells of packages.
    fn link(&mut self, path: &str, target: &str) {
        let current = self.current();
        match self.files.get(target) {
            // Only a program is one under any name; it stays when the first name goes.
            Some(kept) if kept.program.is_none() && Interest::of(path, self.scope).is_none() => {}
            Some(kept) => {
                let mut kept = kept.clone();
                kept.layer = current;
                kept.rename(path);
                self.files.insert(path, kept);
            }
            None if Interest::of(path, self.scope).is_some() => {
                let why = format!("it is a hard link to `{target}`, which was not kept");
                self.files.insert(path, Kept::unread(current, why));
            }
            None => {}
        }
    }

    fn take(&mut self, path: &str, is_sparse: bool, bytes: &mut dyn Read) -> io::Result<()> {
        let current = self.current();
        let interest = match Interest::of(path, self.scope) {
            Some(interest) => interest,
            None => {
                if !catalog::may_be_binary(path) {
                    return Ok(());
                }
                let mut magic = [0; 4];
                let have = read_some(bytes, &mut magic)?;
                if magic[..have] != *b"\x7fELF" {
                    return Ok(());
                }
                let mut whole = magic.as_slice().chain(bytes);
                let found = catalog::binary(path, &mut whole)?;
                let program = Some(self.entries);
                return self.keep(path, Kept { program, ..Kept::of(current, found) });
            }
        };
        if is_sparse {
            self.files.insert(path, Kept::unread(current, "it is stored with holes".into()));
            return Ok(());
        }
        let most = interest.most_bytes().min(self.limits.whole);
        let mut whole = Vec::new();
        bytes.take(most.saturating_add(1)).read_to_end(&mut whole)?;
        if whole.len() as u64 > most {
            let why = format!("it is larger than {} MiB", most >> 20);
            self.files.insert(path, Kept::unread(current, why));
            return Ok(());
        }
        let found = interest.read(path, &whole);
        self.keep(path, Kept::of(current, found))
    }

    fn keep(&mut self, path: &str, kept: Kept) -> io::Result<()> {
        if !kept.is_empty() {
            self.files.insert(path, kept);
        }
        if self.files.packages() > self.limits.packages {
            return Err(TooMuch { what: "it has too many packages", limit: self.limits.packages as u64 }.into());
        }
        Ok(())
    }
}

/// Reads until `into` is full or the stream ends.
fn read_some(bytes: &mut dyn Read, into: &mut [u8]) -> io::Result<usize> {
    let mut have = 0;
    while have < into.len() {
        match bytes.read(&mut into[have..]) {
            Ok(0) => break,
            Ok(length) => have += length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(have)
}

/// A limit that was passed, on its way through functions that know `io::Error` alone.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("{what}")]
struct TooMuch {
    what: &'static str,
    limit: u64,
}

impl TooMuch {
    fn of(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref::<Self>().copied()
    }
}

impl From<TooMuch> for io::Error {
    fn from(too_much: TooMuch) -> Self {
        Self::other(too_much)
    }
}

/// Counts what was unpacked, and ends it where a bomb would go on.
struct Counted<'a> {
    inner: &'a mut dyn Read,
    left: u64,
    limit: u64,
}

impl Read for Counted<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(into)?;
        match self.left.checked_sub(length as u64) {
            Some(left) => self.left = left,
            None => return Err(TooMuch { what: "its layers are too large", limit: self.limit }.into()),
        }
        Ok(length)
    }
}
