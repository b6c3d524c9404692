//! The dialect of filter patterns under `on:`, and matching by it.
//!
//! A [`FilterPattern`] is one pattern, a [`PatternSet`] is a filter list with its rule: the *last* pattern that matches
//! decides. `?` and `+` repeat the character before them, `*` stops at `/`, `**` does not, and `**/` may be nothing.
//!
//! Matching takes time in proportion to pattern × name, whatever the pattern. Most patterns are a literal head, one
//! wildcard and a literal tail, and most names fail on the first bytes, so [`Names`] keeps the first and last eight bytes
//! of each name ready: a pattern that does not fit is then one comparison.
//!
//! Source of the rules: GitHub's "filter pattern cheat sheet".

mod matcher;
mod name;
mod piece;
mod set;
#[cfg(test)]
mod tests;

use lineclear_source::Span;

use matcher::{Bits, fits};
use name::{Name, WordTest};
use piece::{Piece, Set, parse_pieces};

pub use name::Names;
pub use piece::{PatternError, PatternErrorKind};
pub use set::PatternSet;
pub(crate) use set::not_a_pattern;

/// One filter pattern, ready to match.
#[derive(Clone, Debug)]
pub struct FilterPattern {
    /// Whether it began with `!`: a name that matches is taken out again.
    negative: bool,
    /// Every matching name begins with this …
    head: Box<str>,
    /// … ends with this, which does not overlap the head …
    tail: Box<str>,
    /// … and has this between the two.
    middle: Middle,
    head_word: WordTest,
    tail_word: WordTest,
}

/// What stands between the literal head and tail of a pattern.
#[derive(Clone, Debug)]
enum Middle {
    /// Nothing: head and tail are the whole name (and the tail is empty).
    Nothing,
    /// `**`.
    Anything,
    /// `*`.
    NoSlash,
    /// `**/`: nothing, or anything that ends in a slash.
    Folders,
    /// `**/*`: the tail holds no slash, so any text will do.
    FoldersAndName,
    /// Anything else, in few enough pieces for one machine word.
    Bits(Box<Bits>),
    Pieces(Box<[Piece]>),
}

impl FilterPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// The first thing that GitHub would not accept; `\` before an ordinary character and an odd `!` are accepted.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if text.is_empty() {
            return Err(PatternError { kind: PatternErrorKind::Empty, span: Span::default() });
        }
        let negative = text.starts_with('!');
        let offset = usize::from(negative);
        if text.len() == offset {
            return Err(PatternError { kind: PatternErrorKind::NothingToNegate, span: Span::new(0, 1) });
        }
        let pieces = parse_pieces(&text[offset..])
            .map_err(|error| PatternError { span: error.span.shifted(offset), ..error })?;
        Ok(Self::from_pieces(negative, pieces))
    }

    fn from_pieces(negative: bool, mut pieces: Vec<Piece>) -> Self {
        fn literal(piece: &Piece) -> Option<char> {
            match piece {
                Piece::One(Set::Char(c)) => Some(*c),
                _ => None,
            }
        }
        let head: String = pieces.iter().map_while(literal).collect();
        pieces.drain(..head.chars().count());
        let tail_length = pieces.iter().rev().map_while(literal).count();
        let tail: String = pieces.drain(pieces.len() - tail_length..).filter_map(|piece| literal(&piece)).collect();
        let middle = match pieces.as_slice() {
            [] => Middle::Nothing,
            [Piece::Many(Set::Any)] => Middle::Anything,
            [Piece::Many(Set::NoSlash)] => Middle::NoSlash,
            [Piece::MaybeFolders, Piece::Folders] => Middle::Folders,
            [Piece::MaybeFolders, Piece::Folders, Piece::Many(Set::NoSlash)] if !tail.contains('/') => {
                Middle::FoldersAndName
            }
            few if few.len() < 64 => Middle::Bits(Box::new(Bits::new(few))),
            _ => Middle::Pieces(pieces.into()),
        };
        Self {
            negative,
            head_word: WordTest::head(&head),
            tail_word: WordTest::tail(&tail),
            head: head.into(),
            tail: tail.into(),
            middle,
        }
    }

    /// Whether it began with `!`.
    pub fn is_negative(&self) -> bool {
        self.negative
    }

    /// Whether the whole of `name` fits the pattern (without its `!`), minding case.
    pub fn matches(&self, name: &str) -> bool {
        if !name.starts_with(&*self.head) || !name.ends_with(&*self.tail) {
            return false;
        }
        let Some(middle) = name.get(self.head.len()..name.len() - self.tail.len()) else { return false };
        match &self.middle {
            Middle::Nothing => middle.is_empty(),
            Middle::Anything | Middle::FoldersAndName => true,
            Middle::NoSlash => !middle.contains('/'),
            Middle::Folders => middle.is_empty() || middle.ends_with('/'),
            Middle::Bits(bits) => bits.fits(middle),
            Middle::Pieces(pieces) => fits(pieces, middle),
        }
    }

    fn may_match(&self, name: &Name<'_>) -> bool {
        self.head_word.holds(name.head) && self.tail_word.holds(name.tail)
    }
}
