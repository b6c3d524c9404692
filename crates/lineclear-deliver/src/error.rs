//! Why an image did not move.

use lineclear_event::MovedTag;
use lineclear_gate::Decision;
use lineclear_oci::Digest;

use crate::{BookError, ShelfError};

/// Why an image did not move.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// The gate is not clear. Nobody was called.
    #[error("gate `{}` is blocked", .0.decision.gate)]
    Refused(Box<Refusal>),
    /// The gate is clear for an index, and not for an image in it.
    #[error("an image in it is in the way: {0}; no tag was moved")]
    Part(String),
    #[error(transparent)]
    Book(#[from] BookError),
    /// Before any tag was moved.
    #[error("cannot {doing}; no tag was moved")]
    Before { doing: &'static str, source: ShelfError },
    /// A tag that does not move any more stands for something else.
    #[error("tag `{tag}` stays what it is: {why}")]
    Taken { tag: String, why: String },
    /// Someone else moved a tag between the plan and the move. What had moved was put back.
    #[error(
        "someone else has moved tag `{tag}` meanwhile: it stood for {expected} and stands for {found}; no tag was moved. Try again"
    )]
    Overtaken { tag: String, expected: String, found: String },
    /// The evidence was withdrawn while the image was on its way. What had moved was put back.
    #[error("the gate closed while the image was on its way; no tag was moved")]
    Withdrawn(Box<Refusal>),
    /// A tag could not be moved. What had moved was put back.
    #[error("cannot move tag `{tag}`; those that had moved were put back")]
    PutBack { tag: String, source: ShelfError },
    /// Some tags have moved and some have not, and neither can be changed now.
    #[error(
        "move {id} is unfinished, and its tags cannot be moved now: {stuck}; the next move of this image, or \
         `lineclear publish --resume`, finishes it or puts them back"
    )]
    Unfinished { id: String, stuck: String, source: ShelfError },
    #[error("cancelled; no tag was moved")]
    Cancelled,
    /// A fault of Lineclear's own.
    #[error(transparent)]
    OutOfTurn(#[from] lineclear_gate::OutOfTurn),
}

/// A gate that said no, and which entry of the ledger says so.
#[derive(Debug)]
pub struct Refusal {
    pub decision: Decision,
    /// `None` where nothing is recorded, because it was only asked what would happen.
    pub entry: Option<u64>,
}

impl MoveError {
    /// Whether it is the work that cannot be done, and not Lineclear that failed.
    pub fn is_of_the_work(&self) -> bool {
        !matches!(self, Self::Book(_) | Self::OutOfTurn(_))
    }
}

/// What a tag stood for, in words.
pub(crate) fn held(digest: Option<&str>) -> String {
    digest.map_or_else(|| "nothing".to_owned(), str::to_owned)
}

pub(crate) fn shown(digest: Option<&Digest>) -> String {
    held(digest.map(Digest::as_str))
}

/// Those that move.
pub(crate) fn moving(tags: &[MovedTag]) -> impl DoubleEndedIterator<Item = &MovedTag> {
    tags.iter().filter(|tag| tag.stays.is_none())
}
