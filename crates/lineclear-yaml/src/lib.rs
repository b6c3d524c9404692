//! YAML as GitHub reads it, as a tree that remembers where every key and value stood.
//!
//! [`parse`] gives the tree of one document and everything that is wrong with it: what could be understood is returned
//! together with all findings. Scalars are resolved by the YAML 1.2 core schema, so `on`, `yes` and `off` are strings.
//! Aliases are followed without being copied; limits on size, depth and aliases keep hostile files harmless.
//! [`parse_ordinary`] reads what is not GitHub's: compose files, with merge keys and tags. This crate knows nothing of workflows.
//!
//! Start reading at [`parse`] and [`Node`]. [`Scalar::span_of`] leads from a place in a scalar's text back to the file.

#![warn(missing_docs)]

mod comments;
mod decode;
mod events;
mod keys;
mod lenient;
mod limits;
#[cfg(test)]
mod outline;
mod read;
mod resolve;
mod scalar;
mod syntax;
mod tree;

pub use limits::Limits;
pub(crate) use read::Dialect;
pub use read::{parse, parse_ordinary};
pub use resolve::Resolved;
pub use scalar::{Scalar, ScalarStyle, ScalarTag};
pub use tree::{Alias, Anchor, Entry, Node, NodeTag, Parsed, Tree};
