//! Faults of syntax in plain words: what stands there, what was expected, what to do.

use lineclear_source::{Diagnostic, Span};

/// Where the event parser could not go on, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    pub(crate) fault: Fault,
    /// The byte that the parser names.
    pub(crate) at: usize,
}

/// What is wrong, as the writer of the text would put it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    UnderIndentedQuote,
    TouchingComment,
    UnclosedQuote,
    DocumentMarkInQuote,
    TextAfterQuote,
    UnknownEscape,
    BadCodePoint,
    Tab,
    /// A `: ` or a key where none can be.
    ValueNotAllowed,
    ColonInFlow,
    NoColon,
    NoKey,
    NoSequenceEntry,
    SequenceEntryNotAllowed,
    DashInFlow,
    Indentation,
    NoCommaInSequence,
    NoCommaInMapping,
    UnclosedBracket {
        open: char,
    },
    StrayBracket,
    WrongBracket {
        open: char,
        close: char,
    },
    Character {
        character: char,
    },
    NoValue,
    CommentInText,
    BlockHeader,
    BlockIndentation,
    AnchorName,
    Tag,
    Directive,
    DocumentEnd,
    TooDeep,
    Other {
        message: String,
    },
}

impl SyntaxError {
    pub(crate) fn diagnostic(&self, text: &str) -> Diagnostic {
        let _ = text;
        Diagnostic::error("yaml-syntax", format!("{:?}", self.fault)).at(Span::new(self.at, self.at))
    }
}
