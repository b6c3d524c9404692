//! Zip archives: what clients upload is unpacked with distrust, and files are packed for clients that want one.
//!
//! [`unpack`] reads the directory at the archive's end, checks all of it before the first file is made, and then reads the
//! contents once, from front to back. [`Packer`] writes archives that depend on names and contents alone; [`Layout`] knows where
//! what is in them, so that they can be given out in parts without being kept.
//!
//! # Source
//! PKWARE's `APPNOTE.TXT` 6.3.10, by whose numbers sections are named here.

mod directory;
mod pack;
mod place;
mod unpack;

pub use pack::{Layout, Packer, Part};

/// The CRC-32 that zip archives have.
pub use flate2::Crc;
pub use unpack::{Unpacked, unpack, write_file};

/// What an archive may ask for at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnpackLimits {
    /// Of files and folders that are listed, and once more of folders on the way to them.
    pub entries: u64,
    /// Bytes of the list of entries, which is kept in memory.
    pub directory_bytes: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// How much larger a file may be than what it was packed into, beyond [`UnpackLimits::unchecked_bytes`].
    pub ratio: u64,
    /// A file up to this size may have been packed as well as it could be.
    pub unchecked_bytes: u64,
}

impl Default for UnpackLimits {
    /// Far beyond what the hosted service takes from a job, and far below what fills a machine.
    fn default() -> Self {
        Self {
            entries: 1_000_000,
            directory_bytes: 128 << 20,
            bytes: 256 << 30,
            ratio: 200,
            unchecked_bytes: 256 << 20,
        }
    }
}

/// Why an archive was not unpacked.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    #[error("it is no zip archive that could be read: {why}")]
    NotZip { why: String },
    #[error("the entry `{}` of the zip archive is refused: {why}", name.escape_debug())]
    Entry { name: String, why: String },
    #[error("the zip archive asks for {asked} {what}; at most {limit} are unpacked")]
    TooMuch { what: &'static str, asked: u64, limit: u64 },
    /// What was written until then stays.
    #[error("cannot write `{}`", path.display())]
    Io { path: std::path::PathBuf, source: std::io::Error },
    #[error(transparent)]
    Store(#[from] crate::StoreError),
}

impl UnpackError {
    fn not_zip(why: impl Into<String>) -> Self {
        Self::NotZip { why: why.into() }
    }

    fn entry(name: &[u8], why: impl Into<String>) -> Self {
        Self::Entry { name: String::from_utf8_lossy(name).into_owned(), why: why.into() }
    }

    /// As the error of a store: a full disk and damage of the store keep their kind, a bad archive is refused.
    pub fn of_artifact(self, name: &str) -> crate::StoreError {
        match self {
            Self::Store(error) => error,
            Self::Io { path, source } if source.kind() == std::io::ErrorKind::StorageFull => {
                crate::StoreError::DiskFull { path }
            }
            Self::Io { path, source } => crate::StoreError::Io { path, source },
            refused => crate::StoreError::Refused(format!("the artifact `{name}` cannot be unpacked: {refused}")),
        }
    }
}

#[cfg(test)]
mod tests;
