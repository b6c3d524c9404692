//! Dockerfiles and compose files.

use crate::Rule;

/// In the order in which they are asked.
pub const RULES: &[&dyn Rule] = &[];
