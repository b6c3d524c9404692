//! A zip of an artifact's files, for clients that want one.
//!
//! It is nowhere kept: its size and the place of everything in it follow from names and sizes, and what is asked for is made of
//! the contents. A file's checksum stands before it, so each file is read for that first; its last piece is then still there.

use std::fs::File;
use std::ops::Range;
use std::sync::Arc;

use lineclear_store::zip::{Crc, Layout, Part};
use lineclear_store::{ArtifactMeta, OpenArchive, ReadAt, StoreError};

use crate::blobs::{BlobRef, Hash};
use crate::entry::Files;
use crate::fault;
use crate::manifest::{Content, Kind, Manifest};
use crate::store::Place;

/// A zip that is made while it is read.
struct Export {
    place: Arc<Place>,
    layout: Layout,
    packs: Vec<BlobRef>,
    files: Vec<Content>,
    crcs: Vec<Option<u32>>,
    directory: Option<Vec<u8>>,
    /// The pack that was read last: neighbours share it.
    pack: Option<u32>,
    frame: Vec<u8>,
    raw: Vec<u8>,
    /// The piece that was checked last: file, number of the piece, where in `raw` it is.
    held: Option<(usize, usize, Range<usize>)>,
    /// How errors call the artifact.
    what: String,
    /// Keeps the contents from being swept.
    _reading: File,
}

impl Place {
    /// `reading` is the lock that keeps the contents for as long as the zip is open.
    pub(super) fn export_zip(
        self: &Arc<Self>,
        meta: &ArtifactMeta,
        files: &Files,
        reading: File,
    ) -> Result<OpenArchive, StoreError> {
        let what = format!("artifact `{}` of run {}", meta.name, meta.run);
        let manifest = self.read_manifest(&files.manifest).map_err(|error| in_artifact(&what, error))?;
        let (names, files): (Vec<(String, u64)>, Vec<Content>) =
            by_name(&manifest).into_iter().map(|(name, content)| ((name, content.size), content)).unzip();
        let layout = Layout::new(names)
            .map_err(|error| StoreError::Refused(format!("{what} cannot be had as a zip: it has {error}")))?;
        let size = layout.size();
        let crcs = vec![None; files.len()];
        let content = Box::new(Export {
            place: Arc::clone(self),
            layout,
            packs: manifest.packs,
            files,
            crcs,
            directory: None,
            pack: None,
            frame: Vec::new(),
            raw: Vec::new(),
            held: None,
            what,
            _reading: reading,
        });
        Ok(OpenArchive { content, size, content_type: "application/zip".into(), digest: None })
    }
}

fn in_artifact(what: &str, error: StoreError) -> StoreError {
    match error {
        StoreError::Damaged { what: blob, why } => fault::damaged(what, format!("{blob}: {why}; upload it again")),
        error => error,
    }
}

/// The files of an artifact by their paths.
fn by_name(manifest: &Manifest) -> Vec<(String, Content)> {
    let mut paths: Vec<String> = Vec::with_capacity(manifest.nodes.len());
    let mut files = Vec::new();
    for node in &manifest.nodes {
        let name = String::from_utf8_lossy(&node.name);
        // Parents come first; an artifact has one anchor.
        let above = (node.parent as usize).checked_sub(manifest.anchors.len()).and_then(|parent| paths.get(parent));
        let path = above.map_or_else(|| name.to_string(), |above| format!("{above}/{name}"));
        if let Kind::File(file) = &node.kind {
            files.push((path.clone(), file.content.clone()));
        }
        paths.push(path);
    }
    files.sort_by(|(left, _), (right, _)| left.cmp(right));
    files
}

impl Export {
    /// Loads piece `number` of a file and checks it; answers where it is in `raw`.
    fn piece(&mut self, file: usize, number: usize) -> Result<Range<usize>, StoreError> {
        if let Some((held_file, held, range)) = &self.held
            && (*held_file, *held) == (file, number)
        {
            return Ok(range.clone());
        }
        self.held = None;
        let piece = self.files[file].pieces[number];
        let blob = self.packs[piece.pack as usize];
        if self.pack != Some(piece.pack) {
            self.pack = None;
            self.place.blobs.read(&blob, &mut self.frame, &mut self.raw)?;
            self.pack = Some(piece.pack);
        }
        let range = usize::try_from(piece.offset).ok().zip(usize::try_from(piece.offset + piece.length).ok());
        let range = range.map(|(start, end)| start..end);
        match range.filter(|range| self.raw.get(range.clone()).is_some_and(|bytes| Hash::of(bytes) == piece.hash)) {
            Some(range) => {
                self.held = Some((file, number, range.clone()));
                Ok(range)
            }
            None => Err(fault::damaged(format!("blob {}", blob.hash), "its contents are not what was stored")),
        }
    }

    fn crc(&mut self, file: usize) -> Result<u32, StoreError> {
        if let Some(known) = self.crcs[file] {
            return Ok(known);
        }
        let mut crc = Crc::new();
        for number in 0..self.files[file].pieces.len() {
            let range = self.piece(file, number)?;
            crc.update(&self.raw[range]);
        }
        self.crcs[file] = Some(crc.sum());
        Ok(crc.sum())
    }

    fn part(&mut self, offset: u64, into: &mut [u8]) -> Result<usize, StoreError> {
        match self.layout.part(offset) {
            Part::End => Ok(0),
            Part::Header(file, inside) => {
                let crc = self.crc(file)?;
                Ok(copy(&self.layout.header(file, crc), inside, into))
            }
            Part::Directory(inside) => {
                if self.directory.is_none() {
                    let crcs: Result<Vec<u32>, StoreError> = (0..self.files.len()).map(|file| self.crc(file)).collect();
                    self.directory = Some(self.layout.directory(&crcs?));
                }
                Ok(copy(self.directory.as_deref().unwrap_or_default(), inside, into))
            }
            Part::Content(file, mut inside) => {
                let pieces = &self.files[file].pieces;
                let number = pieces.iter().position(|piece| match inside.checked_sub(piece.length) {
                    Some(later) => {
                        inside = later;
                        false
                    }
                    None => true,
                });
                let number = number.ok_or_else(|| fault::damaged("its manifest", "pieces of a file are missing"))?;
                let range = self.piece(file, number)?;
                Ok(copy(&self.raw[range], inside, into))
            }
        }
    }
}

/// Copies from `inside` of `from` on as much as there is room for.
fn copy(from: &[u8], inside: u64, into: &mut [u8]) -> usize {
    let rest = usize::try_from(inside).ok().and_then(|inside| from.get(inside..)).unwrap_or_default();
    let length = rest.len().min(into.len());
    into[..length].copy_from_slice(&rest[..length]);
    length
}

impl ReadAt for Export {
    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> Result<usize, StoreError> {
        let mut done = 0;
        while done < into.len() {
            match self.part(offset.saturating_add(done as u64), &mut into[done..]) {
                Ok(0) => break,
                Ok(read) => done += read,
                // What was checked until here may be used; the next call says what is wrong.
                Err(StoreError::Damaged { .. }) if done > 0 => break,
                Err(error) => return Err(in_artifact(&self.what, error)),
            }
        }
        Ok(done)
    }
}
