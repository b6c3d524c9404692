//! Where code comes from, and what it is given: references, permissions, secrets.

use crate::Rule;

/// In the order in which they are asked.
pub const RULES: &[&dyn Rule] = &[];
