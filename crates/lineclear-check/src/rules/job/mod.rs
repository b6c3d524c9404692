//! Jobs and steps: matrices, runners, shells, time-outs, environments.

use crate::Rule;

mod missing_timeout;

/// In the order in which they are asked.
pub const RULES: &[&dyn Rule] = &[&missing_timeout::MissingTimeout];
