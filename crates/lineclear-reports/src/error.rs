//! Why a report could not be read.

use crate::ReportKind;

/// A report that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` cannot be read as {kind}: {wrong}")]
pub struct ReportError {
    /// What the report is called.
    pub name: String,
    /// What it was taken for.
    pub kind: ReportKind,
    /// What is wrong with it.
    pub wrong: Wrong,
}

/// What is wrong with a report. Lines count from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// The file is larger than [`Limits::bytes`](crate::Limits::bytes).
    #[error("it has {size} bytes, and a report may have {limit}")]
    TooLarge {
        /// Bytes of the file.
        size: usize,
        /// Bytes that it may have.
        limit: usize,
    },
    /// Neither UTF-8 nor UTF-16 with a byte order mark.
    #[error("line {line}: it is not valid text; expected UTF-8, or UTF-16 with a byte order mark")]
    Encoding {
        /// Where the first bad byte stands.
        line: u64,
    },
    /// XML or JSON that is none.
    #[error("line {line}: {reason}")]
    Syntax {
        /// Where reading stopped.
        line: u64,
        /// What the parser says.
        reason: String,
    },
    /// The file ends in the middle.
    #[error("line {line}: the file ends inside {inside}; was its writer stopped?")]
    Truncated {
        /// The last line.
        line: u64,
        /// What is not closed.
        inside: String,
    },
    /// The XML file declares entities, by which a small file can stand for a huge one. No tool writes reports so.
    #[error("line {line}: it declares entities of its own, which reports have no use for")]
    Entities {
        /// Where the declaration stands.
        line: u64,
    },
    /// Deeper than [`Limits::depth`](crate::Limits::depth).
    #[error("line {line}: more than {limit} levels inside each other")]
    TooDeep {
        /// Where the first level too many begins.
        line: u64,
        /// Levels that are allowed.
        limit: usize,
    },
    /// Something else than the kind of report it was taken for.
    #[error("line {line}: found {found}, expected {expected}")]
    Unexpected {
        /// Where it stands.
        line: u64,
        /// What is there.
        found: String,
        /// What a report of this kind has there.
        expected: &'static str,
    },
}
