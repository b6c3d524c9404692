//! JUnit XML, in the dialects of surefire, pytest, jest-junit, Playwright, go-junit-report, GoogleTest and nextest.
//!
//! # Source
//! `surefire-test-report.xsd` of Maven Surefire (`flakyFailure`, `rerunFailure`); what the other tools write.

use lineclear_event::{TestCase, TestOutcome, TestResults};

use crate::tests_found::{TestsFound, milliseconds};
use crate::xml::{Element, Piece, Reader};
use crate::{Limits, Wrong, location};

/// How much of a failure's text is kept while its case is read: places are looked for in it.
const LONGEST_TEXT: usize = 32 << 10;

pub(crate) fn read(name: &str, text: &str, limits: &Limits) -> Result<TestResults, Wrong> {
    let mut reader = Reader::new(text, limits.depth);
    let mut state = State { found: TestsFound::new(limits), suites: Vec::new(), case: None, open: Vec::new() };
    let mut has_root = false;
    while let Some(piece) = reader.next()? {
        match piece {
            Piece::Open(element) => {
                let is_suite = matches!(element.name.as_str(), "testsuites" | "testsuite");
                if !has_root && !is_suite {
                    let found = format!("<{}>", element.name);
                    return Err(Wrong::Unexpected {
                        line: element.line,
                        found,
                        expected: "<testsuites> or <testsuite>",
                    });
                }
                has_root = true;
                state.open(&element);
            }
            Piece::Text(text) => state.text(&text),
            Piece::Close => state.close(),
        }
    }
    if has_root {
        Ok(state.found.finish(name))
    } else {
        let line = reader.last_line();
        Err(Wrong::Unexpected { line, found: "the end of the file".into(), expected: "<testsuites> or <testsuite>" })
    }
}

/// What an open element is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    Suite,
    Case,
    /// A failure or error, of the last try or of an earlier one.
    Failure,
    Skipped,
    Other,
}

#[derive(Debug)]
struct State<'l> {
    found: TestsFound<'l>,
    suites: Vec<Suite>,
    case: Option<Case>,
    open: Vec<Open>,
}

#[derive(Debug, Default)]
struct Suite {
    name: String,
    file: Option<String>,
}

/// A case that is being read.
#[derive(Debug)]
struct Case {
    suite: String,
    name: String,
    time: u64,
    file: Option<String>,
    line: Option<u32>,
    failures: Vec<Failure>,
    is_skipped: bool,
    message: String,
}

#[derive(Debug)]
struct Failure {
    /// The test passed nevertheless, or this is one of several failed tries.
    is_earlier: bool,
    /// The test passed in the end.
    is_flaky: bool,
    message: String,
    text: String,
}

impl State<'_> {
    fn open(&mut self, element: &Element) {
        let open = match element.name.as_str() {
            "testsuites" | "testsuite" if self.case.is_none() => {
                let file = element.get("file").or_else(|| element.get("filepath")).map(str::to_owned);
                self.suites.push(Suite { name: element.owned("name"), file });
                Open::Suite
            }
            "testcase" if self.case.is_none() => {
                self.case = Some(self.begin(element));
                Open::Case
            }
            "failure" | "error" | "flakyFailure" | "flakyError" | "rerunFailure" | "rerunError" => {
                self.failure(element);
                Open::Failure
            }
            "skipped" | "disabled" => {
                if let Some(case) = &mut self.case {
                    case.is_skipped = true;
                    case.message = element.owned("message");
                }
                Open::Skipped
            }
            _ => Open::Other,
        };
        self.open.push(open);
    }

    fn begin(&self, element: &Element) -> Case {
        let suite = element.get("classname").map(str::to_owned);
        let inner = self.suites.iter().rev().find(|suite| !suite.name.is_empty());
        // GoogleTest says in `status` and `result` whether a test ran.
        let is_skipped =
            element.get("status").is_some_and(|status| ["notrun", "skipped", "disabled"].contains(&status))
                || element.get("result").is_some_and(|result| ["suppressed", "skipped"].contains(&result));
        Case {
            suite: suite.or_else(|| inner.map(|suite| suite.name.clone())).unwrap_or_default(),
            name: element.owned("name"),
            time: element.get("time").map_or(0, milliseconds),
            file: element
                .get("file")
                .map(str::to_owned)
                .or_else(|| self.suites.iter().rev().find_map(|suite| suite.file.clone())),
            line: element.number("line").and_then(|line| u32::try_from(line).ok()),
            failures: Vec::new(),
            is_skipped,
            message: String::new(),
        }
    }

    fn failure(&mut self, element: &Element) {
        let name = element.name.as_str();
        let kind = element.get("type").unwrap_or_default();
        let failure = Failure {
            is_earlier: name.starts_with("flaky") || name.starts_with("rerun"),
            is_flaky: name.starts_with("flaky"),
            message: element.get("message").unwrap_or(kind).to_owned(),
            text: String::new(),
        };
        // A suite can fail without a case: when its set-up fails, or its file does not compile.
        let case = self.case.get_or_insert_with(|| {
            let suite = self.suites.iter().rev().find(|suite| !suite.name.is_empty());
            let name = suite.map_or_else(|| "(suite)".into(), |suite| suite.name.clone());
            Case {
                suite: name.clone(),
                name,
                time: 0,
                file: None,
                line: None,
                failures: Vec::new(),
                is_skipped: false,
                message: String::new(),
            }
        });
        case.failures.push(failure);
    }

    fn text(&mut self, text: &str) {
        let Some(case) = &mut self.case else { return };
        match self.open.last() {
            Some(Open::Failure) => {
                if let Some(failure) = case.failures.last_mut()
                    && failure.text.len() < LONGEST_TEXT
                {
                    failure.text.push_str(text);
                }
            }
            Some(Open::Skipped) if case.message.is_empty() => text.trim().clone_into(&mut case.message),
            _ => {}
        }
    }

    fn close(&mut self) {
        match self.open.pop() {
            Some(Open::Suite) => {
                self.suites.pop();
            }
            Some(Open::Case) => self.end_case(),
            // The failure of a suite without a case.
            Some(Open::Failure) if !self.open.contains(&Open::Case) => self.end_case(),
            _ => {}
        }
    }

    fn end_case(&mut self) {
        let Some(case) = self.case.take() else { return };
        let last = case.failures.iter().find(|failure| !failure.is_earlier);
        let is_flaky = last.is_none() && case.failures.iter().any(|failure| failure.is_flaky);
        let outcome = match case.failures.first() {
            Some(_) if is_flaky => TestOutcome::Flaky,
            // Also where there are only failed tries and nothing says how it ended.
            Some(_) => TestOutcome::Failed,
            None if case.is_skipped => TestOutcome::Skipped,
            None => TestOutcome::Passed,
        };
        let told = last.or_else(|| case.failures.first());
        let place =
            told.and_then(|failure| location::in_text(&failure.text).or_else(|| location::in_text(&failure.message)));
        let message = match told {
            Some(failure) if failure.message.trim().is_empty() => failure.text.clone(),
            Some(failure) => failure.message.clone(),
            None => case.message,
        };
        let (file, line) = match (case.file, place) {
            // pytest's `line` is where the test begins; where it failed is more to the point.
            (Some(file), Some((at, line))) if same_file(&file, &at) => (Some(file), Some(line)),
            (Some(file), _) => (Some(file), case.line),
            (None, Some((file, line))) => (Some(file), Some(line)),
            (None, None) => (None, case.line),
        };
        self.found.add(TestCase {
            suite: case.suite,
            name: case.name,
            outcome,
            duration_ms: case.time,
            message,
            file,
            line,
        });
    }
}

fn same_file(one: &str, other: &str) -> bool {
    one.ends_with(other) || other.ends_with(one)
}

#[cfg(test)]
mod tests;
