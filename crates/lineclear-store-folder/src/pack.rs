//! Reading files into packs: hashed, shared where the contents are known, compressed, by several threads.
//!
//! Small files that stand near each other share a pack of about [`PACK`] bytes, because one frame over many files compresses far
//! better than many frames, and a store of few large blobs is quicker to read than one of many small ones. A file that is larger
//! fills packs of its own, so that equal pieces are found again wherever they come from.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use lineclear_store::StoreError;
use sha2::{Digest, Sha256};
use zstd::zstd_safe::CParameter;

use crate::blobs::{BlobRef, Hash};
use crate::fault;
use crate::manifest::{Content, Piece, content_hash};
use crate::scan::stamp;
use crate::stat_cache::Stamp;
use crate::store::Place;

/// How many bytes a pack is filled with.
pub(crate) const PACK: u64 = 8 * 1024 * 1024;

/// How many pieces of a large file one thread takes at a time.
const PIECES_AT_A_TIME: u64 = 2;

/// Contents that are shorter are not worth a look at whether they compress.
const WORTH_PROBING: usize = 64 * 1024;

/// A file to read.
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    /// How long it was when it was looked at: no more is read, however much it grows meanwhile.
    pub(crate) size: u64,
    /// Whether a link in its place is read through.
    pub(crate) follow: bool,
}

/// What reading a file gave.
pub(crate) struct Packed {
    pub(crate) content: Content,
    /// The file's stamp when it was the same before and after reading; otherwise someone wrote to it meanwhile.
    pub(crate) stamp: Option<Stamp>,
    /// The contents' SHA-256, when asked for.
    pub(crate) digest: Option<[u8; 32]>,
}

/// Where contents already are.
pub(crate) type Known = HashMap<Hash, (BlobRef, u64)>;

/// How to pack.
#[derive(Clone, Copy)]
pub(crate) struct Packing {
    /// zstd's level; 0 leaves the bytes as they are.
    pub(crate) level: i32,
    pub(crate) digests: bool,
}

/// What [`pack`] did.
pub(crate) struct Outcome {
    /// By source; `None` for a file that vanished.
    pub(crate) files: Vec<Option<Packed>>,
    /// The packs that the pieces' numbers mean.
    pub(crate) packs: Vec<BlobRef>,
    /// Bytes that were added to the store.
    pub(crate) added: u64,
}

/// Reads `sources` into packs. What is in `known` is not kept again. The numbers of packs begin with those of `packs`.
///
/// # Errors
/// [`StoreError::Io`] naming the file that cannot be read, or the store's when it cannot be written.
pub(crate) fn pack(
    place: &Place,
    sources: &[Source],
    known: &Known,
    packs: Vec<BlobRef>,
    packing: Packing,
) -> Result<Outcome, StoreError> {
    let tasks = tasks(sources, packing);
    let shared = Shared {
        place,
        sources,
        known,
        packing,
        next: AtomicUsize::new(0),
        failed: AtomicBool::new(false),
        seen: Mutex::default(),
        packs: Mutex::new(Packs {
            numbers: packs.iter().enumerate().map(|(number, pack)| (pack.hash, number as u32)).collect(),
            all: packs,
            added: 0,
        }),
    };
    let threads = place.threads().min(tasks.len());
    let mut parts = Vec::with_capacity(sources.len());
    if threads < 2 {
        parts = shared.work(&tasks)?;
    } else {
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| shared.work(&tasks))).collect();
            let mut outcome = Ok(());
            for worker in workers {
                match worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)) {
                    Ok(found) => parts.extend(found),
                    Err(error) => outcome = outcome.and(Err(error)),
                }
            }
            outcome
        })?;
    }
    let packs = shared.packs.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(Outcome { files: assemble(sources.len(), parts), packs: packs.all, added: packs.added })
}

/// What one thread does in one go.
enum Task {
    /// Small files that go into one pack.
    Together(std::ops::Range<usize>),
    /// Some pieces of a large file.
    Pieces { source: usize, from: u64, count: u64 },
}

/// Large files first, since they take longest; small ones stay in their order, next to their neighbours.
fn tasks(sources: &[Source], packing: Packing) -> Vec<Task> {
    let mut tasks = Vec::new();
    for (number, source) in sources.iter().enumerate().filter(|(_, source)| source.size > PACK) {
        let pieces = source.size.div_ceil(PACK);
        // A digest is made from beginning to end, so one thread takes the whole file.
        let count = if packing.digests { pieces } else { PIECES_AT_A_TIME };
        let mut from = 0;
        while from < pieces {
            tasks.push(Task::Pieces { source: number, from, count: count.min(pieces - from) });
            from += count;
        }
    }
    let (mut start, mut sum) = (0, 0);
    for (number, source) in sources.iter().enumerate() {
        if source.size <= PACK {
            sum += source.size;
        }
        if sum >= PACK {
            tasks.push(Task::Together(start..number + 1));
            (start, sum) = (number + 1, 0);
        }
    }
    if start < sources.len() {
        tasks.push(Task::Together(start..sources.len()));
    }
    tasks
}

/// Some pieces of a file.
struct Part {
    source: usize,
    from: u64,
    pieces: Vec<Piece>,
    stamp: Option<Stamp>,
    digest: Option<[u8; 32]>,
    gone: bool,
}

fn assemble(count: usize, mut parts: Vec<Part>) -> Vec<Option<Packed>> {
    parts.sort_unstable_by_key(|part| (part.source, part.from));
    let mut files: Vec<Option<Packed>> = Vec::with_capacity(count);
    files.resize_with(count, || None);
    let mut parts = parts.into_iter().peekable();
    while let Some(mut first) = parts.next() {
        let mut gone = first.gone;
        while let Some(more) = parts.next_if(|part| part.source == first.source) {
            gone |= more.gone;
            first.stamp = first.stamp.filter(|stamp| more.stamp.as_ref() == Some(stamp));
            first.pieces.extend(more.pieces);
        }
        if !gone {
            let hash = content_hash(&first.pieces);
            let size = first.pieces.iter().map(|piece| piece.length).sum();
            let content = Content { hash, size, pieces: first.pieces };
            files[first.source] = Some(Packed { content, stamp: first.stamp, digest: first.digest });
        }
    }
    files
}

struct Packs {
    all: Vec<BlobRef>,
    numbers: HashMap<Hash, u32>,
    added: u64,
}

/// Number of a pack that is being filled: unknown until it is complete and has a name.
const OPEN: BlobRef = BlobRef { hash: Hash([0; 32]), raw: 0, stored: 0 };

struct Shared<'a> {
    place: &'a Place,
    sources: &'a [Source],
    known: &'a Known,
    packing: Packing,
    next: AtomicUsize,
    failed: AtomicBool,
    /// Contents met in this packing: number of the pack and offset in it.
    seen: Mutex<HashMap<Hash, (u32, u64)>>,
    packs: Mutex<Packs>,
}

impl Shared<'_> {
    fn work(&self, tasks: &[Task]) -> Result<Vec<Part>, StoreError> {
        let mut parts = Vec::new();
        let outcome = (|| {
            let mut worker = Worker::new(self)?;
            while !self.failed.load(Ordering::Relaxed) {
                match tasks.get(self.next.fetch_add(1, Ordering::Relaxed)) {
                    None => break,
                    Some(Task::Together(range)) => {
                        for number in range.clone().filter(|number| self.sources[*number].size <= PACK) {
                            parts.push(worker.small(number)?);
                        }
                        worker.close()?;
                    }
                    Some(Task::Pieces { source, from, count }) => parts.push(worker.large(*source, *from, *count)?),
                }
            }
            Ok(())
        })();
        if outcome.is_err() {
            // The others need not finish what nobody will use.
            self.failed.store(true, Ordering::Relaxed);
        }
        outcome.map(|()| parts)
    }

    /// The number under which pieces name `blob`.
    fn number_of(&self, blob: BlobRef) -> u32 {
        let mut packs = self.packs.lock().unwrap_or_else(PoisonError::into_inner);
        let next = packs.all.len() as u32;
        let number = *packs.numbers.entry(blob.hash).or_insert(next);
        if number == next {
            packs.all.push(blob);
        }
        number
    }
}

/// One thread's room: a pack that is being filled, and what it compresses to.
struct Worker<'a> {
    shared: &'a Shared<'a>,
    compressor: zstd::bulk::Compressor<'static>,
    raw: Vec<u8>,
    frame: Vec<u8>,
    /// The hashes of what is in `raw`.
    hashes: Vec<Hash>,
    /// The number that the open pack will have.
    number: Option<u32>,
}

impl<'a> Worker<'a> {
    fn new(shared: &'a Shared<'a>) -> Result<Self, StoreError> {
        let compressor = compressor(shared.packing.level).map_err(|error| fault::at(&shared.place.root, error))?;
        Ok(Self { shared, compressor, raw: Vec::new(), frame: Vec::new(), hashes: Vec::new(), number: None })
    }

    /// Reads a file that goes into a pack with others.
    fn small(&mut self, number: usize) -> Result<Part, StoreError> {
        let source = &self.shared.sources[number];
        let start = self.raw.len();
        let mut part = Part { source: number, from: 0, pieces: Vec::new(), stamp: None, digest: None, gone: false };
        let Some(file) = open(source)? else { return Ok(Part { gone: true, ..part }) };
        let read = (&file).take(source.size).read_to_end(&mut self.raw);
        read.map_err(|error| fault::at(&source.path, error))?;
        part.stamp = self.stamp_of(&file, source)?;
        if self.shared.packing.digests {
            part.digest = Some(Sha256::digest(&self.raw[start..]).into());
        }
        if self.raw.len() > start {
            part.pieces.push(self.keep(start));
        }
        Ok(part)
    }

    /// Reads pieces of a file, each of which fills a pack.
    fn large(&mut self, number: usize, from: u64, count: u64) -> Result<Part, StoreError> {
        let source = &self.shared.sources[number];
        let mut part = Part { source: number, from, pieces: Vec::new(), stamp: None, digest: None, gone: false };
        let Some(file) = open(source)? else { return Ok(Part { gone: true, ..part }) };
        let mut digest = self.shared.packing.digests.then(Sha256::new);
        for piece in from..from + count {
            let length = PACK.min(source.size - piece * PACK);
            read_at(&file, piece * PACK, length, &mut self.raw).map_err(|error| fault::at(&source.path, error))?;
            if self.raw.is_empty() {
                break;
            }
            if let Some(digest) = &mut digest {
                digest.update(&self.raw);
            }
            part.pieces.push(self.keep(0));
            self.close()?;
        }
        part.stamp = self.stamp_of(&file, source)?;
        part.digest = digest.map(|digest| digest.finalize().into());
        Ok(part)
    }

    fn stamp_of(&self, file: &File, source: &Source) -> Result<Option<Stamp>, StoreError> {
        let known = file.metadata().map_err(|error| fault::at(&source.path, error))?;
        Ok((known.len() == source.size).then(|| stamp(&known)))
    }

    /// What was read from `start` on as a piece: of this pack, or, when its contents are known, of where they are.
    fn keep(&mut self, start: usize) -> Piece {
        let bytes = &self.raw[start..];
        let (hash, length) = (Hash::of(bytes), bytes.len() as u64);
        if let Some((blob, offset)) = self.shared.known.get(&hash) {
            self.raw.truncate(start);
            return Piece { pack: self.shared.number_of(*blob), offset: *offset, length, hash };
        }
        let number = *self.number.get_or_insert_with(|| {
            let mut packs = self.shared.packs.lock().unwrap_or_else(PoisonError::into_inner);
            packs.all.push(OPEN);
            (packs.all.len() - 1) as u32
        });
        let mut seen = self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let (pack, offset) = *seen.entry(hash).or_insert((number, start as u64));
        if (pack, offset) == (number, start as u64) {
            self.hashes.push(hash);
        } else {
            self.raw.truncate(start);
        }
        Piece { pack, offset, length, hash }
    }

    /// Writes the open pack, if anything is in it.
    fn close(&mut self) -> Result<(), StoreError> {
        if let Some(number) = self.number.filter(|_| !self.raw.is_empty()) {
            let hash = Hash::of_pieces(self.hashes.iter().copied());
            let (frame, level) = (&mut self.frame, self.shared.packing.level);
            let compressed = compress(&mut self.compressor, level, &self.raw, frame);
            compressed.map_err(|error| fault::at(&self.shared.place.root, error))?;
            let added = self.shared.place.blobs.put(hash, frame)?;
            let blob = BlobRef { hash, raw: self.raw.len() as u64, stored: frame.len() as u64 };
            let mut packs = self.shared.packs.lock().unwrap_or_else(PoisonError::into_inner);
            packs.all[number as usize] = blob;
            packs.added += added;
            // An empty open pack keeps its number, so that no thread's number ever means another's pack.
            self.number = None;
        }
        self.raw.clear();
        self.hashes.clear();
        Ok(())
    }
}

/// Opens a source without waiting for whoever is at the other end of a pipe; `None` when it is gone.
fn open(source: &Source) -> Result<Option<File>, StoreError> {
    let follow = if source.follow { rustix::fs::OFlags::empty() } else { rustix::fs::OFlags::NOFOLLOW };
    let flags = (follow | rustix::fs::OFlags::NONBLOCK).bits();
    let flags = i32::try_from(flags).expect("the flags of the kernel fit in a C int");
    let opened = OpenOptions::new().read(true).custom_flags(flags).open(&source.path);
    match opened {
        // The file was replaced by a link since it was looked at: what was a file is gone.
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) && !source.follow => {
            Ok(None)
        }
        Err(error) if source.follow => Err(fault::at(&source.path, error)),
        opened => fault::found(&source.path, opened),
    }
}

fn read_at(file: &File, offset: u64, length: u64, raw: &mut Vec<u8>) -> io::Result<()> {
    raw.resize(usize::try_from(length).unwrap_or(usize::MAX), 0);
    let mut filled = 0;
    while filled < raw.len() {
        match file.read_at(&mut raw[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    raw.truncate(filled);
    Ok(())
}

/// A level that does no more than split bytes into blocks.
const AS_THEY_ARE: i32 = -100;

fn compressor(level: i32) -> io::Result<zstd::bulk::Compressor<'static>> {
    let mut compressor = zstd::bulk::Compressor::new(effective(level))?;
    // Files of one kind resemble each other over long distances: see the whole pack. The larger table finds as much at level 1 as
    // level 3 does, in half the time.
    compressor.set_parameter(CParameter::WindowLog(PACK.ilog2()))?;
    if level == 1 {
        compressor.set_parameter(CParameter::HashLog(17))?;
    }
    Ok(compressor)
}

fn effective(level: i32) -> i32 {
    if level == 0 { AS_THEY_ARE } else { level.min(19) }
}

/// Compresses `raw` into `frame`; what does not compress is only wrapped.
fn compress(
    compressor: &mut zstd::bulk::Compressor<'_>,
    level: i32,
    raw: &[u8],
    frame: &mut Vec<u8>,
) -> io::Result<()> {
    frame.clear();
    frame.reserve(zstd::zstd_safe::compress_bound(raw.len()));
    let wrap = raw.len() >= WORTH_PROBING && !compresses(raw)?;
    let level = if wrap { AS_THEY_ARE } else { effective(level) };
    compressor.set_parameter(CParameter::CompressionLevel(level))?;
    compressor.compress_to_buffer(raw, frame)?;
    Ok(())
}

/// Whether samples from all over `raw` get smaller by more than a little.
fn compresses(raw: &[u8]) -> io::Result<bool> {
    const SAMPLE: usize = 8 * 1024;
    let mut sample = Vec::with_capacity(8 * SAMPLE);
    let step = raw.len() / 8;
    for start in (0..8).map(|number| number * step) {
        sample.extend_from_slice(&raw[start..(start + SAMPLE).min(raw.len())]);
    }
    let smaller = zstd::bulk::compress(&sample, 1)?;
    Ok(smaller.len() < sample.len() - sample.len() / 50)
}
