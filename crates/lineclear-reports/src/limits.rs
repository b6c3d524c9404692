//! How much a report may ask for.

/// Beyond the first two a report is refused; the others cut what is kept of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Size of the file in bytes.
    pub bytes: usize,
    /// Elements or suites inside each other.
    pub depth: usize,
    /// Test cases that are listed one by one; those beyond count in the totals. Failed and flaky ones are kept first.
    pub cases: usize,
    /// Characters of a message.
    pub message: usize,
    /// Files that a coverage report lists. Those beyond count in its totals.
    pub files: usize,
    /// Findings that are listed as lines.
    pub findings: usize,
    /// Findings that are kept with all that is known of them, the worst first. Those beyond are counted.
    pub kept_findings: usize,
}

impl Default for Limits {
    /// 64 MiB, 128 levels, 10 000 cases, messages of 1 000 characters, 10 000 files, 20 lines and 1 000 findings.
    fn default() -> Self {
        Self {
            bytes: 64 << 20,
            depth: 128,
            cases: 10_000,
            message: 1000,
            files: 10_000,
            findings: 20,
            kept_findings: 1000,
        }
    }
}
