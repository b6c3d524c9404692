//! Actions that show reports of tests: each reads the same files, and differs in its inputs, outputs and words.

mod check_run;
mod dorny;
mod mikepenz;
mod publish_unit_test_result;

use lineclear_event::{Fact, TestCase, TestOutcome, TestTotals};
use lineclear_reports::{ReportKind, markdown};
use lineclear_runner::native::{Call, NativeAction, NativeError};

use crate::globs::{Dots, Glob};
use crate::{report_files, search};

pub(crate) fn all() -> Vec<Box<dyn NativeAction>> {
    let publish = publish_unit_test_result::NAMES.map(publish_unit_test_result::PublishUnitTestResult);
    let mut all: Vec<Box<dyn NativeAction>> = vec![Box::new(dorny::TestReporter), Box::new(mikepenz::JunitReport)];
    all.extend(publish.map(|action| Box::new(action) as Box<dyn NativeAction>));
    all
}

/// The reports that an action was pointed at.
#[derive(Clone, Debug, Default)]
struct Reports {
    /// Only [`Fact::Tests`].
    facts: Vec<Fact>,
    /// How many files there were.
    files: usize,
    /// Sentences about files that are no reports.
    unreadable: Vec<String>,
}

impl Reports {
    /// Reads the files below `folder` that match a pattern; those of patterns with a `!` are left out.
    fn find(call: &Call<'_>, folder: &str, patterns: &[&str]) -> Result<Self, NativeError> {
        let root = call.workspace().join(folder);
        let root = if folder.is_empty() { call.workspace().to_path_buf() } else { root };
        let root = call.reached("the folder of the reports", root)?;
        let workspace = root.to_string_lossy().into_owned();
        let mut globs = Vec::new();
        for pattern in patterns.iter().map(|pattern| pattern.trim()).filter(|pattern| !pattern.is_empty()) {
            let (is_negated, plain) = pattern.strip_prefix('!').map_or((false, pattern), |rest| (true, rest));
            let plain = plain.strip_prefix(&workspace).map_or(plain, |rest| rest.trim_start_matches('/'));
            // A folder stands for the reports in it.
            let plain =
                if root.join(plain).is_dir() { format!("{}/**", plain.trim_end_matches('/')) } else { plain.into() };
            globs.push((is_negated, Glob::new(&plain, Dots::Matched).map_err(NativeError)?));
        }
        let mut reports = Self::default();
        for file in search::files_below(call, "path", &root, true)? {
            let relative = file.strip_prefix(&root).unwrap_or(&file).to_string_lossy().into_owned();
            if relative.starts_with(".git/") || relative.contains("node_modules/") {
                continue;
            }
            let is_wanted = globs.iter().any(|(is_negated, glob)| !is_negated && glob.matches(&relative))
                && !globs.iter().any(|(is_negated, glob)| *is_negated && glob.matches(&relative));
            if !is_wanted {
                continue;
            }
            reports.files += 1;
            // What it is pointed at is tried as JUnit XML even where it does not look so: then the error says what is wrong.
            let kind = match report_files::kind_of(&file) {
                Some(kind @ (ReportKind::JUnit | ReportKind::Playwright)) => kind,
                _ => ReportKind::JUnit,
            };
            match report_files::read_file(call.workspace(), &file, kind) {
                Ok(facts) => reports.facts.extend(facts),
                Err(reason) => reports.unreadable.push(reason),
            }
        }
        Ok(reports)
    }

    fn totals(&self) -> TestTotals {
        report_files::test_totals(&self.facts)
    }

    fn cases(&self, outcome: TestOutcome) -> impl Iterator<Item = &TestCase> {
        self.facts
            .iter()
            .flat_map(|fact| match fact {
                Fact::Tests(results) => results.cases.as_slice(),
                _ => &[],
            })
            .filter(move |case| case.outcome == outcome)
    }

    fn markdown(&self) -> String {
        markdown(&self.facts)
    }

    fn tell(&self, call: &mut Call<'_>) {
        for fact in &self.facts {
            call.effects.fact(fact.clone());
        }
    }
}

/// Passed, flaky ones included: these actions have no word for them, and their tables tell them apart.
fn passed(totals: TestTotals) -> u64 {
    totals.passed + totals.flaky
}

fn all_tests(totals: TestTotals) -> u64 {
    passed(totals) + totals.failed + totals.skipped
}
