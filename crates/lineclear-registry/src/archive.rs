//! Tar archives read at any place, and images in an archive of an OCI layout.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use lineclear_oci::{AnyManifest, Descriptor, Digest, Index, MAX_MANIFEST_BYTES, MediaType};

use crate::RegistryClientError;
use crate::source::{ImageSource, choose, read_manifest};

/// Most entries of an archive.
const MAX_ENTRIES: usize = 100_000;
/// How many links to links are followed.
const MAX_LINKS: usize = 8;

/// Where the files of a tar archive are. The archive itself stays on disk.
#[derive(Debug, Clone)]
pub(crate) struct Tar {
    pub(crate) path: PathBuf,
    files: HashMap<String, Place>,
}

#[derive(Debug, Clone)]
enum Place {
    File { offset: u64, size: u64 },
    Link(String),
}

impl Tar {
    pub(crate) fn open(path: &Path) -> Result<Self, RegistryClientError> {
        let source = |source| RegistryClientError::Source { what: format!("`{}`", path.display()), source };
        let not_one = |reason: &str| RegistryClientError::NotAnImage {
            path: path.display().to_string(),
            reason: reason.to_owned(),
        };
        let mut file = File::open(path).map_err(source)?;
        let mut magic = [0; 4];
        let known = file.read(&mut magic).map_err(source)?;
        if magic[..known].starts_with(&[0x1f, 0x8b]) || magic[..known] == [0x28, 0xb5, 0x2f, 0xfd] {
            return Err(not_one("the archive is compressed as a whole; unpack it to a plain tar first"));
        }
        file.seek(SeekFrom::Start(0)).map_err(source)?;
        let mut files = HashMap::new();
        let mut archive = tar::Archive::new(file);
        let broken = |_| not_one("it is no tar archive, or a broken one");
        for entry in archive.entries_with_seek().map_err(broken)? {
            let entry = entry.map_err(broken)?;
            let name = normal(&String::from_utf8_lossy(&entry.path_bytes()));
            let kind = entry.header().entry_type();
            let place = if kind.is_file() || kind.is_contiguous() {
                Place::File { offset: entry.raw_file_position(), size: entry.size() }
            } else if kind.is_symlink() || kind.is_hard_link() {
                let target = entry.link_name_bytes().map(|target| String::from_utf8_lossy(&target).into_owned());
                let target = target.unwrap_or_default();
                let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
                let target = if kind.is_symlink() { format!("{folder}/{target}") } else { target };
                Place::Link(normal(&target))
            } else {
                continue;
            };
            files.insert(name, place);
            if files.len() > MAX_ENTRIES {
                return Err(not_one("it has more files than any image"));
            }
        }
        Ok(Self { path: path.to_owned(), files })
    }

    /// The bytes of a file, from `offset` on, and how many the whole has; `None` when it is not in the archive.
    pub(crate) fn read(
        &self,
        name: &str,
        offset: u64,
    ) -> Result<Option<(impl Read + use<>, u64)>, RegistryClientError> {
        let mut name = normal(name);
        for _ in 0..MAX_LINKS {
            match self.files.get(&name) {
                Some(Place::File { offset: start, size }) => {
                    let opened = File::open(&self.path)
                        .and_then(|mut file| file.seek(SeekFrom::Start(start.saturating_add(offset))).map(|_| file));
                    let file =
                        opened.map_err(|source| RegistryClientError::Source { what: self.named(&name), source })?;
                    return Ok(Some((file.take(size.saturating_sub(offset)), *size)));
                }
                Some(Place::Link(target)) => name = target.clone(),
                None => return Ok(None),
            }
        }
        Ok(None)
    }

    /// A small file as a whole.
    pub(crate) fn small(&self, name: &str) -> Result<Option<Vec<u8>>, RegistryClientError> {
        let Some((reader, size)) = self.read(name, 0)? else { return Ok(None) };
        if size > 2 * MAX_MANIFEST_BYTES as u64 {
            return Err(RegistryClientError::NotAnImage {
                path: self.path.display().to_string(),
                reason: format!("`{name}` in it is too large"),
            });
        }
        let mut bytes = Vec::new();
        let mut reader = reader;
        let read = reader.read_to_end(&mut bytes);
        read.map_err(|source| RegistryClientError::Source { what: self.named(name), source })?;
        Ok(Some(bytes))
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }

    pub(crate) fn named(&self, name: &str) -> String {
        format!("`{name}` of `{}`", self.path.display())
    }

    pub(crate) fn missing(&self, name: &str) -> RegistryClientError {
        RegistryClientError::NotAnImage { path: self.path.display().to_string(), reason: format!("it has no `{name}`") }
    }
}

/// A path without `.`, `..` and empty parts.
fn normal(path: &str) -> String {
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

/// An image in a tar archive of an OCI layout, as BuildKit's `type=oci`, skopeo, and `docker save` since version 25 write it.
#[derive(Debug, Clone)]
pub struct OciArchive {
    tar: Tar,
    root: Descriptor,
}

impl OciArchive {
    /// The image of an archive; `name` chooses among several. `None` when the archive has no OCI layout.
    ///
    /// # Errors
    /// When it is no tar archive, or has several images and none is chosen.
    pub fn open(path: &Path, name: Option<&str>) -> Result<Option<Self>, RegistryClientError> {
        let tar = Tar::open(path)?;
        let Some(bytes) = tar.small("index.json")? else { return Ok(None) };
        let index = Index::read(bytes, Some(&MediaType::OciIndex));
        let index = index.map_err(|source| RegistryClientError::Manifest { what: tar.named("index.json"), source })?;
        let root = choose(&index, name, path)?;
        Ok(Some(Self { tar, root }))
    }

    fn open_at(&self, digest: &Digest, offset: u64) -> Result<impl Read + use<>, RegistryClientError> {
        let name = name_of(digest);
        self.tar.read(&name, offset)?.map(|(reader, _)| reader).ok_or_else(|| self.tar.missing(&name))
    }
}

fn name_of(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm(), digest.hex())
}

impl ImageSource for OciArchive {
    fn root(&self) -> Result<Descriptor, RegistryClientError> {
        Ok(self.root.clone())
    }

    fn manifest(&self, descriptor: &Descriptor) -> Result<AnyManifest, RegistryClientError> {
        let what = self.tar.named(&name_of(&descriptor.digest));
        read_manifest(descriptor, &what, self.open_at(&descriptor.digest, 0)?)
    }

    fn blob<'a>(&'a self, blob: &Descriptor, offset: u64) -> Result<Box<dyn Read + 'a>, RegistryClientError> {
        Ok(Box::new(self.open_at(&blob.digest, offset)?))
    }

    fn has_blob(&self, blob: &Descriptor) -> Result<bool, RegistryClientError> {
        Ok(self.tar.has(&name_of(&blob.digest)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_within_the_archive() {
        for (path, expected) in [("./a//b", "a/b"), ("a/../b", "b"), ("../../etc/passwd", "etc/passwd"), ("/a", "a")] {
            assert_eq!(normal(path), expected);
        }
    }
}
