//! The one table of what a check's end counts as. `docs/gate.md` shows it; a test compares.

use lineclear_event::CheckConclusion;

use crate::SkippedCounts;

/// What a gate makes of how a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Counts {
    Pass,
    /// Nothing was proven, and nothing had to be.
    NotNeeded,
    Fail,
    /// Nothing was said: what was known before stays.
    Nothing,
}

/// What `conclusion` counts as, where the gate says `skipped` of checks that their own conditions left out.
///
/// A path-filtered check is only *not needed* as long as it did not fail at the commit that the changed paths were counted from; that is
/// looked up by [`decide`](crate::decide).
pub fn counts_as(conclusion: CheckConclusion, skipped: SkippedCounts) -> Counts {
    match conclusion {
        CheckConclusion::Success | CheckConclusion::Neutral => Counts::Pass,
        CheckConclusion::Skipped => match skipped {
            SkippedCounts::Pass => Counts::NotNeeded,
            SkippedCounts::Fail => Counts::Fail,
        },
        CheckConclusion::PathFiltered => Counts::NotNeeded,
        CheckConclusion::Failure
        | CheckConclusion::Cancelled
        | CheckConclusion::TimedOut
        | CheckConclusion::ActionRequired
        | CheckConclusion::Stale
        | CheckConclusion::StartupFailure => Counts::Fail,
        CheckConclusion::NotRun => Counts::Nothing,
    }
}

/// Whether a check that ended so has looked at the contents, and said yes or no. One that was left out has not, and never takes the place
/// of one that has: what failed stays failed when it is skipped the next time.
pub(crate) fn is_verdict(conclusion: CheckConclusion) -> bool {
    !matches!(conclusion, CheckConclusion::Skipped | CheckConclusion::PathFiltered | CheckConclusion::NotRun)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every conclusion once: a new one does not compile here until it has its row.
    const ALL: [CheckConclusion; 11] = [
        CheckConclusion::Success,
        CheckConclusion::Neutral,
        CheckConclusion::Skipped,
        CheckConclusion::PathFiltered,
        CheckConclusion::Failure,
        CheckConclusion::Cancelled,
        CheckConclusion::TimedOut,
        CheckConclusion::ActionRequired,
        CheckConclusion::Stale,
        CheckConclusion::StartupFailure,
        CheckConclusion::NotRun,
    ];

    // S0-22, S0-24
    #[test]
    fn every_conclusion_counts_as_the_documented_table_says() {
        let table: Vec<(String, Counts, Counts)> = include_str!("../../../docs/gate.md")
            .lines()
            .skip_while(|line| !line.starts_with("| conclusion |"))
            .skip(2)
            .take_while(|line| line.starts_with('|'))
            .map(|line| {
                let cells: Vec<&str> = line.split('|').map(str::trim).collect();
                let counts = |cell: &str| match cell {
                    "pass" => Counts::Pass,
                    "not needed" => Counts::NotNeeded,
                    "fail" => Counts::Fail,
                    "nothing was said" => Counts::Nothing,
                    other => panic!("`{other}` is no word of the table"),
                };
                (cells[1].trim_matches('`').to_owned(), counts(cells[2]), counts(cells[3]))
            })
            .collect();
        let own: Vec<(String, Counts, Counts)> = ALL
            .iter()
            .map(|&conclusion| {
                let counts = |skipped| counts_as(conclusion, skipped);
                (conclusion.to_string(), counts(SkippedCounts::Pass), counts(SkippedCounts::Fail))
            })
            .collect();
        assert_eq!(table, own);
    }
}
