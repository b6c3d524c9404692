//! Scripts of steps.

use crate::Rule;

/// In the order in which they are asked.
pub const RULES: &[&dyn Rule] = &[];
