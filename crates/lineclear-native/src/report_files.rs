//! Reports among the files of a step: read into facts of the run's record.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lineclear_event::{AnnotationLevel, Fact, TestTotals};
use lineclear_reports::{Limits, ReportKind, detect, markdown, read, unreadable};
use lineclear_runner::native::Call;

/// How much of a file is read to see what it is.
const HEAD: u64 = 64 << 10;
/// Most reports of one step, and for how long they are looked for and read.
const MOST: usize = 100;
const TIME: Duration = Duration::from_secs(10);

/// Reads the reports among `files`, tells the record of them and adds them to the job's summary. Nothing here fails a step: a
/// report that cannot be read is a line in the log.
pub(crate) fn take_in(call: &mut Call<'_>, files: &[PathBuf]) {
    let start = Instant::now();
    let mut facts = Vec::new();
    let mut reports = 0_usize;
    for file in files {
        if reports == MOST || start.elapsed() > TIME {
            call.effects.log(&format!("Only the first {reports} reports were read"));
            break;
        }
        let Some(kind) = kind_of(file) else { continue };
        reports += 1;
        match read_file(call.workspace(), file, kind) {
            Ok(found) => {
                for warning in incomplete(&found) {
                    call.effects.annotate(AnnotationLevel::Warning, &warning);
                }
                facts.extend(found);
            }
            Err(reason) => {
                call.effects.log(&reason);
                facts.extend(unread(call, file, kind, &reason));
            }
        }
    }
    if facts.is_empty() {
        return;
    }
    call.effects.log(&in_one_line(&facts, reports));
    tell(call, facts);
}

/// The fact that a scanner's report is there and cannot be read, with a warning: nobody may take it for one without findings.
pub(crate) fn unread(call: &mut Call<'_>, file: &Path, kind: ReportKind, reason: &str) -> Option<Fact> {
    let name = file.strip_prefix(call.workspace()).unwrap_or(file).to_string_lossy().into_owned();
    let mut head = Vec::new();
    if let Ok(file) = File::open(file) {
        // What cannot be read of it names no tool; that it cannot be read is what is told.
        let _ = file.take(HEAD).read_to_end(&mut head);
    }
    let fact = unreadable(kind, &name, &head, reason)?;
    call.effects.annotate(AnnotationLevel::Warning, &format!("{reason}. It counts as no scan."));
    Some(fact)
}

/// What reports say of themselves that keeps them from being scans: nobody may take them for whole.
pub(crate) fn incomplete(facts: &[Fact]) -> Vec<String> {
    let each = facts.iter().filter_map(|fact| match fact {
        Fact::Findings(found) if !found.unreadable.is_empty() => {
            Some(format!("`{}`: the report of {}: {}. It counts as no scan.", found.name, found.tool, found.unreadable))
        }
        _ => None,
    });
    each.collect()
}

/// Tells the record of facts and adds them to the job's summary.
pub(crate) fn tell(call: &mut Call<'_>, facts: Vec<Fact>) {
    let summary = markdown(&facts);
    if !summary.is_empty() {
        call.effects.summary(&summary);
    }
    for fact in facts {
        call.effects.fact(fact);
    }
}

/// What kind of report a file is; `None` also for what cannot be read.
pub(crate) fn kind_of(file: &Path) -> Option<ReportKind> {
    let name = file.file_name()?.to_str()?;
    // Most files are none by their name alone.
    if !["xml", "json", "sarif", "info", "lcov"].iter().any(|extension| has_extension(name, extension)) {
        return None;
    }
    let mut head = Vec::new();
    File::open(file).ok()?.take(HEAD).read_to_end(&mut head).ok()?;
    detect(name, &head)
}

fn has_extension(name: &str, extension: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, last)| last.eq_ignore_ascii_case(extension))
}

/// The facts in one report, named by its path from the workspace. Sources in the workspace are named from there, too.
///
/// # Errors
/// A sentence about a file that cannot be read.
pub(crate) fn read_file(workspace: &Path, file: &Path, kind: ReportKind) -> Result<Vec<Fact>, String> {
    let name = file.strip_prefix(workspace).unwrap_or(file).to_string_lossy().into_owned();
    let limit = Limits::default().bytes as u64;
    let mut bytes = Vec::new();
    File::open(file)
        .and_then(|file| file.take(limit + 1).read_to_end(&mut bytes))
        .map_err(|error| format!("`{name}` cannot be read: {error}"))?;
    let mut facts = read(kind, &name, &bytes).map_err(|error| error.to_string())?;
    let prefix = format!("{}/", workspace.display());
    for fact in &mut facts {
        if let Fact::Tests(results) = fact {
            for place in results.cases.iter_mut().filter_map(|case| case.file.as_mut()) {
                if let Some(inside) = place.strip_prefix(&prefix) {
                    *place = inside.to_owned();
                }
            }
        }
    }
    Ok(facts)
}

/// The sums of all reports of tests.
pub(crate) fn test_totals(facts: &[Fact]) -> TestTotals {
    let mut sum = TestTotals::default();
    for fact in facts {
        if let Fact::Tests(results) = fact {
            sum.passed += results.totals.passed;
            sum.flaky += results.totals.flaky;
            sum.failed += results.totals.failed;
            sum.skipped += results.totals.skipped;
            sum.duration_ms = sum.duration_ms.saturating_add(results.totals.duration_ms);
        }
    }
    sum
}

fn in_one_line(facts: &[Fact], reports: usize) -> String {
    let mut parts = Vec::new();
    let is_tests = |fact: &Fact| matches!(fact, Fact::Tests(_));
    if facts.iter().any(is_tests) {
        let totals = test_totals(facts);
        let (passed, flaky, failed, skipped) = (totals.passed, totals.flaky, totals.failed, totals.skipped);
        parts.push(format!("{passed} passed, {flaky} flaky, {failed} failed, {skipped} skipped"));
    }
    for fact in facts {
        if let Fact::Coverage(coverage) = fact
            && coverage.lines > 0
        {
            let tenths = u128::from(coverage.lines_covered) * 1000 / u128::from(coverage.lines);
            parts.push(format!("{}.{} % of lines covered", tenths / 10, tenths % 10));
        }
    }
    let findings: u64 = facts
        .iter()
        .map(|fact| if let Fact::Findings(findings) = fact { findings.by_severity().values().sum() } else { 0 })
        .sum();
    if facts.iter().any(|fact| matches!(fact, Fact::Findings(_))) {
        parts.push(format!("{findings} findings"));
    }
    let plural = if reports == 1 { "" } else { "s" };
    format!("Read {reports} report{plural} into the run's record: {}", parts.join("; "))
}
