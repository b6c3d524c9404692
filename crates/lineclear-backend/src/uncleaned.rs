//! What is told when a room could not be cleaned up.

use std::io;

use crate::Remain;

/// A job's processes were killed, and something of its folders could not be removed. The job's own result stands.
///
/// [`Room::close`](crate::Room::close) returns it inside an [`io::Error`]; [`Uncleaned::of`] takes it out again.
#[derive(Debug, thiserror::Error)]
#[error("the job's folders were not removed completely: {problem}")]
pub struct Uncleaned {
    /// What had to be killed, as in the case that all went well.
    pub killed: Vec<Remain>,
    /// What is left, and why.
    pub problem: String,
}

impl Uncleaned {
    /// The one inside `error`, if that is one.
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

impl From<Uncleaned> for io::Error {
    fn from(uncleaned: Uncleaned) -> Self {
        Self::other(uncleaned)
    }
}
