//! YAML as GitHub reads it, as a tree that remembers where every key and value stood.
//!
//! [`parse`] gives the tree of one document and everything that is wrong with it: what could be understood is returned
//! together with all findings. Scalars are resolved by the YAML 1.2 core schema, so `on`, `yes` and `off` are strings.
//! Aliases are followed without being copied; limits on size, depth and aliases keep hostile files harmless.
//! This crate knows nothing of workflows.

mod tree;

pub use tree::{Entry, Limits, Node, Parsed, Scalar, ScalarStyle, Tree, parse};
