//! Walking all ways through the pieces of a pattern at once, so that no pattern can make it slow.

use super::piece::Piece;

/// The general matcher with a bit for each state: bit `i` says that the text so far fits the pieces before `i`.
#[derive(Clone, Debug)]
pub(super) struct Bits {
    pieces: Box<[Piece]>,
    /// For each ASCII character, the pieces that read it.
    readers: [u64; 128],
    /// Pieces that read once and go on.
    once: u64,
    /// Pieces that read and stay.
    many: u64,
    folders: u64,
    /// Pieces that may be nothing.
    skipped: u64,
    maybe_folders: u64,
}

impl Bits {
    pub(super) fn new(pieces: &[Piece]) -> Self {
        let all = |is: fn(&Piece) -> bool| {
            pieces.iter().enumerate().filter(|(_, piece)| is(piece)).fold(0, |bits, (at, _)| bits | 1u64 << at)
        };
        let mut readers = [0; 128];
        for (c, bits) in (0..128u8).zip(&mut readers) {
            *bits = readers_of(pieces, char::from(c));
        }
        Self {
            pieces: pieces.into(),
            readers,
            once: all(|piece| matches!(piece, Piece::One(_) | Piece::Maybe(_))),
            many: all(|piece| matches!(piece, Piece::Many(_))),
            folders: all(|piece| matches!(piece, Piece::Folders)),
            skipped: all(|piece| matches!(piece, Piece::Maybe(_) | Piece::Many(_))),
            maybe_folders: all(|piece| matches!(piece, Piece::MaybeFolders)),
        }
    }

    pub(super) fn fits(&self, name: &str) -> bool {
        let mut here = self.skip(1);
        for c in name.chars() {
            let readers = match self.readers.get(c as usize) {
                Some(readers) => *readers,
                None => readers_of(&self.pieces, c),
            };
            let past_folders = if c == '/' { here & self.folders } else { 0 };
            let go = here & readers & self.once | past_folders;
            let stay = here & (readers & self.many | self.folders);
            here = self.skip(go << 1 | stay);
            if here == 0 {
                return false;
            }
        }
        here >> self.pieces.len() & 1 == 1
    }

    /// Adds the states that are reached by reading nothing.
    fn skip(&self, mut here: u64) -> u64 {
        loop {
            let maybe_folders = here & self.maybe_folders;
            let more = here | (here & self.skipped) << 1 | maybe_folders << 1 | maybe_folders << 2;
            if more == here {
                return here;
            }
            here = more;
        }
    }
}

/// The pieces that read `c`, by their own set; `Folders` reads everything and is counted apart.
fn readers_of(pieces: &[Piece], c: char) -> u64 {
    let reads = |piece: &Piece| match piece {
        Piece::One(set) | Piece::Maybe(set) | Piece::Many(set) => set.holds(c),
        Piece::MaybeFolders | Piece::Folders => false,
    };
    pieces.iter().enumerate().filter(|(_, piece)| reads(piece)).fold(0, |bits, (at, _)| bits | 1u64 << at)
}

/// Whether the whole of `name` fits the pieces, of which there may be any number.
pub(super) fn fits(pieces: &[Piece], name: &str) -> bool {
    // `here[i]`: the text so far fits the pieces before `i`.
    let mut here = vec![false; pieces.len() + 1];
    let mut next = here.clone();
    here[0] = true;
    skip_what_may_be_nothing(pieces, &mut here);
    for c in name.chars() {
        next.fill(false);
        let mut alive = false;
        for (at, piece) in pieces.iter().enumerate().filter(|&(at, _)| here[at]) {
            let (stay, go) = match piece {
                Piece::One(set) | Piece::Maybe(set) => (false, set.holds(c)),
                Piece::Many(set) => (set.holds(c), false),
                Piece::MaybeFolders => (false, false),
                Piece::Folders => (true, c == '/'),
            };
            next[at] |= stay;
            next[at + 1] |= go;
            alive |= stay || go;
        }
        if !alive {
            return false;
        }
        skip_what_may_be_nothing(pieces, &mut next);
        std::mem::swap(&mut here, &mut next);
    }
    here[pieces.len()]
}

fn skip_what_may_be_nothing(pieces: &[Piece], states: &mut [bool]) {
    for (at, piece) in pieces.iter().enumerate() {
        if !states[at] {
            continue;
        }
        match piece {
            Piece::Maybe(_) | Piece::Many(_) => states[at + 1] = true,
            Piece::MaybeFolders => {
                states[at + 1] = true;
                // The parser always writes `Folders` after `MaybeFolders`, so there is a state behind it.
                if let Some(behind) = states.get_mut(at + 2) {
                    *behind = true;
                }
            }
            Piece::One(_) | Piece::Folders => {}
        }
    }
}
