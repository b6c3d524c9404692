//! Actions that steps use: what they take and give, and whether they still work.

use crate::Rule;

/// In the order in which they are asked.
pub const RULES: &[&dyn Rule] = &[];
