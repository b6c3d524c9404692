//! From what stands on the disk to a manifest: what is new is packed, the rest refers to packs that are there.

use std::collections::{HashMap, HashSet};

use lineclear_store::StoreError;

use crate::blobs::{BlobRef, Hash};
use crate::manifest::{Content, FileNode, Kind, Manifest, Node};
use crate::pack::{Known, Packing, Source, pack};
use crate::scan::{Found, FoundKind, Scan};
use crate::stat_cache::{Stamp, StatCache};
use crate::store::Place;

impl Place {
    /// Keeps what is new of a tree, and refers to the rest in packs that are there.
    pub(super) fn save_tree(
        &self,
        scan: &Scan,
        stats: &StatCache,
        relatives: &[Manifest],
    ) -> Result<SavedTree, StoreError> {
        let shared = Shared::new(self, scan, stats, relatives);
        let mut sources = Vec::new();
        for (node, reused) in scan.nodes.iter().zip(&shared.contents) {
            if let (FoundKind::File { stamp, .. }, None) = (&node.kind, reused) {
                sources.push(Source { path: scan.path(node), size: stamp.size, follow: false });
            }
        }
        let packing = Packing { level: 1, digests: false };
        let outcome = pack(self, &sources, &shared.pieces, shared.packs, packing)?;
        let mut read = outcome.files.into_iter();
        let mut stamps = Vec::new();
        let mut contents = Vec::with_capacity(scan.nodes.len());
        for (node, reused) in scan.nodes.iter().zip(shared.contents) {
            let content = match (&node.kind, reused) {
                (FoundKind::File { stamp, .. }, Some(content)) => {
                    stamps.push((*stamp, content.hash));
                    Some(content)
                }
                (FoundKind::File { stamp, .. }, None) => read.next().flatten().map(|file| {
                    // Only what was the same when it was looked at and when it was read is known to have these contents.
                    if file.stamp.as_ref() == Some(stamp) {
                        stamps.push((*stamp, file.content.hash));
                    }
                    file.content
                }),
                _ => None,
            };
            contents.push(content);
        }
        let manifest = assemble(scan, contents, outcome.packs);
        Ok(SavedTree { manifest, added: outcome.added, stamps })
    }
}

pub(super) struct SavedTree {
    pub(super) manifest: Manifest,
    pub(super) added: u64,
    pub(super) stamps: Vec<(Stamp, Hash)>,
}

/// What a new entry can refer to instead of keeping it again.
struct Shared {
    packs: Vec<BlobRef>,
    /// By node of the scan: contents of files that have not changed.
    contents: Vec<Option<Content>>,
    /// Contents by hash, for files that were read after all.
    pieces: Known,
}

impl Shared {
    fn new(place: &Place, scan: &Scan, stats: &StatCache, relatives: &[Manifest]) -> Self {
        let mut files: HashMap<Hash, (&Manifest, &Content)> = HashMap::new();
        for manifest in relatives {
            for node in &manifest.nodes {
                if let Kind::File(file) = &node.kind {
                    files.entry(file.content.hash).or_insert((manifest, &file.content));
                }
            }
        }
        let found: Vec<Option<(&Manifest, &Content)>> = scan
            .nodes
            .iter()
            .map(|node| match &node.kind {
                FoundKind::File { stamp, .. } => files.get(&stats.hash_of(stamp)?).copied(),
                _ => None,
            })
            .collect();

        // A pack of which little is still of use is not referred to, so that it can go with its last entry, and restoring
        // need not unpack what nobody wants.
        let mut useful: HashMap<Hash, (BlobRef, u64)> = HashMap::new();
        let mut counted = HashSet::new();
        for (manifest, content) in found.iter().flatten().filter(|(_, content)| counted.insert(content.hash)) {
            for piece in &content.pieces {
                let blob = manifest.packs[piece.pack as usize];
                useful.entry(blob.hash).or_insert((blob, 0)).1 += piece.length;
            }
        }
        let good = |blob: &BlobRef, used: u64| used.saturating_mul(2) >= blob.raw && place.blobs.has(blob);
        let good: HashSet<Hash> =
            useful.iter().filter(|(_, (blob, used))| good(blob, *used)).map(|(hash, _)| *hash).collect();

        let mut packs = Vec::new();
        let mut numbers = HashMap::new();
        let mut take = |blob: &BlobRef| {
            *numbers.entry(blob.hash).or_insert_with(|| {
                packs.push(*blob);
                (packs.len() - 1) as u32
            })
        };
        let mut contents = Vec::with_capacity(found.len());
        for found in found {
            contents.push(found.and_then(|(manifest, content)| {
                let blob = |number: u32| &manifest.packs[number as usize];
                if !content.pieces.iter().all(|piece| good.contains(&blob(piece.pack).hash)) {
                    return None;
                }
                let mut content = content.clone();
                content.pieces.iter_mut().for_each(|piece| piece.pack = take(blob(piece.pack)));
                Some(content)
            }));
        }
        let is_read = |(node, content): (&Found, &Option<Content>)| {
            matches!(node.kind, FoundKind::File { .. }) && content.is_none()
        };
        if !scan.nodes.iter().zip(&contents).any(is_read) {
            return Self { packs, contents, pieces: Known::new() };
        }
        // Of packs that are not referred to yet, whole ones may be: a large file that was only touched.
        let mut pieces = Known::new();
        for manifest in relatives {
            for node in &manifest.nodes {
                let Kind::File(file) = &node.kind else { continue };
                for piece in &file.content.pieces {
                    let blob = manifest.packs[piece.pack as usize];
                    if good.contains(&blob.hash) || (piece.length == blob.raw && place.blobs.has(&blob)) {
                        pieces.entry(piece.hash).or_insert((blob, piece.offset));
                    }
                }
            }
        }
        Self { packs, contents, pieces }
    }
}

/// The manifest of a scan whose files have these contents; what vanished meanwhile is left out, and packs that hold nothing of it.
fn assemble(scan: &Scan, contents: Vec<Option<Content>>, packs: Vec<BlobRef>) -> Manifest {
    let anchors = scan.anchors.len() as u32;
    let mut manifest = Manifest { packs, anchors: scan.anchors.clone(), nodes: Vec::new() };
    let mut numbers: Vec<Option<u32>> = Vec::with_capacity(scan.nodes.len());
    for (found, content) in scan.nodes.iter().zip(contents) {
        let number = |old: u32| numbers.get(old as usize).copied().flatten();
        let parent = match found.parent.checked_sub(anchors) {
            None => Some(found.parent),
            Some(parent) => number(parent).map(|parent| parent + anchors),
        };
        let kind = kind(found, content, number);
        let (Some(parent), Some(kind)) = (parent, kind) else {
            numbers.push(None);
            continue;
        };
        numbers.push(Some(manifest.nodes.len() as u32));
        manifest.nodes.push(Node { parent, name: found.name.clone(), kind });
    }
    manifest.drop_unused_packs();
    manifest
}

fn kind(found: &Found, content: Option<Content>, number: impl Fn(u32) -> Option<u32>) -> Option<Kind> {
    Some(match &found.kind {
        FoundKind::Folder { mode, changed } => Kind::Folder { mode: *mode, changed: *changed },
        FoundKind::File { mode, changed, .. } => {
            Kind::File(FileNode { mode: *mode, changed: *changed, content: content? })
        }
        FoundKind::Link { target } => Kind::Link { target: target.clone() },
        FoundKind::Hard { of } => Kind::Hard { of: number(*of)? },
    })
}
