//! A scalar, and the way back from its text to the file.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use lineclear_source::Span;

use crate::decode::{self, Segment};

/// A scalar: what was written and what it means.
#[derive(Clone, Debug)]
pub struct Scalar {
    /// The text after YAML's own unescaping and folding.
    pub text: String,
    /// The scalar with its quotes or block header; empty, at the place where a value could stand, for a key without value.
    pub span: Span,
    /// How it was written.
    pub style: ScalarStyle,
    /// The type it was given with a `!!` tag that GitHub knows.
    pub tag: Option<ScalarTag>,
    pub(crate) origin: Origin,
}

/// The five ways to write a scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScalarStyle {
    /// Without quotes.
    Plain,
    /// `'…'`
    SingleQuoted,
    /// `"…"`
    DoubleQuoted,
    /// `|` and an indented block.
    Literal,
    /// `>` and an indented block.
    Folded,
}

/// The tags that GitHub knows for scalars.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScalarTag {
    /// `!!str`
    String,
    /// `!!null`
    Null,
    /// `!!bool`
    Bool,
    /// `!!int`
    Int,
    /// `!!float`
    Float,
}

/// How the text came out of the file.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    /// Byte for byte, from this offset on.
    Verbatim(u32),
    /// Unescaped, folded, or with indentation taken away.
    Decoded(Box<Decoded>),
    /// Not out of a file.
    Made,
}

/// What is needed to decode a scalar once more, and the result once somebody asked for it.
#[derive(Clone, Debug)]
pub(crate) struct Decoded {
    /// The file's whole text.
    pub(crate) file: Arc<str>,
    /// For a block scalar, the first byte after its header line and the width of its indentation.
    pub(crate) block: (u32, u32),
    pub(crate) segments: OnceLock<Box<[Segment]>>,
}

impl Scalar {
    /// A scalar that was not read from a file as it is; every place in its text counts as `span`'s start.
    pub fn new(text: impl Into<String>, span: Span, style: ScalarStyle) -> Self {
        Self { text: text.into(), span, style, tag: None, origin: Origin::Made }
    }

    /// Whether nothing was written: the value of `key:`.
    pub fn is_missing(&self) -> bool {
        self.style == ScalarStyle::Plain && self.span.is_empty()
    }

    /// The byte in the file that byte `index` of [`Scalar::text`] came from.
    ///
    /// Exact for every style: indentation, folding and escapes are accounted for. The index of the text's end gives the
    /// end of what it came from; an index past that counts as the end.
    pub fn offset_of(&self, index: usize) -> usize {
        let index = index.min(self.text.len());
        match &self.origin {
            Origin::Verbatim(start) => *start as usize + index,
            Origin::Made => self.span.start as usize,
            Origin::Decoded(decoded) => {
                let segments = self.segments(decoded);
                let at = segments.partition_point(|segment| segment.text as usize <= index);
                match at.checked_sub(1).and_then(|at| segments.get(at)) {
                    Some(segment) => segment.start_of(index),
                    None => self.span.start as usize,
                }
            }
        }
    }

    /// The bytes in the file that `range` of [`Scalar::text`] came from: from its first to the end of its last character.
    ///
    /// A range over several lines of a block includes their indentation. An empty range gives an empty span.
    pub fn span_of(&self, range: Range<usize>) -> Span {
        let start = self.offset_of(range.start);
        if range.end <= range.start {
            return Span::new(start, start);
        }
        let end = range.end.min(self.text.len());
        match &self.origin {
            Origin::Verbatim(from) => Span::new(start, *from as usize + end),
            Origin::Made => self.span,
            Origin::Decoded(decoded) => {
                let segments = self.segments(decoded);
                // The segment that holds the last byte, not the one that begins where the range ends.
                let at = segments.partition_point(|segment| (segment.text as usize) < end);
                match at.checked_sub(1).and_then(|at| segments.get(at)) {
                    Some(segment) => Span::new(start, segment.end_of(end)),
                    None => Span::new(start, start),
                }
            }
        }
    }

    fn segments<'a>(&self, decoded: &'a Decoded) -> &'a [Segment] {
        decoded.segments.get_or_init(|| {
            let (body, indent) = decoded.block;
            decode::segments(&decoded.file, self.span, self.style, body as usize, indent as usize, self.text.len())
        })
    }
}
