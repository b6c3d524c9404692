//! What lets somebody do what they must not.

use crate::Rule;

/// In the order in which they are asked.
pub const RULES: &[&dyn Rule] = &[];
