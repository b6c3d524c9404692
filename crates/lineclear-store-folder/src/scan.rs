//! What stands below the paths that are to be kept, before any file is opened.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use lineclear_store::{StoreError, check_cache_path};

use crate::fault;
use crate::manifest::{Anchor, MODE_BITS, Nanos};
use crate::stat_cache::{Stamp, nanos};

/// Below this many folders at one depth, more threads cost more than they bring.
const WORTH_SHARING: usize = 32;

/// The nodes of a manifest as they stand on the disk, in the same order.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    pub(crate) anchors: Vec<Anchor>,
    pub(crate) nodes: Vec<Found>,
    /// Where each anchor is, then, for each node that is a folder, where that is.
    places: HashMap<u32, PathBuf>,
}

#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) parent: u32,
    pub(crate) name: Box<[u8]>,
    pub(crate) kind: FoundKind,
}

#[derive(Debug)]
pub(crate) enum FoundKind {
    Folder { mode: u32, changed: Nanos },
    File { mode: u32, changed: Nanos, stamp: Stamp },
    Link { target: Box<[u8]> },
    Hard { of: u32 },
}

impl Scan {
    /// Where a node is.
    pub(crate) fn path(&self, node: &Found) -> PathBuf {
        let name = OsStr::from_bytes(&node.name);
        self.places.get(&node.parent).map_or_else(|| PathBuf::from(name), |parent| parent.join(name))
    }

    /// Looks at everything that `paths` name below `base`, but nothing in the folder `except`, which is the store.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for a path that does not exist or leads out of `base`; [`StoreError::Io`] for a folder that cannot be
    /// read. What vanishes meanwhile is left out.
    pub(crate) fn of(base: &Path, paths: &[PathBuf], except: &Path, threads: usize) -> Result<Self, StoreError> {
        let mut scan = Self::default();
        let roots = roots(base, paths)?;
        for root in &roots {
            if !scan.anchors.contains(&root.anchor) {
                scan.places.insert(u32_of(scan.anchors.len())?, root.place.clone());
                scan.anchors.push(root.anchor.clone());
            }
        }
        let except = fs::metadata(except).ok().map(|known| (known.dev(), known.ino()));
        let mut several = HashMap::new();
        let mut firsts = Vec::new();
        for (number, anchor) in scan.anchors.iter().enumerate() {
            let parent = u32_of(number)?;
            let mut entries = Vec::new();
            for root in roots.iter().filter(|root| root.anchor == *anchor) {
                match &root.name {
                    Some(name) => entries.extend(look(&root.place, name, None)?),
                    None => entries.extend(read_folder(&root.place)?),
                }
            }
            firsts.push((parent, entries));
        }
        let mut level = scan.add(firsts, except, &mut several)?;
        while !level.is_empty() {
            let found = read_folders(&level, threads)?;
            level = scan.add(found, except, &mut several)?;
        }
        Ok(scan)
    }

    /// Adds what stands in folders; answers the folders among it.
    fn add(
        &mut self,
        found: Vec<(u32, Vec<Entry>)>,
        except: Option<(u64, u64)>,
        several: &mut HashMap<(u64, u64), u32>,
    ) -> Result<Vec<(u32, PathBuf)>, StoreError> {
        let mut folders = Vec::new();
        for (parent, mut entries) in found {
            entries.sort_unstable_by(|left, right| left.name.cmp(&right.name));
            // Two paths may name one place by way of a link.
            entries.dedup_by(|left, right| left.name == right.name);
            for entry in entries {
                let number = u32_of(self.nodes.len())?;
                let kind = match entry.kind {
                    EntryKind::Folder { inode, .. } if Some(inode) == except => continue,
                    EntryKind::Folder { mode, changed, .. } => {
                        let place = self.places.get(&parent).map_or_else(PathBuf::new, Clone::clone);
                        let place = place.join(OsStr::from_bytes(&entry.name));
                        let id = u32_of(self.anchors.len() + self.nodes.len())?;
                        self.places.insert(id, place.clone());
                        folders.push((id, place));
                        FoundKind::Folder { mode, changed }
                    }
                    EntryKind::File { mode, changed, stamp, names } => {
                        let new = FoundKind::File { mode, changed, stamp };
                        match (names > 1).then(|| several.entry((stamp.device, stamp.inode))) {
                            Some(Slot::Occupied(first)) => FoundKind::Hard { of: *first.get() },
                            Some(Slot::Vacant(slot)) => {
                                slot.insert(number);
                                new
                            }
                            None => new,
                        }
                    }
                    EntryKind::Link { target } => FoundKind::Link { target },
                };
                self.nodes.push(Found { parent, name: entry.name, kind });
            }
        }
        Ok(folders)
    }
}

fn u32_of(number: usize) -> Result<u32, StoreError> {
    u32::try_from(number)
        .map_err(|_| StoreError::Refused("a cache cannot have more than four thousand million files".into()))
}

/// A path that the user gave: where it hangs, where that is, and its name there; no name for the folder itself.
struct Root {
    anchor: Anchor,
    place: PathBuf,
    name: Option<Vec<u8>>,
}

/// The roots for `paths`, without those that are inside of another.
fn roots(base: &Path, paths: &[PathBuf]) -> Result<Vec<Root>, StoreError> {
    let mut plain = Vec::new();
    for path in paths {
        let path = check_cache_path(path)?;
        let place = base.join(&path);
        if fs::symlink_metadata(&place).is_err() {
            return Err(StoreError::Refused(format!("the cache path `{}` does not exist", path.display())));
        }
        plain.push(path);
    }
    plain.sort();
    plain.dedup();
    let inside = |path: &PathBuf| {
        plain.iter().any(|other| other != path && path.starts_with(other) && path.has_root() == other.has_root())
    };
    plain.iter().filter(|path| !inside(path)).map(|path| root(base, path)).collect()
}

fn root(base: &Path, path: &Path) -> Result<Root, StoreError> {
    let bytes = |path: &Path| path.as_os_str().as_bytes().to_vec();
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        let absolute = path.has_root();
        return Ok(Root { anchor: Anchor { absolute, path: Vec::new() }, place: base.join(path), name: None });
    };
    let name = Some(name.as_bytes().to_vec());
    if path.has_root() {
        let anchor = Anchor { absolute: true, path: bytes(parent).split_off(1) };
        return Ok(Root { anchor, place: parent.to_owned(), name });
    }
    // A folder on the way may be a link. Its real place is kept, because restoring follows no links.
    let real = |path: &Path| fs::canonicalize(path).map_err(|error| fault::at(path, error));
    let place = real(&base.join(parent))?;
    let Ok(below) = place.strip_prefix(real(base)?) else {
        return Err(StoreError::Refused(format!(
            "the cache path `{}` leads out of the workspace through a symbolic link; name `{}` instead",
            path.display(),
            place.display()
        )));
    };
    Ok(Root { anchor: Anchor { absolute: false, path: bytes(below) }, place, name })
}

struct Entry {
    name: Box<[u8]>,
    kind: EntryKind,
}

enum EntryKind {
    Folder { mode: u32, changed: Nanos, inode: (u64, u64) },
    File { mode: u32, changed: Nanos, stamp: Stamp, names: u64 },
    Link { target: Box<[u8]> },
}

fn read_folders(folders: &[(u32, PathBuf)], threads: usize) -> Result<Vec<(u32, Vec<Entry>)>, StoreError> {
    let read = |folders: &[(u32, PathBuf)]| -> Result<Vec<_>, StoreError> {
        folders.iter().map(|(id, path)| Ok((*id, read_folder(path)?))).collect()
    };
    if threads < 2 || folders.len() < WORTH_SHARING {
        return read(folders);
    }
    std::thread::scope(|scope| {
        let shares = folders.chunks(folders.len().div_ceil(threads));
        let workers: Vec<_> = shares.map(|share| scope.spawn(move || read(share))).collect();
        let mut all = Vec::with_capacity(folders.len());
        for worker in workers {
            all.extend(worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        }
        Ok(all)
    })
}

fn read_folder(path: &Path) -> Result<Vec<Entry>, StoreError> {
    let Some(listing) = fault::found(path, fs::read_dir(path))? else { return Ok(Vec::new()) };
    let mut entries = Vec::new();
    for entry in listing {
        let entry = entry.map_err(|error| fault::at(path, error))?;
        let known = entry.metadata();
        entries.extend(look(path, entry.file_name().as_bytes(), Some(known))?);
    }
    Ok(entries)
}

/// What `name` in `folder` is; `None` when it is gone, or nothing that can be kept (a socket, a pipe, a device).
fn look(folder: &Path, name: &[u8], known: Option<io::Result<Metadata>>) -> Result<Option<Entry>, StoreError> {
    let path = || folder.join(OsStr::from_bytes(name));
    let known = known.unwrap_or_else(|| fs::symlink_metadata(path()));
    let known = match known {
        Ok(known) => known,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fault::at(&path(), error)),
    };
    let (mode, changed) = (known.mode() & MODE_BITS, nanos(known.mtime(), known.mtime_nsec()));
    let kind = if known.is_dir() {
        EntryKind::Folder { mode, changed, inode: (known.dev(), known.ino()) }
    } else if known.is_file() {
        EntryKind::File { mode, changed, stamp: stamp(&known), names: known.nlink() }
    } else if known.is_symlink() {
        let Some(target) = fault::found(&path(), fs::read_link(path()))? else { return Ok(None) };
        EntryKind::Link { target: target.into_os_string().into_vec().into() }
    } else {
        return Ok(None);
    };
    Ok(Some(Entry { name: name.into(), kind }))
}

pub(crate) fn stamp(known: &Metadata) -> Stamp {
    Stamp {
        device: known.dev(),
        inode: known.ino(),
        size: known.len(),
        changed: nanos(known.mtime(), known.mtime_nsec()),
        status_changed: nanos(known.ctime(), known.ctime_nsec()),
    }
}
