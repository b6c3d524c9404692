//! Test cases as they are found in a report, on their way to [`TestResults`].

use std::collections::HashMap;

use lineclear_event::{TestCase, TestOutcome, TestResults, TestTotals};

use crate::Limits;

/// Gathers the cases of one report.
#[derive(Debug)]
pub(crate) struct TestsFound<'l> {
    limits: &'l Limits,
    cases: Vec<TestCase>,
}

impl<'l> TestsFound<'l> {
    pub(crate) fn new(limits: &'l Limits) -> Self {
        Self { limits, cases: Vec::new() }
    }

    pub(crate) fn add(&mut self, mut case: TestCase) {
        case.message = shortened(&case.message, self.limits.message);
        self.cases.push(case);
    }

    /// The results: tries of one test brought together, totals counted, and the list cut to its limit.
    pub(crate) fn finish(self, name: &str) -> TestResults {
        let cases = tries_together(self.cases);
        let mut totals = TestTotals::default();
        for case in &cases {
            *match case.outcome {
                TestOutcome::Passed => &mut totals.passed,
                TestOutcome::Flaky => &mut totals.flaky,
                TestOutcome::Failed => &mut totals.failed,
                TestOutcome::Skipped => &mut totals.skipped,
            } += 1;
            totals.duration_ms = totals.duration_ms.saturating_add(case.duration_ms);
        }
        let (cases, left_out) = cut(cases, self.limits.cases);
        TestResults { name: name.to_owned(), cases, left_out, totals }
    }
}

/// A test that is listed twice, first failed and then passed, was tried again: one flaky case. Cases of one name that all passed,
/// or that failed last, are as many tests: parameters are not always part of the name.
fn tries_together(cases: Vec<TestCase>) -> Vec<TestCase> {
    let mut together: Vec<Option<TestCase>> = Vec::with_capacity(cases.len());
    let mut failed: HashMap<(String, String), Vec<usize>> = HashMap::new();
    for case in cases {
        let key = (case.suite.clone(), case.name.clone());
        match case.outcome {
            TestOutcome::Failed => {
                failed.entry(key).or_default().push(together.len());
                together.push(Some(case));
            }
            TestOutcome::Passed | TestOutcome::Flaky => match failed.remove(&key) {
                Some(tries) => {
                    let mut flaky = TestCase { outcome: TestOutcome::Flaky, ..case };
                    let mut first = None;
                    for index in tries.into_iter().rev() {
                        let Some(earlier) = together.get_mut(index).and_then(Option::take) else { continue };
                        flaky.duration_ms = flaky.duration_ms.saturating_add(earlier.duration_ms);
                        if earlier.file.is_some() {
                            (flaky.file, flaky.line) = (earlier.file, earlier.line);
                        }
                        flaky.message = earlier.message;
                        first = Some(index);
                    }
                    match first.and_then(|index| together.get_mut(index)) {
                        Some(place) => *place = Some(flaky),
                        None => together.push(Some(flaky)),
                    }
                }
                None => together.push(Some(case)),
            },
            TestOutcome::Skipped => together.push(Some(case)),
        }
    }
    together.into_iter().flatten().collect()
}

/// At most `most` cases, in their order; what failed or is flaky goes before what passed.
fn cut(mut cases: Vec<TestCase>, most: usize) -> (Vec<TestCase>, u64) {
    let too_many = cases.len().saturating_sub(most);
    if too_many == 0 {
        return (cases, 0);
    }
    let is_quiet = |case: &TestCase| matches!(case.outcome, TestOutcome::Passed | TestOutcome::Skipped);
    let quiet = cases.iter().filter(|case| is_quiet(case)).count();
    let mut quiet_kept = quiet.saturating_sub(too_many);
    cases.retain(|case| {
        if !is_quiet(case) {
            return true;
        }
        let keep = quiet_kept > 0;
        quiet_kept = quiet_kept.saturating_sub(1);
        keep
    });
    cases.truncate(most);
    (cases, too_many as u64)
}

/// A message without colours and outer blank space, cut to `most` characters.
pub(crate) fn shortened(message: &str, most: usize) -> String {
    let plain = without_colours(message);
    let plain = plain.trim();
    match plain.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", plain[..end].trim_end()),
        None => plain.to_owned(),
    }
}

/// Without escape sequences for terminals, which test runners write into their reports.
fn without_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' && characters.peek() == Some(&'[') {
            characters.next();
            while characters.next_if(|c| !('@'..='~').contains(c)).is_some() {}
            characters.next();
        } else if character == '\t' || character == '\n' || !character.is_control() {
            plain.push(character);
        }
    }
    plain
}

/// Seconds, as reports write them, in milliseconds: "0.123", "1,234.5" with a separator of thousands, "12".
pub(crate) fn milliseconds(text: &str) -> u64 {
    let plain: String = text.trim().chars().filter(|c| *c != ',').collect();
    // A float that is out of range ends at the bounds of the integer.
    plain.parse::<f64>().map_or(0, |seconds| (seconds * 1000.0).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(outcomes: &[(&str, TestOutcome)], cases: usize) -> TestResults {
        let limits = Limits { cases, ..Limits::default() };
        let mut found = TestsFound::new(&limits);
        for (number, (name, outcome)) in outcomes.iter().enumerate() {
            found.add(TestCase {
                suite: "s".into(),
                name: (*name).into(),
                outcome: *outcome,
                duration_ms: 1,
                message: if *outcome == TestOutcome::Failed { format!("try {number}") } else { String::new() },
                file: None,
                line: None,
            });
        }
        found.finish("report.xml")
    }

    #[test]
    fn failed_and_then_passed_is_one_flaky_test() {
        use TestOutcome::{Failed, Flaky, Passed};
        let found = results(&[("a", Failed), ("b", Passed), ("a", Failed), ("a", Passed)], 9);
        let listed: Vec<_> = found.cases.iter().map(|case| (case.name.as_str(), case.outcome)).collect();
        assert_eq!(listed, [("a", Flaky), ("b", Passed)]);
        assert_eq!((found.cases[0].message.as_str(), found.cases[0].duration_ms), ("try 0", 3));
        assert_eq!(found.totals, TestTotals { passed: 1, flaky: 1, failed: 0, skipped: 0, duration_ms: 4 });
        let found = results(&[("a", Passed), ("a", Failed), ("b", Passed), ("b", Passed)], 9);
        assert_eq!((found.totals.passed, found.totals.failed, found.totals.flaky), (3, 1, 0));
    }

    #[test]
    fn what_is_left_out_passed() {
        use TestOutcome::{Failed, Passed};
        let found = results(&[("a", Passed), ("b", Passed), ("c", Failed), ("d", Passed)], 2);
        assert_eq!(found.cases.iter().map(|case| case.name.as_str()).collect::<Vec<_>>(), ["a", "c"]);
        assert_eq!((found.left_out, found.totals.passed), (2, 3));
    }

    #[test]
    fn messages_lose_their_colours_and_their_length() {
        assert_eq!(shortened("\u{1b}[31mred\u{1b}[39m\u{7} text ", 99), "red text");
        assert_eq!(shortened("häßlich", 3), "häß…");
    }

    #[test]
    fn times_are_read_as_tools_write_them() {
        let read = ["0.1234", "1,234.5", "", "-1", "NaN", "12", "1e400"].map(milliseconds);
        assert_eq!(read, [123, 1_234_500, 0, 0, 0, 12_000, u64::MAX]);
    }
}
