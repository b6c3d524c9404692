//! Reusable workflows, and what workflows know of each other.

use crate::{RepositoryRule, Rule};

/// In the order in which they are asked.
pub const RULES: &[&dyn Rule] = &[];

/// Those that look at several files at once.
pub const REPOSITORY_RULES: &[&dyn RepositoryRule] = &[];
