//! Images in the folder of an OCI layout.
//!
//! # Source
//! The image specification, `image-layout.md`.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use lineclear_oci::{AnyManifest, Descriptor, Digest, Index, MAX_MANIFEST_BYTES, MediaType};

use crate::RegistryClientError;
use crate::source::{ImageSource, choose, read_manifest};

/// An image in the folder of an OCI layout.
#[derive(Debug, Clone)]
pub struct OciLayout {
    folder: PathBuf,
    root: Descriptor,
}

impl OciLayout {
    /// The image of a layout; `name` chooses among several.
    ///
    /// # Errors
    /// When the folder is no layout, or has several images and none is chosen.
    pub fn open(folder: &Path, name: Option<&str>) -> Result<Self, RegistryClientError> {
        let path = folder.join("index.json");
        let what = format!("`{}`", path.display());
        let source = |source| RegistryClientError::Source { what: what.clone(), source };
        let file = File::open(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => RegistryClientError::NotAnImage {
                path: folder.display().to_string(),
                reason: "it has no `index.json`, so it is no OCI layout".to_owned(),
            },
            _ => source(error),
        })?;
        let mut bytes = Vec::new();
        file.take(MAX_MANIFEST_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(source)?;
        let index = Index::read(bytes, Some(&MediaType::OciIndex));
        let index = index.map_err(|source| RegistryClientError::Manifest { what: what.clone(), source })?;
        Ok(Self { folder: folder.to_owned(), root: choose(&index, name, folder)? })
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.folder.join("blobs").join(digest.algorithm().as_str()).join(digest.hex())
    }

    fn open_at(&self, digest: &Digest, offset: u64) -> Result<File, RegistryClientError> {
        let path = self.path(digest);
        let opened = File::open(&path).and_then(|mut file| file.seek(SeekFrom::Start(offset)).map(|_| file));
        opened.map_err(|source| RegistryClientError::Source { what: format!("`{}`", path.display()), source })
    }
}

impl ImageSource for OciLayout {
    fn root(&self) -> Result<Descriptor, RegistryClientError> {
        Ok(self.root.clone())
    }

    fn manifest(&self, descriptor: &Descriptor) -> Result<AnyManifest, RegistryClientError> {
        let what = format!("`{}`", self.path(&descriptor.digest).display());
        read_manifest(descriptor, &what, self.open_at(&descriptor.digest, 0)?)
    }

    fn blob<'a>(&'a self, blob: &Descriptor, offset: u64) -> Result<Box<dyn Read + 'a>, RegistryClientError> {
        Ok(Box::new(self.open_at(&blob.digest, offset)?))
    }

    fn has_blob(&self, blob: &Descriptor) -> Result<bool, RegistryClientError> {
        Ok(self.path(&blob.digest).is_file())
    }
}
