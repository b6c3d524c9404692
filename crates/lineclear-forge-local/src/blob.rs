//! Large contents beside the journal: release assets and SARIF texts, by their SHA-256.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use lineclear_event::hexadecimal;
use sha2::{Digest as _, Sha256};

#[derive(Debug)]
pub(crate) struct Blobs(PathBuf);

impl Blobs {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// Keeps `content` and gives its digest. It appears at once or not at all.
    pub(crate) fn keep(&self, content: &[u8]) -> io::Result<String> {
        let digest = hexadecimal(&Sha256::digest(content));
        let path = self.0.join(&digest);
        if path.is_file() {
            return Ok(digest);
        }
        fs::create_dir_all(&self.0)?;
        let new = tempfile::NamedTempFile::new_in(&self.0)?;
        fs::write(new.path(), content)?;
        new.persist(&path).map_err(|failed| failed.error)?;
        Ok(digest)
    }

    /// # Errors
    /// [`io::ErrorKind::InvalidData`] when the kept bytes are not those that were given.
    pub(crate) fn read(&self, digest: &str) -> io::Result<Vec<u8>> {
        let content = fs::read(self.path(digest))?;
        if hexadecimal(&Sha256::digest(&content)) == digest {
            Ok(content)
        } else {
            Err(io::Error::new(io::ErrorKind::InvalidData, format!("`{digest}` of the embedded forge is damaged")))
        }
    }

    fn path(&self, digest: &str) -> PathBuf {
        // A digest is of our own making; anything else would be a damaged journal.
        let name = Path::new(digest).file_name().unwrap_or_default();
        self.0.join(name)
    }
}
