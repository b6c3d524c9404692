//! HTTP/1.1 as far as a door needs it: heads, bodies and their framing, targets. Nothing here knows an engine.

mod body;
mod head;
mod inbound;
mod target;

pub(crate) use body::{Body, Framing, chunk, last_chunk};
pub(crate) use head::{AnswerHead, Headers, RequestHead};
pub(crate) use inbound::Inbound;
pub(crate) use target::Target;

use std::io;

/// The longest head that is read, in bytes: logins of several registries travel in one.
pub(crate) const HEAD_LIMIT: usize = 256 * 1024;

/// Why a message cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    #[error("the connection failed")]
    Io(#[from] io::Error),
    #[error("the head is longer than {HEAD_LIMIT} bytes")]
    HeadTooLong,
    #[error("the head is not HTTP/1.1: {0}")]
    Head(String),
    #[error("the target `{target}` is not a path: {problem}")]
    Target { target: String, problem: &'static str },
    #[error("the length of the body is not clear: {0}")]
    Framing(&'static str),
}
