//! What a cache entry or an artifact consists of: folders, files, links, and where each file's contents are.
//!
//! A node names its parent by number and itself by one plain name, so a path that leads out of its root cannot even be
//! written down. Nodes are ordered by parent and name, parents before children. The form on disk is private to this crate:
//! numbers of variable length, then all hashes in one row, compressed and named by its hash like every blob.

use crate::blobs::{BlobRef, Hash};

/// First bytes of a manifest; the last is its version.
const MAGIC: &[u8; 8] = b"lcmanif1";

/// Bits of a mode that are kept: no set-user and no set-group bit comes out of a cache.
pub(crate) const MODE_BITS: u32 = 0o1777;

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Manifest {
    /// The blobs that files' contents are in.
    pub(crate) packs: Vec<BlobRef>,
    pub(crate) anchors: Vec<Anchor>,
    pub(crate) nodes: Vec<Node>,
}

/// A folder that nodes hang from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Anchor {
    /// Whether `path` starts at the root of the file system; otherwise at the folder that is restored into.
    pub(crate) absolute: bool,
    /// Without a leading slash; empty for the starting point itself.
    pub(crate) path: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    /// Below the number of anchors: that anchor. Otherwise, less that number, an earlier node, which is a folder.
    pub(crate) parent: u32,
    pub(crate) name: Box<[u8]>,
    pub(crate) kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Folder {
        mode: u32,
        changed: Nanos,
    },
    File(FileNode),
    Link {
        target: Box<[u8]>,
    },
    /// A further name of an earlier node, which is a file.
    Hard {
        of: u32,
    },
}

/// Nanoseconds since 1970, UTC.
pub(crate) type Nanos = i64;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FileNode {
    pub(crate) mode: u32,
    pub(crate) changed: Nanos,
    pub(crate) content: Content,
}

/// A file's contents: pieces one after the other, none for an empty file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Content {
    pub(crate) hash: Hash,
    pub(crate) size: u64,
    pub(crate) pieces: Vec<Piece>,
}

/// Bytes `offset..offset + length` of what is inside pack number `pack`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Piece {
    pub(crate) pack: u32,
    pub(crate) offset: u64,
    pub(crate) length: u64,
    pub(crate) hash: Hash,
}

impl Manifest {
    /// Files and links, and the bytes of the files; each name of a file with several counts.
    pub(crate) fn size(&self) -> (u64, u64) {
        let bytes = |node: &Node| match &node.kind {
            Kind::File(file) => file.content.size,
            Kind::Hard { of } => match self.nodes.get(*of as usize).map(|node| &node.kind) {
                Some(Kind::File(file)) => file.content.size,
                _ => 0,
            },
            Kind::Folder { .. } | Kind::Link { .. } => 0,
        };
        let files = self.nodes.iter().filter(|node| !matches!(node.kind, Kind::Folder { .. }));
        files.fold((0, 0), |(files, sum), node| (files + 1, sum + bytes(node)))
    }

    /// Forgets packs that no piece lies in.
    pub(crate) fn drop_unused_packs(&mut self) {
        let all = std::mem::take(&mut self.packs);
        let mut numbers = vec![None; all.len()];
        for node in &mut self.nodes {
            let Kind::File(file) = &mut node.kind else { continue };
            for piece in &mut file.content.pieces {
                let old = piece.pack as usize;
                piece.pack = *numbers[old].get_or_insert_with(|| {
                    self.packs.push(all[old]);
                    (self.packs.len() - 1) as u32
                });
            }
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.number(self.packs.len() as u64);
        for pack in &self.packs {
            out.hash(pack.hash);
            out.number(pack.raw);
            out.number(pack.stored);
        }
        out.number(self.anchors.len() as u64);
        for anchor in &self.anchors {
            out.number(u64::from(anchor.absolute));
            out.bytes(&anchor.path);
        }
        out.number(self.nodes.len() as u64);
        for node in &self.nodes {
            out.number(u64::from(node.parent));
            out.bytes(&node.name);
            match &node.kind {
                Kind::Folder { mode, changed } => {
                    out.number(0);
                    out.number(u64::from(*mode));
                    out.signed(*changed);
                }
                Kind::File(file) => {
                    out.number(1 + file.content.pieces.len().min(2) as u64);
                    out.number(u64::from(file.mode));
                    out.signed(file.changed);
                    out.content(&file.content);
                }
                Kind::Link { target } => {
                    out.number(4);
                    out.bytes(target);
                }
                Kind::Hard { of } => {
                    out.number(5);
                    out.number(u64::from(*of));
                }
            }
        }
        let mut all = MAGIC.to_vec();
        all.extend_from_slice(&(out.plain.len() as u64).to_le_bytes());
        all.append(&mut out.plain);
        all.append(&mut out.hashes);
        all
    }

    /// Reads what [`Manifest::encode`] wrote. Whatever the bytes are, the answer is a manifest whose every path stays below
    /// its anchor and whose every piece lies in its pack, or what is wrong with them.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, &'static str> {
        let rest = bytes.strip_prefix(MAGIC).ok_or("it is no manifest of this version")?;
        let (length, rest) = rest.split_first_chunk::<8>().ok_or(CUT)?;
        let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| CUT)?;
        let (plain, hashes) = rest.split_at_checked(length).ok_or(CUT)?;
        let mut input = Reader { plain, hashes };
        let manifest = input.manifest()?;
        if !input.plain.is_empty() || !input.hashes.is_empty() {
            return Err("it has more than it says");
        }
        Ok(manifest)
    }
}

const CUT: &str = "it is cut off";

#[derive(Default)]
struct Writer {
    plain: Vec<u8>,
    /// Apart from the rest, since hashes do not compress.
    hashes: Vec<u8>,
}

impl Writer {
    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.plain.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.plain.push(number as u8);
    }

    fn signed(&mut self, number: i64) {
        self.plain.extend_from_slice(&number.to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.plain.extend_from_slice(bytes);
    }

    fn hash(&mut self, hash: Hash) {
        self.hashes.extend_from_slice(&hash.0);
    }

    fn content(&mut self, content: &Content) {
        match content.pieces.as_slice() {
            [] => {}
            [only] => self.place(only),
            several => {
                self.number(several.len() as u64);
                several.iter().for_each(|piece| self.place(piece));
            }
        }
    }

    fn place(&mut self, piece: &Piece) {
        self.number(u64::from(piece.pack));
        self.number(piece.offset);
        self.number(piece.length);
        self.hash(piece.hash);
    }
}

struct Reader<'a> {
    plain: &'a [u8],
    hashes: &'a [u8],
}

impl<'a> Reader<'a> {
    fn number(&mut self) -> Result<u64, &'static str> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.plain.split_first().ok_or(CUT)?;
            self.plain = rest;
            let bits = u64::from(byte & 0x7f);
            number |=
                bits.checked_shl(shift).filter(|shifted| shifted >> shift == bits).ok_or("a number is too large")?;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err("a number is too large")
    }

    fn small(&mut self) -> Result<u32, &'static str> {
        u32::try_from(self.number()?).map_err(|_| "a number is too large")
    }

    fn signed(&mut self) -> Result<i64, &'static str> {
        let (bytes, rest) = self.plain.split_first_chunk::<8>().ok_or(CUT)?;
        self.plain = rest;
        Ok(i64::from_le_bytes(*bytes))
    }

    fn bytes(&mut self) -> Result<&'a [u8], &'static str> {
        let length = usize::try_from(self.number()?).map_err(|_| CUT)?;
        let (bytes, rest) = self.plain.split_at_checked(length).ok_or(CUT)?;
        self.plain = rest;
        Ok(bytes)
    }

    fn hash(&mut self) -> Result<Hash, &'static str> {
        let (hash, rest) = self.hashes.split_first_chunk::<32>().ok_or(CUT)?;
        self.hashes = rest;
        Ok(Hash(*hash))
    }

    /// A count of things of which each takes at least one byte, so that room is never made for more than can come.
    fn count(&mut self) -> Result<usize, &'static str> {
        usize::try_from(self.number()?).ok().filter(|count| *count <= self.plain.len()).ok_or(CUT)
    }

    fn manifest(&mut self) -> Result<Manifest, &'static str> {
        let mut manifest = Manifest::default();
        for _ in 0..self.count()? {
            manifest.packs.push(BlobRef { hash: self.hash()?, raw: self.number()?, stored: self.number()? });
        }
        for _ in 0..self.count()? {
            let absolute = self.number()? == 1;
            let path = self.bytes()?.to_vec();
            if !path.is_empty() && !path.split(|byte| *byte == b'/').all(is_plain_name) {
                return Err("a root is no plain path");
            }
            manifest.anchors.push(Anchor { absolute, path });
        }
        let count = self.count()?;
        manifest.nodes.reserve_exact(count);
        for _ in 0..count {
            let node = self.node(&manifest)?;
            if let Some(last) = manifest.nodes.last()
                && (last.parent, &last.name) >= (node.parent, &node.name)
            {
                return Err("its names are not in order");
            }
            manifest.nodes.push(node);
        }
        Ok(manifest)
    }

    fn node(&mut self, before: &Manifest) -> Result<Node, &'static str> {
        let parent = self.small()?;
        if parent as usize >= before.anchors.len() {
            let node = before.nodes.get(parent as usize - before.anchors.len());
            if !matches!(node, Some(Node { kind: Kind::Folder { .. }, .. })) {
                return Err("a parent is no folder");
            }
        }
        let name: Box<[u8]> = self.bytes()?.into();
        if !is_plain_name(&name) {
            return Err("a name is not plain");
        }
        let kind = match self.number()? {
            0 => Kind::Folder { mode: self.small()? & MODE_BITS, changed: self.signed()? },
            form @ 1..=3 => {
                let (mode, changed) = (self.small()? & MODE_BITS, self.signed()?);
                Kind::File(FileNode { mode, changed, content: self.content(form, &before.packs)? })
            }
            4 => {
                let target: Box<[u8]> = self.bytes()?.into();
                if target.is_empty() || target.contains(&0) {
                    return Err("a link leads nowhere");
                }
                Kind::Link { target }
            }
            5 => {
                let of = self.small()?;
                if !matches!(before.nodes.get(of as usize), Some(Node { kind: Kind::File(_), .. })) {
                    return Err("a second name is not of a file");
                }
                Kind::Hard { of }
            }
            _ => return Err("it has a node of an unknown kind"),
        };
        Ok(Node { parent, name, kind })
    }

    fn content(&mut self, form: u64, packs: &[BlobRef]) -> Result<Content, &'static str> {
        let count = if form == 3 { self.count()? } else { usize::try_from(form - 1).map_err(|_| CUT)? };
        let mut pieces = Vec::with_capacity(count);
        let mut size = 0_u64;
        for _ in 0..count {
            let piece =
                Piece { pack: self.small()?, offset: self.number()?, length: self.number()?, hash: self.hash()? };
            let end = piece.offset.checked_add(piece.length);
            let inside = packs.get(piece.pack as usize).zip(end).is_some_and(|(pack, end)| end <= pack.raw);
            if !inside {
                return Err("a piece lies outside of its pack");
            }
            size = size.checked_add(piece.length).ok_or("a file is too large")?;
            pieces.push(piece);
        }
        let hash = content_hash(&pieces);
        Ok(Content { hash, size, pieces })
    }
}

/// The hash of a file's contents: of its one piece, or of the pieces' hashes.
pub(crate) fn content_hash(pieces: &[Piece]) -> Hash {
    if pieces.is_empty() { Hash::of(b"") } else { Hash::of_pieces(pieces.iter().map(|piece| piece.hash)) }
}

fn is_plain_name(name: &[u8]) -> bool {
    !matches!(name, b"" | b"." | b"..") && !name.contains(&b'/') && !name.contains(&0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample() -> Manifest {
        let hash = |text: &str| Hash::of(text.as_bytes());
        let piece = |offset, length, text| Piece { pack: 0, offset, length, hash: hash(text) };
        let file = |pieces: Vec<Piece>| {
            let content =
                Content { hash: content_hash(&pieces), size: pieces.iter().map(|piece| piece.length).sum(), pieces };
            Kind::File(FileNode { mode: 0o644, changed: -5, content })
        };
        let node = |parent, name: &[u8], kind| Node { parent, name: name.into(), kind };
        Manifest {
            packs: vec![BlobRef { hash: hash("pack"), raw: 1000, stored: 300 }],
            anchors: vec![
                Anchor { absolute: false, path: Vec::new() },
                Anchor { absolute: true, path: b"home/u".to_vec() },
            ],
            nodes: vec![
                node(0, b"d", Kind::Folder { mode: 0o755, changed: i64::MAX }),
                node(0, b"f", file(vec![piece(0, 10, "one")])),
                node(1, b"\xff", Kind::Link { target: b"../x".as_slice().into() }),
                node(2, b"e", file(vec![])),
                node(2, b"g", file(vec![piece(10, 90, "two"), piece(100, 900, "three")])),
                node(2, b"h", Kind::Hard { of: 1 }),
            ],
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        assert_eq!(Manifest::decode(&sample().encode()), Ok(sample()));
        assert_eq!(Manifest::decode(&Manifest::default().encode()), Ok(Manifest::default()));
        assert_eq!(sample().size(), (5, 10 + 990 + 10));
    }

    #[test]
    fn a_path_that_leads_out_is_refused() {
        let check = |change: fn(&mut Manifest), expected: &str| {
            let mut manifest = sample();
            change(&mut manifest);
            assert_eq!(Manifest::decode(&manifest.encode()), Err(expected));
        };
        check(|it| it.nodes[0].name = b"..".as_slice().into(), "a name is not plain");
        check(|it| it.nodes[0].name = b"a/b".as_slice().into(), "a name is not plain");
        check(|it| it.nodes[0].name = b"".as_slice().into(), "a name is not plain");
        check(|it| it.nodes[1].name = b"a".as_slice().into(), "its names are not in order");
        check(|it| it.nodes[1].name = b"d".as_slice().into(), "its names are not in order");
        check(|it| it.nodes[3].parent = 3, "a parent is no folder");
        check(|it| it.nodes[3].parent = 99, "a parent is no folder");
        check(|it| it.anchors[0].path = b"a/../../b".to_vec(), "a root is no plain path");
        check(|it| it.anchors[1].path = b"/etc".to_vec(), "a root is no plain path");
        check(|it| it.packs[0].raw = 999, "a piece lies outside of its pack");
        check(|it| it.nodes[5].kind = Kind::Hard { of: 0 }, "a second name is not of a file");
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_fail(mut bytes in proptest::collection::vec(any::<u8>(), 0..200), from in 0..400_usize) {
            let _any_answer = Manifest::decode(&bytes);
            let mut whole = sample().encode();
            let from = from.min(whole.len());
            bytes.truncate(whole.len() - from);
            whole[from..from + bytes.len()].copy_from_slice(&bytes);
            let _any_answer = Manifest::decode(&whole);
        }
    }
}
