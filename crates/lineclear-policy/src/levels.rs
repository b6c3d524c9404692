//! `[levels]`: the service levels that the pipeline itself is held to.

use std::time::Duration;

use lineclear_source::Spanned;

use crate::table::{Findings, Table};

/// `[levels]`. What is not set is measured and not judged.
#[derive(Clone, Debug, Default)]
pub struct Levels {
    /// `pull-request-p50`: the time within which half of the pull requests have their answer.
    pub pull_request_p50: Option<Spanned<Duration>>,
    /// `pull-request-p95`: the same for nineteen of twenty.
    pub pull_request_p95: Option<Spanned<Duration>>,
    /// `pipeline-p50`: the time within which half of the runs of the main branch have ended.
    pub pipeline_p50: Option<Spanned<Duration>>,
    /// `flake-rate`: the share of runs in a week, from 0 to 1, that may turn green by being repeated.
    pub flake_rate: Option<Spanned<f64>>,
    /// `published-while-red`: how many publications without a clear gate are accepted.
    pub published_while_red: Option<Spanned<u32>>,
}

impl Levels {
    pub(crate) fn read(mut table: Table<'_>, findings: &mut Findings<'_>) -> Self {
        let levels = Self {
            pull_request_p50: table.duration("pull-request-p50", findings),
            pull_request_p95: table.duration("pull-request-p95", findings),
            pipeline_p50: table.duration("pipeline-p50", findings),
            flake_rate: table.number("flake-rate", 1.0, findings),
            published_while_red: table.count("published-while-red", 0, findings),
        };
        table.finish(findings);
        levels
    }
}
