//! A zip of an artifact's files, for clients that want one.
//!
//! It is written to a file that has no name any more when the first byte is read: however this process ends, nothing is left.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read};
use std::ops::Range;
use std::os::unix::fs::{FileExt, OpenOptionsExt};

use lineclear_store::{ArtifactMeta, OpenArchive, ReadAt, StoreError, zip};

use crate::blobs::Hash;
use crate::entry::Files;
use crate::fault;
use crate::manifest::{Content, Kind, Manifest, Piece};
use crate::store::Place;

/// An open file without a name.
struct Spooled {
    file: File,
    size: u64,
}

impl ReadAt for Spooled {
    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> Result<usize, StoreError> {
        if offset >= self.size {
            return Ok(0);
        }
        self.file.read_at(into, offset).map_err(|error| fault::at("a zip on its way".as_ref(), error))
    }
}

impl Place {
    /// The caller holds the lock.
    pub(super) fn export_zip(&self, meta: &ArtifactMeta, files: &Files) -> Result<OpenArchive, StoreError> {
        let damaged = |error: StoreError| match error {
            StoreError::Damaged { what, why } => fault::damaged(
                format!("artifact `{}` of run {}", meta.name, meta.run),
                format!("{what}: {why}; upload it again"),
            ),
            error => error,
        };
        let manifest = self.read_manifest(&files.manifest).map_err(damaged)?;
        let path = self.temporary();
        let failed = |error: io::Error| self.full_or(&path, error);
        let file =
            OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path).map_err(failed)?;
        fs::remove_file(&path).map_err(failed)?;
        let mut zip = zip::Packer::new(BufWriter::with_capacity(1 << 18, file));
        let mut contents =
            Contents { place: self, manifest: &manifest, pack: None, frame: Vec::new(), raw: Vec::new() };
        for (name, content) in by_name(&manifest) {
            let mut reader = ContentReader { contents: &mut contents, content, next: 0, left: 0..0, error: None };
            let packed = zip.file(&name, content.size, &mut reader);
            match (packed, reader.error) {
                (_, Some(error)) => return Err(damaged(error)),
                (packed, None) => packed.map_err(failed)?,
            }
        }
        let (writer, size) = zip.finish().map_err(failed)?;
        let file = writer.into_inner().map_err(|error| failed(error.into_error()))?;
        let content = Box::new(Spooled { file, size });
        Ok(OpenArchive { content, size, content_type: "application/zip".into(), digest: None })
    }
}

/// The files of an artifact by their paths.
fn by_name(manifest: &Manifest) -> Vec<(String, &Content)> {
    let mut paths: Vec<String> = Vec::with_capacity(manifest.nodes.len());
    let mut files = Vec::new();
    for node in &manifest.nodes {
        let name = String::from_utf8_lossy(&node.name);
        // Parents come first; an artifact has one anchor.
        let above = (node.parent as usize).checked_sub(manifest.anchors.len()).and_then(|parent| paths.get(parent));
        let path = above.map_or_else(|| name.to_string(), |above| format!("{above}/{name}"));
        if let Kind::File(file) = &node.kind {
            files.push((path.clone(), &file.content));
        }
        paths.push(path);
    }
    files.sort_by(|(left, _), (right, _)| left.cmp(right));
    files
}

/// Contents of an artifact's files, with the pack that was read last: neighbours share it.
struct Contents<'a> {
    place: &'a Place,
    manifest: &'a Manifest,
    pack: Option<u32>,
    frame: Vec<u8>,
    raw: Vec<u8>,
}

impl Contents<'_> {
    /// Loads a piece and checks it; answers where it is in `raw`.
    fn piece(&mut self, piece: &Piece) -> Result<Range<usize>, StoreError> {
        let blob = &self.manifest.packs[piece.pack as usize];
        if self.pack != Some(piece.pack) {
            self.pack = None;
            self.place.blobs.read(blob, &mut self.frame, &mut self.raw)?;
            self.pack = Some(piece.pack);
        }
        let range = usize::try_from(piece.offset).ok().zip(usize::try_from(piece.offset + piece.length).ok());
        let range = range.map(|(start, end)| start..end);
        match range.filter(|range| self.raw.get(range.clone()).is_some_and(|bytes| Hash::of(bytes) == piece.hash)) {
            Some(range) => Ok(range),
            None => Err(fault::damaged(format!("blob {}", blob.hash), "its contents are not what was stored")),
        }
    }
}

struct ContentReader<'a, 'b> {
    contents: &'a mut Contents<'b>,
    content: &'a Content,
    next: usize,
    left: Range<usize>,
    /// What reading failed with: it does not fit into an error of input and output.
    error: Option<StoreError>,
}

impl Read for ContentReader<'_, '_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.left.is_empty() {
            let Some(piece) = self.content.pieces.get(self.next) else { return Ok(0) };
            self.next += 1;
            match self.contents.piece(piece) {
                Ok(range) => self.left = range,
                Err(error) => {
                    self.error = Some(error);
                    return Err(io::Error::other("a damaged blob"));
                }
            }
        }
        let length = self.left.len().min(into.len());
        into[..length].copy_from_slice(&self.contents.raw[self.left.start..][..length]);
        self.left.start += length;
        Ok(length)
    }
}
