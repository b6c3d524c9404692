//! Reports of scanners in forms of their own: what each of them finds becomes findings with a severity, a place and an id.

mod bandit;
mod grype;
mod npm_audit;
mod pip_audit;
mod trivy;

pub(crate) use bandit::read as bandit;
pub(crate) use grype::read as grype;
pub(crate) use npm_audit::read as npm_audit;
pub(crate) use pip_audit::read as pip_audit;
pub(crate) use trivy::read as trivy;

use crate::Wrong;

/// The report says something else than it should; JSON has no places once it is read.
fn unexpected(found: impl Into<String>, expected: &'static str) -> Wrong {
    Wrong::Unexpected { line: 1, found: found.into(), expected }
}
