//! Readers of the reports that test runners, coverage tools and scanners write: bytes in, facts out.
//!
//! What a scanner wrote and nobody can read must not pass for a clean result: [`unreadable`] makes the fact that says so.
//!
//! [`detect`] says what kind of report a file is, [`read`] turns it into [`Fact`]s, and [`markdown`] sums facts up for people.
//! Reports come from many tools and many versions of them, so the readers take what they know and pass over the rest. What they
//! cannot make sense of at all is an error that names the line. Hostile input costs bounded time and memory: see [`Limits`].
//!
//! A test that passed only after a failed try is flaky, however its report says so: it is never counted as a clean pass.
//! This crate opens no file and knows nothing of runs and steps.

#![warn(missing_docs)]

mod cobertura;
mod coverage;
mod decode;
mod detect;
mod error;
mod findings_found;
mod jacoco;
mod json;
mod junit;
mod lcov;
mod limits;
mod location;
mod markdown;
mod playwright;
mod sarif;
mod scanner;
mod tests_found;
mod unreadable;
mod xml;

pub use detect::{ReportKind, detect};
pub use error::{ReportError, Wrong};
pub use limits::Limits;
pub use markdown::{escaped, markdown};
pub use unreadable::unreadable;

use lineclear_event::{Fact, Findings};

/// Reads a report.
///
/// `name` is what the facts are called by: the report's path, relative to the workspace. A SARIF file is one fact for each of its
/// runs; every other report is one fact.
///
/// # Errors
/// [`ReportError`], with the line where the report stops making sense.
pub fn read(kind: ReportKind, name: &str, bytes: &[u8]) -> Result<Vec<Fact>, ReportError> {
    read_within(kind, name, bytes, &Limits::default())
}

/// [`read`] with other limits.
///
/// # Errors
/// As of [`read`].
pub fn read_within(kind: ReportKind, name: &str, bytes: &[u8], limits: &Limits) -> Result<Vec<Fact>, ReportError> {
    let fault = |wrong: Wrong| ReportError { name: name.to_owned(), kind, wrong };
    if bytes.len() > limits.bytes {
        return Err(fault(Wrong::TooLarge { size: bytes.len(), limit: limits.bytes }));
    }
    let text = decode::text(bytes).map_err(fault)?;
    let findings = |found: Result<Findings, Wrong>| found.map(|findings| vec![Fact::Findings(Box::new(findings))]);
    match kind {
        ReportKind::JUnit => junit::read(name, &text, limits).map(|tests| vec![Fact::Tests(tests)]),
        ReportKind::Playwright => playwright::read(name, &text, limits).map(|tests| vec![Fact::Tests(tests)]),
        ReportKind::Cobertura => cobertura::read(name, &text, limits).map(|coverage| vec![Fact::Coverage(coverage)]),
        ReportKind::Jacoco => jacoco::read(name, &text, limits).map(|coverage| vec![Fact::Coverage(coverage)]),
        ReportKind::Lcov => lcov::read(name, &text, limits).map(|coverage| vec![Fact::Coverage(coverage)]),
        ReportKind::Sarif => sarif::read(name, &text, limits)
            .map(|findings| findings.into_iter().map(|one| Fact::Findings(Box::new(one))).collect()),
        ReportKind::Bandit => findings(scanner::bandit(name, &text, limits)),
        ReportKind::PipAudit => findings(scanner::pip_audit(name, &text, limits)),
        ReportKind::NpmAudit => findings(scanner::npm_audit(name, &text, limits)),
        ReportKind::Trivy => findings(scanner::trivy(name, &text, limits)),
        ReportKind::Grype => findings(scanner::grype(name, &text, limits)),
    }
    .map_err(fault)
}
