//! The pieces that a pattern is made of, and reading them.

use std::fmt;

use lineclear_source::Span;

/// One state of the general matcher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    One(Set),
    /// Zero or one.
    Maybe(Set),
    /// Zero or more.
    Many(Set),
    /// The start of `**/`: goes on with the `Folders` that follows it, or past it. Reads nothing.
    MaybeFolders,
    /// Reads anything; past it only by reading a slash.
    Folders,
}

/// A set of characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Set {
    Char(char),
    /// `[a-z_]`.
    Ranges(Box<[(char, char)]>),
    NoSlash,
    Any,
}

impl Set {
    pub(super) fn holds(&self, c: char) -> bool {
        match self {
            Self::Char(wanted) => *wanted == c,
            Self::Ranges(ranges) => ranges.iter().any(|&(from, to)| from <= c && c <= to),
            Self::NoSlash => c != '/',
            Self::Any => true,
        }
    }
}

/// Why a text is no filter pattern, and where in it (bytes from its start).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct PatternError {
    pub kind: PatternErrorKind,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatternErrorKind {
    Empty,
    /// Only a `!`.
    NothingToNegate,
    /// `?` or `+` at the start or after another special character.
    NothingToRepeat(char),
    UnclosedSet,
    EmptySet,
    UnfinishedRange,
    BackwardRange(char, char),
    LineBreak,
}

impl fmt::Display for PatternErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "the pattern is empty"),
            Self::NothingToNegate => write!(f, "a pattern must follow `!`"),
            Self::NothingToRepeat(c) => write!(f, "`{c}` repeats the character before it, and there is none to repeat"),
            Self::UnclosedSet => write!(f, "`[` has no closing `]`"),
            Self::EmptySet => write!(f, "`[]` lists no character"),
            Self::UnfinishedRange => write!(f, "the range has no last character"),
            Self::BackwardRange(from, to) => write!(f, "the range `{from}-{to}` runs backwards"),
            Self::LineBreak => write!(f, "a pattern holds no line break"),
        }
    }
}

/// The pieces of a pattern without its `!`.
pub(super) fn parse_pieces(text: &str) -> Result<Vec<Piece>, PatternError> {
    let fault = |kind, start, end| Err(PatternError { kind, span: Span::new(start, end) });
    let mut pieces = Vec::with_capacity(text.len());
    let mut chars = text.char_indices().peekable();
    // Whether the last piece is a character or set that `?` and `+` may repeat.
    let mut repeatable = false;
    while let Some((at, c)) = chars.next() {
        let set = match c {
            '*' => {
                let mut stars = 1;
                while chars.next_if(|&(_, next)| next == '*').is_some() {
                    stars += 1;
                }
                let starts_segment = matches!(pieces.last(), None | Some(Piece::One(Set::Char('/')) | Piece::Folders));
                if stars == 1 {
                    pieces.push(Piece::Many(Set::NoSlash));
                } else if starts_segment && chars.next_if(|&(_, next)| next == '/').is_some() {
                    pieces.extend([Piece::MaybeFolders, Piece::Folders]);
                } else {
                    pieces.push(Piece::Many(Set::Any));
                }
                repeatable = false;
                continue;
            }
            '?' | '+' => {
                let last = if repeatable { pieces.pop() } else { None };
                let Some(Piece::One(set)) = last else {
                    return fault(PatternErrorKind::NothingToRepeat(c), at, at + 1);
                };
                if c == '?' {
                    pieces.push(Piece::Maybe(set));
                } else {
                    pieces.extend([Piece::One(set.clone()), Piece::Many(set)]);
                }
                repeatable = false;
                continue;
            }
            '[' => {
                let mut ranges = Vec::new();
                loop {
                    let Some((from_at, from)) = chars.next() else {
                        return fault(PatternErrorKind::UnclosedSet, at, text.len());
                    };
                    if from == ']' {
                        if ranges.is_empty() {
                            return fault(PatternErrorKind::EmptySet, at, from_at + 1);
                        }
                        break;
                    }
                    if chars.next_if(|&(_, next)| next == '-').is_none() {
                        ranges.push((from, from));
                        continue;
                    }
                    match chars.next() {
                        None => return fault(PatternErrorKind::UnclosedSet, at, text.len()),
                        Some((end, ']')) => return fault(PatternErrorKind::UnfinishedRange, from_at, end),
                        Some((end, to)) if from > to => {
                            let span = (from_at, end + to.len_utf8());
                            return fault(PatternErrorKind::BackwardRange(from, to), span.0, span.1);
                        }
                        Some((_, to)) => ranges.push((from, to)),
                    }
                }
                Set::Ranges(ranges.into())
            }
            '\\' => {
                // Before an ordinary character the backslash is one itself: a path may hold it.
                let escaped = chars.next_if(|&(_, next)| matches!(next, '[' | ']' | '?' | '+' | '*' | '!' | '\\'));
                Set::Char(escaped.map_or('\\', |(_, next)| next))
            }
            '\n' | '\r' => return fault(PatternErrorKind::LineBreak, at, at + 1),
            other => Set::Char(other),
        };
        pieces.push(Piece::One(set));
        repeatable = true;
    }
    Ok(pieces)
}
